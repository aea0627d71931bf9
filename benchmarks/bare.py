"""What no Python server is faster than: an ASGI application that answers the same bytes, whatever is asked."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

BODY = Path(os.environ["BENCHMARK_BODY"]).read_bytes()
HEADERS = [
    (b"allow", b"GET, PATCH, DELETE, HEAD, OPTIONS"),
    (b"vary", b"Accept"),
    (b"content-length", str(len(BODY)).encode()),
    (b"content-type", b"application/json"),
]


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answers 200."""
    if scope["method"] == "PATCH":
        await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
