"""Load from Python: at a constant rate, which wrk cannot make, or as fast as the server answers.

Latency counts from the moment at which a request was due, not from that at which a connection was free for it: a server
that stands still for a second keeps all waiting that would have come in it.
"""

from __future__ import annotations

import gc
import math
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import httptools

CONNECTIONS = 16
_GRACE = 2.0
"""Seconds in which what was due may still be answered."""


class Requests(Protocol):
    """What to send, and who is told of the answers."""

    def next(self) -> bytes:
        """The next request."""
        ...

    def told(self, status: int, body: bytes) -> None:
        """An answer came."""
        ...


class Same:
    """The same request, for ever."""

    def __init__(self, request: bytes) -> None:
        """`request` is all of it, headers and body."""
        self._request = request

    def next(self) -> bytes:
        """The request."""
        return self._request

    def told(self, status: int, body: bytes) -> None:
        """Needs no answer."""


@dataclass
class Outcome:
    """What came of a load."""

    due: int = 0
    """Requests whose time came, sent or not."""
    refused: int = 0
    """Answers that are no 2xx, and connections that broke off."""
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency that so large a share of requests keeps to; what was never answered took for ever."""
        return percentile(self.latencies + [math.inf] * (self.due - self.answered), share)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def request(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    parts = urlsplit(url)
    given = {"Host": parts.netloc, **headers, **({"Content-Length": str(len(body))} if body else {})}
    lines = [f"{method} {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Connection:
    """A connection that has at most one request under way; opened again when the server closes it."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Connects."""
        self._address = address
        self.due: float | None = None
        """When the request under way was due."""
        self._open()

    def _open(self) -> None:
        self.socket = socket.create_connection(self._address, 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._complete = self._stays = False

    def reopen(self) -> None:
        """Connects anew; what was under way is lost."""
        self.socket.close()
        self.due = None
        self._open()

    def send(self, data: bytes, due: float) -> None:
        """Sends a request."""
        self.due, self._complete = due, False
        self._body.clear()
        self.socket.sendall(data)

    def receive(self) -> tuple[int, bytes] | None:
        """Reads what has come; gives status and body once the answer is whole.

        Raises ConnectionError when the server closed the connection.
        """
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionResetError
        self._parser.feed_data(data)
        if not self._complete:
            return None
        status = self._parser.get_status_code()
        if not self._stays:
            self.reopen()
        return status, b"".join(self._body)

    def on_body(self, data: bytes) -> None:
        """The parser found a part of the body."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """The parser found the end of the answer."""
        self._complete = True
        # It is forgotten once the parser is through.
        self._stays = self._parser.should_keep_alive()


def due_times(began: float, rate: float | None, seconds: float, count: int | None) -> Iterator[float]:
    """When each request is due: evenly apart, or without a rate at once, until time or number is used up."""
    number = 0
    while count is None or number < count:
        due = began + number / rate if rate else time.perf_counter()
        if due >= began + seconds:
            return
        yield due
        number += 1


def drive(
    url: str,
    requests: Requests,
    *,
    seconds: float = math.inf,
    rate: float | None = None,
    count: int | None = None,
    connections: int = CONNECTIONS,
) -> Outcome:
    """Sends requests at a rate, or each as soon as a connection is free, for so many seconds or so many requests."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    # select(2) is the one that sleeps for less than a millisecond.
    with selectors.SelectSelector() as selector:
        idle = deque(Connection(address) for _ in range(connections))
        for connection in idle:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        gc.collect()
        gc.disable()
        try:
            return _Drive(requests, selector, idle).run(seconds, rate, count)
        finally:
            gc.enable()
            for key in [*selector.get_map().values()]:
                key.data.socket.close()


class _Drive:
    def __init__(self, requests: Requests, selector: selectors.BaseSelector, idle: deque[Connection]) -> None:
        self._requests = requests
        self._selector = selector
        self._idle = idle
        self._outcome = Outcome()

    def run(self, seconds: float, rate: float | None, count: int | None) -> Outcome:
        outcome, idle = self._outcome, self._idle
        connections = len(idle)
        began = time.perf_counter()
        times = due_times(began, rate, seconds, count)
        due = next(times, None)
        while due is not None or len(idle) < connections:
            now = time.perf_counter()
            if now > began + seconds + _GRACE:
                break
            while due is not None and due <= now and idle:
                # Without a rate nothing waits: a request is due when a connection is free for it.
                idle.popleft().send(self._requests.next(), due if rate else now)
                outcome.due += 1
                due = next(times, None)
            # Until the next request is due, if a connection is free for it; else until an answer comes.
            until = due if due is not None and idle else began + seconds + _GRACE
            self._read(max(0.0, until - time.perf_counter()))
        # What was due and found no connection free until the end counts as well.
        outcome.due += (due is not None) + sum(1 for _ in times)
        outcome.seconds = time.perf_counter() - began
        return outcome

    def _read(self, patience: float) -> None:
        for key, _ in self._selector.select(None if patience == math.inf else patience):
            connection: Connection = key.data
            before, due = connection.socket, connection.due
            try:
                answer = connection.receive()
            except ConnectionError:
                connection.reopen()
                answer = None
                if due is not None:
                    self._outcome.refused += 1
                    self._idle.append(connection)
            if connection.socket is not before:
                self._selector.unregister(before)
                self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            if answer is not None and due is not None:
                self._outcome.latencies.append(time.perf_counter() - due)
                self._outcome.refused += not 200 <= answer[0] < 300
                connection.due = None
                self._idle.append(connection)
                self._requests.told(*answer)
