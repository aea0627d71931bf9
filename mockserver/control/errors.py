"""Errors of the control routes: which field is wrong, what would be right, and the response that says so."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from mockserver.domain.calendar_service import CalendarNotFound
from mockserver.domain.deliveries import DeliveryNotFound, DeliveryNotReady
from mockserver.domain.subscriptions import SubscriptionNotFound, SubscriptionRefused
from mockserver.domain.upstream_schema import BadInput
from mockserver.fixtures_io.problem import Broken, Problems, place_text


class ErrorReply(NamedTuple):
    """Status and JSON body of a refused request."""

    status: int
    body: dict[str, Any]


class Refused(Exception):
    """A control request that is not done. `status` is the HTTP status that says so."""

    def __init__(self, field: str, problem: str, status: int = 400, fix: str = "") -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.status = status
        self.fix = fix


def unknown(field: str, given: object, allowed: Iterable[str]) -> Refused:
    """An unknown name: the error lists all valid ones, and the nearest first."""
    names = sorted(allowed)
    text = str(given)[:80]
    nearest = difflib.get_close_matches(text, names, 1, 0.6)
    meant = f"did you mean {nearest[0]}? " if nearest else ""
    return Refused(field, f"{text!r} is unknown; {meant}valid: {', '.join(names) or 'none'}")


PROBLEMS: Final = (
    Refused,
    Broken,
    BadInput,
    CalendarNotFound,
    SubscriptionRefused,
    SubscriptionNotFound,
    DeliveryNotFound,
    DeliveryNotReady,
)
"""What handlers raise."""
_MISSING: Final = {
    CalendarNotFound: ("calendar", "the project has no calendar of this id or deduplication key"),
    SubscriptionNotFound: ("id", "the project has no webhook subscription of this id"),
    DeliveryNotFound: ("key", "the project has no delivery of this idempotency key, or has forgotten it"),
}


def answer(problem: Exception) -> ErrorReply:
    """The status and body for one of the PROBLEMS."""
    if isinstance(problem, Refused):
        return error(problem.status, problem.problem, problem.field, problem.fix)
    if isinstance(problem, Broken):
        return _several(problem.problems)
    if isinstance(problem, BadInput):
        return error(400, problem.problem, problem.field, problem.fix)
    if isinstance(problem, SubscriptionRefused):
        return error(409 if problem.conflict else 400, problem.problem, problem.field, problem.fix)
    if isinstance(problem, DeliveryNotReady):
        return error(409, problem.problem, "key", problem.fix)
    field, text = _MISSING[type(problem)]
    return error(404, text, field)


def _several(problems: Problems) -> ErrorReply:
    """The response for broken fixtures: the first problem like any other error, then a list of all of them."""
    first = problems.found[0]
    text = first.text() if problems.count == 1 else f"{problems.count} problems; the first: {first.text()}"
    listed = [{"field": place_text(one.place), "error": one.without_place()} for one in problems.found]
    body = error(400, text, place_text(first.place), first.fix).body
    return ErrorReply(400, {**body, "problems": listed, "more": problems.more})


def error(status: int, text: str, field: str = "", fix: str = "") -> ErrorReply:
    """A status and a body; empty parts are left out of the body."""
    body = {"error": text, "field": field, "fix": fix}
    return ErrorReply(status, {name: value for name, value in body.items() if value})
