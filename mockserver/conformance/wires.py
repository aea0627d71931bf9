"""How requests get to a target over HTTP, exactly as they are given."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, TypeAlias
from urllib.parse import SplitResult, urlsplit

import httpx2

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
App: TypeAlias = Callable[[Any, Any, Any], Any]
LARGEST_ANSWER = 50_000_000
LARGEST_RAW = 1_000_000


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
    """Over HTTP, on kept connections: no redirects, no proxies from the environment, nothing added but Host."""

    def __init__(self, url: str, *, verify: bool = True) -> None:
        self._url = urlsplit(url)
        self.host = self._url.netloc.rpartition("@")[2]
        self.plain = self._url.scheme == "http"
        self._base = self._url.path.rstrip("/").encode()
        self._verify = verify
        # Servers close idle connections after some seconds; one that is closed just then would look like a fault.
        limits = httpx2.Limits(max_connections=32, max_keepalive_connections=32, keepalive_expiry=2.0)
        self._client = httpx2.Client(trust_env=False, follow_redirects=False, verify=verify, limits=limits)
        self._client.headers.clear()

    def exchange(self, method: str, path: bytes, headers: Headers, body: bytes, timeout: float) -> Reply:
        """Sends one request. What the client refuses to put on the wire is written on a connection of its own."""
        target = self._base + path
        address = f"{self._url.scheme}://{self.host}/"
        try:
            request = httpx2.Request(
                method,
                address,
                headers=[(b"Host", self.host.encode()), *headers] if not has(headers, b"host") else list(headers),
                content=body or None,
                extensions={"target": target, "timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout)},
            )
            response = self._client.send(request, stream=True)
            content = _read(response, timeout)
        except (httpx2.LocalProtocolError, UnicodeError, ValueError):
            return self.raw(_written(method, target, self.host, headers, body), timeout)
        except httpx2.HTTPError as error:
            raise Unanswered(_why(error)) from None
        answered = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
        return Reply(response.status_code, answered, content)

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Starts a thread for each, which wait for one another."""
        return in_threads(calls)

    def raw(self, data: bytes, timeout: float, *, cut: bool = False) -> Reply:
        """Writes the bytes on a connection of its own and reads one answer."""
        if len(data) > LARGEST_RAW * 20:
            raise Unanswered("more bytes than are sent in one go")
        try:
            with _connect(self._url, timeout, self._verify) as connection:
                connection.sendall(data)
                if cut:
                    connection.shutdown(socket.SHUT_WR)
                response = http.client.HTTPResponse(connection, method="HEAD" if data.startswith(b"HEAD ") else None)
                response.begin()
                return Reply(response.status, response.getheaders(), response.read(LARGEST_ANSWER))
        except (OSError, http.client.HTTPException) as error:
            raise Unanswered(_why(error)) from None

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def in_threads(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Makes the calls at one moment, each in a thread of its own; raises what the first that failed raised."""
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def _read(response: httpx2.Response, timeout: float) -> bytes:
    """The body, unless it is endless or comes too slowly to be waited for."""
    end = time.monotonic() + timeout
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > LARGEST_ANSWER or time.monotonic() > end:
                raise Unanswered("an answer that does not end")
    finally:
        response.close()
    return b"".join(parts)


def has(headers: Headers, name: bytes) -> bool:
    """Whether a header is among these, in any case."""
    return any(key.lower() == name for key, _ in headers)


def _written(method: str, target: bytes, host: str, headers: Headers, body: bytes) -> bytes:
    lines = [method.encode("utf-8", "replace") + b" " + target + b" HTTP/1.1"]
    lines += [] if has(headers, b"host") else [b"Host: " + host.encode()]
    lines += [key + b": " + value for key, value in headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


def _connect(url: SplitResult, timeout: float, verify: bool) -> socket.socket:
    secure = url.scheme == "https"
    connection = socket.create_connection((url.hostname or "", url.port or (443 if secure else 80)), timeout)
    if not secure:
        return connection
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=url.hostname)


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}"[:200].rstrip(": ")
