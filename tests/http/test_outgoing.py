"""Responses that wait for the end of a turn of the event loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mockserver.http.outgoing import MOST, Outgoing
from tests.http.wires import Wire, settled


class OneList(Wire):
    """A connection that writes where others write too."""

    def __init__(self, together: list[bytes]) -> None:
        super().__init__()
        self.written = together


class Broken(Wire):
    """A connection on which nothing can be written."""

    def write(self, data: Any) -> None:
        raise RuntimeError("broken")


def test_what_is_added_in_one_turn_is_sent_in_the_next_in_its_order() -> None:
    async def talk() -> None:
        together: list[bytes] = []
        outgoing, first, second = Outgoing(asyncio.get_running_loop()), OneList(together), OneList(together)
        for wire, data in ((first, b"1"), (second, b"2"), (first, b"3")):
            outgoing.add(wire, data)
        assert together == []
        await settled(1)
        assert together == [b"1", b"2", b"3"]

    asyncio.run(talk())


def test_no_more_than_a_bounded_number_of_bytes_waits() -> None:
    async def talk() -> None:
        outgoing, wire = Outgoing(asyncio.get_running_loop()), Wire()
        outgoing.add(wire, b"x" * (MOST - 1))
        assert wire.written == []
        outgoing.add(wire, b"yz")
        assert wire.written == [b"x" * (MOST - 1), b"yz"]
        outgoing.add(wire, b"a")
        await settled(1)
        assert wire.written[-1] == b"a"

    asyncio.run(talk())


def test_nothing_is_written_to_a_connection_that_has_ended() -> None:
    async def talk() -> None:
        outgoing, ended, wire = Outgoing(asyncio.get_running_loop()), Wire(), Wire()
        outgoing.add(ended, b"1")
        outgoing.add(wire, b"2")
        ended.close()
        await settled(1)
        assert (ended.written, wire.written) == ([], [b"2"])

    asyncio.run(talk())


def test_a_connection_that_cannot_be_written_to_takes_no_others_response() -> None:
    async def talk() -> None:
        loop = asyncio.get_running_loop()
        reported: list[Any] = []
        loop.set_exception_handler(lambda loop, context: reported.append(context["exception"]))
        outgoing, broken, wire = Outgoing(loop), Broken(), Wire()
        outgoing.add(broken, b"1")
        outgoing.add(wire, b"2")
        # As another connection does that writes: it is told nothing of this one.
        outgoing.flush()
        assert wire.written == [b"2"]
        assert broken.closed
        assert [str(error) for error in reported] == ["broken"]

    asyncio.run(talk())


def test_what_waits_is_sent_only_once_however_often_it_is_flushed() -> None:
    async def talk() -> None:
        outgoing, wire = Outgoing(asyncio.get_running_loop()), Wire()
        outgoing.add(wire, b"1")
        outgoing.flush()
        outgoing.flush()
        await settled(2)
        assert wire.written == [b"1"]

    asyncio.run(talk())


@pytest.mark.parametrize("sizes", [[1], [MOST + 1], [MOST // 2] * 5])
def test_every_byte_is_sent(sizes: list[int]) -> None:
    async def talk() -> None:
        outgoing, wire = Outgoing(asyncio.get_running_loop()), Wire()
        for size in sizes:
            outgoing.add(wire, b"x" * size)
        await settled(1)
        assert sum(map(len, wire.written)) == sum(sizes)

    asyncio.run(talk())
