"""HTTP on a connection: the fast parser, the patient one for what that does not know, and answers sent together.

uvicorn's own protocol sends head and body of an answer one after the other, makes a task for each request and a timer
for each answer. Each of these is dear beside the work of a request (docs/decisions/006-request-path.md), and none is
needed for an answer that is there at once.
"""

from __future__ import annotations

import asyncio
import re
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping, Sequence
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from mockserver.connection import CONNECTION, Connection

Message = MutableMapping[str, Any]
Going = Coroutine[Any, None, None]
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = frozenset({b"connection", b"transfer-encoding"})


class Turn:
    """What one server has to do in a turn of the event loop: begin the requests that came in, send what is ready.

    Each kind is done for all of them together. A system call, or the parser, between two requests would drive the code
    of the mock out of the processor's caches.
    """

    def __init__(self) -> None:
        self._begun: list[tuple[Going, Callable[[Going], None]]] = []
        self._ready: list[tuple[asyncio.Transport, bytes]] = []

    def begin(self, going: Going, launch: Callable[[Going], None], loop: asyncio.AbstractEventLoop) -> None:
        """Takes up a request when all that came in is read; `launch` gets what is left of one that has to wait."""
        if not self._begun:
            loop.call_soon(self._begin)
        self._begun.append((going, launch))

    def post(self, transport: asyncio.Transport, data: bytes, loop: asyncio.AbstractEventLoop) -> None:
        """Sends the bytes when all that is ready to be done is done."""
        if not self._ready:
            loop.call_soon(self.send)
        self._ready.append((transport, data))

    def send(self) -> None:
        """Sends what waits now: to be called before anything else is written to one of the connections."""
        ready, self._ready = self._ready, []
        for transport, data in ready:
            transport.write(data)

    def catch_up(self) -> None:
        """Begins and sends what waits now."""
        self._begin()
        self.send()

    def forget(self, transport: asyncio.Transport) -> None:
        """Drops what waits for a connection that is no more."""
        self._ready = [one for one in self._ready if one[0] is not transport]

    def _begin(self) -> None:
        begun, self._begun = self._begun, []
        for going, launch in begun:
            try:
                awaited = going.send(None)
            except StopIteration:
                continue
            launch(_resumed(going, awaited))


class _Reply:
    """The `send` of one request: an answer that is there as a whole is one letter, any other goes uvicorn's way."""

    __slots__ = ("_cycle", "_head", "_loop", "_turn")

    def __init__(self, cycle: RequestResponseCycle, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        self._cycle = cycle
        self._turn = turn
        self._loop = loop
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Takes a message of ASGI; the start of an answer is kept until the first of its body is there."""
        head = self._head
        if head is None:
            if message["type"] == "http.response.start" and not self._cycle.response_started:
                self._head = message
                return
        else:
            self._head = None
            if self._is_posted(head, message):
                return
            self._turn.send()
            await self._cycle.send(cast(Any, head))
        await self._cycle.send(cast(Any, message))

    def _is_posted(self, head: Message, message: Message) -> bool:
        """Posts an answer that consists of these two messages; False for one that uvicorn has to frame or refuse."""
        cycle = self._cycle
        if (
            message["type"] != "http.response.body"
            or message.get("more_body")
            or not cycle.keep_alive
            or cycle.disconnected
            or cycle.flow.write_paused
        ):
            return False
        body = b"" if cycle.scope["method"] == "HEAD" else message["body"]
        text = _head_of(head, cycle.default_headers, None if cycle.scope["method"] == "HEAD" else len(body))
        if text is None:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self._turn.post(cycle.transport, text + body, self._loop)
        cycle.message_event.set()
        cycle.on_response()
        return True


def _head_of(head: Message, defaults: Sequence[tuple[bytes, bytes]], length: int | None) -> bytes | None:
    """The bytes before a body of this length; None for a head that says otherwise, or says more than its headers."""
    parts = [STATUS_LINE[head["status"]]]
    told: bytes | None = None
    for name, value in defaults:
        parts += (name, b": ", value, b"\r\n")
    for header in head["headers"]:
        name, value = header
        if name == b"content-length":
            told = value
        elif name in _FRAMING:
            return None
        if _CONTROL.search(value):
            return None
        parts += (name, b": ", value, b"\r\n")
    if told is None or (length is not None and told != b"%d" % length):
        return None
    parts.append(b"\r\n")
    return b"".join(parts)


@types.coroutine
def _resumed(going: Going, awaited: Any) -> Generator[Any, Any, None]:
    """The rest of a coroutine that was begun by hand and now waits for `awaited`, for a task to go on with."""
    try:
        while True:
            try:
                sent = yield awaited
            except BaseException as thrown:  # noqa: BLE001 -- handed on, as `yield from` would
                awaited = going.throw(thrown)
            else:
                awaited = going.send(sent)
    except StopIteration:
        return


class PatientProtocol(HttpToolsProtocol):
    """httptools, which knows some 30 methods; a request that it refuses is read again by h11, which takes any.

    The service answers 405 to a method that nobody ever heard of (methods-calendars), and so has to see it.
    """

    _latest = b""
    _quiet_since: float | None = None
    """When the last answer was done, in seconds of the event loop; None while a request comes in or is worked on."""

    def __init__(self, turn: Turn, at_once: str, **server: Any) -> None:
        """`turn` is the server's, `server` is what uvicorn gives every protocol.

        A request to a path that begins with `at_once` is begun without a task of its own: what answers it must do
        without asyncio.current_task() until it waits for something.
        """
        super().__init__(**server)
        self._turn = turn
        self._at_once = at_once

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Gives the requests to come a hold on their connection; the state's copy is this connection's own."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: Connection(transport)}

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what was under way."""
        self._stop_timer()
        self._turn.forget(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads what came in."""
        self._latest = data
        self._quiet_since = None
        super().data_received(data)

    def eof_received(self) -> None:
        """Answers what came in before a client said that it will send no more: the connection is about to be closed."""
        self._turn.catch_up()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Callable[..., Awaitable[None]]) -> None:
        reply = _Reply(cycle, self._turn, self.loop)
        going = cycle.run_asgi(lambda scope, receive, _: app(scope, receive, reply))
        if cycle.scope["path"].startswith(self._at_once):
            self._turn.begin(going, self._launch, self.loop)
        else:
            self._launch(going)

    def _launch(self, going: Going) -> None:
        task = self.loop.create_task(going)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on_response_complete(self) -> None:
        """Begins the next request that has come in already, or waits for one."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._quiet_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._start_timer(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Closes a connection that was quiet for so long; one timer a connection, instead of one an answer."""
        self.timeout_keep_alive_task = None
        if self._quiet_since is None:
            return
        left = self._quiet_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._start_timer(left)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        """The timer stays: it sees by itself whether the connection was quiet."""

    def _start_timer(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _stop_timer(self) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def shutdown(self) -> None:
        """Ends the connection when what is under way on it is answered."""
        self._turn.send()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Hands the connection over to h11, unless a request or its answer is under way on it."""
        self._turn.send()
        if self.cycle is not None and not self.cycle.response_complete:
            super().send_400_response(msg)
            return
        self._stop_timer()
        self.connections.discard(self)
        patient = H11Protocol(self.config, self.server_state, self.app_state, self.loop)
        patient.connection_made(self.transport)
        self.transport.set_protocol(patient)
        patient.data_received(self._latest)
