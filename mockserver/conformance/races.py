"""Races: requests started at one moment, whose outcome has to be that of the same requests in some order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import permutations
from typing import Any

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.journeys.listing import NO_SECOND_PAGE, has_place
from mockserver.conformance.journeys.model import Calendar
from mockserver.conformance.journeys.shapes import MARK
from mockserver.conformance.journeys.stage import CALENDARS, Stage, Throttled
from mockserver.conformance.laws.reading import CALENDARS as LIST
from mockserver.conformance.laws.reading import Unreadable, address, link_path, page_of
from mockserver.conformance.rules import Need, Rule
from mockserver.conformance.run import Run

_NEEDS: frozenset[Need] = frozenset({"write", "parallel"})


def _rule(name: str, sentence: str, source: str) -> Rule:
    return Rule(name, "races", "high", sentence, source, _NEEDS)


RULES: tuple[Rule, ...] = (
    _rule(
        "race-one-winner", "Of several creates with one key at once one is taken.", "CalendarCreate.deduplication_key"
    ),
    _rule("race-no-lost-update", "Changes at once end as they would one after the other.", "updateCalendar"),
    _rule("race-one-delete", "Of several deletes at once one is told 200, the others 404.", "deleteCalendar"),
    _rule("race-no-resurrection", "A calendar that is changed and deleted at once is gone.", "deleteCalendar"),
    _rule("race-walk", "Rows that were there all the time are walked over once while others come.", "Cursors"),
)
_ROUNDS, _MORE = 5, 3


def run(run: Run) -> None:
    """A few fixed races, each several times; first one after the other, for what is wrong then needs no race."""
    if not (run.target.writes and run.target.parallel):
        for rule in RULES:
            run.findings.unobservable[rule.id] = "the run may not write, or sends one request at a time"
        return
    wrong: set[str] = set()
    races = (_creates, _changes, _deletes, _change_and_delete, _walk)
    # Which change comes last is drawn: what depends on it takes several rounds to be seen.
    for number, some in enumerate([races, *[(_changes,)] * _MORE, *[races] * _ROUNDS]):
        for race in some:
            if run.share() <= 0:
                return
            track = Track(run, wrong, together=number > _MORE)
            try:
                race(track)
            except Throttled:
                return
            finally:
                track.clear()


class Track(Stage):
    """Where races are run: requests at one moment, or one after the other to see that the outcome is right then."""

    def __init__(self, run: Run, wrong: set[str], *, together: bool) -> None:
        """`wrong` takes up the rules that do not even hold one after the other."""
        super().__init__(run)
        self._wrong, self.together = wrong, together

    def start(self, calls: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Makes the calls."""
        return self.target.together(calls) if self.together else [call() for call in calls]

    def judge(self, rule: str, holds: bool, operation: str, exchanges: Sequence[Exchange], **seen: Any) -> None:
        """Tests a rule, unless it is known not to hold without a race."""
        if rule in self._wrong:
            self.run.findings.unobservable[rule] = "what is asked does not come out right one after the other either"
        elif self.together:
            self.check(rule, holds, operation, exchanges, **seen)
        elif not holds:
            self._wrong.add(rule)


def _creates(stage: Track) -> None:
    key = stage.target.tag()
    bodies = [stage.body({"deduplication_key": key}) for _ in range(4)]
    answers = stage.start([partial(stage.post, body) for body in bodies])
    taken = [answer for answer in answers if answer.status == 201]
    if any(answer.status not in (201, 400) for answer in answers):
        return
    found = stage.target.send("GET", address(LIST, (("deduplication_key", key),)))
    rows = found.json["results"] if found.status == 200 and isinstance(found.json, dict) else []
    stage.judge(
        "race-one-winner",
        len(taken) == 1 and len(rows) == 1,
        "createCalendar",
        [*answers, found],
        expected="one 201 and one calendar",
        actual=f"{len(taken)} times 201, {len(rows)} calendars",
    )


def _made(stage: Stage) -> Calendar | None:
    answer = stage.post(stage.body({"deduplication_key": stage.target.tag()}))
    return Calendar(answer.json, answer) if answer.status == 201 and isinstance(answer.json, dict) else None


