"""Servers that tests take for real deployments: an echo, and a mock that does not show its controls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mockserver.app import Mock
from mockserver.http.server import HttpServer
from mockserver.server import listen, url_of
from mockserver.settings import Settings

KEY = "YOUR_API_KEY_HERE"
"""The key of the first project of the built-in fixtures."""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The URL of an ASGI application that runs in a thread."""
    listening = listen("127.0.0.1", 0)
    server = HttpServer(app)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield url_of(listening)
    finally:
        server.stop()
        thread.join()
        listening.close()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the path and the headers of the request."""
    if scope["type"] == "lifespan":
        for what in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{what}.complete"})
        return
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    body = json.dumps({"path": scope["path"], "headers": headers}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def deployment() -> Iterator[str]:
    """The URL of a mock with the built-in data, whose control API answers 404 as the service does."""
    mock = Mock(Settings(sync="manual"))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path", "").startswith("/__mock__"):
            scope = {**scope, "path": "/unknown", "raw_path": b"/unknown"}
        await mock.asgi(scope, receive, send)

    with serving(app) as url:
        yield url
