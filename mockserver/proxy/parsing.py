"""Reads the exchanges of a connection from the bytes that passed in both directions."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import h11

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

MOST_BODY: Final = 1 << 20
"""The bytes of a body that are kept."""
_MOST_HEAD: Final = 1 << 18
_MOST_WAITING: Final = 100
"""The requests of a connection that wait for their responses, at most."""
_WINDOWS: Final = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""How zlib reads each encoding; servers disagree about what deflate is."""


@dataclass
class Content:
    """A body as far as it is kept."""

    data: bytes = b""
    size: int = 0
    """Its bytes on the wire, without the framing of chunks."""

    def add(self, data: bytes) -> None:
        """Adds what came."""
        self.size += len(data)
        if len(self.data) < MOST_BODY:
            self.data += bytes(data[: MOST_BODY - len(self.data)])

    @property
    def is_cut(self) -> bool:
        """Whether only its beginning is kept."""
        return self.size > len(self.data)


@dataclass
class Passed:
    """One exchange that passed; times are seconds since 1970."""

    connection: int
    method: str
    target: str
    """Path and query as written."""
    request_headers: Headers
    started: float
    request: Content = field(default_factory=Content)
    sent: float = 0.0
    """When the request was complete."""
    status: int = 0
    """0 while no response came."""
    phrase: str = ""
    response_headers: Headers = ()
    response: Content = field(default_factory=Content)
    answered: float = 0.0
    """When the response began."""
    ended: float = 0.0
    failure: str | None = None
    """Why no response of the target came."""

    def header(self, name: bytes, *, response: bool = True) -> str:
        """A header's value, "" without it; of several the last."""
        headers = self.response_headers if response else self.request_headers
        found = [value for key, value in headers if key.lower() == name]
        return found[-1].decode("latin-1").strip() if found else ""

    @property
    def seconds(self) -> float:
        """From the first byte of the request to the last of the response."""
        return max(self.ended - self.started, 0.0)


class Unreadable(Exception):
    """What passed is not HTTP/1.1 that can be followed; the text says where."""


class Connection:
    """Both directions of one connection."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._requests = _new(h11.SERVER)
        self._responses: h11.Connection | None = None
        self._current: Passed | None = None
        self._waiting: deque[Passed] = deque()
        self._early = b""

    def client(self, data: bytes, time: float) -> None:
        """Reads bytes from the client. Raises Unreadable."""
        self._requests.receive_data(data)
        while True:
            event = self._next(self._requests, "request")
            if isinstance(event, h11.Request):
                self._begin(event, time)
            elif isinstance(event, h11.Data) and self._current is not None:
                self._current.request.add(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert self._current is not None
                self._current.sent = time
                self._current = None
                left, _ = self._requests.trailing_data
                self._requests = _new(h11.SERVER)
                if left:
                    self._requests.receive_data(left)
            else:
                return

    def _begin(self, event: h11.Request, time: float) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            raise Unreadable(f"more than {_MOST_WAITING} requests wait for responses")
        target = event.target.decode("latin-1")
        self._current = Passed(
            self._number, event.method.decode("ascii"), target, tuple(event.headers.raw_items()), time
        )
        self._waiting.append(self._current)

    def server(self, data: bytes, time: float) -> Iterator[Passed]:
        """Reads bytes from the target, and gives the exchanges that they complete. Raises Unreadable."""
        while data or self._responses is not None:
            if self._responses is None:
                if not self._waiting:
                    raise Unreadable("a response came before its request")
                self._responses = _awaiting(self._waiting[0])
            if data:
                self._responses.receive_data(data)
            passed = self._response(self._responses, time)
            if passed is None:
                return
            data, _ = self._responses.trailing_data
            self._responses = None
            yield passed

    def _response(self, parser: h11.Connection, time: float) -> Passed | None:
        """Reads on in the current response, and gives its exchange once it is complete."""
        passed = self._waiting[0]
        while True:
            event = self._next(parser, "response")
            if isinstance(event, h11.Response):
                passed.status, passed.answered = event.status_code, time
                passed.phrase = event.reason.decode("latin-1")
                passed.response_headers = tuple(event.headers.raw_items())
            elif isinstance(event, h11.Data):
                passed.response.add(event.data)
            elif isinstance(event, h11.EndOfMessage):
                passed.ended = time
                return self._waiting.popleft()
            elif isinstance(event, h11.InformationalResponse) and event.status_code != 101:
                continue
            elif isinstance(event, h11.InformationalResponse):
                raise Unreadable("the connection changed its protocol")
            else:
                return None

    def closed(self, time: float, reason: str = "the connection was closed before the response") -> Iterator[Passed]:
        """Gives the exchanges that the end of the connection completes."""
        if self._responses is not None and self._waiting and self._waiting[0].status:
            try:
                self._responses.receive_data(b"")
                passed = self._response(self._responses, time)
            except Unreadable:
                passed = None
            if passed is not None:
                yield passed
        for passed in self._waiting:
            passed.status, passed.ended, passed.failure = 0, time, reason
            yield passed
        self._waiting.clear()

    def _next(self, parser: h11.Connection, what: str) -> object:
        try:
            return parser.next_event()
        except h11.RemoteProtocolError as error:
            raise Unreadable(f"the {what} is not HTTP/1.1 ({error})") from None


def _new(role: type[h11.CLIENT] | type[h11.SERVER]) -> h11.Connection:
    return h11.Connection(role, max_incomplete_event_size=_MOST_HEAD)


def _awaiting(passed: Passed) -> h11.Connection:
    """A parser of the response to a request: whether it has a body depends on the method."""
    parser = _new(h11.CLIENT)
    method = "GET" if passed.method == "CONNECT" else passed.method
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "target")]))
    parser.send(h11.EndOfMessage())
    return parser


def decoded(content: Content, encoding: str) -> bytes | None:
    """A body without its Content-Encoding; None where that cannot be undone, or the body is cut or too large."""
    if content.is_cut:
        return None
    if encoding in ("", "identity"):
        return content.data
    if encoding not in _WINDOWS:
        return None
    for window in _WINDOWS[encoding]:
        unpacker = zlib.decompressobj(window)
        try:
            data = unpacker.decompress(content.data, MOST_BODY)
        except zlib.error:
            continue
        return data if unpacker.eof else None
    return None
