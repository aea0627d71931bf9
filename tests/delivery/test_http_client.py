"""A receiver may do anything, and is told of in the service's words."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import ssl
import sys
import zlib
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mockserver.delivery.http_client import TIMEOUT, HttpClient, SendResult
from mockserver.delivery.payload import Webhook, compose
from tests.delivery.test_payload import make_delivery
from tests.projects import SECRET, make_calendar
from tests.receivers.sockets import (
    Behave,
    Received,
    Receiver,
    answering,
    dribble,
    flood,
    hang,
    out_of_time,
    receiving,
    reset,
    status,
)

RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "webhooks.json").read_text("utf-8"))
CERTIFICATE = Path(__file__).parent.parent / "receivers" / "loopback.pem"
T = TypeVar("T")
REFUSED = "http://127.0.0.1:1/x"


LOOPS = ["asyncio"] if sys.platform == "win32" else ["asyncio", "uvloop"]
"""There is no uvloop for Windows."""


@pytest.fixture(params=LOOPS, autouse=True)
def _event_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test in both event loops: their errors differ in their words."""
    if request.param == "uvloop":
        import uvloop

        def run(main: Coroutine[Any, Any, T]) -> T:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(main)

        monkeypatch.setattr(asyncio, "run", run)


def webhook_to(url: str) -> Webhook:
    return compose(make_delivery(url=url), make_calendar(), SECRET)


def send_to(url: str, sender: HttpClient | None = None) -> SendResult:
    return asyncio.run((sender or HttpClient()).send(webhook_to(url)))


def meet(behave: Behave, path: str = "/x") -> tuple[SendResult, Receiver]:
    """What comes of a POST to a receiver that behaves like that."""

    async def run() -> tuple[SendResult, Receiver]:
        async with receiving(behave) as receiver:
            return await HttpClient().send(webhook_to(receiver.base + path)), receiver

    return asyncio.run(run())


def error(behave: Behave) -> tuple[str, str]:
    reply, receiver = meet(behave)
    assert reply.status is None
    assert len(receiver.received) == 1
    return reply.error_type, reply.error_message.replace(str(receiver.port), "PORT")


def test_what_is_sent_arrives_to_the_byte() -> None:
    _, receiver = meet(status(200), "/a b?c=d#e")
    webhook = webhook_to(f"{receiver.base}/a b?c=d#e")
    head = "".join(f"{name}: {value}\r\n" for name, value in webhook.headers)
    assert receiver.received == [Received(f"POST /a%20b?c=d HTTP/1.1\r\n{head}\r\n".encode() + webhook.body)]


def test_the_time_limit_is_the_recorded_one() -> None:
    assert RECORDED["request"]["timeout_seconds"] == TIMEOUT


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, REFUSED)
    reply, receiver = meet(status(200))
    assert (reply.status, len(receiver.received)) == (200, 1)


@pytest.mark.parametrize("code", [200, 204, 299, 302, 404, 500, 503])
def test_a_status_is_an_answer(code: int) -> None:
    reply, receiver = meet(status(code, b"resp", "Location: /elsewhere"))
    assert (reply.status, reply.error_type) == (code, "")
    assert [one.path for one in receiver.received] == ["/x"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", "to the end"),
        (b"HTTP/1.0 200 OK\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n" + b"x" * 700, "x" * 500),
        (b"HTTP/1.1 200 OK\r\nFoo: ba", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n\xc3\xbc", "Ã¼"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xbc", "ü"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\xc3\xbc", "ü"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: x; charset=hex\r\n\r\n\xff", "\ufffd"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"a" * 900), "a" * 500),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"abc")[2:-4], "abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc", "abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"a" * 50_000_000), "a" * 500),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"y" * 10_000_000, "y" * 500),
    ],
    ids=range(15),
)
def test_of_an_answer_500_characters_are_kept(raw: bytes, text: str) -> None:
    reply, _ = meet(answering(raw))
    assert (reply.status, reply.text) == (200, text)


