"""The plan of a run: a first look at each rule, then the rest of each check; what draws comes after that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from mockserver.conformance.checks import IF_SHORT, Check, Steps
from mockserver.conformance.rules import Need, Rule
from mockserver.conformance.run import Forbidden, Run, Target
from mockserver.conformance.side_by_side import Jobs

USED_UP: Final = "the time budget ran out (raise --time-budget)"
NO_CASE: Final = "what the service holds and answered offers no case of it"
NO_CASE_YET: Final = "nothing that the run had time to look at offers a case of it"
_TRIPS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a check may trip over; a StopIteration within one arrives as a RuntimeError."""
_LACKS: Final[Mapping[Need, str]] = {
    "write": "the run only reads",
    "other-key": "no key of another project was given",
    "disabled-key": "no disabled key was given",
    "parallel": "requests are sent one at a time",
}
_RANKS: Final = ("high", "medium", "low")
_FIRST_STEP: Final = 24
"""So many requests the second step of a check may take: how long it is is known only afterwards."""
_TURN: Final = 8
"""After so many requests it is another check's turn; each round doubles it. Short checks are over soon that way."""
_TURN_SOON: Final = 24
"""The least for unusual input."""
_KEYS: Final = "key-"
"""How the ids of the rules about API keys begin: their checks go on first, for they are short and matter most."""
_SOON: Final = "hostile"
"""The part that goes on next: a crash shows in one answer, so it finds most for its requests."""
_SEVERE: Final = 3
"""So many turns more has a check of high severity at once."""
_FURTHER: Final = 2
"""So many times as far checks go on in their turn where they do it side by side, and farther if they write apart."""
_LUCK: Final = "races"
"""The part that goes on in turn although it is of high severity: what its first look does not show is luck."""
_LAST: Final = "fuzz"
"""The part that goes on last: it takes hundreds of requests, and other parts know better what they look for."""
_DELETING: Final = 4
"""Requests that it takes to delete two calendars, a check's own and a shared one, and to see that they are gone.

A look that is cut makes one of them.
"""
_MOST: Final = 0.75
"""So much of what all rules of the highest severity need is enough for what only reads to go first."""
_SOME_TIME: Final = 1.0
"""While a POST would have to wait for so many seconds, what only reads goes on."""
_LOOKS: Final = 3
"""So many steps of a check, at most, before every check has had its first look."""


class Task:
    """A check under way."""

    def __init__(self, check: Check, rules: Sequence[Rule]) -> None:
        """`rules` are those of its rules that are to be tested."""
        self.check, self.rules = check, rules
        self.looks = 0
        """How many of its steps are taken."""
        self.turns = 0
        """How often it was taken on: more often than it has looked, where steps were cut for want of time."""
        self.over = False
        self.cut = ""
        """Why it did not run to its end."""
        self._dearest = check.cost
        self.sent = self.failed = 0
        """Its requests, and those of them that were answered with a server error or not at all."""
        self._steps: Steps | None = None

    def step(self, run: Run, *, short: bool = False) -> None:
        """Goes on to the next place where something else may come first; `short`: of those for want of time, too."""
        self.turns += 1
        sent, failed = _counted(run)
        mark: str | Task | None = IF_SHORT
        try:
            self._steps = self._steps or self.check.begin(run)
            mark = next(self._steps, self)
            while mark == IF_SHORT and not short:
                mark = next(self._steps, self)
            self.over = mark is self
        except Forbidden as reason:
            self._cut(f"it asked for what the run may not do: {reason}")
        except _TRIPS as reason:
            # A deployment may answer with anything: that a check did not foresee it must not lose what others found.
            self._cut(f"an answer that it did not foresee: {type(reason).__name__}: {reason}")
        finally:
            if mark != IF_SHORT:
                self.looks += 1
                # How long a step is that is not a first look is known only afterwards.
                self._dearest = max(self.check.cost, _counted(run)[0] - sent) if self.looks > 1 else _FIRST_STEP
            self.sent += _counted(run)[0] - sent
            self.failed += _counted(run)[1] - failed

    def due(self, *, short: bool = False) -> int:
        """The requests that its next step may take."""
        if not short or self.looks:
            return self._dearest
        # Where a look that was cut goes on, it may be to its end.
        return max(self.check.least, self.check.cost - self.sent) if self.turns else self.check.least

    @property
    def part(self) -> str:
        """The part of its rules; "" where none of them is to be tested."""
        return self.rules[0].part if self.rules else ""

    @property
    def is_severe(self) -> bool:
        """Whether what it tests first of all is of high severity."""
        return bool(self.rules) and self.rules[0].severity == "high"

    def untested(self, run: Run) -> list[Rule]:
        """Its rules that nothing has tested yet."""
        return [rule for rule in self.rules if rule.id not in run.findings.exercised]

    def _cut(self, why: str) -> None:
        self.over, self.cut = True, why


