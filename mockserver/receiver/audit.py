"""Audits a receiver of webhooks: sends it genuine and forged ones, and judges its answers and what it does then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from mockserver.coach import remarks
from mockserver.coach.history import History
from mockserver.receiver.behind import MockBehind, NotEnoughCalendars, reads
from mockserver.receiver.checks import BY_ID, CHECKS, Check
from mockserver.receiver.deliveries import AuditCalendar, AuditDelivery, Composer
from mockserver.receiver.endpoint import Endpoint, ReceiverAnswer

Verdict: TypeAlias = Literal["passed", "failed", "not tested"]

INVENTED: Final = AuditCalendar("cal_audit0000000000", "attendee-mock audit", None)
_UNREAD: Final = frozenset({"first-page-only", "walk-abandoned"})
_SLOW: Final = 1.0
"""Seconds in which a receiver has to answer while the API is slow."""
_ALWAYS: Final = 1_000_000


class Unreachable(Exception):
    """Nothing answers at the receiver's URL."""


class CheckResult(NamedTuple):
    """What came of a check."""

    check: Check
    verdict: Verdict
    answered: str
    """What the receiver answered or did; or why the check was not made."""


class Audit:
    """One audit of one receiver."""

    def __init__(
        self,
        endpoint: Endpoint,
        composer: Composer,
        mock: MockBehind | None,
        *,
        slow: float = _SLOW,
    ) -> None:
        """`mock` is the one whose API the receiver uses; without it the checks of the group `behave` are left out."""
        self._endpoint, self._composer, self._mock, self._slow = endpoint, composer, mock, slow
        self._calendar = self._other = INVENTED
        self._results: dict[str, CheckResult] = {}
        self._late: list[str] = []

    def run(self) -> list[CheckResult]:
        """The results of all checks, in the order of CHECKS.

        Raises Unreachable where nothing answers, and what the mock's control API raises.
        """
        if self._mock is None:
            self._answers(None)
            self._skip("behave", "the mock was left out")
            return [self._results[check.id] for check in CHECKS]
        try:
            self._calendar, self._other = self._mock.calendars()
        except NotEnoughCalendars as reason:
            self._answers(None)
            self._skip("behave", f"{reason}; choose another --project")
            return [self._results[check.id] for check in CHECKS]
        with self._mock.unchanged():
            mark = self._mock.mark()
            if self._answers(self._mock):
                _Behaviour(self, self._mock, mark).run()
        return [self._results[check.id] for check in CHECKS]

    @property
    def calendar(self) -> AuditCalendar:
        """The calendar in the webhooks of the checks."""
        return self._calendar

    @property
    def other(self) -> AuditCalendar:
        """The calendar in webhooks that show that the receiver has got so far."""
        return self._other

    @property
    def slow(self) -> float:
        """Seconds in which the receiver has to answer while the API is slow."""
        return self._slow

    def genuine(self, calendar: AuditCalendar) -> AuditDelivery:
        """A genuine webhook with a new key."""
        return self._composer.genuine(self._composer.content(calendar))

    def forged(self) -> AuditDelivery:
        """An unsigned webhook."""
        return self._composer.refused("unsigned", self._calendar)

    def post(self, delivery: AuditDelivery, timeout: float | None = None) -> ReceiverAnswer:
        """Sends a delivery."""
        return self._endpoint.post(delivery, timeout)

    def note(self, name: str, verdict: Verdict, answered: str) -> None:
        """Sets the result of a check."""
        self._results[name] = CheckResult(BY_ID[name], verdict, answered)

    def _answers(self, mock: MockBehind | None) -> bool:
        """Makes the checks of answers; whether the receiver takes a genuine webhook."""
        first = self._composer.accepted("genuine", self._calendar)
        answer = self._endpoint.post(first)
        if answer.status is None and "no answer within" not in answer.problem:
            raise Unreachable(answer.problem)
        self._judge("genuine", answer)
        for name in _of("refuse"):
            self._judge(name, self.post(self._composer.refused(name, self._calendar)))
        if answer.accepted:
            self._accepting(first)
        else:
            reason = "the receiver did not accept the genuine webhook"
            self._skip("accept", reason)
            self._skip("behave", reason)
        late = ", ".join(self._late)
        if answer.accepted or self._late:
            self.note("answered-in-time", "failed" if late else "passed", f"late: {late}" if late else "all in time")
        return answer.accepted

    def _accepting(self, first: AuditDelivery) -> None:
        for name in _of("accept"):
            if name == "keep-alive":
                self._keep_alive()
            elif name == "retry-accepted":
                self._judge(name, self.post(first))
            elif name not in ("genuine", "answered-in-time"):
                self._judge(name, self.post(self._composer.accepted(name, self._calendar)))

    def _keep_alive(self) -> None:
        genuine = self._composer.accepted("keep-alive", self._calendar)
        _, answer = self._endpoint.post_all([self.forged(), genuine])
        self._judge("keep-alive", answer)

    def _judge(self, name: str, answer: ReceiverAnswer) -> None:
        if "no answer within" in answer.problem:
            self._late.append(name)
            self.note(name, "not tested", answer.problem)
            return
        right = answer.accepted if BY_ID[name].group == "accept" else answer.refused
        self.note(name, "passed" if right else "failed", str(answer))

    def _skip(self, group: str, reason: str) -> None:
        for name in _of(group):
            if name not in self._results:
                self.note(name, "not tested", reason)


