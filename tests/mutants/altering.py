"""Ways to put a defect into one mock: between its handlers and its service, or around its application."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.domain.model import Calendar, CalendarEvent
from mockserver.domain.pagination import Cursor, Page
from mockserver.domain.queries import EventQuery
from mockserver.domain.store import Project

Asked: TypeAlias = Mapping[str, str]
EventPage: TypeAlias = Page[CalendarEvent]
CalendarPage: TypeAlias = Page[Calendar]
ListEvents: TypeAlias = Callable[[Project, EventQuery, Cursor], EventPage]
ListCalendars: TypeAlias = Callable[[Project, Cursor, str | None], CalendarPage]

_asked: ContextVar[Asked | None] = ContextVar("_asked", default=None)


class Message(NamedTuple):
    """A whole request or answer, as far as defects care."""

    method: str
    path: str
    status: int
    body: Any
    """The JSON, None where there is none."""


def asking(mock: Mock) -> App:
    """The mock's application, with each request's own parameters at hand in `asked`."""
    inner = mock.asgi

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        _asked.set(dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)))
        await inner(scope, receive, send)

    return app


def asked() -> Asked:
    """The parameters of the request that is being answered, as they were sent."""
    return _asked.get() or {}


def events(mock: Mock, change: Callable[[EventQuery, Project], EventQuery]) -> App:
    """A mock that looks for other events than it was asked for."""
    real = mock.calendar_service.list_events

    def list_events(project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        return real(project, change(query, project), cursor)

    mock.calendar_service.list_events = list_events  # type: ignore[method-assign]
    return asking(mock)


def event_pages(mock: Mock, change: Callable[[ListEvents, Project, EventQuery, Cursor], EventPage]) -> App:
    """A mock that answers with other pages of events; `change` is given the right way to find them."""
    real = mock.calendar_service.list_events

    def list_events(project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        return change(real, project, query, cursor)

    mock.calendar_service.list_events = list_events  # type: ignore[method-assign]
    return asking(mock)


def calendar_pages(mock: Mock, change: Callable[[ListCalendars, Project, Cursor, str | None], CalendarPage]) -> App:
    """A mock that answers with other pages of calendars; `change` is given the right way to find them."""
    real = mock.calendar_service.list_calendars

    def list_calendars(project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        return change(real, project, cursor, key)

    mock.calendar_service.list_calendars = list_calendars  # type: ignore[method-assign, assignment]
    return asking(mock)


def answers(mock: Mock, change: Callable[[Message], Message]) -> App:
    """A mock whose answers are changed on their way out."""
    inner = mock.asgi

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/v1/calendar"):
            await inner(scope, receive, send)
            return
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await inner(scope, receive, keep)
        await _send(change, scope, sent, send)

    return app


async def _send(change: Callable[[Message], Message], scope: Scope, sent: list[Any], send: Send) -> None:
    text = b"".join(message.get("body", b"") for message in sent[1:])
    given = Message(scope["method"], scope["path"], sent[0]["status"], _loads(text))
    wanted = change(given)
    if wanted.body != given.body:
        text = b"" if wanted.body is None else json.dumps(wanted.body, ensure_ascii=False).encode()
    headers = [(name, value) for name, value in sent[0]["headers"] if name != b"content-length"]
    headers.append((b"content-length", str(len(text)).encode()))
    await send({"type": "http.response.start", "status": wanted.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def _loads(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def as_owner(mock: Mock, methods: tuple[str, ...]) -> App:
    """A mock that lets every good key reach every project's calendar by these methods."""
    inner = mock.asgi

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope.get("path", "").rpartition("/")[2]
        headers = dict(scope.get("headers", ()))
        key = headers.get(b"authorization", b"").decode("latin-1").rpartition(" ")[2]
        if scope.get("method") in methods and name.startswith("cal_") and key in mock.store.by_key:
            for project in mock.store.projects:
                if project.state.calendars.get(name) is not None:
                    headers[b"authorization"] = f"Token {project.api_keys[0]}".encode()
            scope = {**scope, "headers": list(headers.items())}
        await inner(scope, receive, send)

    return app


class Seen(NamedTuple):
    """A request of a known project together with its answer."""

    project: Project
    method: str
    name: str
    """The last part of the path: a calendar's id, or the list's name."""
    sent: Any
    status: int
    answer: Any


Act: TypeAlias = Callable[[Seen], "tuple[int, Any] | None"]


def afterwards(mock: Mock, act: Act) -> App:
    """A mock that does something more once a request was handled, and may answer otherwise (status and JSON)."""
    inner = mock.asgi

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        project = project_of(mock, scope)
        if project is None:
            await inner(scope, receive, send)
            return
        body, again = await whole_body(receive)
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await inner(scope, again, keep)
        text = b"".join(message.get("body", b"") for message in sent[1:])
        name = scope["path"].rpartition("/")[2]
        seen = Seen(project, scope["method"], name, _loads(body), sent[0]["status"], _loads(text))
        other = act(seen)
        if other is not None:
            await answer(send, *other, sent[0]["headers"])
            return
        for message in sent:
            await send(message)

    return app


def project_of(mock: Mock, scope: Scope) -> Project | None:
    """The project whose key a request to the calendar endpoints carries."""
    if scope["type"] != "http" or not scope["path"].startswith("/api/v1/calendar"):
        return None
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return mock.store.by_key.get(header.rpartition(" ")[2])


async def whole_body(receive: Receive) -> tuple[bytes, Receive]:
    """A request's body, and a way to receive it once more."""
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(chunks)

    async def again() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


async def answer(send: Send, status: int, body: Any, headers: list[tuple[bytes, bytes]]) -> None:
    """Sends JSON with the headers of another answer."""
    text = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    kept = [(name, value) for name, value in headers if name not in (b"content-length", b"content-type")]
    kept += [(b"content-type", b"application/json")] if text else []
    kept.append((b"content-length", str(len(text)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": kept})
    await send({"type": "http.response.body", "body": text})
