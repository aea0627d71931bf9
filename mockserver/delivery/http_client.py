"""Sends a webhook over HTTP/1.1 and reads the response; reports errors in the words of the service's HTTP client."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from mockserver.delivery.http_response import InvalidResponse, ResponseReader
from mockserver.delivery.payload import Address, Webhook, address_of

TIMEOUT: Final = 10.0
_CHUNK: Final = 16_384


class SendResult(NamedTuple):
    """The result of a POST: a status and the start of the response's text, or an error in the words of the service."""

    status: int | None
    text: str
    error_type: str
    """Empty where a response came."""
    error_message: str
    seconds: float


class _SendFailed(Exception):
    """The POST did not come to an response."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class HttpClient:
    """Sends webhooks, each on a connection of its own; proxy settings of the environment are ignored."""

    def __init__(self, *, timeout: float = TIMEOUT, tls: ssl.SSLContext | None = None) -> None:
        """`timeout` is in seconds, for all of a POST; `tls` says which certificates are trusted."""
        self._timeout = timeout
        self._tls = tls

    async def send(self, webhook: Webhook, addresses: Sequence[str] = ()) -> SendResult:
        """Sends it and reads what is kept of the response; redirects are not followed. Never raises for a receiver.

        With `addresses` it connects to one of these and does not look up where the host's name leads.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        address = address_of(webhook.url)
        try:
            response = await self._exchange(webhook, address, addresses)
        except _SendFailed as failed:
            return SendResult(None, "", failed.error_type, str(failed), loop.time() - started)
        return SendResult(response.status, response.text(), "", "", loop.time() - started)

    async def _exchange(self, webhook: Webhook, address: Address, addresses: Sequence[str]) -> ResponseReader:
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
                    # Not closed in an orderly way: a receiver that hangs would also delay the close.
                    writer.transport.abort()
        except TimeoutError:
            seconds = f"{self._timeout:g}"
            if connected:
                raise _SendFailed("ReadTimeout", f"{pool}: Read timed out. (read timeout={seconds})") from None
            what = f"Connection to {address.host} timed out. (connect timeout={seconds})"
            cause = f"ConnectTimeoutError(<{_connection(address)}>, {what!r})"
            raise _SendFailed("ConnectTimeout", _no_connection(pool, address, cause)) from None
        except OSError as error:
            raise _SendFailed("ConnectionError", f"('Connection aborted.', {_with_reason(error)!r})") from None
        except InvalidResponse as broken:
            raise _SendFailed(broken.error_type, str(broken)) from None

    async def _connect(
        self, address: Address, pool: str, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the first of the host's addresses that takes one.

        Raises _SendFailed.
        """
        context = self._context() if address.tls else None
        name = address.host if address.tls else None
        problem = "no address"
        for at in addresses or await _resolve(address, pool):
            try:
                return await asyncio.open_connection(at, address.port, ssl=context, server_hostname=name)
            except ssl.SSLError as error:
                cause = f"SSLError({error!r})"
                raise _SendFailed("SSLError", _no_connection(pool, address, cause)) from None
            except OSError as error:
                problem = f"[Errno {error.errno}] {_reason(error)}" if error.errno else str(error)
        cause = f'NewConnectionError("{_connection(address)}: Failed to establish a new connection: {problem}")'
        raise _SendFailed("ConnectionError", _no_connection(pool, address, cause))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def _request(webhook: Webhook, address: Address) -> bytes:
    lines = [f"POST {address.target} HTTP/1.1", *(f"{name}: {value}" for name, value in webhook.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + webhook.body


async def _read(reader: asyncio.StreamReader) -> ResponseReader:
    response = ResponseReader()
    while not response.enough:
        data = await reader.read(_CHUNK)
        if not data:
            response.end()
            break
        response.feed(data)
    return response


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
        raise _SendFailed("ConnectionError", _no_connection(pool, address, f'NameResolutionError("{what}")')) from None
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
