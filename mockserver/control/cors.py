"""Lets web pages of chosen origins use the mock (CORS): the API and the controls, preflights included."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any, Final

from mockserver.api.request import App, Receive, Scope, Send

_METHODS: Final = b"GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
_EXPOSED: Final = b"Allow, Content-Length, Date, Retry-After, X-Mock-Contract"
"""The headers of answers that a page may read, beyond those that it may read anyway."""
_MAX_AGE: Final = b"600"
"""How many seconds a browser remembers the answer to a preflight."""


class Cors:
    """Stands before everything else; a page of another origin is answered as if this were not there."""

    def __init__(self, app: App, origins: Iterable[str]) -> None:
        """`origins` are as a browser writes them, e.g. http://localhost:3000; * stands for all."""
        self._app = app
        self._origins = frozenset(origin.lower().encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        allowed = self._allowed(headers.get(b"origin"))
        if allowed is not None and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            # A browser sends no key with it, and so it is answered before anybody asks for one.
            await send({"type": "http.response.start", "status": 204, "headers": _preflight(allowed, headers)})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_dressed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _dressed(message["headers"], allowed)}
            await send(message)

        await self._app(scope, receive, send_dressed)

    def _allowed(self, origin: bytes | None) -> bytes | None:
        """What the answer says about who may read it; None says nothing."""
        if origin is None:
            return None
        if b"*" in self._origins:
            return b"*"
        return origin if origin.lower() in self._origins else None


def _preflight(allowed: bytes, headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    answered = [
        (b"access-control-allow-origin", allowed),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-max-age", _MAX_AGE),
        (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    if b"access-control-request-headers" in headers:
        answered.append((b"access-control-allow-headers", headers[b"access-control-request-headers"]))
    if headers.get(b"access-control-request-private-network") == b"true":
        # A page from the internet asks whether it may reach a server on this machine.
        answered.append((b"access-control-allow-private-network", b"true"))
    return answered


def _dressed(headers: Iterable[tuple[bytes, bytes]], allowed: bytes | None) -> list[tuple[bytes, bytes]]:
    """An answer's headers, which say that they depend on the origin, and who may read the answer."""
    vary = [value for name, value in headers if name == b"vary"]
    dressed = [(name, value) for name, value in headers if name != b"vary"]
    dressed.append((b"vary", b", ".join([*vary, b"Origin"])))
    if allowed is not None:
        dressed += [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", _EXPOSED)]
    return dressed
