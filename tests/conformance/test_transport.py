"""Requests leave as they were written, answers come back as they were sent, and what goes wrong is told."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mockserver.conformance import wires
from mockserver.conformance.budget import Budget
from mockserver.conformance.ledger import read_ledger
from mockserver.conformance.opening import Access, Untestable, check_host, check_url, keys_of, opened, preflight
from mockserver.conformance.run import Forbidden, Stopped
from mockserver.conformance.targets import HttpTarget
from mockserver.conformance.transport import Keys
from mockserver.server import running
from tests.clients import ACME, GLOBEX
from tests.mutants.table import new_mock

PAGE = b'{"next":null,"previous":null,"results":[]}'


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers every connection with some bytes; gives its URL and what it was sent."""
    asked: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data = self.request.recv(65536)
            if data:  # some clients connect before they see that they cannot send what they are to send
                asked.append(data)
                self.request.sendall(answer(data))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def target(url: str, **options: object) -> HttpTarget:
    return HttpTarget(url, Keys("the-key-of-a-project", "the-key-of-another"), **options)  # type: ignore[arg-type]


def test_a_request_carries_the_key_and_the_runs_mark_and_nothing_of_a_clients_own() -> None:
    with answering(lambda _: http("200 OK", PAGE)) as (url, asked), target(url) as sender:
        exchange = sender.send("GET", "/api/v1/calendars?a=%00&b=é", headers=[("X-Odd", " two  blanks")])
    head = asked[-1].decode("utf-8", "replace").split("\r\n")
    assert head[0].startswith("GET /api/v1/calendars?a=%00&b=")
    assert "Authorization: Token the-key-of-a-project" in head
    assert any(line.startswith("User-Agent: attendee-conformance/") and sender.run_id in line for line in head)
    assert not [line for line in head if line.lower().startswith(("accept", "cookie"))]
    assert (exchange.status, exchange.json) == (200, {"next": None, "previous": None, "results": []})


@pytest.mark.parametrize(
    ("sent", "told"),
    [(b"", ""), (b"garbage\r\n\r\n", ""), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "")],
)
def test_what_is_no_answer_is_told_and_is_no_status(sent: bytes, told: str) -> None:
    with answering(lambda _: sent) as (url, _), target(url) as sender:
        exchange = sender.send("GET", "/api/v1/calendars")
    assert exchange.status == 0
    assert exchange.failure
    assert told in exchange.failure


def test_redirects_are_answers() -> None:
    with (
        answering(lambda _: http("302 Found", b"", "Location: http://127.0.0.1:1/")) as (url, _),
        target(url) as sender,
    ):
        exchange = sender.send("GET", "/api/v1/calendars")
        assert (exchange.status, exchange.headers["location"]) == (302, "http://127.0.0.1:1/")
        with pytest.raises(Untestable, match="redirects"):
            preflight(sender)


def test_several_headers_of_one_name_are_one() -> None:
    with answering(lambda _: http("200 OK", PAGE, "Vary: Accept", "Vary: Cookie")) as (url, _), target(url) as sender:
        assert sender.send("GET", "/api/v1/calendars").headers["vary"] == "Accept, Cookie"


def test_broken_bytes_are_written_as_they_are_to_this_machine_alone() -> None:
    with answering(lambda _: http("400 Bad Request")) as (url, asked), target(url) as sender:
        assert sender.send_bytes(b"GET / HTTP/9.9\r\n\r\n").status == 400
        with pytest.raises(Forbidden):
            sender.send_bytes(b"DELETE /api/v1/calendars/cal_x HTTP/1.1\r\n\r\n")
    assert asked == [b"GET / HTTP/9.9\r\n\r\n"]
    with target("http://staging.invalid") as far, pytest.raises(Forbidden):
        far.send_bytes(b"GET / HTTP/9.9\r\n\r\n")


def test_an_answer_without_an_end_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "LARGEST_ANSWER", 1000)
    with answering(lambda _: http("200 OK", b"x" * 5000)) as (url, _), target(url) as sender:
        assert sender.send("GET", "/api/v1/calendars").failure == "an answer that does not end"


def test_a_service_that_only_fails_ends_the_run() -> None:
    with answering(lambda _: http("503 Service Unavailable")) as (url, _):
        with target(url, budget=Budget(failures=2)) as sender:
            sender.send("GET", "/api/v1/calendars")
            sender.send("GET", "/api/v1/calendar_events")
            with pytest.raises(Stopped, match="in a row failed"):
                sender.send("GET", "/api/v1/calendars")


