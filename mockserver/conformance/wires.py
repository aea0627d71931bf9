"""How requests get to a target over HTTP, exactly as they are given."""

from __future__ import annotations

import base64
import http.client
import io
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import unquote, urlsplit

import httpcore2

from mockserver.conformance.connection import DIRECT, Connection, ssl_context
from mockserver.conformance.deadlines import DeadlineBackend, DeadlineReader

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
App: TypeAlias = Callable[[Any, Any, Any], Any]
LARGEST_ANSWER = 50_000_000
LARGEST_RAW = 1_000_000
_BROKEN: Final = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


class Unanswered(Exception):
    """Nothing came back. The text says why."""


class Reply(NamedTuple):
    """An answer as it came."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class Wire(Protocol):
    """A way to the target. Raises Unanswered where nothing comes back."""

    host: str
    """What Host says."""
    base: str
    """The path of the deployment's URL, before the API's own; "" for none."""
    plain: bool
    """Whether what is sent goes over a connection as it is, neither encrypted nor in process."""

    def exchange(self, method: str, path: bytes, headers: Headers, body: bytes, timeout: float) -> Reply:
        """Sends one request, exactly as it is given."""
        ...

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Makes the calls at one moment."""
        ...

    def raw(self, data: bytes, timeout: float, *, cut: bool = False) -> Reply:
        """Sends bytes that need not be a request; `cut`: and says that no more will come."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...


class HttpWire:
    """Over HTTP, on kept connections: no redirects, and nothing added but Host."""

    def __init__(self, url: str, connection: Connection = DIRECT) -> None:
        """Raises Untestable where a certificate cannot be used."""
        self._url = urlsplit(url)
        self._connection = connection
        self.host = self._url.netloc.rpartition("@")[2]
        self.plain = self._url.scheme == "http" and connection.proxy is None
        self.base = self._url.path.rstrip("/")
        self._base = self.base.encode()
        # Reading the system's certificates takes 50 ms, so only a run that needs them reads them.
        secure = self._url.scheme == "https"
        self._tls = ssl_context(connection) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._deadline = DeadlineBackend()
        # Servers close idle connections after some seconds; one that is closed just then would look like a fault.
        kept: dict[str, Any] = {"max_connections": 32, "max_keepalive_connections": 32, "keepalive_expiry": 2.0}
        kept |= {"ssl_context": self._tls, "network_backend": self._deadline}
        self._pool = _pool(connection.proxy, kept)

    def exchange(self, method: str, path: bytes, headers: Headers, body: bytes, timeout: float) -> Reply:
        """Sends one request. What the client refuses to put on the wire is written on a connection of its own."""
        target = self._base + path if path.startswith(b"/") else path
        given = list(headers) if has(headers, b"host") else [(b"Host", self.host.encode()), *headers]
        limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        try:
            with (
                self._deadline.within(timeout),
                self._pool.stream(
                    method.upper().encode("ascii"),
                    f"{self._url.scheme}://{self.host}/",
                    headers=given,
                    content=body or None,
                    extensions={"target": target, "timeout": limits},
                ) as response,
            ):
                content = decoded(response.iter_stream(), response.headers)
                answered = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
                return Reply(response.status, answered, content)
        except (httpcore2.LocalProtocolError, UnicodeError, ValueError):
            return self._written(method, target, headers, body, timeout)
        except _BROKEN as error:
            raise Unanswered(_why(error)) from None

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Starts a thread for each, which wait for one another."""
        return in_threads(calls)

    def raw(self, data: bytes, timeout: float, *, cut: bool = False) -> Reply:
        """Writes the bytes on a connection of its own and reads one answer."""
        if len(data) > LARGEST_RAW * 20:
            raise Unanswered("more bytes than are sent in one go")
        end = time.monotonic() + timeout
        try:
            with self._connected(timeout) as connection:
                connection.sendall(data)
                if cut:
                    connection.shutdown(socket.SHUT_WR)
                reader: Any = DeadlineReader(connection, end)
                # Also after HEAD what follows is read: it should be nothing.
                response = http.client.HTTPResponse(reader)
                response.begin()
                return Reply(response.status, response.getheaders(), response.read(LARGEST_ANSWER))
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(_why(error)) from None

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()

    def _written(self, method: str, target: bytes, headers: Headers, body: bytes, timeout: float) -> Reply:
        """Sends a request as bytes, whether it is one or not."""
        host = self.host.encode()
        through = self._connection.proxy is not None and self._url.scheme == "http"
        lines = [method.encode("utf-8", "replace") + b" " + (b"http://" + host if through else b"") + target]
        lines[0] += b" HTTP/1.1"
        lines += [] if has(headers, b"host") else [b"Host: " + host]
        lines += [key + b": " + value for key, value in headers]
        if through:
            lines += [b"Proxy-Authorization: " + value for value in _credentials(self._connection.proxy)]
        return self.raw(b"\r\n".join([*lines, b"Connection: close", b"", body]), timeout)

    def _connected(self, timeout: float) -> socket.socket:
        secure = self._url.scheme == "https"
        there = self._url.hostname or "", self._url.port or (443 if secure else 80)
        proxy = self._connection.proxy
        if proxy is None:
            connection = socket.create_connection(there, timeout)
        else:
            parts = urlsplit(proxy)
            connection = socket.create_connection((parts.hostname or "", parts.port or 80), timeout)
            if secure:
                _tunnel(connection, there, proxy, timeout)
        return self._tls.wrap_socket(connection, server_hostname=self._url.hostname) if secure else connection


