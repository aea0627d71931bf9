"""Copies wait for the recording process within a limit; what goes beyond it is counted, not kept."""

from __future__ import annotations

import io
from collections.abc import Callable

from mockserver.proxy import frames
from mockserver.proxy.tapping import Tapping
from tests.proxy.pieces import request, response


class Sink:
    """Keeps what is written; `waiting` says how much nobody has read."""

    def __init__(self) -> None:
        self.data, self.waiting, self.is_closed = b"", 0, False

    def write(self, data: bytes) -> None:
        self.data += data

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.is_closed

    @property
    def kinds(self) -> list[int]:
        return [frame.kind for frame in frames.read(io.BytesIO(self.data))]


def tapping(sink: Sink, most: int = 1000) -> Tapping:
    def at_once(call: Callable[[], None]) -> None:
        waiting.append(call)

    waiting: list[Callable[[], None]] = []
    return Tapping(sink, at_once, most=most, clock=lambda: 1.0)


def test_copies_are_written_together_and_in_order() -> None:
    sink = Sink()
    tap = tapping(sink)
    tap.client(1, request())
    tap.server(1, response())
    tap.proxied(1, "reason")
    tap.closed(1)
    assert not sink.data
    tap.finish()
    assert sink.kinds == [frames.CLIENT, frames.SERVER, frames.PROXIED, frames.CLOSED, frames.DROPPED]
    assert tap.dropped == 0


def test_above_the_limit_requests_are_counted_until_there_is_room_again() -> None:
    sink = Sink()
    tap = tapping(sink)
    sink.waiting = 1001
    for _ in range(3):
        tap.client(1, request())
        tap.server(1, response())
    assert tap.dropped == 3
    sink.waiting = 501
    tap.client(1, request())
    tap.server(1, response())
    assert tap.dropped == 4
    sink.waiting = 100
    # Only with a new request the connection can be followed again.
    tap.server(1, response())
    tap.client(1, b"the rest of a body")
    tap.server(1, response())
    tap.client(1, request())
    tap.server(1, response())
    tap.finish()
    assert sink.kinds == [frames.GAP, frames.CLIENT, frames.SERVER, frames.DROPPED]
    assert tap.dropped == 4


def test_what_waits_to_be_written_counts_too() -> None:
    tap = tapping(Sink(), most=100)
    tap.client(1, b"x" * 200)
    tap.client(2, b"x" * 200)
    assert tap.dropped == 1


def test_when_nobody_reads_any_more_requests_are_only_counted() -> None:
    sink = Sink()
    sink.is_closed = True
    tap = tapping(sink)
    tap.client(1, request())
    tap.closed(1)
    tap.finish()
    assert not sink.data
    assert tap.dropped == 1
