"""Mutants that refuse what is good, or that say one thing here and another there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from mockserver.api.request import App
from mockserver.app import Mock
from tests.mutants.altering import Act, Message, Seen, afterwards, answers
from tests.mutants.mutant import Mutant

_REFUSED = {"non_field_errors": ["Not now."]}


def _refuses(method: str, when: Callable[[Seen], bool]) -> Callable[[Mock], App]:
    def act(seen: Seen) -> tuple[int, Any] | None:
        good = seen.method == method and seen.status < 300 and isinstance(seen.sent, dict)
        return (400, _REFUSED) if good and when(seen) else None

    return lambda mock: afterwards(mock, act)


def _after(act: Act) -> Callable[[Mock], App]:
    return lambda mock: afterwards(mock, act)


def _no_such(seen: Seen) -> tuple[int, Any] | None:
    return (404, {"error": "Calendar not found"}) if (seen.method, seen.status) == ("DELETE", 200) else None


def _synced_at_once(seen: Seen) -> tuple[int, Any] | None:
    if (seen.method, seen.status) != ("POST", 201) or not isinstance(seen.answer, dict):
        return None
    return 201, {**seen.answer, "last_attempted_sync_at": seen.answer["created_at"]}


def _poor_list(message: Message) -> Message:
    if message.path != "/api/v1/calendars" or not isinstance(message.body, dict) or "results" not in message.body:
        return message
    rows = [{**row, "client_id": row["client_id"][:8]} for row in message.body["results"]]
    return message._replace(body={**message.body, "results": rows})


def _restless(mock: Mock) -> App:
    turn = count()

    def change(message: Message) -> Message:
        if (
            message.path != "/api/v1/calendar_events"
            or not isinstance(message.body, dict)
            or "results" not in message.body
        ):
            return message
        rows = message.body["results"]
        return message._replace(body={**message.body, "results": rows[::-1] if next(turn) % 2 else rows})

    return answers(mock, change)


def _without_created_order(mock: Mock) -> App:
    inner = mock.asgi

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and b"ordering=-created_at" in scope["query_string"]:
            scope = {**scope, "query_string": scope["query_string"].replace(b"-created_at", b"created")}
        await inner(scope, receive, send)

    return app


def _mutant(slug: str, area: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, area, defect, apply)


MUTANTS = (
    _mutant(
        "ordering-by-created-at-descending-refused",
        "filters",
        "ordering by -created_at is refused",
        _without_created_order,
    ),
    _mutant(
        "list-cuts-client-ids", "state", "the list shows client ids cut short", lambda mock: answers(mock, _poor_list)
    ),
    _mutant("every-other-page-reversed", "pagination", "every other reading of a page is upside down", _restless),
    _mutant(
        "create-with-platform-uuid-refused",
        "status",
        "a create with a platform_uuid is refused",
        _refuses("POST", lambda s: "platform_uuid" in s.sent),
    ),
    _mutant("new-calendar-already-synced", "state", "a new calendar was synced already", _after(_synced_at_once)),
    _mutant(
        "patch-of-both-secrets-refused",
        "status",
        "a change of both secrets at once is refused",
        _refuses("PATCH", lambda s: len(s.sent) > 2),
    ),
    _mutant(
        "delete-of-calendar-answers-404",
        "status",
        "a calendar that was deleted is said not to be there",
        _after(_no_such),
    ),
)
