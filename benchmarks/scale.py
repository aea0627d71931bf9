"""What a request costs with a thousand events and with a million: `python -m benchmarks.scale`.

The requests go straight into the ASGI application, so that what is timed is the mock and not a socket. Every figure is
the median of several rounds; the sizes take turns, so that a busy machine is busy for all of them alike.
"""

from __future__ import annotations

import asyncio
import gc
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from mockserver.app import Mock
from mockserver.domain.model import Calendar, CalendarEvent, Credentials
from mockserver.domain.store import Project, State
from mockserver.domain.timestamps import SECOND, parse

BASE = parse("2026-06-01T08:00:00Z") or 0
SIZES = {"1,000 events": (100, 1_000), "1,000,000 events": (100_000, 1_000_000)}
KEY = "benchmark"
ROUNDS = 7
HOUR = 3600 * SECOND


def make_calendars(number: int) -> Iterator[Calendar]:
    """So many calendars, a second apart."""
    credentials = Credentials("secret", "token")
    for seq in range(number):
        made = BASE + seq * SECOND
        yield Calendar(
            f"cal_{seq:016d}",
            seq,
            "google",
            "benchmark.apps.googleusercontent.com",
            credentials,
            None,
            "connected",
            {"tenant_id": str(seq)},
            f"user-{seq}",
            None,
            made,
            made,
            None,
            None,
        )


def make_events(number: int, calendars: int) -> Iterator[CalendarEvent]:
    """So many events, spread over the calendars; no two times of one kind are equal."""
    names = [f"cal_{n:016d}" for n in range(calendars)]
    for n in range(number):
        # 7,919 and 104,729 are prime: every order of the events is another order.
        start = BASE + (n * 7_919 % number) * SECOND
        changed = BASE + (n * 104_729 % number) * SECOND + 500_000
        uid = f"uid{n}"
        yield CalendarEvent(
            f"evt_{n:016d}",
            calendars + n,
            names[n % calendars],
            uid,
            f"https://meet.google.com/{n}",
            start,
            start + HOUR,
            n % 50 == 0,
            [{"email": "a@example.com", "name": None}],
            f"{uid}@google.com",
            f"Event {n}",
            {"id": uid, "status": "confirmed", "summary": f"Event {n}"},
            [],
            BASE + n * SECOND,
            changed,
        )


def resident() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Asker:
    """Asks one mock, and times it."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._loop = asyncio.new_event_loop()

    def __call__(self, target: str) -> Any:
        """The JSON of a GET."""
        return json.loads(self._loop.run_until_complete(self._ask(target)))

    def microseconds(self, target: str, times: int) -> float:
        """What one of so many GETs takes, in microseconds."""
        return self._loop.run_until_complete(self._time(target, times))

    async def _time(self, target: str, times: int) -> float:
        started = time.perf_counter()
        for _ in range(times):
            await self._ask(target)
        return (time.perf_counter() - started) / times * 1e6

    async def _ask(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        sent: list[MutableMapping[str, Any]] = []
        headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", f"Token {KEY}".encode())]
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "query_string": query.encode(),
            "headers": headers,
            "server": ("127.0.0.1", 8000),
        }

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self._mock.asgi(scope, _nothing, send)
        assert sent[0]["status"] == 200, sent
        return bytes(sent[1]["body"])


async def _nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


def deep_page(ask: Asker, pages: int) -> str:
    """The target of a page that so many `next` links lead to from the middle of the walk by start time."""
    target = "/api/v1/calendar_events?ordering=start_time"
    for _ in range(pages):
        target = ask(target)["next"].removeprefix("http://127.0.0.1:8000")
    return target


def targets(ask: Asker, calendars: int, events: int) -> dict[str, str]:
    """What is asked, by its name in the table."""
    middle = events // 2
    api = "/api/v1/calendar_events"
    since = time_text(BASE + middle * SECOND)
    return {
        "GET a calendar by id": f"/api/v1/calendars/cal_{calendars // 2:016d}",
        "first page of calendars": "/api/v1/calendars",
        "calendar by deduplication key": f"/api/v1/calendars?deduplication_key=user-{calendars // 2}",
        "first page of events, newest first": api,
        "events of one calendar": f"{api}?calendar_id=cal_{calendars // 2:016d}&ordering=start_time",
        "filtered by updated_at_gte, ordered by start_time": f"{api}?updated_at_gte={since}&ordering=start_time",
        "filtered by start_time_gte, same order": f"{api}?start_time_gte={since}&ordering=start_time",
        "one event by id": f"{api}?event_id=evt_{middle:016d}",
        "a page deep in a walk": deep_page(ask, min(5_000, events // 200)),
    }


def time_text(instant: int) -> str:
    """An instant as a parameter."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant // SECOND))


def measure(mocks: dict[str, Mock]) -> dict[str, dict[str, float]]:
    """Microseconds per request, by target and size."""
    askers = {size: Asker(mock) for size, mock in mocks.items()}
    asked = {size: targets(askers[size], *SIZES[size]) for size in mocks}
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(ROUNDS):
        for size, by_name in asked.items():
            for name, target in by_name.items():
                took = askers[size].microseconds(target, 200)
                found.setdefault(name, {}).setdefault(size, []).append(took)
    return {name: {size: statistics.median(times) for size, times in row.items()} for name, row in found.items()}


def measure_reset(mock: Mock, change: Callable[[Mock], None]) -> float:
    """What a reset takes after this change, in microseconds."""
    change(mock)
    started = time.perf_counter()
    mock.reset()
    return (time.perf_counter() - started) * 1e6


def delete_calendars(mock: Mock, number: int) -> None:
    """Deletes so many calendars with their events, and changes as many."""
    project = mock.store.projects[0]
    for n in range(number):
        mock.calendar_service.update_calendar(project, f"cal_{n + number:016d}", {"metadata": {"a": "b"}})
        mock.calendar_service.delete_calendar(project, f"cal_{n:016d}")


def main() -> None:
    """Measures and prints the tables of README.md."""
    mocks = {}
    memory = 0.0
    for size, (calendars, events) in SIZES.items():
        gc.collect()
        before = resident()
        state = State(make_calendars(calendars), make_events(events, calendars))
        memory = (resident() - before) / events
        mocks[size] = Mock(projects=[Project("Benchmark", (KEY,), baseline=state)])
    # As `attendee-mock serve` does once the fixtures are loaded.
    gc.freeze()
    print(f"Python {platform.python_version()}, {platform.machine()}, medians of {ROUNDS} rounds of 200 requests\n")
    print("| request | " + " | ".join(f"{size}, µs" for size in SIZES) + " | ratio |")
    print("| --- | " + "--- | " * (len(SIZES) + 1))
    for name, row in measure(mocks).items():
        small, large = row.values()
        print(f"| {name} | {small:.0f} | {large:.0f} | {large / small:.2f} |")
    print(f"\nmemory per event with its share of calendars and indexes: {memory:.0f} bytes")
    for size, mock in mocks.items():
        idle = statistics.median(measure_reset(mock, lambda mock: None) for _ in range(ROUNDS))
        busy = measure_reset(mock, lambda mock: delete_calendars(mock, 40))
        print(f"reset with {size}: {idle:.0f} µs when nothing was done, {busy:.0f} µs after 40 deletes and 40 updates")


if __name__ == "__main__":
    main()
