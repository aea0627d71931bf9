"""One request and its response, as an ASGI application sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from mockserver.http import responses
from mockserver.http.responses import BadResponse, Message, ResponseHead

HIGH_WATER = 65536
"""How many bytes of a body wait for the application before the connection is read no further."""


class Connection(Protocol):
    """What a request cycle needs of the connection on which its request came."""

    write_paused: asyncio.Future[None] | None
    """Done when more may be written; None while writing is not paused."""

    def go_on_reading(self) -> None:
        """Reads more of the body: the application has taken what there was."""
        ...

    def waits_for_client(self, cycle: RequestCycle, /) -> None:
        """Notes that the application waits for more of the body, or for the client to disconnect."""
        ...

    def lines(self, *, keep_alive: bool = True) -> bytes:
        """Header lines that the server adds to a response."""
        ...

    def write(self, data: bytes, /) -> None:
        """Sends bytes as they are."""
        ...

    def write_whole(self, data: bytes, /) -> None:
        """Sends a whole response, together with those of other connections."""
        ...

    async def drained(self) -> None:
        """Waits until more may be written, or the connection is gone."""
        ...

    def response_complete(self, cycle: RequestCycle, /) -> None:
        """Notes that the response is written."""
        ...

    def refuse(self, status: int, detail: str, /, *, body: bool = True) -> None:
        """Responds with an error of the server's own, and ends the connection."""
        ...

    def refuse_body(self) -> None:
        """Ends a request whose body is incomplete and that the application did not answer."""
        ...

    def close(self) -> None:
        """Ends the connection once what was written is sent."""
        ...


class RequestCycle:
    """The `scope`, `receive` and `send` of one request. The connection feeds it; the application answers it."""

    answered = False
    """The last byte of the response is written."""
    started = False
    """The first byte of the response is written."""
    body_ended = False
    """The whole body has come in."""
    delivered = False
    """The application has taken the whole body."""
    broken = False
    """The body will never be whole."""
    gone = False
    """Nobody is there to read a response."""
    _body: bytearray | bytes = b""
    _waiter: asyncio.Future[None] | None = None
    _start: Message | None = None
    _head: ResponseHead | None = None

    def __init__(
        self, scope: dict[str, Any], connection: Connection, *, keep_alive: bool, expects_continue: bool
    ) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.version: str = scope["http_version"]
        self.keep_alive = keep_alive
        self._connection = connection
        self._expects_continue = expects_continue

    # --- called by the connection ---

    def feed(self, data: bytes) -> None:
        """Takes in a piece of the body; what comes after the response is thrown away."""
        if self.answered:
            return
        if not self._body:
            self._body = data
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += data
        if self._waiter is not None:
            self.wake()

    def end_body(self) -> None:
        """The body is whole."""
        self.body_ended = True
        if self._waiter is not None:
            self.wake()

    def break_off(self) -> None:
        """The body will never be whole."""
        self.broken = True
        self.keep_alive = False
        self.wake()

    def wake(self) -> None:
        """Lets a waiting `receive` look again."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    @property
    def is_full(self) -> bool:
        """Enough of the body waits for the application."""
        return len(self._body) >= HIGH_WATER

    @property
    def watches_for_the_end(self) -> bool:
        """The application has the whole request and waits for the client to go away."""
        return self.delivered and self._waiter is not None

    # --- called by the application ---

    async def receive(self) -> Message:
        """The next piece of the body, or http.disconnect once there is nothing more to expect from the client."""
        if self._expects_continue:
            self._expects_continue = False
            if not self.started and not self._body:
                self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while True:
            if self.gone or self.broken or self.answered:
                return {"type": "http.disconnect"}
            if not self.delivered and (self._body or self.body_ended):
                body, self._body = bytes(self._body), b""
                self.delivered = self.body_ended
                if not self.body_ended:
                    self._connection.go_on_reading()
                return {"type": "http.request", "body": body, "more_body": not self.body_ended}
            if self._waiter is None or self._waiter.done():
                # Done: an application that gave up an earlier `receive` cancelled it.
                self._waiter = asyncio.get_running_loop().create_future()
                self._connection.waits_for_client(self)
            await self._waiter

    async def send(self, message: Message) -> None:
        """Takes a message of the response. Raises BadResponse, and RuntimeError for messages out of order."""
        if self._connection.write_paused is not None and not self.gone:
            await self._connection.drained()
        if self.gone:
            return
        kind = message["type"]
        start = self._start
        if start is None:
            if kind != "http.response.start":
                raise RuntimeError(f"expected http.response.start, not {kind}")
            # It waits for the first piece of the body: both go out as one.
            self._start = message
        elif kind != "http.response.body" or self.answered:
            raise RuntimeError(f"{kind} after {'the whole response' if self.answered else 'http.response.start'}")
        else:
            self._send_body(start, message.get("body", b""), last=not message.get("more_body", False))

    def _send_body(self, start: Message, body: bytes, *, last: bool) -> None:
        connection = self._connection
        if self._expects_continue:
            # A client that is refused before it was asked for its body may send it or not, and the server cannot know.
            self.keep_alive = False
        if last and self._head is None and self.keep_alive:
            data = responses.whole(start, body, self.method, connection.lines())
            if data is not None:
                self.started = True
                connection.write_whole(data)
                self._complete()
                return
        self._send_piece(start, body, last=last)

    def _send_piece(self, start: Message, body: bytes, *, last: bool) -> None:
        connection, head = self._connection, self._head
        data = b""
        if head is None:
            lines = connection.lines(keep_alive=self.keep_alive)
            head = self._head = ResponseHead(start, self.method, self.version, self.keep_alive, lines)
            self.keep_alive = head.keep_alive
            data = head.data
        try:
            data += head.piece(body, last=last)
        except BadResponse:
            if self.started:
                connection.close()
            raise
        if data:
            self.started = True
            connection.write(data)
        if last:
            self._complete()

    def _complete(self) -> None:
        self.answered = True
        self._body = b""
        if self._waiter is not None:
            self.wake()
        self._connection.response_complete(self)

    def end(self, report: Callable[[str], None]) -> None:
        """Called when the application has returned: sees to it that the client is not left waiting."""
        if self.answered or self.gone:
            return
        if self.started:
            report("the application returned before its response was whole")
            self._connection.close()
        elif self.broken:
            self._connection.refuse_body()
        else:
            report("the application returned without a response")
            self.fail()

    def fail(self) -> None:
        """Called when the application broke off: 500 where nothing was sent yet, else the end of the connection."""
        if self.answered or self.gone:
            return
        if self.started:
            self._connection.close()
        else:
            self._connection.refuse(500, "Internal Server Error", body=self.method != "HEAD")