def _of(group: str) -> Iterator[str]:
    return (check.id for check in CHECKS if check.group == group)


class _Behaviour:
    """The checks of what a receiver does after it has answered."""

    def __init__(self, audit: Audit, mock: MockBehind, mark: int) -> None:
        """`mark` is the number of the journal's latest entry before the audit."""
        self._audit, self._mock, self._start = audit, mock, mark
        self._usual = 1
        self._apart = True

    def run(self) -> None:
        """Makes all of them."""
        if not self._mock.wait_for(self._audit.calendar, self._start):
            no_fetch = "no request for the calendar or its events came to the mock"
            self._audit.note("fetches", "failed", no_fetch)
            for name in _of("behave"):
                if name != "fetches":
                    self._audit.note(name, "not tested", no_fetch)
            return
        self._learn()
        self._forged()
        self._once()
        self._failed_fetch()
        self._slow_api()
        self._pages()

    def _learn(self) -> None:
        """Finds out what the receiver requests for one webhook, and whether it asks for one calendar at a time."""
        mark = self._mock.mark()
        self._audit.post(self._audit.genuine(self._audit.other))
        self._apart = self._mock.wait_for(self._audit.other, mark, only=True)
        mark = self._mock.mark()
        self._audit.post(self._audit.genuine(self._audit.calendar))
        self._settle()
        self._usual = max(1, self._count(mark))
        requests = len(self._mock.since(self._start).calls)
        self._audit.note("fetches", "passed", f"{requests} requests so far")

    def _settle(self) -> None:
        """Waits until the receiver has handled all webhooks before this one."""
        mark = self._mock.mark()
        self._audit.post(self._audit.genuine(self._audit.other))
        self._mock.wait_for(self._audit.other, mark, only=self._apart)
        if not self._apart:
            self._mock.since(mark, settled=True)

    def _count(self, mark: int) -> int:
        """How often the calendar was read since the mark: lists from their first page, else single reads."""
        calls = [
            call
            for call in self._mock.since(mark).calls
            if call.status == 200
            and "cursor" not in call.params
            and reads(call, self._audit.calendar, only=self._apart)
        ]
        lists = [call for call in calls if call.operation == "listCalendarEvents"]
        # Where the receiver reads the events of all calendars, the webhook that `_settle` sends caused a list, too.
        return max(0, len(lists or calls) - (0 if self._apart else 1))

    def _forged(self) -> None:
        self._settle()
        mark = self._mock.mark()
        self._audit.post(self._audit.forged())
        self._settle()
        count = self._count(mark)
        self._audit.note("forged-not-handled", "failed" if count else "passed", f"{count} reads of the calendar")

    def _once(self) -> None:
        mark = self._mock.mark()
        delivery = self._audit.genuine(self._audit.calendar)
        for _ in range(2):
            self._audit.post(delivery)
        self._settle()
        count = self._count(mark)
        verdict: Verdict = "failed" if count > self._usual else "passed"
        self._audit.note("handled-once", verdict, f"{count} reads of the calendar for two deliveries of one webhook")

    def _failed_fetch(self) -> None:
        name, calendar = "failed-fetch-repeated", self._audit.calendar
        mark = self._mock.mark()
        delivery = self._audit.genuine(calendar)
        with self._mock.fault(kind="status", status=503, first=_ALWAYS):
            self._audit.post(delivery)
            failed = self._mock.wait_for(calendar, mark, status="503")
        if not failed:
            self._audit.note(name, "not tested", "no request came while the API answered 503")
            return
        self._audit.post(delivery)
        again = self._mock.wait_for(calendar, mark, only=self._apart, status="200")
        seen = (
            "the calendar was read again" if again else "the calendar was not read again after the same key came again"
        )
        self._audit.note(name, "passed" if again else "failed", seen)
        self._settle()

    def _slow_api(self) -> None:
        limit = self._audit.slow
        with self._mock.fault(kind="delay", seconds=2 * limit, first=_ALWAYS):
            answer = self._audit.post(self._audit.genuine(self._audit.calendar), limit)
        self._audit.note("answered-before-work", "passed" if answer.accepted else "failed", str(answer))
        self._settle()

    def _pages(self) -> None:
        self._mock.add_events(self._audit.calendar)
        mark = self._mock.mark()
        self._audit.post(self._audit.genuine(self._audit.calendar))
        self._settle()
        history = self._mock.since(mark)
        lists = [call for call in history.of("listCalendarEvents") if call.next_params is not None]
        if not lists:
            self._audit.note("all-pages", "not tested", "the lists that the receiver requested had one page")
            return
        unread = _unread(history)
        # Requests of the walk may still come.
        unread = unread and _unread(self._mock.since(mark, settled=True))
        self._audit.note("all-pages", "failed" if unread else "passed", unread or "every page was read")


def _unread(history: History) -> str:
    """Which pages were left out; empty where none was."""
    found = remarks([call.entry for call in history.calls])
    return " ".join(one.what for one in found if one.rule in _UNREAD)
