"""Servers that misbehave in every way that a run of the judge has to end with: each is a function on a connection."""

from __future__ import annotations

import gzip
import socket
import socketserver
import struct
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ssl import SSLContext
from typing import Any, NamedTuple, TypeAlias

from mockserver.conformance.asgi import AsgiWire

PAGE = b'{"next":null,"previous":null,"results":[]}'
PACE = 0.01
"""Seconds between the pieces of what comes slowly."""


class Peer:
    """A client's connection, and how many requests the server has read by now."""

    def __init__(self, connection: socket.socket, ending: threading.Event) -> None:
        self.connection, self.ending = connection, ending

    def says(self, *parts: bytes) -> None:
        """Sends bytes, and closes the connection after them."""
        for part in parts:
            self.connection.sendall(part)

    def drips(self, piece: bytes) -> None:
        """Sends a piece again and again, slowly, until the client or the server goes."""
        while not self.ending.wait(PACE):
            self.connection.sendall(piece)

    def pours(self, piece: bytes) -> None:
        """Sends a piece again and again, as fast as it can."""
        while not self.ending.is_set():
            self.connection.sendall(piece)

    def holds(self) -> None:
        """Says nothing until the client or the server goes."""
        self.connection.settimeout(PACE)
        while not self.ending.is_set():
            with suppress(TimeoutError):
                if not self.connection.recv(65536):
                    return

    def resets(self) -> None:
        """Breaks the connection off with a RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Answer: TypeAlias = Callable[[Peer], None]


def http(status: str, body: bytes = b"", *headers: str, length: bool = True) -> bytes:
    """An answer; `length`: with the Content-Length that is right."""
    head = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if length else ()), "Connection: close"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def saying(*parts: bytes) -> Answer:
    """Every request is answered with these bytes."""
    return lambda peer: peer.says(*parts)


def dripping(head: bytes, piece: bytes) -> Answer:
    """After a head the same piece comes again and again, slowly."""

    def answer(peer: Peer) -> None:
        peer.says(head)
        peer.drips(piece)

    return answer


def pouring(head: bytes, piece: bytes) -> Answer:
    """After a head the same piece comes again and again, as fast as it can."""

    def answer(peer: Peer) -> None:
        peer.says(head)
        peer.pours(piece)

    return answer


def bomb() -> bytes:
    """A few kB of gzip that are 20 MB."""
    return gzip.compress(b"\0" * 20_000_000, 1)


class Hostile(NamedTuple):
    """A server, and what the judge has to say of it."""

    answer: Answer
    told: str


JSON = "Content-Type: application/json"
NO_TIME = "the target does not answer: no answer in time"
NO_API = "this is not an Attendee API"
AT_ONCE: dict[str, Hostile] = {
    "accepts and closes": Hostile(lambda peer: None, "does not answer"),
    "resets": Hostile(lambda peer: peer.resets(), "does not answer"),
    "says nothing": Hostile(lambda peer: peer.holds(), NO_TIME),
    "garbage": Hostile(saying(b"\x00\xff\x17garbage\r\n\r\n"), "does not answer"),
    "an SSH server": Hostile(saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "does not answer"),
    "a TLS server": Hostile(saying(b"\x15\x03\x01\x00\x02\x02\x28"), "does not answer"),
    "an old HTTP": Hostile(saying(PAGE), "does not answer"),
    "a version that there is not": Hostile(saying(b"HTTP/7.5 200 OK\r\n\r\n"), NO_API),
    "a head, byte by byte": Hostile(dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"), NO_TIME),
    "a head without an end": Hostile(pouring(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000), "does not answer"),
    "a header of a megabyte": Hostile(saying(http("200 OK", PAGE, "X: " + "y" * 1_000_000)), "does not answer"),
    "100 for ever": Hostile(pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), NO_TIME),
    "103 for ever, slowly": Hostile(dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), NO_TIME),
    "a body without an end": Hostile(pouring(http("200 OK", b"", JSON, length=False), b" " * 65536), "does not answer"),
    "chunks without an end": Hostile(
        dripping(http("200 OK", b"", JSON, "Transfer-Encoding: chunked", length=False), b"1\r\n \r\n"), NO_TIME
    ),
    "a body, byte by byte": Hostile(
        dripping(http("200 OK", b"", "Content-Length: 1000000", length=False), b" "), NO_TIME
    ),
    "a gzip bomb": Hostile(
        lambda peer: peer.says(http("200 OK", bomb(), JSON, "Content-Encoding: gzip")), "does not answer"
    ),
    "gzip that is none": Hostile(
        saying(http("200 OK", PAGE, JSON, "Content-Encoding: gzip")), "a body that is not gzip"
    ),
    "a Content-Length that is too long": Hostile(
        saying(http("200 OK", PAGE, JSON, "Content-Length: 9999", length=False)), "does not answer"
    ),
    "two Content-Lengths": Hostile(saying(http("200 OK", PAGE, JSON, "Content-Length: 3")), "does not answer"),
    "chunks that are cut": Hostile(
        saying(http("200 OK", b"ff\r\n{", JSON, "Transfer-Encoding: chunked", length=False)), "does not answer"
    ),
    "429, and an hour to wait": Hostile(
        saying(http("429 Too Many Requests", b'{"detail":"slow"}', JSON, "Retry-After: 3600")),
        "the target asks for a pause of 3600 s, and the time budget ends earlier",
    ),
    "429 for ever": Hostile(
        saying(http("429 Too Many Requests", b'{"detail":"slow"}', JSON, "Retry-After: 0")), "answers 429 although"
    ),
    "a redirect to itself": Hostile(saying(http("302 Found", b"", "Location: /api/v1/calendars")), "redirects (302 to"),
    "a redirect to a login": Hostile(
        saying(http("307 Temporary Redirect", b"", "Location: https://login.example/")), "https://login.example/"
    ),
    "a redirect to nowhere": Hostile(saying(http("308 Permanent Redirect")), "308 to nowhere"),
    "a web page for everything": Hostile(saying(http("200 OK", b"<html>", "Content-Type: text/html")), NO_API),
    "other JSON for everything": Hostile(saying(http("200 OK", b'{"status":"up"}', JSON)), NO_API),
    "a list for everything": Hostile(saying(http("200 OK", b"[]", JSON)), NO_API),
    "JSON a million deep": Hostile(saying(http("200 OK", b"[" * 1_000_000, JSON)), NO_API),
    "JSON in UTF-16": Hostile(saying(http("200 OK", '{"results": []}'.encode("utf-16-be")[1:], JSON)), NO_API),
    "nothing for everything": Hostile(saying(http("204 No Content")), NO_API),
    "404 for everything": Hostile(saying(http("404 Not Found", b'{"detail":"Not found."}', JSON)), NO_API),
    "500 for everything": Hostile(saying(http("500 Internal Server Error", b"<h1>")), "answers 500 to every plain"),
    "503 for everything": Hostile(saying(http("503 Service Unavailable", b"<h1>")), "answers 503 to every plain"),
    "401 for everything": Hostile(saying(http("401 Unauthorized", b'{"detail":"no"}', JSON)), "rejects the API key"),
    "a firewall's 403": Hostile(saying(http("403 Forbidden", b"<h1>blocked", "Content-Type: text/html")), NO_API),
    "another protocol": Hostile(saying(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "does not answer"),
}
"""Servers that never give a good answer, by what they do."""


@contextmanager
def serving(answer: Answer, *, port: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads one head and lets `answer` go on; gives its port and the heads."""
    asked: list[bytes] = []
    ending = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                data = self.request.recv(65536)
                if data:
                    asked.append(data)
                    answer(Peer(self.request, ending))

    with _server(Handler, port) as bound:
        try:
            yield bound, asked
        finally:
            ending.set()