def _changes(stage: Track) -> None:
    """Two changes of metadata and one of a credential: all taken, and the metadata is what one of the two sent."""
    calendar = _made(stage)
    if calendar is None:
        return
    sent: list[dict[str, Any]] = [{"metadata": {MARK: stage.target.tag(), "turn": str(turn)}} for turn in (1, 2)]
    bodies = [*sent, {"client_secret": stage.target.secret("client_secret")}, {}]
    # Which one comes through last is chance on some services and the order of asking on others.
    stage.run.random.shuffle(bodies)
    calls = [partial(stage.write, "PATCH", calendar.id, body) for body in bodies]
    answers = stage.start(calls)
    if any(answer.status != 200 for answer in answers):
        return
    found = stage.read(calendar.id)
    document = found.json if isinstance(found.json, dict) else {}
    times = {answer.json.get("updated_at") for answer in answers if isinstance(answer.json, dict)}
    ends = permutations(sent) if stage.together else [[body for body in bodies if "metadata" in body]]
    orders = [last["metadata"] for *_, last in ends]
    same = all(
        document.get(name) == calendar.document.get(name) for name in ("deduplication_key", "created_at", "client_id")
    )
    stage.judge(
        "race-no-lost-update",
        document.get("metadata") in orders and same and len(times) == len(answers),
        "updateCalendar",
        [calendar.made, *answers, found],
        expected=f"metadata as one of {orders}, the rest as before, four different updated_at",
        actual=f"{document.get('metadata')}, {len(times)} different updated_at",
    )


def _deletes(stage: Track) -> None:
    calendar = _made(stage)
    if calendar is None:
        return
    calls = [partial(stage.write, "DELETE", calendar.id) for _ in range(3)]
    answers = stage.start(calls)
    statuses = sorted(answer.status for answer in answers)
    if statuses[-1] < 500 and statuses[0]:
        stage.judge(
            "race-one-delete",
            statuses == [200, 404, 404],
            "deleteCalendar",
            [calendar.made, *answers],
            expected="[200, 404, 404]",
            actual=statuses,
        )


def _change_and_delete(stage: Track) -> None:
    calendar = _made(stage)
    if calendar is None:
        return
    body = {"metadata": {MARK: stage.target.tag(), "late": "yes"}}
    patch = partial(stage.write, "PATCH", calendar.id, body)
    calls = [patch, partial(stage.write, "DELETE", calendar.id), patch]
    answers = stage.start(calls)
    if answers[1].status == 200:
        listed = stage.target.send("GET", address(LIST, (("deduplication_key", str(calendar.key)),)))
        there = f'"{calendar.id}"' in listed.text
        found = stage.read(calendar.id)
        # What shows it has to come last.
        shown = [found] if found.status != 404 or not there else [found, listed]
        stage.judge(
            "race-no-resurrection",
            found.status == 404 and not there,
            "updateCalendar",
            [calendar.made, *answers, *shown],
            expected="404, and nothing in the list",
            actual=f"{found.status} after DELETE was answered with 200",
        )


def _walk(stage: Track) -> None:
    """Reads pages while calendars are created: what was there before is shown once."""
    try:
        first = page_of(LIST, (), stage.target.send("GET", CALENDARS))
        if first.next is None or not has_place(first):
            stage.run.findings.unobservable.setdefault("race-walk", NO_SECOND_PAGE)
            return
        path = link_path(first.next)
        before = page_of(LIST, (), stage.target.send("GET", path))
        get = partial(stage.target.send, "GET", path)
        calls: list[Any] = [call for _ in range(3) for call in (get, partial(stage.post, stage.body()))]
        answers = stage.start(calls)
        pages = [page_of(LIST, (), answer) for answer in answers[::2]]
        after = next((page for page in pages if page.ids != before.ids), pages[0])
    except Unreadable:
        return
    stage.judge(
        "race-walk",
        before.ids == after.ids,
        "listCalendars",
        [first.exchange, before.exchange, *answers[1::2], after.exchange],
        expected="the same second page as before",
        actual=f"{sorted(set(before.ids) ^ set(after.ids))[:3]} came or went",
    )


__all__ = ["CALENDARS", "RULES", "run"]
