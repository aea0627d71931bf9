"""Calls a WSGI or ASGI application in this process, as a server would, without a socket."""

from __future__ import annotations

import asyncio
import inspect
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, cast
from urllib.parse import unquote, urlsplit

__all__ = ["App", "AppKind", "AppResponse", "call_asgi", "call_wsgi", "kind_of"]

App = Callable[..., Any]
"""A WSGI application (Flask, Django) or an ASGI application (FastAPI, Starlette, Django)."""
AppKind = Literal["wsgi", "asgi"]


class AppResponse(NamedTuple):
    """What the application answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def kind_of(app: App) -> AppKind:
    """`asgi` if calling the application gives a coroutine, else `wsgi`."""
    call = getattr(app, "__call__", app)  # noqa: B004 -- the method is inspected, not called
    return "asgi" if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call) else "wsgi"


def call_wsgi(app: App, url: str, headers: Mapping[str, str], body: bytes) -> AppResponse:
    """POSTs to a WSGI application in the calling thread; whatever it raises is raised."""
    started: list[tuple[str, Iterable[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start(status: str, answered: Iterable[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
        started.append((status, answered))
        return written.append

    parts = app(_environ(url, headers, body), start)
    try:
        written += parts
    finally:
        if hasattr(parts, "close"):
            parts.close()
    status, answered = started[-1]
    return AppResponse(int(status.split()[0]), tuple(answered), b"".join(written))


def _environ(url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    target = urlsplit(url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path, "latin-1"),
        "QUERY_STRING": target.query,
        "SERVER_NAME": target.hostname or "localhost",
        "SERVER_PORT": str(target.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": target.scheme or "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in {"host": target.netloc, **headers}.items():
        plain = name.upper().replace("-", "_")
        environ[plain if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{plain}"] = value
    return environ


async def call_asgi(app: App, url: str, headers: Mapping[str, str], body: bytes) -> AppResponse:
    """POSTs to an ASGI application in the running event loop; whatever it raises is raised."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    sent: list[Mapping[str, Any]] = []
    answered = asyncio.Event()

    async def receive() -> Mapping[str, Any]:
        for message in messages:
            return message
        # The client stays until it is answered: Django drops a request whose client is gone.
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            answered.set()

    await cast(Callable[..., Awaitable[None]], app)(_scope(url, headers, len(body)), receive, send)
    if not answered.is_set():
        raise RuntimeError("the application returned without a whole response")
    start = next(message for message in sent if message["type"] == "http.response.start")
    pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ()))
    content = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return AppResponse(start["status"], pairs, content)


def _scope(url: str, headers: Mapping[str, str], size: int) -> dict[str, Any]:
    target = urlsplit(url)
    given = {
        "host": target.netloc,
        "content-length": str(size),
        **{name.lower(): value for name, value in headers.items()},
    }
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": target.scheme or "http",
        "path": unquote(target.path),
        "raw_path": target.path.encode(),
        "query_string": target.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "server": (target.hostname or "localhost", target.port or 80),
        "client": ("127.0.0.1", 50000),
        "state": {},
    }
