"""One POST to a receiver, which may do anything: refuse, hang, reset, redirect, answer garbage or without end."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from mockserver.api.webhooks import Address, Webhook, address_of
from mockserver.delivery.http_response import Answer, BrokenAnswer

TIMEOUT: Final = 10.0
_CHUNK: Final = 16_384


class Reply(NamedTuple):
    """What came of a POST: a status and the start of the answer's text, or an error in the words of the service."""

    status: int | None
    text: str
    error_type: str
    """Empty where an answer came."""
    error_message: str
    seconds: float


class _Failed(Exception):
    """The POST did not come to an answer."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class HttpClient:
    """Sends webhooks, each on a connection of its own; no proxy is asked, whatever the environment says."""

    def __init__(self, *, timeout: float = TIMEOUT, tls: ssl.SSLContext | None = None) -> None:
        """`timeout` is in seconds, for all of a POST; `tls` says which certificates are trusted."""
        self._timeout = timeout
        self._tls = tls

    async def send(self, webhook: Webhook, addresses: Sequence[str] = ()) -> Reply:
        """Sends it and reads what is kept of the answer; redirects are not followed. Never raises for a receiver.

        With `addresses` it connects to one of these and does not look up where the host's name leads.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        address = address_of(webhook.url)
        try:
            answer = await self._exchange(webhook, address, addresses)
        except _Failed as failed:
            return Reply(None, "", failed.error_type, str(failed), loop.time() - started)
        return Reply(answer.status, answer.text(), "", "", loop.time() - started)

    async def _exchange(self, webhook: Webhook, address: Address, addresses: Sequence[str]) -> Answer:
        pool = f"{'HTTPS' if address.tls else 'HTTP'}ConnectionPool(host='{address.host}', port={address.port})"
        connected = False
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await self._connect(address, pool, addresses)
                connected = True
                try:
                    writer.write(_request(webhook, address))
                    return await _read(reader)
                finally:
                    # Nothing is owed to the receiver any more, and a connection that hangs would hang at its end, too.
                    writer.transport.abort()
        except TimeoutError:
            seconds = f"{self._timeout:g}"
            if connected:
                raise _Failed("ReadTimeout", f"{pool}: Read timed out. (read timeout={seconds})") from None
            what = f"Connection to {address.host} timed out. (connect timeout={seconds})"
            cause = f"ConnectTimeoutError(<{_connection(address)}>, {what!r})"
            raise _Failed("ConnectTimeout", _no_connection(pool, address, cause)) from None
        except OSError as error:
            raise _Failed("ConnectionError", f"('Connection aborted.', {_with_reason(error)!r})") from None
        except BrokenAnswer as broken:
            raise _Failed(broken.error_type, str(broken)) from None

    async def _connect(
        self, address: Address, pool: str, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first of the host's addresses that takes one.

        Raises _Failed.
        """
        context = self._context() if address.tls else None
        name = address.host if address.tls else None
        problem = "no address"
        for at in addresses or await _resolve(address, pool):
            try:
                return await asyncio.open_connection(at, address.port, ssl=context, server_hostname=name)
            except ssl.SSLError as error:
                cause = f"SSLError({error!r})"
                raise _Failed("SSLError", _no_connection(pool, address, cause)) from None
            except OSError as error:
                problem = f"[Errno {error.errno}] {_reason(error)}" if error.errno else str(error)
        cause = f'NewConnectionError("{_connection(address)}: Failed to establish a new connection: {problem}")'
        raise _Failed("ConnectionError", _no_connection(pool, address, cause))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def _request(webhook: Webhook, address: Address) -> bytes:
    lines = [f"POST {address.target} HTTP/1.1", *(f"{name}: {value}" for name, value in webhook.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + webhook.body


async def _read(reader: asyncio.StreamReader) -> Answer:
    answer = Answer()
    while not answer.enough:
        data = await reader.read(_CHUNK)
        if not data:
            answer.end()
            break
        answer.feed(data)
    return answer


async def _resolve(address: Address, pool: str) -> Iterable[str]:
    try:
        ip_address(address.host)
    except ValueError:
        pass
    else:
        return [address.host]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        what = f"{_connection(address)}: Failed to resolve '{address.host}' ({error})"
        raise _Failed("ConnectionError", _no_connection(pool, address, f'NameResolutionError("{what}")')) from None
    return dict.fromkeys(str(place[4][0]) for place in found)


def _connection(address: Address) -> str:
    return f"{'HTTPS' if address.tls else 'HTTP'}Connection(host='{address.host}', port={address.port})"


def _no_connection(pool: str, address: Address, cause: str) -> str:
    return f"{pool}: Max retries exceeded with url: {address.target} (Caused by {cause})"


def _with_reason(error: OSError) -> OSError:
    """The same error with the system's own words, whatever the event loop has put in their place."""
    return error if isinstance(error, ssl.SSLError) or not error.errno else type(error)(error.errno, _reason(error))


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