def test_who_wants_to_speak_something_else_has_answered() -> None:
    reply, _ = meet(answering(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nsomething"))
    assert reply.status == 101


def test_an_answer_without_end_is_read_no_further_than_is_kept() -> None:
    reply, _ = meet(flood)
    assert (reply.status, reply.text) == (200, "x" * 500)


def test_who_does_not_listen_is_told_of_as_recorded() -> None:
    recorded = RECORDED["cases"]["refused"]["stored_responses"][0]
    reply = send_to(REFUSED)
    assert (reply.status, reply.error_type) == (None, recorded["error_type"])
    assert reply.error_message == recorded["error_message"]


def test_who_does_not_answer_in_time_is_told_of_as_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = RECORDED["cases"]["slow"]["stored_responses"][0]
    message = recorded["error_message"].replace("8898", "PORT")
    assert error(out_of_time(monkeypatch, hang)) == (recorded["error_type"], message)
    assert error(out_of_time(monkeypatch, dribble)) == (recorded["error_type"], message)


@pytest.mark.parametrize(
    ("raw", "kind", "message"),
    [
        (b"", "ConnectionError", "RemoteDisconnected('Remote end closed connection without response')"),
        (b"garbage\r\n\r\n", "ConnectionError", r"BadStatusLine('garbage\r\n')"),
        (b"\x00\xff\x16\x03", "ConnectionError", r"BadStatusLine('\x00ÿ\x16\x03')"),
        (b"HTTP/1.1 xx x\r\n\r\n", "ConnectionError", r"BadStatusLine('HTTP/1.1 xx x\r\n')"),
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "ConnectionError", "BadStatusLine("),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000, "ConnectionError", "HTTPException("),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
            "ChunkedEncodingError",
            "IncompleteRead(3 bytes read, 97 more expected)",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "ChunkedEncodingError", "IncompleteRead("),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "ChunkedEncodingError", "Connection broken"),
    ],
    ids=range(9),
)
def test_garbage_is_no_answer(raw: bytes, kind: str, message: str) -> None:
    found, text = error(answering(raw))
    assert found == kind
    assert message in text


def test_a_connection_that_is_reset_is_told_of() -> None:
    told = ("ConnectionError", "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))")
    assert error(reset) == told


def test_a_host_that_nobody_knows_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", unknown)
    assert send_to("http://nowhere.invalid/x").error_message == (
        "HTTPConnectionPool(host='nowhere.invalid', port=80): Max retries exceeded with url: /x (Caused by "
        "NameResolutionError(\"HTTPConnection(host='nowhere.invalid', port=80): Failed to resolve 'nowhere.invalid' "
        '([Errno -2] Name or service not known)"))'
    )


def test_every_address_of_a_host_is_tried() -> None:
    async def run() -> SendResult:
        async with receiving(status(200)) as receiver:
            # It listens on 127.0.0.1 only, and localhost may be ::1 first.
            return await HttpClient().send(webhook_to(receiver.base.replace("127.0.0.1", "localhost")))

    assert asyncio.run(run()).status == 200


def test_a_connection_that_is_never_made_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", never)
    reply = send_to("http://127.0.0.1:9/x", HttpClient(timeout=0.01))
    assert reply.error_type == "ConnectTimeout"
    assert "'Connection to 127.0.0.1 timed out. (connect timeout=0.01)'" in reply.error_message


def over_tls(sender: HttpClient, host: str = "127.0.0.1", addresses: Sequence[str] = ()) -> SendResult:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def run() -> SendResult:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            url = f"https://{host}:{server.sockets[0].getsockname()[1]}/x"
            return await sender.send(webhook_to(url), addresses)

    return asyncio.run(run())


def test_https_asks_for_a_certificate_that_is_trusted() -> None:
    reply = over_tls(HttpClient(tls=ssl.create_default_context(cafile=str(CERTIFICATE))))
    assert (reply.status, reply.text) == (200, "ok")


def test_https_without_a_trusted_certificate_is_an_error() -> None:
    reply = over_tls(HttpClient())
    assert reply.error_type == "SSLError"
    assert reply.error_message.startswith("HTTPSConnectionPool(host='127.0.0.1', port=")
    assert "Max retries exceeded with url: /x (Caused by SSLError(SSLCertVerificationError(1, " in reply.error_message


def test_it_connects_to_the_addresses_given_and_looks_no_name_up() -> None:
    async def run() -> tuple[SendResult, list[Received]]:
        async with receiving(status(200, b"ok")) as receiver:
            webhook = webhook_to(f"http://receiver.invalid:{receiver.port}/x")
            return await HttpClient().send(webhook, ["127.0.0.1"]), receiver.received

    reply, received = asyncio.run(run())
    assert (reply.status, reply.text) == (200, "ok")
    assert dict(received[0].headers)["Host"].startswith("receiver.invalid:")


def test_the_certificate_has_to_be_that_of_the_name_and_not_of_the_address() -> None:
    sender = HttpClient(tls=ssl.create_default_context(cafile=str(CERTIFICATE)))
    reply = over_tls(sender, "receiver.invalid", ["127.0.0.1"])
    assert reply.error_type == "SSLError"
    assert "receiver.invalid" in reply.error_message
