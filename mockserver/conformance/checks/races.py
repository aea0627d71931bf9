"""Races: requests started at one moment, whose outcome has to be that of the same requests in some order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import permutations
from typing import Any

from mockserver.conformance.calendar_bodies import marked
from mockserver.conformance.checks import Check, Steps, check, the_run
from mockserver.conformance.checks.lifecycle.listing import NO_SECOND_PAGE, has_place
from mockserver.conformance.checks.lifecycle.stage import Calendar, Stage, Throttled
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import (
    Expectation,
    count,
    distinct,
    every,
    facts_of,
    lacks,
    member,
    same_member,
    same_rows,
    status,
    statuses,
    where,
)
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.list_pages import CALENDAR_LIST, Unreadable, address, link_path, page_of
from mockserver.conformance.rules import Need, Rule
from mockserver.conformance.run import Run

_NEEDS: frozenset[Need] = frozenset({"write", "parallel"})


def _rule(name: str, sentence: str, source: str) -> Rule:
    return Rule(name, "races", "high", sentence, source, _NEEDS)


RULES: tuple[Rule, ...] = (
    _rule(
        "race-one-winner",
        "Of several concurrent creates with one deduplication key, exactly one succeeds.",
        "CalendarCreate.deduplication_key",
    ),
    _rule(
        "race-no-lost-update",
        "Concurrent changes have the same result as the same changes one after the other.",
        "updateCalendar",
    ),
    _rule("race-one-delete", "Of several concurrent deletes, one gets 200 and the others 404.", "deleteCalendar"),
    _rule(
        "race-no-resurrection",
        "A calendar that is changed and deleted concurrently is gone afterwards.",
        "deleteCalendar",
    ),
    _rule(
        "race-walk",
        "While rows are added, following `next` shows every row that existed before exactly once.",
        "Cursors",
    ),
)
_ROUNDS = 5


def _race(
    rule: str, *, cost: int, more: int = 0, after: tuple[Check, ...] = ()
) -> Callable[[Callable[[Track], None]], Check]:
    """Makes a race a check: it is run several times, and before it is told that one went wrong, one after the other.

    What is wrong then, too, needs no race. `more`: so many times more one after the other, where it is drawn what comes
    last.
    """

    def registered(run_race: Callable[[Track], None]) -> Check:
        @check(rule, context=the_run, cost=cost, needs=("write", "parallel"), after=after)
        def raced(run: Run) -> Steps:
            @cache
            def holds_alone() -> bool:
                return all(not _ran(run_race, Track(run)).wrong for _ in range(1 + more))

            with suppress(Throttled):
                for _ in range(_ROUNDS):
                    _ran(run_race, Track(run, holds_alone))
                    yield

        return raced

    return registered


class Track(Stage):
    """Where races are run: requests at one moment, or one after the other to see that the outcome is right then."""

    def __init__(self, run: Run, holds_alone: Callable[[], bool] | None = None) -> None:
        """`holds_alone` tells whether the outcome is right one after the other; without it, this is to be seen."""
        super().__init__(run)
        self._holds_alone = holds_alone
        self.together = holds_alone is not None
        self.wrong = False
        """Whether the outcome was wrong one after the other."""

    def start(self, calls: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Makes the calls."""
        return self.target.together(calls) if self.together else [call() for call in calls]

    def judge(self, rule: str, expectation: Expectation, operation: str, exchanges: Sequence[Exchange]) -> None:
        """Tests a rule, unless it does not hold without a race."""
        wrong = bool(broken(expectation, facts_of(exchanges)))
        if self._holds_alone is None:
            self.wrong = wrong
        elif wrong and not self._holds_alone():
            self.unobservable(rule, "what is asked does not come out right one after the other either")
        else:
            self.check(rule, expectation, operation, exchanges)


def _ran(run_race: Callable[[Track], None], track: Track) -> Track:
    try:
        run_race(track)
    finally:
        track.clear()
    return track


@_race("race-one-winner", cost=9)
def _creates(stage: Track) -> None:
    """Three calendars with one key, and at the same moment one with another and one without."""
    key = stage.target.tag()
    bodies = [stage.body({"deduplication_key": key}) for _ in range(3)]
    bodies += [stage.body({"deduplication_key": f"{key}-other"}), stage.body()]
    answers = stage.start([partial(stage.post, body) for body in bodies])
    if any(answer.status not in (201, 400) for answer in answers):
        return
    found = stage.get(address(CALENDAR_LIST, (("deduplication_key", key),)))
    others = (status(201, of=answer) for answer in answers[3:])
    one_taken = every(statuses(answers[:3], 201, 400, 400), count(1), *others)
    stage.judge("race-one-winner", one_taken, "createCalendar", [*answers, found])


