"""Serves an ASGI application on listening sockets until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from email.utils import formatdate
from socket import socket
from types import FrameType
from typing import Any

from mockserver.http.connection import HttpConnection, Limits, Server
from mockserver.http.cycle import RequestCycle

Message = MutableMapping[str, Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

_SWEEP = 1.0
"""How often it is looked for connections that waited for too long, in seconds."""
_GRACE = 1.0
"""How long requests that are under way may take when the server stops, in seconds."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class HttpServer:
    """Runs in one thread; `stop` may be called from any."""

    def __init__(
        self,
        app: App,
        limits: Limits | None = None,
        *,
        ready: Callable[[], None] | None = None,
        stopping: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`ready` is called when requests are answered, `stopping` when no more are taken; `clock` dates responses."""
        self._app = app
        self._limits = limits or Limits()
        self._ready = ready
        self._stopping = stopping
        self._clock = clock
        self._log = logging.getLogger("mockserver.http")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._force = False
        self._lock = threading.Lock()
        self._stopped_early = False
        self._second = -1
        self._lines = b"", b""

    def run(self, sockets: Sequence[socket]) -> None:
        """Serves on sockets that listen already, until `stop`, or until Ctrl-C or SIGTERM in the main thread.

        Such a signal is raised again at the end, as if it had not been caught.
        """
        caught: list[int] = []
        with asyncio.Runner(loop_factory=_loop_factory()) as runner, self._signals(caught):
            runner.run(self._serve(sockets))
        for number in caught[:1]:
            signal.raise_signal(number)

    def stop(self) -> None:
        """Lets requests that are under way end, for a second at most, and ends the server."""
        with self._lock:
            loop = self._loop
            if loop is None:
                self._stopped_early = True
                return
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._stop is not None:
            self._force = self._stop.is_set()
            self._stop.set()

    @contextlib.contextmanager
    def _signals(self, caught: list[int]) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: FrameType | None) -> None:
            caught.append(number)
            self.stop()

        before = {number: signal.signal(number, note) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _serve(self, sockets: Sequence[socket]) -> None:
        loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        with self._lock:
            self._loop = loop
            if self._stopped_early:
                self._stop.set()
        lifespan = _Lifespan(self._app)
        await lifespan.start()
        emptied = asyncio.Event()
        requests = _Requests(self._app, self._log, loop)
        shared = Server(requests.begin, self._header_lines, set(), emptied.set, self._limits)
        servers = [await loop.create_server(lambda: HttpConnection(shared, loop), sock=one) for one in sockets]
        sweeper = loop.create_task(_sweep(shared, loop))
        if self._ready is not None:
            self._ready()
        await self._stop.wait()
        sweeper.cancel()
        for server in servers:
            server.close()
        if self._stopping is not None:
            self._stopping()
        await self._drain(shared, emptied)
        await requests.end()
        await lifespan.end()
        with self._lock:
            self._loop = None

    async def _drain(self, shared: Server, emptied: asyncio.Event) -> None:
        """Waits for the requests that are under way; what takes too long is broken off."""
        emptied.clear()
        for connection in list(shared.connections):
            connection.shutdown()
        if shared.connections and not self._force:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(emptied.wait(), _GRACE)
        for connection in list(shared.connections):
            connection.abort()

    def _header_lines(self, keep_alive: bool) -> bytes:
        now = self._clock()
        second = int(now)
        if second != self._second:
            date = b"date: " + formatdate(now, usegmt=True).encode("ascii") + b"\r\n"
            self._second = second
            self._lines = date, date + b"keep-alive: timeout=%d\r\n" % self._limits.idle_seconds
        return self._lines[keep_alive]


async def _sweep(shared: Server, loop: asyncio.AbstractEventLoop) -> None:
    limits = shared.limits
    pause = min(_SWEEP, limits.idle_seconds / 2, limits.request_seconds / 2)
    while True:
        await asyncio.sleep(pause)
        now = loop.time()
        for connection in list(shared.connections):
            connection.check(now)


class _Requests:
    """The requests that are being answered, each in a task of its own."""

    def __init__(self, app: App, log: logging.Logger, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._log = log
        self._loop = loop
        self._answering: dict[asyncio.Task[None], RequestCycle] = {}

    def begin(self, cycle: RequestCycle) -> None:
        """Starts the application for a request."""
        task = self._loop.create_task(self._answer(cycle))
        self._answering[task] = cycle
        task.add_done_callback(self._ended)

    async def end(self) -> None:
        """Cancels all that are left, and waits until they have ended."""
        tasks = list(self._answering)
        for task in tasks:
            task.cancel("the server stops")
        if tasks:
            await asyncio.wait(tasks)

    async def _answer(self, cycle: RequestCycle) -> None:
        await self._app(cycle.scope, cycle.receive, cycle.send)

    def _ended(self, task: asyncio.Task[None]) -> None:
        cycle = self._answering.pop(task)
        if task.cancelled():
            cycle.fail()
        elif (error := task.exception()) is not None:
            self._log.error("the application failed", exc_info=error)
            cycle.fail()
        elif not cycle.answered:
            cycle.end(self._log.error)


class _Lifespan:
    """Tells the application that a server starts and stops."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises RuntimeError with the application's reason when it cannot start, and what the application raises."""
        self._task = asyncio.ensure_future(
            self._app(
                {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._to_app.get, self._from_app.put
            )
        )
        await self._exchange("startup")

    async def end(self) -> None:
        """Raises what the application raises."""
        await self._exchange("shutdown")
        assert self._task is not None
        await self._task

    async def _exchange(self, what: str) -> None:
        assert self._task is not None
        await self._to_app.put({"type": f"lifespan.{what}"})
        heard = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait({heard, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not heard.done():
            heard.cancel()
            await self._task
        elif heard.result()["type"] != f"lifespan.{what}.complete":
            raise RuntimeError(heard.result().get("message", f"{what} failed"))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where there is one: not on Windows."""
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
