"""Sends an answer as a fault wants it: not at all, cut, in drops, under a wrong length."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

from mockserver.api.fault import FaultSource, InjectedFault, page, refusal
from mockserver.api.request import Exchange, Receive, Scope, Send
from mockserver.api.response import Outgoing
from mockserver.domain.store import Project
from mockserver.http.connection import RAW, HttpConnection

Sleep = Callable[[float], Awaitable[None]]
"""Waits for so many seconds."""


class GatewayHooks(NamedTuple):
    """What stands beside the request path."""

    record: Callable[[Exchange], None]
    """Called with every exchange before its answer is sent."""
    observe: Callable[[Exchange], None] | None
    """Called with every exchange whose answer was sent."""
    faults: FaultSource
    sleep: Sleep
    created: Callable[[Project], Awaitable[None]]
    """Awaited after every accepted POST, before its answer is sent."""
    changed: Callable[[Project], None]
    """Called after every accepted write, before its answer is sent."""


async def meet(faults: FaultSource, exchange: Exchange, sleep: Sleep) -> None:
    """Asks whether an exchange with a project and an operation is to go wrong, and waits if it is to be late.

    Raises ApiError for one that goes wrong before the operation is carried out.
    """
    assert exchange.project is not None
    assert exchange.operation is not None
    fault = exchange.fault = faults.next(exchange.project, exchange.operation, exchange.query)
    if fault is None:
        return
    if fault.seconds and fault.kind != "dribbled":
        await sleep(fault.seconds)
    if fault.replaces and not fault.after:
        raise refusal(fault, exchange.operation)


def dress(spoiling: InjectedFault, outgoing: Outgoing) -> Outgoing:
    """The answer with its page in place of JSON, where the fault's status comes with one."""
    html = page(spoiling.status)
    if html is None:
        return outgoing
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(html))]
    return Outgoing(spoiling.status, headers, html)


async def send_spoiled(
    spoiling: InjectedFault, outgoing: Outgoing, scope: Scope, receive: Receive, send: Send, sleep: Sleep
) -> None:
    """Sends it; `outgoing.body` is empty for HEAD.

    Where nothing but the application is at hand, as in process, a connection cannot be touched: a reset is then raised
    as ConnectionResetError, and a cut body simply ends.
    """
    connection = cast("HttpConnection | None", scope.get("state", {}).get(RAW))
    if spoiling.kind == "reset":
        if connection is None:
            raise ConnectionResetError(f"fault {spoiling.name}: reset")
        connection.reset()
        await _gone(receive)
    elif spoiling.kind == "truncated":
        await _send_cut(outgoing, connection, receive, send)
    elif spoiling.kind == "wrong-length":
        await _send_mismeasured(outgoing, spoiling.by, connection, receive, send)
    else:
        pieces = spoiling.pieces if spoiling.kind == "dribbled" else 1
        await _send_pieces(outgoing, pieces, spoiling.seconds, send, sleep)


async def _send_pieces(outgoing: Outgoing, pieces: int, seconds: float, send: Send, sleep: Sleep) -> None:
    await send({"type": "http.response.start", "status": outgoing.status, "headers": outgoing.headers})
    body = outgoing.body
    size = max(1, -(-len(body) // pieces))
    for place in range(size, len(body), size):
        await send({"type": "http.response.body", "body": body[place - size : place], "more_body": True})
        await sleep(seconds)
    rest = body[(len(body) - 1) // size * size :] if body else b""
    await send({"type": "http.response.body", "body": rest})


async def _send_cut(outgoing: Outgoing, connection: HttpConnection | None, receive: Receive, send: Send) -> None:
    """The first half of the body, under the length of the whole."""
    await send({"type": "http.response.start", "status": outgoing.status, "headers": outgoing.headers})
    half = outgoing.body[: len(outgoing.body) // 2]
    await _send_and_close(half, connection, receive, send)


async def _send_mismeasured(
    outgoing: Outgoing, by: int, connection: HttpConnection | None, receive: Receive, send: Send
) -> None:
    body = outgoing.body
    told = max(0, len(body) + by)
    headers = [(name, value) for name, value in outgoing.headers if name != b"content-length"]
    headers.append((b"content-length", b"%d" % told))
    await send({"type": "http.response.start", "status": outgoing.status, "headers": headers})
    if told >= len(body) or connection is None:
        await _send_and_close(body, connection, receive, send)
        return
    await send({"type": "http.response.body", "body": body[:told], "more_body": True})
    # The server holds an application to the length it told: what is beyond goes past it.
    connection.write(body[told:])
    await send({"type": "http.response.body", "body": b""})
    connection.close()


async def _send_and_close(body: bytes, connection: HttpConnection | None, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": connection is not None})
    if connection is not None:
        connection.close()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Waits until the connection is closed; to return before that would be an application's error to the server."""
    while (await receive())["type"] != "http.disconnect":
        pass
