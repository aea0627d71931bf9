"""Requests that wait cost nobody else anything, and wait no longer than somebody wants their answer."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

import pytest

from mockserver.app import Mock
from mockserver.control.waits import Waits
from mockserver.server import running
from tests.clients import ACME, over_http


class Even(NamedTuple):
    """Wants even numbers, and counts how often it is asked."""

    asked: Callable[[], None] = lambda: None

    def takes(self, item: int) -> bool:
        self.asked()
        return item % 2 == 0


class Request:
    """A GET of a control path whose client can leave."""

    def __init__(self, mock: Mock, path: str, key: str = ACME) -> None:
        self.leave = asyncio.Event()
        self.sent: list[MutableMapping[str, Any]] = []
        target, _, query = path.partition("?")
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": target,
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Token {key}".encode())],
        }
        self.task = asyncio.ensure_future(mock.asgi(scope, self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self.sent and not self.leave.is_set():
            await self.leave.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    async def answer(self) -> Any:
        await self.task
        return json.loads(self.sent[1]["body"])


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("path", ["/__mock__/requests?wait=300s", "/__mock__/deliveries?wait=300s"])
def test_a_client_that_goes_away_frees_its_place(path: str, mock: Mock) -> None:
    async def run() -> None:
        request = Request(mock, path)
        await turns()
        assert mock._waits.total() == 1
        request.leave.set()
        await request.task
        assert mock._waits.total() == 0
        assert request.sent == []

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/__mock__/requests?wait=300s", "/__mock__/deliveries?wait=300s"])
def test_who_waits_is_answered_when_the_server_stops_and_may_wait_again_afterwards(path: str, mock: Mock) -> None:
    async def run() -> None:
        waiting = Request(mock, path)
        await turns()
        mock.end_waits()
        assert list((await waiting.answer()).values())[0] == []
        assert list((await Request(mock, path).answer()).values())[0] == []
        await mock._end()
        again = Request(mock, path)
        await turns()
        assert not again.task.done()
        again.leave.set()
        await again.task

    asyncio.run(run())


def test_a_server_that_stops_answers_who_waits(mock: Mock) -> None:
    answered: list[int] = []
    with running(mock=mock) as server:

        def ask() -> None:
            path = "/__mock__/deliveries?wait=300s"
            answered.append(over_http(server.url)("GET", path, {"Authorization": f"Token {ACME}"}, None).status)

        waiting = threading.Thread(target=ask)
        waiting.start()
        while mock._waits.total() == 0 and waiting.is_alive():
            over_http(server.url)("GET", "/__mock__/health", {}, None)
    waiting.join()
    assert answered == [200]


def test_equal_waits_are_asked_once_about_each_item() -> None:
    asked: list[None] = []

    async def run() -> None:
        waits = Waits()
        wanted = Even(lambda: asked.append(None))
        waiting = [asyncio.create_task(waits.wait("a", wanted, 60)) for _ in range(300)]
        await turns()
        for item in range(1, 200, 2):
            waits.offer("a", item)
            waits.offer("b", item)
        assert len(asked) == 100
        waits.offer("a", 2)
        assert await asyncio.gather(*waiting) == [[2]] * 300
        assert waits.total() == 0

    asyncio.run(run())


def test_many_who_are_woken_leave_turns_to_others() -> None:
    async def run() -> None:
        waits = Waits()
        done = 0

        async def wait() -> None:
            nonlocal done
            await waits.wait("a", Even(), 60)
            done += 1

        waiting = [asyncio.create_task(wait()) for _ in range(300)]
        await turns()
        waits.offer("a", 2)
        steps = [0]
        while done < 300:
            await asyncio.sleep(0)
            steps.append(done)
        assert max(after - before for before, after in zip(steps, steps[1:], strict=False)) <= 16
        await asyncio.gather(*waiting)

    asyncio.run(run())


def test_a_wait_counts_what_came_until_there_is_enough() -> None:
    async def run() -> None:
        waits = Waits()
        waiting = asyncio.create_task(waits.wait("a", Even(), 60, missing=2))
        await turns()
        for item in (2, 3):
            waits.offer("a", item)
            await turns()
            assert not waiting.done()
        waits.offer("a", 4)
        assert await waiting == [2, 4]

    asyncio.run(run())
