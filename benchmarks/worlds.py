"""What a throw-away world costs, and whether a thousand of them stay apart: `python -m benchmarks.worlds`."""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import time
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from mockserver.app import Mock
from mockserver.server import running
from mockserver.settings import Settings

WORLDS = 1_000
ROUNDS = 500
CLIENTS = 16
CALENDAR = {"platform": "google", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
JSON = {"content-type": "application/json"}


async def call(mock: Mock, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Any:
    """A request straight into the application; gives what the JSON says."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("127.0.0.1", 8000),
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await mock.asgi(scope, receive, send)
    assert sent[0]["status"] < 300, sent
    return json.loads(sent[1]["body"] or b"null")


async def in_process() -> None:
    """One world after the other, through all its life."""
    mock, steps = Mock(), dict[str, list[float]](create=[], calendar=[], get=[], reset=[], drop=[])
    for _ in range(ROUNDS):
        times = [time.perf_counter()]
        made = await call(mock, "POST", "/__mock__/projects", {})
        times.append(time.perf_counter())
        key = {"authorization": f"Token {made['api_key']}", **JSON}
        calendar = await call(mock, "POST", "/api/v1/calendars", key, json.dumps(CALENDAR).encode())
        times.append(time.perf_counter())
        await call(mock, "GET", f"/api/v1/calendars/{calendar['id']}", key)
        times.append(time.perf_counter())
        await call(mock, "POST", "/__mock__/project/reset", key)
        times.append(time.perf_counter())
        await call(mock, "DELETE", "/__mock__/project", key)
        times.append(time.perf_counter())
        for name, begin, end in zip(steps, times, times[1:], strict=False):
            steps[name].append(end - begin)
    shown = ", ".join(f"{name} {statistics.median(taken) * 1000:.3f}" for name, taken in steps.items())
    whole = sum(statistics.median(taken) for name, taken in steps.items() if name != "reset")
    print(f"in process, ms: {shown}; create + calendar + get + drop {whole * 1000:.3f}")
    await mock.worker.aclose()


class Client:
    """A connection that stays open."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
        """Sends a request, and gives what the JSON says."""
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read()
        assert response.status < 300, text
        return json.loads(text or b"null")


def over_http() -> None:
    """The same over a socket, and then a thousand worlds used by several clients at once."""
    with running(Settings()) as server:
        client, times = Client(server.url), []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            made = client("POST", "/__mock__/projects", {})
            key = {"authorization": f"Token {made['api_key']}", **JSON}
            calendar = client("POST", "/api/v1/calendars", key, json.dumps(CALENDAR).encode())
            client("GET", f"/api/v1/calendars/{calendar['id']}", key)
            client("DELETE", "/__mock__/project", key)
            times.append(time.perf_counter() - begun)
        print(f"over HTTP, ms: create + calendar + get + drop {statistics.median(times) * 1000:.3f}")
        begun = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            mixed = sum(pool.map(lambda part: use_worlds(server.url, part), range(CLIENTS)))
        took = time.perf_counter() - begun
        print(f"{WORLDS} worlds, {CLIENTS} clients: {took:.1f} s, {mixed} saw something of another")
        assert not mixed


def use_worlds(url: str, part: int) -> int:
    """Makes its part of the worlds, uses all of them in turn; gives how many had not just what was done in them."""
    client, keys, mixed = Client(url), [], 0
    numbers = range(part, WORLDS, CLIENTS)
    for number in numbers:
        made = client("POST", "/__mock__/projects", JSON, json.dumps({"name": f"w{number}"}).encode())
        keys.append({"authorization": f"Token {made['api_key']}", **JSON})
    for turn in range(2):
        for number, key in zip(numbers, keys, strict=True):
            named = {**CALENDAR, "deduplication_key": f"{number}-{turn}"}
            client("POST", "/api/v1/calendars", key, json.dumps(named).encode())
    for number, key in zip(numbers, keys, strict=True):
        if number % 2:
            client("POST", "/__mock__/project/reset", key)
    for number, key in zip(numbers, keys, strict=True):
        found = {calendar["deduplication_key"] for calendar in client("GET", "/api/v1/calendars", key)["results"]}
        mixed += found != (set() if number % 2 else {f"{number}-0", f"{number}-1"})
        client("DELETE", "/__mock__/project", key)
    return mixed


def main() -> None:
    """Measures and prints."""
    asyncio.run(in_process())
    over_http()


if __name__ == "__main__":
    main()
