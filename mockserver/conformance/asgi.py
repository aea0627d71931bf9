"""How requests get straight into an ASGI application."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes

from mockserver.conformance.wires import App, Headers, Reply, Unanswered, has


class AsgiWire:
    """Straight into an application, on an event loop of its own."""

    host = "127.0.0.1:8000"
    base = ""
    plain = False

    def __init__(self, app: App) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._one = threading.RLock()
        self._start: _Start | None = None

    def exchange(self, method: str, path: bytes, headers: Headers, body: bytes, timeout: float) -> Reply:
        """Calls the application, as a server does that has read the request."""
        refusal = _refused_by_servers(method, headers)
        if refusal:
            return refusal
        start = self._start
        call = _timed(_called(self._app, self.host, method, path, headers, body), timeout)
        try:
            if start is not None and start.is_mine():
                return start.wait_for(call)
            with self._one:
                return self._loop.run_until_complete(call)
        except TimeoutError:
            raise Unanswered("no answer in time") from None

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """A thread for each call, and the loop in this one; the first requests of all begin in one turn of the loop."""
        with self._one:
            self._start = start = _Start(self._loop, len(calls))
            try:
                return self._loop.run_until_complete(start.run(calls))
            finally:
                self._start = None

    def raw(self, data: bytes, timeout: float, *, cut: bool = False) -> Reply:
        """There is no wire to write bytes on."""
        raise Unanswered("an application in process has no socket")

    def close(self) -> None:
        """Ends what the application still has under way, and closes the loop."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(_end(asyncio.all_tasks(self._loop)))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Start:
    """Lets the first requests of several threads begin in one turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int) -> None:
        self._loop, self._missing = loop, count
        self._all = asyncio.Event()
        self._mine = threading.local()

    def is_mine(self) -> bool:
        """Whether this thread is one of those that were started."""
        return hasattr(self._mine, "arrived")

    def wait_for(self, call: Coroutine[Any, Any, Reply]) -> Reply:
        """The outcome of the call, which begins when the others are about to begin theirs; in a thread."""
        first, self._mine.arrived = not self._mine.arrived, True
        return asyncio.run_coroutine_threadsafe(self._begun(call, first=first), self._loop).result()

    async def run(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Makes the calls, each in a thread of its own; raises what the first that failed raised."""
        with ThreadPoolExecutor(len(calls)) as pool:
            work = [self._loop.run_in_executor(pool, self._make, call) for call in calls]
            outcomes = await asyncio.gather(*work, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return list(outcomes)

    def _make(self, call: Callable[[], Any]) -> Any:
        self._mine.arrived = False
        try:
            return call()
        finally:
            if not self._mine.arrived:
                self._loop.call_soon_threadsafe(self._arrive)

    def _arrive(self) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._all.set()

    async def _begun(self, call: Coroutine[Any, Any, Reply], *, first: bool) -> Reply:
        if first:
            self._arrive()
        await self._all.wait()
        return await call


async def _timed(call: Coroutine[Any, Any, Reply], timeout: float) -> Reply:
    async with asyncio.timeout(timeout):
        return await call


async def _called(app: App, host: str, method: str, path: bytes, headers: Headers, body: bytes) -> Reply:
    plain, _, query = path.partition(b"?")
    name, _, port = host.partition(":")
    given = [(key.lower(), value.strip(b" \t")) for key, value in headers]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(plain).decode("utf-8", "replace"),
        "raw_path": plain,
        "query_string": query,
        "root_path": "",
        "headers": given if has(headers, b"host") else [(b"host", host.encode()), *given],
        "server": (name, int(port)),
        "client": (name, 50000),
        "state": {},
    }
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception:
        # As servers do: whatever the application trips over is an answer, unless one has begun.
        sent = sent or [
            {"status": 500, "headers": [(b"content-type", b"text/plain")]},
            {"body": b"Internal Server Error"},
        ]
    if not sent:
        raise Unanswered("the application answered nothing")
    answered = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in sent[0].get("headers", ())]
    return Reply(sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:]))


def _refused_by_servers(method: str, headers: Headers) -> Reply | None:
    """What every server refuses before an application sees it."""
    bad = any(not key or any(byte <= 32 or byte >= 127 or byte == 58 for byte in key) for key, _ in headers)
    bad = bad or any(byte < 32 and byte != 9 or byte == 127 for _, value in headers for byte in value)
    if bad or not method.isascii() or not method.isprintable():
        return Reply(400, [("content-type", "text/plain; charset=utf-8")], b"Invalid HTTP request received.")
    return None
