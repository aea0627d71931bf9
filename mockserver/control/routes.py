"""What a mock answers outside the API: its health, a reset, its front page, and the page for paths of neither."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mockserver import __version__
from mockserver.api.incoming import App, Receive, Scope, Send
from mockserver.api.unrouted import API, NOT_FOUND_PAGE
from mockserver.domain.store import Store

DOCS = "/__mock__/docs"
OPENAPI = "/__mock__/openapi.json"
_CONTROL = "/__mock__/"
_FRONT_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>attendee-mockserver</title></head>
<body>
<h1>attendee-mockserver {__version__}</h1>
<p>A stand-in for the Attendee API's calendar endpoints. Nothing here is real, and nothing leaves this machine.</p>
<ul>
<li>The API: <code>/api/v1/calendars</code>, <code>/api/v1/calendar_events</code>
(with <code>Authorization: Token YOUR_API_KEY_HERE</code>, unless you brought fixtures of your own)</li>
<li><a href="{DOCS}/">Documentation to try out</a>, <a href="{OPENAPI}">the contract</a></li>
<li><a href="/__mock__/health">Health</a>; <code>POST /__mock__/reset</code> brings the fixtures back</li>
</ul>
</body>
</html>
""".encode()
_HTML = "text/html; charset=utf-8"


class Control:
    """Stands before the API and takes what is the mock's own."""

    def __init__(self, app: App, *, reset: Callable[[], None], store: Store) -> None:
        self._app = app
        self._reset = reset
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await _live(receive, send)
            return
        path = scope["path"]
        if path.startswith((API, DOCS, OPENAPI)):
            await self._app(scope, receive, send)
        elif path == "/":
            await _send(send, 200, _HTML, _FRONT_PAGE, scope)
        elif path.startswith(_CONTROL):
            await self._answer(path, scope, send)
        else:
            await _send(send, 404, _HTML, NOT_FOUND_PAGE, scope)

    async def _answer(self, path: str, scope: Scope, send: Send) -> None:
        routes: dict[str, tuple[tuple[str, ...], Callable[[], dict[str, Any]]]] = {
            "/__mock__/health": (("GET", "HEAD"), self._health),
            "/__mock__/reset": (("POST",), self._reset_all),
        }
        if path not in routes:
            problem = {"error": f"No such control path. There are: {', '.join([*routes, DOCS, OPENAPI])}"}
            await _send_json(send, 404, problem, scope)
            return
        methods, action = routes[path]
        if scope["method"] not in methods:
            problem = {"error": f"{path} takes {' or '.join(methods)}, not {scope['method']}."}
            await _send_json(send, 405, problem, scope, allow=", ".join(methods))
            return
        await _send_json(send, 200, action(), scope)

    def _health(self) -> dict[str, Any]:
        states = [project.state for project in self._store.projects]
        return {
            "status": "ok",
            "version": __version__,
            "projects": len(states),
            "calendars": sum(len(state.calendars) for state in states),
            "events": sum(len(state.events) for state in states),
        }

    def _reset_all(self) -> dict[str, Any]:
        self._reset()
        return {"status": "reset"}


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _send_json(send: Send, status: int, body: dict[str, Any], scope: Scope, allow: str | None = None) -> None:
    await _send(send, status, "application/json", json.dumps(body).encode(), scope, allow)


async def _send(
    send: Send, status: int, content_type: str, body: bytes, scope: Scope, allow: str | None = None
) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    if allow is not None:
        headers.append((b"allow", allow.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
