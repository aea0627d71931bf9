"""Applies a fault to a response: replaces it, resets the connection, cuts it, slows it, or gives a wrong length."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

from mockserver.api.fault import FaultSource, InjectedFault, page, replacement
from mockserver.api.request import Exchange, Receive, Scope, Send
from mockserver.api.response import EncodedResponse
from mockserver.domain.store import Project
from mockserver.http.connection import RAW, HttpConnection

Sleep = Callable[[float], Awaitable[None]]
"""Waits for a number of seconds."""


class GatewayHooks(NamedTuple):
    """What the gateway calls before and after it responds."""

    record: Callable[[Exchange], None]
    """Called with every exchange before its response is sent."""
    observe: Callable[[Exchange], None] | None
    """Called with every exchange whose response was sent."""
    faults: FaultSource
    sleep: Sleep
    created: Callable[[Project], Awaitable[None]]
    """Awaited after every accepted POST, before its response is sent."""
    changed: Callable[[Project], None]
    """Called after every accepted write, before its response is sent."""


async def apply_fault(faults: FaultSource, exchange: Exchange, sleep: Sleep) -> None:
    """Finds the fault of an exchange with a project and an operation, and waits if it delays the response.

    Raises ApiError for a fault that replaces the operation.
    """
    assert exchange.project is not None
    assert exchange.operation is not None
    fault = exchange.fault = faults.next(exchange.project, exchange.operation, exchange.query)
    if fault is None:
        return
    if fault.seconds and fault.kind != "dribbled":
        await sleep(fault.seconds)
    if fault.replaces and not fault.after:
        raise replacement(fault, exchange.operation)


def with_error_page(fault: InjectedFault, encoded: EncodedResponse) -> EncodedResponse:
    """The response with an HTML page in place of JSON, for a fault whose status has one."""
    html = page(fault.status)
    if html is None:
        return encoded
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(html))]
    return EncodedResponse(fault.status, headers, html)


async def send_with_fault(
    fault: InjectedFault, encoded: EncodedResponse, scope: Scope, receive: Receive, send: Send, sleep: Sleep
) -> None:
    """Sends the response as the fault says; `encoded.body` is empty for HEAD.

    In process there is no connection: a reset is then raised as ConnectionResetError, and a cut body ends early.
    """
    connection = cast("HttpConnection | None", scope.get("state", {}).get(RAW))
    if fault.kind == "reset":
        if connection is None:
            raise ConnectionResetError(f"fault {fault.name}: reset")
        connection.reset()
        await _wait_for_end(receive)
    elif fault.kind == "truncated":
        await _send_cut(encoded, connection, receive, send)
    elif fault.kind == "wrong-length":
        await _send_with_wrong_length(encoded, fault.by, connection, receive, send)
    else:
        pieces = fault.pieces if fault.kind == "dribbled" else 1
        await _send_pieces(encoded, pieces, fault.seconds, send, sleep)


async def _send_pieces(encoded: EncodedResponse, pieces: int, seconds: float, send: Send, sleep: Sleep) -> None:
    await send({"type": "http.response.start", "status": encoded.status, "headers": encoded.headers})
    body = encoded.body
    size = max(1, -(-len(body) // pieces))
    for place in range(size, len(body), size):
        await send({"type": "http.response.body", "body": body[place - size : place], "more_body": True})
        await sleep(seconds)
    rest = body[(len(body) - 1) // size * size :] if body else b""
    await send({"type": "http.response.body", "body": rest})


async def _send_cut(encoded: EncodedResponse, connection: HttpConnection | None, receive: Receive, send: Send) -> None:
    """The first half of the body, under the length of the whole."""
    await send({"type": "http.response.start", "status": encoded.status, "headers": encoded.headers})
    half = encoded.body[: len(encoded.body) // 2]
    await _send_and_close(half, connection, receive, send)


async def _send_with_wrong_length(
    encoded: EncodedResponse, by: int, connection: HttpConnection | None, receive: Receive, send: Send
) -> None:
    body = encoded.body
    length = max(0, len(body) + by)
    headers = [(name, value) for name, value in encoded.headers if name != b"content-length"]
    headers.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": encoded.status, "headers": headers})
    if length >= len(body) or connection is None:
        await _send_and_close(body, connection, receive, send)
        return
    await send({"type": "http.response.body", "body": body[:length], "more_body": True})
    # The server refuses more than the announced length from an application: the rest is written to the connection.
    connection.write(body[length:])
    await send({"type": "http.response.body", "body": b""})
    connection.close()


async def _send_and_close(body: bytes, connection: HttpConnection | None, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": connection is not None})
    if connection is not None:
        connection.close()
        await _wait_for_end(receive)


async def _wait_for_end(receive: Receive) -> None:
    """Waits until the connection is closed; to return before that would be an application's error to the server."""
    while (await receive())["type"] != "http.disconnect":
        pass
