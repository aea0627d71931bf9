"""Answers everything outside the API: finds the control route of a request, and sends the pages for other paths."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing
from typing import Any, Final, TypeVar
from urllib.parse import quote

from mockserver.api.request import App, Disconnected, Receive, Scope, Send
from mockserver.api.service_pages import API, NOT_FOUND_PAGE, SERVICE_HEALTH
from mockserver.control.docs_routes import FRONT_PAGE, OPEN
from mockserver.control.errors import PROBLEMS, Refused, answer, error
from mockserver.control.guard import Guard
from mockserver.control.page_routes import FILES, PAGE
from mockserver.control.project_selection import choose
from mockserver.control.request import body_of, header, query_of
from mockserver.control.routes import Call, Reply, Route, RouteTable, is_large
from mockserver.control.timeline import Timelines
from mockserver.domain.store import Project, Store

T = TypeVar("T")
CONTROL: Final = "/__mock__/"
_HTML = "text/html; charset=utf-8"
_KEPT = "/:=&?~#+!$,;'@()*[]%"
"""The characters of a query that the service's redirect does not escape."""


class ControlApp:
    """Answers control routes and service pages, and passes requests for the API on."""

    def __init__(
        self,
        app: App,
        *,
        routes: Iterable[Route],
        store: Store,
        guard: Guard,
        timelines: Timelines,
        begin: Callable[[], None],
        end: Callable[[], Awaitable[None]],
    ) -> None:
        """`guard` says who may use the routes; `timelines` record what they change.

        `begin` and `end` are called when a server starts and when it stops.
        """
        self._app = app
        self._table = RouteTable(routes)
        self._store = store
        self._guard = guard
        self._timelines = timelines
        self._nobody = Project("", ())
        self._begin, self._end = begin, end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._live(receive, send)
            return
        path = scope["path"]
        if path.startswith(API):
            await self._app(scope, receive, send)
        elif path == "/":
            await _send(send, scope, Reply(200, FRONT_PAGE, _HTML))
        elif path.startswith(CONTROL):
            await self._answer(scope, receive, send)
        elif path == SERVICE_HEALTH:
            await _send(send, scope, Reply(200, b"", _HTML))
        elif f"{path}/" == SERVICE_HEALTH:
            asked = f"?{quote(query, safe=_KEPT)}" if (query := scope["query_string"]) else ""
            await _send(send, scope, Reply(301, b"", _HTML), ("location", SERVICE_HEALTH + asked))
        else:
            await _send(send, scope, Reply(404, NOT_FOUND_PAGE, _HTML))

    async def _live(self, receive: Receive, send: Send) -> None:
        message = await receive()
        self._begin()
        await send({"type": f"{message['type']}.complete"})
        message = await receive()
        await self._end()
        await send({"type": f"{message['type']}.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        if path != PAGE and not path.startswith((*OPEN, FILES)):
            try:
                self._guard.check(scope["headers"])
            except Refused as refused:
                await _send(send, scope, Reply(*answer(refused)))
                return
        found = self._table.find(path)
        if found is None:
            there = ", ".join(sorted(self._table.templates))
            await _send(send, scope, Reply(*error(404, f"No such control path. There are: {there}")))
            return
        methods, names = found
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route = methods.get(method)
        if route is None:
            allowed = [*methods, "HEAD"] if "GET" in methods else [*methods]
            text = f"{path[:200]} takes {' or '.join(allowed)}, not {scope['method'][:40]}."
            await _send(send, scope, Reply(*error(405, text)), ("allow", ", ".join(allowed)))
            return
        try:
            reply = await self._done(route, names, scope, receive)
            if isinstance(reply.body, AsyncGenerator):
                await _while_there(_stream(send, reply, only_head=scope["method"] == "HEAD"), receive)
                return
        except Disconnected:
            return
        await _send(send, scope, reply)

    async def _done(self, route: Route, names: dict[str, str], scope: Scope, receive: Receive) -> Reply:
        """Reads the request, chooses its project, and calls the route's handler."""
        headers = scope["headers"]
        try:
            body = await body_of(receive, headers, route)
            query = query_of(scope["query_string"], route)
            name = query.pop("project", None)
            project = self._nobody
            if route.of_project:
                project = choose(self._store, header(headers, b"authorization"), name)
            action = self._timelines.begin_action(project, route, names, body)
            try:
                answering = route.handler(Call(project, names, query, body))
                return await (_while_there(answering, receive) if query.get("wait") else answering)
            except PROBLEMS:
                self._timelines.withdraw(project, action)
                raise
        except PROBLEMS as problem:
            return Reply(*answer(problem))


async def _encoded(value: Any) -> bytes:
    """A value as JSON text; a large one is written in a thread, piece by piece, while other requests are answered."""
    if not is_large(value):
        return json.dumps(value).encode()
    return await asyncio.to_thread(lambda: "".join(_pieces(value)).encode())


def _pieces(value: Any, depth: int = 4) -> Iterator[str]:
    if not depth or not isinstance(value, dict | list):
        yield json.dumps(value)
        return
    is_object, between = isinstance(value, dict), ""
    yield "{" if is_object else "["
    for part in value:
        yield f"{between}{json.dumps(part)}: " if is_object else between
        yield from _pieces(value[part] if is_object else part, depth - 1)
        between = ", "
    yield "}" if is_object else "]"


async def _stream(send: Send, reply: Reply, *, only_head: bool) -> None:
    """Sends the pieces of a body as they come."""
    headers = [(b"content-type", reply.content_type.encode()), *_encoded_headers(reply.headers)]
    async with aclosing(reply.body) as pieces:
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if not only_head:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _encoded_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


async def _while_there(answering: Coroutine[Any, Any, T], receive: Receive) -> T:
    """What becomes of a request that waits.

    Raises Disconnected as soon as its client is gone: it then waits no longer.
    """
    waiting, leaving = asyncio.ensure_future(answering), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        raise Disconnected
    finally:
        waiting.cancel()
        leaving.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, scope: Scope, reply: Reply, extra: tuple[str, str] | None = None) -> None:
    body = reply.body if isinstance(reply.body, bytes) else await _encoded(reply.body)
    headers = [(b"content-type", reply.content_type.encode()), (b"content-length", str(len(body)).encode())]
    if reply.status == 204:
        headers = []
    headers += _encoded_headers(reply.headers)
    if extra is not None:
        headers.append((extra[0].encode(), extra[1].encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