def _pool(proxy: str | None, kept: dict[str, Any]) -> httpcore2.ConnectionPool:
    if proxy is None:
        return httpcore2.ConnectionPool(**kept)
    parts = urlsplit(proxy)
    address = f"http://{parts.hostname if ':' not in (parts.hostname or '') else f'[{parts.hostname}]'}"
    more = [(b"Proxy-Authorization", value) for value in _credentials(proxy)]
    return httpcore2.HTTPProxy(f"{address}:{parts.port or 80}/", proxy_headers=more, **kept)


def _credentials(proxy: str | None) -> list[bytes]:
    """What Proxy-Authorization says, if the proxy's URL has a user."""
    parts = urlsplit(proxy or "")
    if parts.username is None:
        return []
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return [b"Basic " + base64.b64encode(pair.encode())]


def _tunnel(connection: socket.socket, there: tuple[str, int], proxy: str, timeout: float) -> None:
    """Has the proxy connect to a host. Raises OSError and HTTPException where it does not."""
    host = f"[{there[0]}]" if ":" in there[0] else there[0]
    lines = [f"CONNECT {host}:{there[1]} HTTP/1.1".encode(), f"Host: {host}:{there[1]}".encode()]
    lines += [b"Proxy-Authorization: " + value for value in _credentials(proxy)]
    connection.sendall(b"\r\n".join([*lines, b"", b""]))
    reader: Any = _Bytewise(connection, time.monotonic() + timeout)
    response = http.client.HTTPResponse(reader, method="CONNECT")
    response.begin()
    if response.status != 200:
        raise ConnectionError(f"the proxy refuses the connection: {response.status} {response.reason}")


class _Bytewise(DeadlineReader):
    """Reads no byte further than it has to: what comes after the head is not the proxy's."""

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, 1)


def in_threads(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Makes the calls at one moment, each in a thread of its own; raises what the first that failed raised."""
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        try:
            return list(pool.map(call, calls))
        finally:
            # Ctrl-C may come while the threads start: those that wait for the others would wait for ever.
            barrier.abort()


def decoded(parts: Iterable[bytes], headers: Headers) -> bytes:
    """The body, of gzip and deflate what is packed in it. Raises Unanswered for one that is endless or damaged."""
    coding = next((value.strip().lower() for name, value in headers if name.lower() == b"content-encoding"), b"")
    packed = coding in (b"gzip", b"x-gzip", b"deflate")
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32 if coding != b"deflate" else zlib.MAX_WBITS)
    found: list[bytes] = []
    size = 0
    try:
        for part in parts:
            whole = unpacking.decompress(part, LARGEST_ANSWER + 1 - size) if packed else part
            found.append(whole)
            size += len(whole)
            if size > LARGEST_ANSWER:
                raise Unanswered("an answer that does not end")
    except zlib.error:
        raise Unanswered(f"a body that is not {coding.decode()}, which Content-Encoding says") from None
    return b"".join(found)


def has(headers: Headers, name: bytes) -> bool:
    """Whether a header is among these, in any case."""
    return any(key.lower() == name for key, _ in headers)


def _why(error: Exception) -> str:
    if isinstance(error, httpcore2.TimeoutException | TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}"[:200].rstrip(": ")
