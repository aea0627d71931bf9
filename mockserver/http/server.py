"""Serves an ASGI application on listening sockets until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from email.utils import formatdate
from socket import socket
from types import FrameType
from typing import Any

from mockserver.http.connection import HttpConnection, Limits, Server
from mockserver.http.cycle import RequestCycle
from mockserver.http.outgoing import Outgoing

Message = MutableMapping[str, Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

_SWEEP = 1.0
"""How often it is looked for connections that waited for too long, in seconds."""
_GRACE = 1.0
"""How long requests that are under way may take when the server stops, in seconds."""
_MOST_IDLE = 32
"""How many workers stay while there is nothing to do."""
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
        workers = _Workers(self._app, self._log, loop)
        shared = Server(workers.begin, self._header_lines, set(), emptied.set, Outgoing(loop), self._limits)
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
        await workers.end()
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


class _Workers:
    """Runs the application in a few tasks that stay, instead of in a new task for each request.

    A worker takes all requests that came in together, one after the other. When the application has to wait for one of
    them, another worker takes the rest.
    """

    def __init__(self, app: App, log: logging.Logger, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._log = log
        self._loop = loop
        self._queue: deque[RequestCycle] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._current: dict[asyncio.Task[None], RequestCycle | None] = {}
        """Every worker's task, with the request that it is working on."""
        self._is_due = False

    def begin(self, cycle: RequestCycle) -> None:
        """Has the application answer a request, in the next turn of the event loop."""
        self._queue.append(cycle)
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._dispatch)

    async def end(self) -> None:
        """Cancels all workers, with the requests that are left, and waits until they have ended."""
        self._idle.clear()
        tasks = list(self._current)
        for task in tasks:
            task.cancel("the server stops")
        if tasks:
            await asyncio.wait(tasks)

    def _dispatch(self) -> None:
        """Gives the queue to a worker, and comes back in the next turn to see whether it had to wait."""
        self._is_due = False
        if not self._queue:
            return
        if self._idle:
            self._idle.pop().set_result(None)
        else:
            task = self._loop.create_task(self._work())
            self._current[task] = None
            task.add_done_callback(self._ended)
        self._is_due = True
        self._loop.call_soon(self._dispatch)

    async def _work(self) -> None:
        me = asyncio.current_task()
        assert me is not None
        while len(self._idle) < _MOST_IDLE:
            while self._queue:
                cycle = self._current[me] = self._queue.popleft()
                await self._app(cycle.scope, cycle.receive, cycle.send)
                if not cycle.answered:
                    cycle.end(self._log.error)
            self._current[me] = None
            called = self._loop.create_future()
            self._idle.append(called)
            await called

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An error in the application ends its worker: the request is answered here, and other workers go on."""
        cycle = self._current.pop(task)
        if cycle is None:
            return
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("the application failed", exc_info=error)
        cycle.fail()


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
