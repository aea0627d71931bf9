"""What the journal costs: microseconds of an exchange, and of reading one: `python -m benchmarks.journal`."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.control.journal import Filter

ROUNDS = 30
EXCHANGES = 10_000
HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"authorization", b"Token YOUR_API_KEY_HERE"),
    (b"user-agent", b"python-httpx/0.28"),
    (b"accept", b"*/*"),
    (b"content-type", b"application/json"),
]
BODY = b'{"metadata": {"department": "engineering", "team": "backend"}}'


def best(work: Callable[[], None]) -> float:
    """The least processor time of a round, in microseconds an exchange: what is more was somebody else's."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times) / EXCHANGES * 1e6


def main() -> None:
    """Measures and prints."""
    mock = Mock()
    project = mock.store.projects[0]

    def make(record: Callable[[Exchange], None] | None) -> None:
        for _ in range(EXCHANGES):
            exchange = Exchange("PATCH", "/api/v1/calendars/cal_abcdef1234567890", headers=list(HEADERS), body=BODY)
            exchange.project, exchange.sent_headers, exchange.sent = project, HEADERS[:2], bytes(400)
            if record is not None:
                record(exchange)

    gc.collect()
    gc.freeze()
    cost = best(lambda: make(mock.journals.record)) - best(lambda: make(None))
    print(f"to record an exchange: {cost:.2f} microseconds")
    started = time.process_time()
    found = mock.journals.find(project.name, Filter())
    each = (time.process_time() - started) / len(found.entries) * 1e6
    print(f"to read one, masked: {each:.0f} microseconds ({len(found.entries)} kept, {found.evicted} evicted)")


if __name__ == "__main__":
    main()
