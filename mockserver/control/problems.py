"""Why a control request is not done, as its answer: what is wrong, in which field, and what would be right."""

from __future__ import annotations

from typing import Final

from mockserver.control.refusal import Refused
from mockserver.control.routing import Reply
from mockserver.domain.calendar_service import CalendarNotFound
from mockserver.domain.deliveries import DeliveryNotFound, DeliveryNotReady
from mockserver.domain.subscriptions import SubscriptionNotFound, SubscriptionRefused
from mockserver.domain.upstream_schema import BadInput
from mockserver.fixtures_io.problem import Broken, Problems, place_text

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


def answer(problem: Exception) -> Reply:
    """The answer to one of the PROBLEMS."""
    if isinstance(problem, Refused):
        return error(problem.status, problem.problem, problem.field, problem.fix)
    if isinstance(problem, Broken):
        return _several(problem.problems)
    if isinstance(problem, BadInput):
        return error(400, problem.problem, problem.field, problem.fix)
    if isinstance(problem, SubscriptionRefused):
        taken = problem.problem.startswith(("URL already", "You have reached"))
        return error(409 if taken else 400, problem.problem, problem.field, problem.fix)
    if isinstance(problem, DeliveryNotReady):
        return error(409, problem.problem, "key", problem.fix)
    field, text = _MISSING[type(problem)]
    return error(404, text, field)


def _several(problems: Problems) -> Reply:
    """The answer to broken fixtures: the first problem as any other error is told, then every one in a list."""
    first = problems.found[0]
    text = first.text() if problems.count == 1 else f"{problems.count} problems; the first: {first.text()}"
    listed = [{"field": place_text(one.place), "error": one.without_place()} for one in problems.found]
    told = error(400, text, place_text(first.place), first.fix)
    return told._replace(body={**told.body, "problems": listed, "more": problems.more})


def error(status: int, text: str, field: str = "", fix: str = "") -> Reply:
    """An answer that says no."""
    body = {"error": text, "field": field, "fix": fix}
    return Reply(status, {name: value for name, value in body.items() if value})