def _made(stage: Stage) -> Calendar | None:
    answer = stage.post(stage.body({"deduplication_key": stage.target.tag()}))
    return Calendar(answer.json, answer) if answer.status == 201 and isinstance(answer.json, dict) else None


@_race("race-no-lost-update", cost=8, more=3)
def _changes(stage: Track) -> None:
    """Changes of metadata and a credential: all taken, one of them counts, and the calendar is there all the time."""
    calendar = _made(stage)
    if calendar is None:
        return
    sent: list[dict[str, Any]] = [marked(stage.target.tag(), turn=str(turn)) for turn in (1, 2)]
    bodies = [*sent, {"client_secret": stage.target.secret("client_secret")}, {}]
    # Which one comes through last is chance on some services and the order of asking on others.
    stage.random.shuffle(bodies)
    calls = [partial(stage.write, "PATCH", calendar.id, body) for body in bodies]
    everything = stage.start([*calls[:2], partial(stage.read, calendar.id), *calls[2:]])
    answers, read = [*everything[:2], *everything[3:]], everything[2]
    if any(answer.status != 200 for answer in answers) or read.status in (0, 429) or read.status >= 500:
        return
    found = stage.read(calendar.id)
    ends = permutations(sent) if stage.together else [[body for body in bodies if "metadata" in body]]
    orders = [last["metadata"] for *_, last in ends]
    kept = (same_member(f"/{name}", calendar.made) for name in ("deduplication_key", "created_at", "client_id"))
    stage.judge(
        "race-no-lost-update",
        every(member("/metadata", *orders), *kept, distinct("/updated_at", answers), status(200, of=read)),
        "updateCalendar",
        [calendar.made, *everything, found],
    )


@_race("race-one-delete", cost=5)
def _deletes(stage: Track) -> None:
    calendar = _made(stage)
    if calendar is None:
        return
    calls = [partial(stage.write, "DELETE", calendar.id) for _ in range(3)]
    answers = stage.start(calls)
    if all(0 < answer.status < 500 for answer in answers):
        one_deleted = statuses(answers, 200, 404, 404)
        stage.judge("race-one-delete", one_deleted, "deleteCalendar", [calendar.made, *answers])


@_race("race-no-resurrection", cost=7)
def _change_and_delete(stage: Track) -> None:
    calendar = _made(stage)
    if calendar is None:
        return
    body = marked(stage.target.tag(), late="yes")
    patch = partial(stage.write, "PATCH", calendar.id, body)
    calls = [patch, partial(stage.write, "DELETE", calendar.id), patch]
    answers = stage.start(calls)
    if answers[1].status == 200:
        listed = stage.get(address(CALENDAR_LIST, (("deduplication_key", str(calendar.key)),)))
        found = stage.read(calendar.id)
        gone = every(status(404, of=found), lacks(calendar.id, of=listed))
        stage.judge(
            "race-no-resurrection",
            where(status(200, of=answers[1]), gone),
            "updateCalendar",
            [calendar.made, *answers, listed, found],
        )


@_race("race-walk", cost=15)
def _walk(stage: Track) -> None:
    """Reads pages while calendars are created: what was there before is shown once."""
    try:
        first = page_of(CALENDAR_LIST, (), stage.get(CALENDARS))
        if first.next is None or not has_place(first):
            stage.unobservable("race-walk", NO_SECOND_PAGE)
            return
        path = link_path(first.next)
        before = page_of(CALENDAR_LIST, (), stage.get(path))

        read = partial(stage.target.send, "GET", path)

        def read_twice() -> Exchange:
            """Far away the first reading comes in beside a creation; near by it is over before one begins."""
            read()
            return read()

        creations = [partial(stage.post, stage.body()) for _ in range(2)]
        calls: list[Callable[[], Exchange]] = [*[read] * 3, *[read_twice] * 3, *creations]
        stage.random.shuffle(calls)
        answers = stage.start(calls)
        pages = [page_of(CALENDAR_LIST, (), answer) for answer in answers if answer.request.method == "GET"]
    except Unreadable:
        return
    same = every(*(same_rows(before.exchange, page.exchange) for page in pages))
    stage.judge("race-walk", same, "listCalendars", [first.exchange, before.exchange, *answers])


CHECKS: tuple[Check, ...] = (_creates, _changes, _deletes, _change_and_delete, _walk)

__all__ = ["CHECKS", "RULES"]