def test_a_create_is_in_the_book_before_it_is_sent_and_is_ours_afterwards(tmp_path: Path) -> None:
    books: list[str] = []

    def answer(request: bytes) -> bytes:
        books.append(next(tmp_path.glob("*.jsonl")).read_text("utf-8"))
        return http("201 Created", b'{"id": "cal_ABCDEFGHIJKLMNOP", "client_id": "conformance.invalid"}')

    fields = {"client_id": "conformance.invalid", "platform": "google"}
    with answering(answer) as (url, _), target(url, folder=tmp_path) as sender:
        sender.send("POST", "/api/v1/calendars", json=fields)
        assert sender.created == {"cal_ABCDEFGHIJKLMNOP"}
        ledger = read_ledger(next(tmp_path.glob("*.jsonl")))
    assert '"intent"' in books[0]
    assert "cal_ABCDEFGHIJKLMNOP" not in books[0]
    assert ledger is not None
    assert set(ledger.alive) == {"cal_ABCDEFGHIJKLMNOP"}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        ("401 Unauthorized", b'{"detail": "Invalid or disabled API key"}', "rejects the API key"),
        ("200 OK", b"<html>", "not an Attendee API"),
        ("404 Not Found", b"", "not an Attendee API"),
    ],
)
def test_what_cannot_be_tested_is_told_before_anything_is_sent(status: str, body: bytes, told: str) -> None:
    with answering(lambda _: http(status, body)) as (url, asked), target(url) as sender:
        with pytest.raises(Untestable, match=told):
            preflight(sender)
    assert len(asked) == 1


def test_one_key_twice_is_no_second_project() -> None:
    with running(mock=new_mock()) as server, HttpTarget(server.url, Keys(ACME, ACME)) as sender:
        with pytest.raises(Untestable, match="both API keys are the same"):
            preflight(sender)
    with running(mock=new_mock()) as server, HttpTarget(server.url, Keys(ACME, GLOBEX)) as sender:
        assert preflight(sender) == (25, 3)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://x", "scheme and host"),
        ("http://user:word@x", "user name or a password"),
        ("http://x/y?z", "has more than scheme, host and path"),
        ("http://x/../y", "has more than scheme, host and path"),
        ("http://x:99999", "is not a URL"),
    ],
)
def test_a_wrong_url_is_told(url: str, told: str) -> None:
    with pytest.raises(Untestable, match=told):
        check_url(url)


def test_production_has_to_be_named() -> None:
    check_host("https://app.attendee.dev", "app.attendee.dev")
    check_host("https://staging.example", None)
    for allowed in (None, "attendee.dev"):
        with pytest.raises(Untestable, match="--production-host app.attendee.dev"):
            check_host("https://app.attendee.dev", allowed)


def test_a_run_needs_a_key_and_a_place_for_its_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Untestable, match="the API key is missing"):
        keys_of(Access("http://127.0.0.1:1"))
    (tmp_path / ".attendee-conformance").write_text("a file")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Untestable, match="cannot write into"), opened(Access("http://127.0.0.1:1", ACME)):
        pass


def test_ctrl_c_while_requests_start_side_by_side_leaves_no_thread_waiting() -> None:
    class Interrupted(list[Callable[[], int]]):
        """Calls of which only the first is started."""

        def __iter__(self) -> Iterator[Callable[[], int]]:
            yield self[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wires.in_threads(Interrupted([lambda: 1, lambda: 2]))
    assert wires.in_threads([lambda: 1, lambda: 2]) == [1, 2]


def test_what_is_not_answered_beside_others_says_nothing_of_the_target() -> None:
    with answering(lambda data: b"" if b"/lost" in data else http("200 OK", PAGE)) as (url, asked):
        with HttpTarget(url, Keys(ACME), writes=False, parallel=True) as target:
            target.send("GET", "/api/v1/calendars")
            spent = target.spent
            exchanges = target.beside([lambda: target.send("GET", "/lost"), lambda: target.send("GET", "/lost")])
            assert [one.status for one in exchanges] == [0, 0]
            assert target.spent == spent
            assert len(asked) == 3  # no probe
            target.send("GET", "/lost")
            assert len(asked) > 4


def test_a_target_that_answers_only_alone_is_asked_for_one_thing_at_a_time() -> None:
    with HttpTarget("http://127.0.0.1:9", Keys(ACME), writes=False, parallel=True) as target:
        assert target.at_once == 1  # nothing is known of it
        target.sent, target.spent = 10, 0.5
        assert target.at_once == 8
        target.hindered = 2
        assert target.at_once == 1
