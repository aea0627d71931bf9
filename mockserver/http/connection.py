"""One HTTP/1.1 connection: splits its bytes into requests, starts each in turn, and decides when it ends."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, NamedTuple, cast

import h11

from mockserver.http.cycle import HIGH_WATER, RequestCycle
from mockserver.http.heads import Head, HeadReader, NotHttp, read_target, reason_of
from mockserver.http.outgoing import Outgoing

RAW: Final = "mockserver.connection"
"""Under which name a request's scope["state"] holds the connection that it came on."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_MOST_FIELDS = 1000
_MOST_DISCARDED = 50_000_000
"""How many bytes are read and thrown away after a refusal, so that a client that still sends can read why."""
_LINGER = 2.0
"""For how many seconds that is done."""
_PROBES = (0.05, 1.0, 5.0)
"""After how many seconds it is looked whether a client that sends no more is still there to read."""
_BODY_PATIENCE = 10
"""How many times the time for a head a whole body may take."""
_TLS_GREETING = 0x16


class Limits(NamedTuple):
    """What a connection may take."""

    head: int = 1_000_000
    """The largest head of a request, in bytes."""
    request_seconds: float = 60.0
    """How long a head may take to come in, and how long a body may pause."""
    idle_seconds: float = 5.0
    """How long a connection stays open without a request."""


class Server(NamedTuple):
    """What the connections of one server share."""

    begin: Callable[[RequestCycle], None]
    """Has a request answered."""
    lines: Callable[[bool], bytes]
    """Header lines for a response after which the connection is kept or not: date and the like, each with its end."""
    connections: set[HttpConnection]
    emptied: Callable[[], None]
    """Called when the last connection has ended."""
    outgoing: Outgoing
    limits: Limits


