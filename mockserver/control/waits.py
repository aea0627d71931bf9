"""Requests that wait for a journal entry or a delivery: each is woken by what it waits for, and by nothing else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Any, Final, Protocol

from mockserver.control.errors import Refused

LONGEST_WAIT: Final = 300.0
"""Seconds."""
MOST_WAITERS: Final = 1000
"""How many requests may wait for the same: for entries of one journal, or for deliveries of one project."""
_AT_ONCE: Final = 16
"""How many waiters are woken in one turn of the event loop: each of them then makes an answer."""


class Wanted(Hashable, Protocol):
    """What somebody waits for. Equal ones are asked only once about each item."""

    def takes(self, item: Any) -> bool:
        """Whether the item is one of those."""
        ...


class _Waiter:
    """One request that waits; `items` are those that it waited for."""

    def __init__(self, missing: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.came = asyncio.Event()
        self.missing = missing
        self.items: list[Any] = []


class Waits:
    """All requests of one mock that wait, by topic: a topic is whatever its caller takes for one."""

    def __init__(self, most: int = MOST_WAITERS) -> None:
        """`most` is how many may wait for one topic."""
        self._most = most
        self._topics: dict[Hashable, dict[Wanted, list[_Waiter]]] = {}
        self._woken: dict[asyncio.AbstractEventLoop, deque[_Waiter]] = {}
        self._closed = False

    def total(self) -> int:
        """How many wait for anything."""
        return sum(self.count(topic) for topic in list(self._topics))

    def count(self, topic: Hashable) -> int:
        """How many wait for a topic."""
        return sum(map(len, list(self._topics.get(topic, {}).values())))

    def offer(self, topic: Hashable, item: Any) -> None:
        """Wakes those who have waited for this item; may be called in any thread."""
        groups = self._topics.get(topic)
        if groups is None:
            return
        for wanted, waiters in list(groups.items()):
            if wanted.takes(item):
                for waiter in list(waiters):
                    waiter.items.append(item)
                    if len(waiter.items) == waiter.missing:
                        self._wake(waiter)

    async def wait(self, topic: Hashable, wanted: Wanted, seconds: float, missing: int = 1) -> list[Any]:
        """The items that were offered until there were `missing` of them, the time was up or the waits were closed.

        Raises Refused for a wait that is too long, and when too many wait for the topic already.
        """
        if not 0 <= seconds <= LONGEST_WAIT:
            raise Refused("wait", f"wait between 0 and {LONGEST_WAIT:.0f} seconds")
        self.check_room(topic)
        waiter = _Waiter(missing)
        group = self._topics.setdefault(topic, {}).setdefault(wanted, [])
        group.append(waiter)
        try:
            if not self._closed:
                async with asyncio.timeout(seconds):
                    await waiter.came.wait()
        except TimeoutError:
            pass
        finally:
            self._leave(topic, wanted, waiter)
        return waiter.items

    @property
    def closed(self) -> bool:
        """Whether the mock stops, and nobody waits any more."""
        return self._closed

    def check_room(self, topic: Hashable) -> None:
        """Raises Refused when too many wait for the topic already."""
        if self.count(topic) >= self._most:
            raise Refused(
                "wait", f"{self._most} requests are already waiting", 429, "send it again once some of them have ended"
            )

    def close(self) -> None:
        """Ends every wait, and those to come, with what there is; may be called in any thread."""
        self._closed = True
        for groups in list(self._topics.values()):
            for waiters in list(groups.values()):
                for waiter in list(waiters):
                    self._wake(waiter)

    def open(self) -> None:
        """Lets requests wait again."""
        self._closed = False

    def _leave(self, topic: Hashable, wanted: Wanted, waiter: _Waiter) -> None:
        groups = self._topics[topic]
        groups[wanted].remove(waiter)
        if not groups[wanted]:
            del groups[wanted]
        if not groups:
            del self._topics[topic]

    def _wake(self, waiter: _Waiter) -> None:
        if not waiter.loop.is_closed():
            waiter.loop.call_soon_threadsafe(self._queue, waiter)

    def _queue(self, waiter: _Waiter) -> None:
        """Puts a waiter in the queue of its loop, in that loop's thread."""
        queue = self._woken.get(waiter.loop)
        if queue is None:
            queue = self._woken[waiter.loop] = deque()
            waiter.loop.call_soon(self._wake_some, waiter.loop)
        queue.append(waiter)

    def _wake_some(self, loop: asyncio.AbstractEventLoop) -> None:
        queue = self._woken[loop]
        for _ in range(min(_AT_ONCE, len(queue))):
            queue.popleft().came.set()
        if queue:
            loop.call_soon(self._wake_some, loop)
        else:
            del self._woken[loop]
