"""Where the time of a request goes, function by function: `python -m benchmarks.profiling`."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import time
from collections.abc import MutableMapping
from typing import Any

from benchmarks.load import GET, PAGE, PATCH, Case
from benchmarks.throughput import LARGE
from mockserver.app import Mock
from mockserver.settings import Settings

REQUESTS = 20_000
FUNCTIONS = 15


async def send(mock: Mock, case: Case, number: int) -> None:
    """So many requests straight into the application."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": case.method,
        "scheme": "http",
        "path": case.path,
        "raw_path": case.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000")]
        + [(name.lower().encode(), value.encode()) for name, value in case.headers.items()],
        "server": ("127.0.0.1", 8000),
    }
    statuses = set()

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": case.body, "more_body": False}

    async def take(message: MutableMapping[str, Any]) -> None:
        statuses.add(message.get("status", 200))

    for _ in range(number):
        await mock.asgi(dict(scope), receive, take)
    assert statuses == {200}, statuses


def profile(case: Case, mock: Mock) -> None:
    """Prints the functions with the most time of their own."""
    asyncio.run(send(mock, case, REQUESTS // 10))
    began = time.perf_counter()
    asyncio.run(send(mock, case, REQUESTS))
    each = (time.perf_counter() - began) / REQUESTS * 1e6
    print(f"\n{case.name}: {each:.0f} microseconds; under cProfile:")
    profiler = cProfile.Profile()
    with profiler:
        asyncio.run(send(mock, case, REQUESTS))
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(FUNCTIONS)


def main() -> None:
    """Measures and prints."""
    for case in (GET, PATCH, PAGE):
        profile(case, Mock(Settings(fixtures=LARGE)) if case is PAGE else Mock())


if __name__ == "__main__":
    main()
