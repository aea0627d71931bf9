"""A mock on a port: what only a socket can show."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver.app import Mock
from mockserver.domain import outbox
from mockserver.server import PortInUse, RunningServer, listen, running
from mockserver.settings import Settings
from tests.clients import ACME, MAIN_CALENDAR, NEW_CALENDAR, over_http
from tests.projects import CHANGED, make_project, the_calendar

FIXTURES = Settings(fixtures=Path(__file__).parent / "recorded" / "seed.json", max_body=1_000_000)
KEY = f"Authorization: Token {ACME}\r\n".encode()
CALENDAR = f"/api/v1/calendars/{MAIN_CALENDAR}"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(FIXTURES) as server:
        yield server


def raw(server: RunningServer, data: bytes, *, finish: bool = True) -> bytes:
    """What comes back for these bytes; with `finish` no more will be sent."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def alive(server: RunningServer) -> bool:
    return over_http(server.url)("GET", CALENDAR, {"Authorization": f"Token {ACME}"}, None).status == 200


BROKEN = {
    "a request line of garbage": b"GARBAGE\r\n\r\n",
    "a length that is no number": b"POST /api/v1/calendars HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
    "a negative length": b"POST /api/v1/calendars HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST /api/v1/calendars HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a body shorter than its length": b"POST /api/v1/calendars HTTP/1.1\r\nHost: x\r\n"
    + KEY
    + b"Content-Length: 100\r\n\r\n{",
    "a chunk of no size": b"POST /api/v1/calendars HTTP/1.1\r\nHost: x\r\n"
    + KEY
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "chunks that break off": b"POST /api/v1/calendars HTTP/1.1\r\nHost: x\r\n"
    + KEY
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n",
    "half a request": b"GET /api/v1/cal",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_request_does_not_stop_the_server(data: bytes, server: RunningServer) -> None:
    reply = raw(server, data)
    assert b" 500 " not in reply.split(b"\r\n", 1)[0]
    assert alive(server)


@pytest.mark.parametrize("path", [CALENDAR, "/__mock__/health"])
def test_a_client_that_says_it_will_send_no_more_is_answered(path: str, server: RunningServer) -> None:
    asked = f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + KEY + b"\r\n"
    assert [raw(server, asked)[:15] for _ in range(20)] == [b"HTTP/1.1 200 OK"] * 20


def test_a_chunked_body_is_read(server: RunningServer) -> None:
    request = f"PATCH {CALENDAR} HTTP/1.1\r\nHost: x\r\n".encode() + KEY
    request += b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    reply = raw(server, request + b'6\r\n{"foo"\r\n4\r\n: 1}\r\n0\r\n\r\n')
    assert reply.startswith(b"HTTP/1.1 400")
    assert b"Unexpected field(s): foo" in reply
    assert b"\r\nx-mock-contract: " in reply


@pytest.mark.parametrize("chunks", [b"2\r\n{}\r\n0\r\n\r\n", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", b"0\r\n\r\n"])
def test_a_chunked_body_is_marked_because_the_service_itself_may_not_read_it(
    chunks: bytes, server: RunningServer
) -> None:
    request = f"PATCH {CALENDAR} HTTP/1.1\r\nHost: x\r\n".encode() + KEY
    request += b"Content-Type: application/json\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n"
    reply = raw(server, request + chunks)
    assert reply.startswith(b"HTTP/1.1 200")
    assert (b"x-mock-contract: chunked body: the service reads it as empty" in reply) is (chunks[:1] != b"0")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/calendars#x", 200), ("/api/v1/calendars?cursor=#x", 200), ("/api/v1/nope#x", 404), ("/health#x", 301)],
)
def test_a_fragment_in_a_target_is_passed_over(path: str, status: int, server: RunningServer) -> None:
    reply = raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + KEY + b"\r\n")
    assert reply.startswith(b"HTTP/1.1 %d" % status)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    "escape", ["\\u0000", "\\u0001", "\\n", "\\r", "\\t", "\\u001f", "\\u007f", "\\u0085", "\\u20ac", "\\ud800"]
)
def test_metadata_that_cannot_be_kept_is_refused_whatever_its_name_holds(
    method: str, escape: str, server: RunningServer
) -> None:
    headers = {"Authorization": f"Token {ACME}", "Content-Type": "application/json"}
    new = ", ".join(f'"{name}": "{value}"' for name, value in NEW_CALENDAR.items())
    body = f'{{"metadata": {{"a{escape}": "\\u0000"}}{", " + new if method == "POST" else ""}}}'
    path = "/api/v1/calendars" if method == "POST" else CALENDAR
    reply = over_http(server.url)(method, path, headers, body.encode())
    assert reply.status == 400
    assert b"Error ID: " in reply.body


def test_a_chunked_body_over_the_limit_is_a_413(server: RunningServer) -> None:
    request = f"PATCH {CALENDAR} HTTP/1.1\r\nHost: x\r\n".encode() + KEY
    request += b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    reply = raw(server, request + chunk * 20 + b"0\r\n\r\n", finish=False)
    assert reply.startswith(b"HTTP/1.1 413")
    assert alive(server)


def test_a_client_that_is_slow_does_not_hold_up_another(server: RunningServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    request = f"PATCH {CALENDAR} HTTP/1.1\r\nHost: x\r\n".encode() + KEY + b"Content-Length: 2\r\n"
    request += b"Content-Type: application/json\r\nConnection: close\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(request + b"{")
        assert alive(server)
        slow.sendall(b"}")
        assert slow.recv(100).startswith(b"HTTP/1.1 200")


def test_a_long_header_and_a_long_query_are_answered(server: RunningServer) -> None:
    send = over_http(server.url)
    authorization = {"Authorization": f"Token {ACME}"}
    assert send("GET", CALENDAR, {**authorization, "X-Long": "x" * 100_000}, None).status == 200
    assert send("GET", f"/api/v1/calendars?deduplication_key={'x' * 100_000}", authorization, None).status == 200
    assert alive(server)


def test_a_proxy_header_changes_the_scheme_of_page_links_and_never_their_host(server: RunningServer) -> None:
    headers = {"Authorization": f"Token {ACME}", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    reply = over_http(server.url)("GET", "/api/v1/calendars", headers, None)
    secure = server.url.replace("http://", "https://")
    assert json.loads(reply.body)["next"].startswith(secure + "/api/v1/calendars?cursor=")


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as taken:
        with pytest.raises(PortInUse, match="--port 0"):
            listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(PortInUse, match="nowhere"):
        listen("nowhere.invalid", 0)


def test_two_servers_in_one_process_never_meet() -> None:
    with running(FIXTURES) as one, running(FIXTURES) as other:
        authorization = {"Authorization": f"Token {ACME}"}
        assert over_http(one.url)("DELETE", CALENDAR, authorization, None).status == 200
        assert over_http(one.url)("GET", CALENDAR, authorization, None).status == 404
        assert over_http(other.url)("GET", CALENDAR, authorization, None).status == 200


def test_a_receiver_that_hangs_delays_no_answer_and_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        # The system takes the connections; nobody ever reads from them.
        project = make_project(f"http://127.0.0.1:{receiver.getsockname()[1]}/x")
        mock = Mock(projects=[project])
        for _ in range(100):
            outbox.enqueue(project, CHANGED, the_calendar(project))
        with running(mock=mock) as server:
            for _ in range(50):
                answer = over_http(server.url)("GET", "/api/v1/calendars", {"Authorization": "Token key-of-A"}, None)
                assert answer.status == 200
        assert {one.state for one in project.deliveries.select()} == {"pending"}
        receiver.settimeout(1)
        receiver.accept()[0].close()