def _counted(run: Run) -> tuple[int, int]:
    count = getattr(run.target, "here", run.target)
    return getattr(count, "sent", 0), getattr(count, "failed", 0)


class Plan:
    """The checks of a run in the order in which they go."""

    def __init__(
        self,
        run: Run,
        checks: Sequence[Check],
        rules: Mapping[str, Rule],
        *,
        pace: Callable[[], float] = lambda: 0.0,
        before: Callable[[Task], object] = lambda task: None,
        side_by_side: Callable[[Jobs, bool], bool] = lambda jobs, apart: False,
    ) -> None:
        """`rules` are those to be tested, by their ids; `pace` tells the seconds that a request takes.

        `before` is called with every task that is about to go on. `side_by_side` runs jobs at once, which only read or
        write apart, and says whether it has; not where the target is near, or may not be asked so.
        """
        self.tasks = [
            Task(check, [rules[name] for name in check.rules if name in rules])
            for check in checks
            if not lacking(check.needs, run.target)
        ]
        self._run, self._rules, self._pace, self._before = run, rules, pace, before
        self._side_by_side = side_by_side
        self._going: set[Task] = set()
        """Those that go on side by side."""
        self._of = {task.check: task for task in self.tasks}

    def look(self) -> None:
        """Takes checks on, each a few steps at most, for as long as they have rules that nothing has tested."""
        while waiting := self._ready([task for task in self._waiting() if self._fits(task, short=True)]):
            task, short = self._next(waiting)
            may, apart = (self._is_free, False) if self._is_free(task) else (self._is_apart, True)
            beside = may(task) and not self._has_to_wait(task)
            if not (beside and self._side_by_side(partial(self._look_beside, may), apart)):
                self._take(task, short=short)

    def finish(self) -> None:
        """Takes each check to its end, some steps in turn: those of high severity first, and more of them."""
        for task in [task for task in self.tasks if task.check.counts]:
            while not task.over and self._fits(task):
                self._take(task)
        going, turn = sorted(self.tasks, key=_by_use), _TURN
        while going := [task for task in going if not task.over and self._fits(task)]:
            beside = self._gone_on(going, self._is_free, turn, apart=False)
            keys = [task for task in going if _is_of_keys(task) and task not in beside]
            for task in keys:
                self._goes_on(task, turn, going)
            beside |= self._gone_on([task for task in going if task not in keys], self._is_apart, turn, apart=True)
            wait = (_LAST, _LUCK) if any(not task.over for task in beside) else ()
            for task in going:
                if task not in beside and task not in keys and task.part not in wait:
                    self._goes_on(task, turn, going)
            turn *= 2

    def _gone_on(self, going: Sequence[Task], may: Callable[[Task], bool], turn: int, *, apart: bool) -> set[Task]:
        """Those of the checks that have had their turn side by side: it takes so little time that they go before."""
        tasks = [task for task in going if not task.over and may(task) and not self._has_to_wait(task)]
        # What goes on one after the other takes longest, so it begins first.
        waiting = sorted(tasks, key=lambda task: not task.check.stage)
        next_turn = partial(self._turn_beside, waiting, _FURTHER * turn + (turn if apart else 0))
        return set(tasks if len(tasks) > 1 and self._side_by_side(next_turn, apart) else ())

    def _turn_beside(self, waiting: list[Task], turn: int) -> Callable[[], object] | None:
        """The next turn of those that are `waiting`, which may be had beside others; None where there is none yet."""
        task = next((task for task in waiting if not self._has_to_wait(task)), None)
        if task is None:
            return None
        waiting.remove(task)
        self._going.add(task)
        return partial(self._gone, task, partial(self._goes_on, task, turn))

    def _goes_on(self, task: Task, turn: int, going: list[Task] | None = None) -> None:
        """Takes a check on for its turn; what writes, of those that are `going`, may have to wait."""
        most: float = task.sent + max(turn, _TURN_SOON if task.part == _SOON else 0)
        if going and task.is_severe and task.part not in (_LAST, _LUCK):
            most += _SEVERE * turn
        while not task.over and task.sent < most and self._fits(task) and (not going or task in self._ready(going)):
            self._take(task)

    def _next(self, waiting: list[Task]) -> tuple[Task, bool]:
        """The one of those that wait for a look that has it next, and whether there is not time for all of them."""
        short = self._needed(task.check.cost for task in waiting if not task.looks) > self._run.share()
        return min(waiting, key=self._by_severity(waiting) if short else self._by_cost), short

    def _look_beside(self, may: Callable[[Task], bool]) -> Callable[[], object] | None:
        """The next look that may be had beside others; None where there is none, or none yet."""
        waiting = [task for task in self._waiting() if task not in self._going and self._fits(task, short=True)]
        free = [task for task in waiting if may(task) and not self._has_to_wait(task)]
        if not free:
            return None
        first, short = self._next(waiting)
        if short:
            # The first look of what cannot go on beside others is worth more than a second look of what can.
            last = self._rank(first), first.turns
            free = [task for task in free if (self._rank(task), task.turns) <= last]
        if not free:
            return None
        task = min(free, key=self._by_severity(waiting) if short else self._by_cost)
        self._going.add(task)
        return partial(self._gone, task, partial(self._take, task, short=short))

    def _gone(self, task: Task, going: Callable[[], object]) -> None:
        try:
            going()
        finally:
            self._going.discard(task)

    def _is_apart(self, task: Task) -> bool:
        """Whether a check may go on beside others although it writes; not while POSTs are held back."""
        return task.check.apart and "write" in task.check.needs and self._run.held() <= _SOME_TIME

    def _is_free(self, task: Task) -> bool:
        """Whether a check may go on beside others, for it only reads."""
        return "write" not in task.check.needs and task.part != _LAST

    def _has_to_wait(self, task: Task) -> bool:
        """Whether a check has to wait for others that are under way, or that look first."""
        before = (self._of[check] for check in task.check.after if check in self._of)
        if any(not first.turns or first in self._going for first in before):
            return True
        return bool(task.check.stage) and any(task.check.stage == other.check.stage for other in self._going)

    def take(self) -> None:
        """Takes one check after the other to its end."""
        for task in self.tasks:
            while not task.over and self._run.share() > 0:
                self._take(task)

    def settle(self, stopped: str = "") -> dict[str, str]:
        """Writes down why rules could not be observed, and gives those that were not tested, each with the reason.

        `stopped` says why the run ended early, if it did.
        """
        findings, untested = self._run.findings, {}
        for name, rule in self._rules.items():
            if name in findings.exercised:
                findings.unobservable.pop(name, None)
            elif lacks := lacking(rule.needs, self._run.target):
                findings.unobservable[name] = lacks
            elif name not in findings.unobservable:
                tasks = [task for task in self.tasks if name in task.check.rules]
                why = next((task.cut for task in tasks if task.cut), "")
                if why or any(not task.over and task.looks < _LOOKS for task in tasks):
                    untested[name] = why or stopped or USED_UP
                elif failing := _failing(tasks):
                    untested[name] = failing
                elif tasks:
                    findings.unobservable[name] = NO_CASE if all(task.over for task in tasks) else NO_CASE_YET
        return untested

    def missing(self) -> tuple[int, int]:
        """How many rules nothing has tested for want of time, and about how many requests they need."""
        tasks = self._waiting()
        return len({rule.id for task in tasks for rule in task.untested(self._run)}), sum(t.check.cost for t in tasks)

    def _waiting(self) -> list[Task]:
        """The tasks with rules that nothing has tested, as far as they have not had looks enough."""
        return [one for one in self.tasks if not one.over and one.looks < _LOOKS and one.untested(self._run)]

    def _ready(self, tasks: list[Task]) -> list[Task]:
        """Of tasks that go on those that need not wait: what reads, while POSTs are held back."""
        reading = [task for task in tasks if "write" not in task.check.needs and not task.over]
        return reading if reading and self._run.held() > _SOME_TIME else tasks

    def _fits(self, task: Task, *, short: bool = False) -> bool:
        """Whether there is time for a look, and for deleting a calendar that it may make."""
        deleting = _DELETING // 2 if short else _DELETING
        requests = self._due(task, short=short) + (deleting if "write" in task.check.needs else 0)
        left = self._run.share()
        return left > 0 and left >= requests * self._pace()

    def _take(self, task: Task, *, short: bool = False) -> None:
        for check in task.check.after:
            # What it reads and finds is needed, whether or not its own rules were tested by others.
            if (first := self._of.get(check)) is not None and not first.turns:
                self._take(first, short=short)
        self._before(task)
        task.step(self._run, short=short)

    def _by_cost(self, task: Task) -> tuple[object, ...]:
        """The cheapest first, and what only reads before what changes the lists that it reads."""
        cost = task.check.cost / len(task.untested(self._run))
        return "write" in task.check.needs, task.looks, cost, self._rank(task)

    def _by_severity(self, waiting: Sequence[Task]) -> Callable[[Task], tuple[object, ...]]:
        """Where there is not time for all: what tests most rules of the highest severity with the fewest requests.

        If there is time for most of the highest severity, what only reads goes first: it reads no page twice then.
        """
        ranks = {task: self._rank(task) for task in waiting}
        reads_first = _MOST * self._needed(self._leasts(waiting)) <= self._run.share()

        def order(task: Task) -> tuple[object, ...]:
            rank, writes = ranks[task], "write" in task.check.needs
            return rank, task.turns, reads_first and writes, self._cost(task, _RANKS[: rank + 1])

        return order

    def _leasts(self, waiting: Sequence[Task]) -> Iterator[int]:
        """What the cheapest checks need, of those that test all rules of the highest severity."""
        tested: set[str] = set()
        for task in sorted(waiting, key=lambda task: task.check.least):
            high = {rule.id for rule in task.untested(self._run) if rule.severity == _RANKS[0]}
            if not task.turns and high - tested:
                tested |= high
                yield task.check.least

    def _needed(self, requests: Iterable[int]) -> float:
        """The seconds for so many requests."""
        return sum(requests) * self._pace()

    def _due(self, task: Task, *, short: bool) -> int:
        """The requests that the next step of a check may take, with the first looks that it waits for."""
        before = (self._of[check] for check in task.check.after if check in self._of)
        return task.due(short=short) + sum(self._due(first, short=short) for first in before if not first.turns)

    def _cost(self, task: Task, severities: Sequence[str]) -> float:
        """Requests for each rule of these severities that the check is the first to test."""
        return self._due(task, short=True) / sum(rule.severity in severities for rule in task.untested(self._run))

    def _rank(self, task: Task) -> int:
        return min(_RANKS.index(rule.severity) for rule in task.untested(self._run))


def _by_use(task: Task) -> tuple[bool, ...]:
    """What is likely to find most with its next requests first."""
    return not _is_of_keys(task), task.part != _SOON, task.part == _LAST, not task.is_severe


def _is_of_keys(task: Task) -> bool:
    return bool(task.rules) and task.rules[0].id.startswith(_KEYS)


def lacking(needs: frozenset[Need], target: Target) -> str:
    """What a target does not have of what is needed, in words; "" for nothing."""
    has: dict[Need, bool] = {
        "write": target.writes,
        "other-key": target.other_key,
        "disabled-key": target.disabled_key,
        "parallel": target.parallel,
    }
    return next((_LACKS[need] for need in sorted(needs) if not has.get(need, True)), "")


def _failing(tasks: Sequence[Task]) -> str:
    """That no request got anything but a server error, where it is so."""
    sent, failed = sum(task.sent for task in tasks), sum(task.failed for task in tasks)
    return f"all {sent} requests that were to test it were answered with a server error" if sent == failed > 0 else ""