@contextmanager
def in_front_of(
    app: Any, turning: Callable[[int, bytes], Answer | None] = lambda number, head: None, tls: SSLContext | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """A server that passes requests to an application, but for those for which `turning` gives something else.

    `turning` is called with the number of the request, from 1, and its head.
    """
    asked: list[bytes] = []
    ending = threading.Event()
    wire, one = AsgiWire(app), threading.Lock()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                head, body = _read(self.rfile)
                if not head:
                    return
                with one:
                    asked.append(head)
                    other = turning(len(asked), head)
                    passed = _passed(wire, head, body) if other is None else b""
                if other is None:
                    self.connection.sendall(passed)
                else:
                    other(Peer(self.connection, ending))

    try:
        with _server(Handler, 0, tls) as bound:
            try:
                yield bound, asked
            finally:
                ending.set()
    finally:
        wire.close()


@contextmanager
def proxying(there: int, password: str = "") -> Iterator[tuple[int, list[bytes]]]:
    """A proxy whose every host is the server on a port of this machine; gives its port and the heads that it read."""
    asked: list[bytes] = []
    wanted = f"Proxy-Authorization: Basic {b64encode(f'me:{password}'.encode()).decode()}\r\n".encode()

    class Handler(socketserver.StreamRequestHandler):
        rbufsize = 0

        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += self.rfile.readline(65536)
            asked.append(head)
            if password and wanted not in head:
                self.connection.sendall(http("407 Proxy Authentication Required"))
                return
            with suppress(OSError), socket.create_connection(("127.0.0.1", there)) as onward:
                if head.startswith(b"CONNECT "):
                    self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    method, target, rest = head.split(b" ", 2)
                    onward.sendall(b" ".join([method, b"/" + target.split(b"/", 3)[3], rest]))
                back = threading.Thread(target=_copied, args=(onward, self.connection), daemon=True)
                back.start()
                _copied(self.connection, onward)
                back.join()

    with _server(Handler, 0) as bound:
        yield bound, asked


def _copied(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def _server(handler: type[socketserver.BaseRequestHandler], port: int, tls: SSLContext | None = None) -> Iterator[int]:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def get_request(self) -> tuple[socket.socket, Any]:
            connection, address = super().get_request()
            return (connection if tls is None else tls.wrap_socket(connection, server_side=True)), address

        def handle_error(self, request: Any, client_address: Any) -> None:
            raise AssertionError from None

    with Server(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def _read(stream: Any) -> tuple[bytes, bytes]:
    lines = []
    while (line := stream.readline(65536)) not in (b"\r\n", b""):
        lines.append(line)
    length = next((line[15:] for line in lines if line.lower().startswith(b"content-length:")), b"0")
    length = length.strip()
    return b"".join(lines), stream.read(int(length) if length.isdigit() else 0)


def _passed(wire: AsgiWire, head: bytes, body: bytes) -> bytes:
    first, *lines = head.split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target, _, version = rest.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        return http("400 Bad Request")
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines if line)]
    reply = wire.exchange(method.decode(), target, headers, body, 10.0)
    named = [f"{name}: {value}" for name, value in reply.headers if name.lower() != "content-length"]
    empty = method == b"HEAD"
    return http(f"{reply.status} -", b"" if empty else reply.body, *named)
