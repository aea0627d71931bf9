"""Mutants around a mock: requests and answers changed on their way, where the mock's own contract would object."""

from __future__ import annotations

import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.domain.pagination import InvalidCursor, decode
from mockserver.http.connection import RAW

API = "/api/v1/"
LIST, EVENTS, ONE = "/api/v1/calendars", "/api/v1/calendar_events", "/api/v1/calendars/"
_ALLOW = {LIST: "GET, POST, HEAD, OPTIONS", EVENTS: "GET, HEAD, OPTIONS"}


@dataclass
class Call:
    """A request on its way in; what is changed here is what the mock sees."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def is_on(self, *paths: str, methods: str = "") -> bool:
        """Whether the path is one of these, ONE standing for any calendar's, and the method one of those named."""
        rest = self.path.removeprefix(ONE)
        one = rest not in (self.path, "") and "/" not in rest
        found = ONE if one else self.path if self.path != ONE else ""
        return found in paths and (not methods or self.method in methods.split())


@dataclass
class Reply:
    """An answer on its way out."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body's JSON; an empty object where it is none."""
        return json.loads(self.body) if self.headers.get("content-type") == "application/json" and self.body else {}

    def write(self, value: Any) -> Reply:
        """The same answer with another JSON body."""
        self.body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
        return self

    def documents(self) -> list[dict[str, Any]]:
        """The calendars or events of a good answer."""
        if self.status not in (200, 201) or not self.body.startswith(b"{"):
            return []
        body = self.json
        if "results" in body:
            return list(body["results"])
        return [body] if "id" in body else []


class Shell:
    """What a mutant wraps when it wraps another mutant."""

    def __init__(self, asgi: App) -> None:
        self.asgi = asgi


Before = Callable[[Call], Reply | None]
After = Callable[[Call, Reply], Reply | None]


def said(status: int, body: Any, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(status, {"content-type": "application/json", "vary": "Accept", **headers}).write(body)


def refusal(call: Call, status: int, body: Any) -> Reply:
    """A refusal with the headers that the contract asks for."""
    return said(status, body, allow=_ALLOW.get(call.path, "GET, PATCH, DELETE, HEAD, OPTIONS"))


def crash() -> Reply:
    """What a service answers whose code raised something."""
    return Reply(500, {"content-type": "text/html; charset=utf-8"}, b"<h1>Server Error (500)</h1>")


def before(change: Before) -> Callable[[Mock | Shell], App]:
    """A mutant that changes requests, or answers them itself."""
    return lambda mock: _wrap(mock, change, lambda call, reply: None)


def after(change: After) -> Callable[[Mock | Shell], App]:
    """A mutant that changes answers, in place or by giving another."""
    return lambda mock: _wrap(mock, lambda call: None, change)


def renamed(rename: Callable[[Call], str], back: Callable[[bytes], bytes]) -> Callable[[Mock], App]:
    """A mutant that gives parameters other names; `rename` makes the query, `back` undoes it in links."""

    def forth(call: Call) -> None:
        if call.method == "GET" and call.is_on(LIST, EVENTS, ONE):
            call.query = rename(call)

    def again(call: Call, reply: Reply) -> None:
        reply.body = back(reply.body)

    return lambda mock: after(again)(Shell(before(forth)(mock)))


def quietly(change: Callable[[Call], None]) -> Callable[[Mock | Shell], App]:
    """Changes the query of events; links keep what was asked."""

    def asked_again(call: Call, reply: Reply) -> Reply | None:
        if not call.is_on(EVENTS, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
            return None
        body = reply.json
        asked = [(name, text) for name, text in parse_qsl(call.query, keep_blank_values=True) if name != "cursor"]
        for name in ("next", "previous"):
            address, _, query = (body.get(name) or "").partition("?")
            cursor = [(one, text) for one, text in parse_qsl(query) if one == "cursor"]
            # The first page is the one without a cursor.
            if cursor:
                body[name] = f"{address}?{urlencode(sorted([*asked, *cursor]))}"
        return reply.write(body) if "next" in body else None

    return lambda mock: after(asked_again)(Shell(before(change)(mock)))


def documents(
    change: Callable[[dict[str, Any]], None], *paths: str, methods: str = ""
) -> Callable[[Mock | Shell], App]:
    """A mutant that changes each calendar or event that is answered on these paths."""

    def changed(call: Call, reply: Reply) -> Reply | None:
        found = reply.documents() if call.is_on(*paths, methods=methods) else []
        if not found:
            return None
        body = reply.json
        for document in body.get("results", [body]):
            change(document)
        return reply.write(body)

    return after(changed)


def _wrap(mock: Mock | Shell, first: Before, then: After) -> App:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await mock.asgi(scope, receive, send)
            return
        call = Call(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            _joined(scope["headers"]),
            await _read(receive),
        )
        reply = first(call) or await _ask(mock, scope, call)
        reply = then(call, reply) or reply
        if reply.status == 0:
            await _break_off(scope, receive)
        else:
            await _send(call.method, reply, send)

    return app


async def _break_off(scope: Scope, receive: Receive) -> None:
    """Ends the connection without an answer; where there is none, in process, there is nothing to do for that."""
    connection = scope.get("state", {}).get(RAW)
    if connection is not None:
        connection.reset()
        while (await receive())["type"] != "http.disconnect":
            pass


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        earlier = headers.get(name.decode("latin-1"))
        text = value.decode("latin-1")
        headers[name.decode("latin-1")] = text if earlier is None else f"{earlier},{text}"
    return headers


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        chunk: bytes = message.get("body", b"")
        body += chunk
        if not message.get("more_body", False):
            return body


async def _ask(mock: Mock | Shell, scope: Scope, call: Call) -> Reply:
    reply = Reply(0)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": call.body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            reply.body += message.get("body", b"")

    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.headers.items()]
    changed = {"method": call.method, "path": call.path, "query_string": call.query.encode("latin-1")}
    await mock.asgi({**scope, **changed, "headers": headers}, receive, send)
    return reply


async def _send(method: str, reply: Reply, send: Send) -> None:
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    # No server's HTTP library sends a body after HEAD, whatever a defect puts there.
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})


def refused_cursor(call: Call, reply: Reply) -> Reply | None:
    """The refusal of a cursor that is none; None where it is one."""
    try:
        decode(call.parameters.get("cursor", ""))
    except InvalidCursor:
        reply.status = 404
        return reply.write({"detail": "Invalid cursor"})
    return None
