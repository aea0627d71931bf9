"""What no Python server is faster than: an ASGI application that answers the same bytes, whatever is asked."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any


def _answer(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    headers = [
        (b"allow", b"GET, PATCH, DELETE, HEAD, OPTIONS"),
        (b"vary", b"Accept"),
        (b"content-length", str(len(body)).encode()),
        (b"content-type", b"application/json"),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


GET, PATCH = (_answer(Path(os.environ[name]).read_bytes()) for name in ("BENCHMARK_GET", "BENCHMARK_PATCH"))


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answers 200."""
    start, body = GET
    if scope["method"] == "PATCH":
        start, body = PATCH
        await receive()
    await send(start)
    await send(body)