class HttpConnection(asyncio.Protocol):
    """HTTP/1.1 on one connection. The same bytes get the same responses, in however many pieces they come."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._limits = server.limits
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # set by connection_made, before all else
        self._heads = HeadReader()
        self._buffer = bytearray()
        self._searched = 0
        """Up to where the buffer holds no end of a head."""
        self._cycle: RequestCycle | None = None
        """The request that is being read or answered; the next one waits in the buffer."""
        self._left = 0
        """How many bytes its body still lacks, where its head gave a length."""
        self._framing: h11.Connection | None = None
        """What reads its body otherwise."""
        self._eof = False
        self._closing = False
        """No further request is read."""
        self._reason: str | None = None
        """What is wrong with the body that is being read."""
        self._discarded: int | None = None
        """How many bytes were thrown away after the last response; None before it."""
        self._since = 0.0
        """When the present wait for the client began."""
        self._began = 0.0
        """When the body that comes in began."""
        self._reading_paused = False
        self._advancing = False
        self._probe: asyncio.TimerHandle | None = None
        self.write_paused: asyncio.Future[None] | None = None
        """Done when the client has read enough for more to be written; None when it may be written."""
        self._constant: dict[str, Any] = {}

    # --- called by asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins."""
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)
        self._since = self._loop.time()
        self._constant = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "server": _address(transport.get_extra_info("sockname")),
            "client": _address(transport.get_extra_info("peername")),
            "scheme": "https" if transport.get_extra_info("sslcontext") else "http",
            "root_path": "",
        }

    def connection_lost(self, exc: Exception | None) -> None:
        """Notes that the client of the current request is gone."""
        self._closing = True
        self._buffer.clear()
        if self._probe is not None:
            self._probe.cancel()
        cycle = self._cycle
        if cycle is not None:
            cycle.gone = True
            cycle.wake()
        self.resume_writing()
        self._server.connections.discard(self)
        if not self._server.connections:
            self._server.emptied()

    def data_received(self, data: bytes) -> None:
        """Reads what came in."""
        if self._discarded is not None:
            self._discarded += len(data)
            if self._discarded > _MOST_DISCARDED:
                self._transport.abort()
            return
        if self._closing:
            return
        self._buffer += data
        self._advance()

    def eof_received(self) -> bool:
        """The client sends no more, but may still read: what it asked is answered. False closes the connection."""
        self._eof = True
        if self._discarded is not None or self._closing:
            return self._cycle is not None
        self._advance()
        cycle = self._cycle
        if cycle is None:
            return False
        if cycle.watches_for_the_end:
            self._probe_client(0)
        return True

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        if self.write_paused is None:
            self.write_paused = self._loop.create_future()

    def resume_writing(self) -> None:
        """It has read enough."""
        waiting, self.write_paused = self.write_paused, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    # --- reading ---

    def _advance(self) -> None:
        """Does what can be done with the bytes at hand."""
        if self._advancing:
            # A response that is complete at once: the loop below goes on.
            return
        self._advancing = True
        while self._step():
            pass
        self._advancing = False
        cycle = self._cycle
        if cycle is None:
            if self._eof and not self._closing:
                self._close()
            self._resume_reading()
        elif len(self._buffer) >= HIGH_WATER or cycle.is_full:
            self._pause_reading()
        else:
            self._resume_reading()

    def _step(self) -> bool:
        """Begins, feeds or ends a request; False when nothing more can be done without more bytes or the response."""
        cycle = self._cycle
        if cycle is None:
            return not self._closing and self._begin()
        if not cycle.body_ended and not cycle.broken:
            self._read_body(cycle)
        if not cycle.answered:
            return False
        kept = cycle.keep_alive and not cycle.broken
        if kept and not cycle.body_ended:
            # Whoever was refused early may still send the rest: the next request begins after it.
            return False
        self._cycle = self._framing = None
        if not kept:
            self._close(unread=not cycle.body_ended)
            return False
        self._since = self._loop.time()
        return bool(self._buffer)

    def _begin(self) -> bool:
        """Begins the next request; False when its head is not whole or cannot be read."""
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):
            # Some clients end a body with a line end that they do not count (RFC 9112, 2.2).
            del buffer[:2]
        if not buffer:
            return False
        if not self._searched:
            if not self._is_text(buffer):
                return False
            self._since = self._loop.time()
        found = _end_of_head(buffer, max(0, self._searched - 2))
        end = found or len(buffer)
        if end > self._limits.head:
            self.refuse(431, f"The head of the request is larger than {self._limits.head} bytes.")
        elif not found:
            self._searched = end
        else:
            data = bytes(buffer[:end])
            del buffer[:end]
            self._searched = 0
            return self._read_head(data)
        return False

    def _read_head(self, data: bytes) -> bool:
        """Begins a request with this head; False for one that is refused."""
        if data.count(b"\n") > _MOST_FIELDS:
            self.refuse(431, f"The head of the request has more than {_MOST_FIELDS} fields.")
            return False
        try:
            head = self._heads.read(data)
        except NotHttp as problem:
            self.refuse(400, f"Invalid HTTP request: {problem}.")
            return False
        self._answer(head)
        return True

    def _is_text(self, buffer: bytearray) -> bool:
        """Whether a request can begin so; refuses it otherwise."""
        if 0x21 <= buffer[0] <= 0x7E:
            return True
        if buffer != b"\r":
            hint = " This looks like TLS: use http://, not https://." if buffer[0] == _TLS_GREETING else ""
            self.refuse(400, f"Invalid HTTP request: it does not begin with a method.{hint}")
        return False

    def _answer(self, head: Head) -> None:
        path, raw_path, query = read_target(head.target)
        scope = {
            **self._constant,
            "http_version": head.version,
            "method": head.method,
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": head.headers,
            "state": {RAW: self},
        }
        cycle = RequestCycle(scope, self, keep_alive=head.keep_alive, expects_continue=head.expects_continue)
        self._cycle, self._framing, self._left = cycle, head.framing, head.length
        if head.framing is None and not head.length:
            cycle.body_ended = True
        else:
            self._began = self._loop.time()
        self._server.begin(cycle)

    def _read_body(self, cycle: RequestCycle) -> None:
        """Hands over what came of a body."""
        if self._framing is not None:
            self._read_framed(cycle, self._framing)
        elif self._buffer and not cycle.is_full:
            data = bytes(self._buffer[: self._left])
            del self._buffer[: len(data)]
            self._left -= len(data)
            self._since = self._loop.time()
            cycle.body_ended = not self._left
            cycle.feed(data)
        if self._eof and not cycle.body_ended and not self._buffer:
            # It will never be whole. An application that does not need it may still answer.
            cycle.break_off()

    def _read_framed(self, cycle: RequestCycle, framing: h11.Connection) -> None:
        """Reads chunks, or finds that a message has no body."""
        try:
            if self._buffer:
                framing.receive_data(bytes(self._buffer))
                self._buffer.clear()
                self._since = self._loop.time()
            while (event := framing.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Data):
                    cycle.feed(bytes(event.data))
                    continue
                # The end of the message: what follows belongs to the next one.
                self._buffer[:0] = framing.trailing_data[0]
                cycle.end_body()
                return
        except h11.RemoteProtocolError as error:
            self._reason = reason_of(error)
            self._buffer.clear()
            cycle.break_off()

    def go_on_reading(self) -> None:
        """The application has taken what there was of a body."""
        self._advance()

    def _pause_reading(self) -> None:
        if not self._reading_paused and not self._transport.is_closing():
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()

    # --- answering ---

    def lines(self, *, keep_alive: bool = True) -> bytes:
        """Header lines that the server adds to a response."""
        return self._server.lines(keep_alive)

    def write_whole(self, data: bytes) -> None:
        """Sends a whole response, together with those of other connections."""
        self._server.outgoing.add(self._transport, data)

    def write(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._server.outgoing.flush()
        if not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        """Waits until more may be written, or the connection is gone."""
        while self.write_paused is not None:
            await asyncio.shield(self.write_paused)

    def response_complete(self, cycle: RequestCycle) -> None:
        """The response is written; the next request may begin."""
        if cycle is self._cycle:
            self._advance()

    def refuse(self, status: int, detail: str, *, body: bool = True) -> None:
        """Answers with an error of the server's own, in the dialect of the service, and ends the connection."""
        content = json.dumps({"detail": detail}).encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode("ascii")
            + self.lines(keep_alive=False)
            + b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(content)
        )
        self.write(head + content if body else head)
        self._cycle = None
        self._close(unread=True)

    def refuse_body(self) -> None:
        """Ends a request whose body is broken and that the application therefore did not answer."""
        if self._reason is None:
            self._close()
        else:
            self.refuse(400, f"Invalid HTTP request: {self._reason}.")

    # --- ending ---

    def close(self) -> None:
        """Ends the connection once what was written is sent."""
        self._closing = True
        self._server.outgoing.flush()
        self._transport.close()

    def reset(self) -> None:
        """Breaks the connection off at once, so that the client's system reports a reset and not an end."""
        its_socket = cast("socket.socket | None", self._transport.get_extra_info("socket"))
        if its_socket is not None:
            its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._closing = True
        self._server.outgoing.flush()
        self._transport.abort()

    def abort(self) -> None:
        """Breaks the connection off."""
        self._closing = True
        self._transport.abort()

    def shutdown(self) -> None:
        """Ends the connection when the request that is under way is answered."""
        if self._cycle is None:
            self.close()
        else:
            self._cycle.keep_alive = False

    def _close(self, *, unread: bool = False) -> None:
        """Ends the connection after the last response.

        Where the client may still send, the rest is read for a while and thrown away: closing on unread bytes resets
        the connection, and the client would lose the response.
        """
        self._closing = True
        self._server.outgoing.flush()
        if self._eof or not (unread or self._buffer) or self._transport.is_closing():
            self._transport.close()
            return
        self._buffer.clear()
        self._discarded = 0
        self._since = self._loop.time()
        self._transport.write_eof()
        self._resume_reading()

    def check(self, now: float) -> None:
        """Ends the connection when it has waited for its client for too long; `now` is the time of the event loop."""
        waited = now - self._since
        cycle = self._cycle
        if self._discarded is not None:
            if waited > _LINGER:
                self._transport.close()
        elif cycle is not None:
            self._check_body(cycle, now)
        elif not self._buffer:
            if waited > self._limits.idle_seconds:
                self.close()
        elif waited > self._limits.request_seconds:
            self.refuse(408, f"The head of the request was not complete after {self._limits.request_seconds:g} s.")

    def _check_body(self, cycle: RequestCycle, now: float) -> None:
        if cycle.body_ended or cycle.broken or self._reading_paused:
            return
        patience = self._limits.request_seconds
        if now - self._since > patience or now - self._began > _BODY_PATIENCE * patience:
            self._reason = f"its body was not complete after {now - self._began:.0f} s"
            cycle.break_off()
            self._advance()

    # --- a client that sends no more: does it still read? ---

    def waits_for_client(self, cycle: RequestCycle) -> None:
        """The application waits for more, or for the client to go away."""
        if self._eof and cycle is self._cycle and cycle.delivered and self._probe is None:
            self._probe_client(0)

    def _probe_client(self, step: int) -> None:
        """Sends an interim response, which every client skips: one that is gone answers it with a reset.

        The end of what a client sends looks the same whether it is gone or only waits for its response.
        """
        cycle = self._cycle
        self._probe = None
        if cycle is None or cycle.started or cycle.version == "1.0" or self._transport.is_closing():
            return
        self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._probe = self._loop.call_later(_PROBES[min(step, len(_PROBES) - 1)], self._see_reset, step + 1)

    def _see_reset(self, step: int) -> None:
        its_socket = cast("socket.socket | None", self._transport.get_extra_info("socket"))
        if its_socket is not None and its_socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._closing = True
            self._transport.abort()
            return
        self._probe_client(step)


def _end_of_head(buffer: bytearray, start: int) -> int:
    """Where the head ends whose blank line begins at `start` or later; 0 when there is none."""
    usual = buffer.find(b"\n\r\n", start)
    bare = buffer.find(b"\n\n", start, usual + 1 if usual >= 0 else len(buffer))
    if bare >= 0:
        return bare + 2
    return usual + 3 if usual >= 0 else 0


def _address(info: Any) -> tuple[str, int | None] | None:
    """A socket's address as ASGI has it."""
    if isinstance(info, tuple):
        return str(info[0]), int(info[1])
    return (info, None) if info and isinstance(info, str) else None
