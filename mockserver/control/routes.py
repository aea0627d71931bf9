"""What a mock answers outside the API: its controls, its front page, and the page for paths of neither."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote, unquote

from mockserver import __version__
from mockserver.api.request import App, Disconnected, Receive, Scope, Send
from mockserver.api.service_pages import API, NOT_FOUND_PAGE, SERVICE_HEALTH
from mockserver.control.guard import Guard
from mockserver.control.problems import PROBLEMS, answer, error
from mockserver.control.project_selection import choose
from mockserver.control.refusal import Refused
from mockserver.control.request import body_of, header, query_of
from mockserver.control.routing import Call, Reply, Route, is_large
from mockserver.domain.store import Project, Store

CONTROL: Final = "/__mock__/"
HEALTH: Final = "/__mock__/health"
DOCS: Final = "/__mock__/docs"
OPENAPI: Final = "/__mock__/openapi.json"
BOTS_OPENAPI: Final = "/__mock__/bots.json"
CONTROL_OPENAPI: Final = "/__mock__/control.json"
_OPEN: Final = (HEALTH, DOCS, OPENAPI, BOTS_OPENAPI, CONTROL_OPENAPI)
"""What tells nothing that is not in the source code too, and therefore needs no token."""
_FRONT_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>attendee-mockserver</title></head>
<body>
<h1>attendee-mockserver {__version__}</h1>
<p>A stand-in for the Attendee API's calendar endpoints. Nothing here is real, and nothing leaves this machine.</p>
<ul>
<li>The API: <code>/api/v1/calendars</code>, <code>/api/v1/calendar_events</code>, <code>/api/v1/bots</code>
(with <code>Authorization: Token YOUR_API_KEY_HERE</code>, unless you brought fixtures of your own)</li>
<li><a href="{DOCS}/">Documentation to try out</a>; the contracts <a href="{OPENAPI}">of calendars</a>,
<a href="{BOTS_OPENAPI}">of scheduled bots</a>, <a href="{CONTROL_OPENAPI}">of the controls</a></li>
<li><a href="{HEALTH}">Health</a>; <code>POST /__mock__/reset</code> brings the fixtures back</li>
</ul>
</body>
</html>
""".encode()
_HTML = "text/html; charset=utf-8"
_KEPT = "/:=&?~#+!$,;'@()*[]%"
"""What of a query the service's redirect leaves as it is."""
_Parts: TypeAlias = tuple[str, ...]


class _Table:
    """Routes by path: those without places at once, the others by the number of their parts."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.templates: dict[str, dict[str, Route]] = {}
        for route in routes:
            self.templates.setdefault(route.template, {})[route.method] = route
        self._by_length: dict[int, list[_Parts]] = {}
        for template in self.templates:
            if "{" in template:
                parts = tuple(template.split("/"))
                self._by_length.setdefault(len(parts), []).append(parts)

    def find(self, path: str) -> tuple[Mapping[str, Route], dict[str, str]] | None:
        """The methods of a path as it was sent, and what stands in its places; None for no such path."""
        methods = self.templates.get(path)
        if methods is not None and "{" not in path:
            return methods, {}
        parts = path.split("/")
        for template in self._by_length.get(len(parts), ()):
            names = _names(template, parts)
            if names is not None:
                return self.templates["/".join(template)], names
        return None


def _names(template: _Parts, parts: list[str]) -> dict[str, str] | None:
    names = {}
    for wanted, given in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            if not given:
                return None
            names[wanted[1:-1]] = unquote(given)
        elif wanted != given:
            return None
    return names


class Control:
    """Stands before the API and takes what is the mock's own."""

    def __init__(
        self,
        app: App,
        *,
        routes: Iterable[Route],
        store: Store,
        guard: Guard,
        begin: Callable[[], None],
        end: Callable[[], Awaitable[None]],
    ) -> None:
        """`guard` says who may use the routes; `begin` and `end` are called when a server starts and when it stops."""
        self._app = app
        self._table = _Table(routes)
        self._store = store
        self._guard = guard
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
            await _send(send, scope, Reply(200, _FRONT_PAGE, _HTML))
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
        if not path.startswith(_OPEN):
            try:
                self._guard.check(scope["headers"])
            except Refused as refused:
                await _send(send, scope, answer(refused))
                return
        found = self._table.find(path)
        if found is None:
            there = ", ".join(sorted(self._table.templates))
            await _send(send, scope, error(404, f"No such control path. There are: {there}"))
            return
        methods, names = found
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route = methods.get(method)
        if route is None:
            allowed = [*methods, "HEAD"] if "GET" in methods else [*methods]
            text = f"{path[:200]} takes {' or '.join(allowed)}, not {scope['method'][:40]}."
            await _send(send, scope, error(405, text), ("allow", ", ".join(allowed)))
            return
        try:
            reply = await self._done(route, names, scope, receive)
        except Disconnected:
            return
        await _send(send, scope, reply)

    async def _done(self, route: Route, names: dict[str, str], scope: Scope, receive: Receive) -> Reply:
        """Calls the route's handler with what it wants."""
        headers = scope["headers"]
        try:
            body = await body_of(receive, headers, route)
            query = query_of(scope["query_string"], route)
            name = query.pop("project", None)
            project = self._nobody
            if route.of_project:
                project = choose(self._store, header(headers, b"authorization"), name)
            answering = route.handler(Call(project, names, query, body))
            return await (_while_there(answering, receive) if query.get("wait") else answering)
        except PROBLEMS as problem:
            return answer(problem)


async def _encoded(value: Any) -> bytes:
    """JSON; what is large is written in a thread, piece by piece, while others are answered."""
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


async def _while_there(answering: Coroutine[Any, Any, Reply], receive: Receive) -> Reply:
    """The reply to a request that waits.

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
    if extra is not None:
        headers.append((extra[0].encode(), extra[1].encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
