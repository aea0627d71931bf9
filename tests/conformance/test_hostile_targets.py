"""Whatever stands at the URL: the judge ends with the right exit status and one sentence, and waits for nobody."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli.main import main
from mockserver.conformance import wires
from mockserver.conformance.checking import check, cleanup
from mockserver.conformance.connection import Connection, Untestable
from mockserver.conformance.opening import Access, opened, preflight
from mockserver.conformance.report import Report
from mockserver.conformance.runner import JudgeRun
from tests.clients import ACME
from tests.conformance.hostile import AT_ONCE, JSON, Answer, Peer, bomb, http, in_front_of, saying, serving
from tests.conformance.staging import staged, state_of
from tests.mutants.table import served

PATIENCE = 1.0
"""Seconds for one exchange: what takes longer here takes for ever; a process that collects garbage stops for tenths."""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wires, "LARGEST_ANSWER", 5_000_000)


def told(url: str) -> str:
    """What a run says of a target that it cannot test."""
    access = Access(url, ACME, seconds=60.0, write=False, connection=Connection(timeout=PATIENCE), environment={})
    with pytest.raises(Untestable) as refused, opened(access) as target:
        preflight(target)
    return str(refused.value)


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_target_that_never_answers_well_ends_the_run_with_one_sentence(name: str) -> None:
    hostile = AT_ONCE[name]
    with serving(hostile.answer) as (port, asked):
        sentence = told(f"http://127.0.0.1:{port}")
    assert hostile.told in sentence
    assert len(sentence.splitlines()) == 1
    assert len(asked) <= 3


def test_a_closed_port_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "Connection refused" in told(f"http://127.0.0.1:{port}")


def test_a_host_that_there_is_not_does_not_answer() -> None:
    assert "does not answer" in told("http://nobody.invalid")


def test_a_plain_server_at_an_https_address_does_not_answer() -> None:
    with serving(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as (port, _):
        assert "does not answer" in told(f"https://127.0.0.1:{port}")


def test_what_is_unpacked_is_bounded() -> None:
    with pytest.raises(wires.Unanswered, match="does not end"):
        wires.decoded([bomb()], [(b"Content-Encoding", b"gzip")])


def run(port: int, **more: Any) -> Report:
    """A run of the judge that goes on until something ends it."""
    more = {"write": False, "seed": 1, **more}
    return check(f"http://127.0.0.1:{port}", key=ACME, connection=Connection(timeout=PATIENCE), **more)


FAILURES: dict[str, Answer] = {
    "closes every connection": lambda peer: None,
    "resets every connection": lambda peer: peer.resets(),
    "says nothing": lambda peer: peer.holds(),
    "has a gateway that says 502": saying(http("502 Bad Gateway", b"<h1>", "Content-Type: text/html")),
    "has a gateway that says 504": saying(http("504 Gateway Timeout")),
    "answers without an end": lambda peer: peer.drips(b"HTTP/1.1 100 Continue\r\n\r\n"),
}


QUICK = ("closes every connection", "has a gateway that says 502")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in FAILURES]
)
def test_a_target_that_dies_ends_the_run_blames_nobody_and_leaves_the_ledger(name: str) -> None:
    mock = staged()
    before = state_of(mock)
    posts: list[int] = []
    dead = True

    def turning(number: int, head: bytes) -> Answer | None:
        if head.startswith(b"POST "):
            posts.append(number)
        return FAILURES[name] if dead and len(posts) > 5 else None

    with in_front_of(mock.asgi, turning) as (port, asked):
        report = run(port, write=True, only=["create-*"])
        assert (report.exit_status, report.findings, report.left) == (2, [], []), report.verdict
        assert "stopped answering at request" in report.verdict
        assert len(asked) <= posts[5] + 8  # what failed, the plain requests after it, and those before cleaning up
        (ledger,) = Path(".attendee-conformance").glob("*.jsonl")
        assert f"attendee-mock cleanup --ledger {ledger}" in report.notes[-1]
        dead = False
        assert cleanup(None, key=ACME, ledger=ledger, say=lambda text: None) == []
    assert state_of(mock) == before
    assert not ledger.exists()


def test_what_was_found_before_a_target_died_is_told() -> None:
    def turning(number: int, head: bytes) -> Answer | None:
        return FAILURES["says nothing"] if number > 60 else None

    with in_front_of(served("vary-missing").asgi, turning) as (port, _):
        report = run(port)
    assert report.exit_status == 1
    assert "stopped answering" in report.verdict
    assert "answer-arrives" not in {finding.rule for finding in report.findings}


def test_a_request_that_is_never_answered_is_a_finding_where_others_are() -> None:
    def turning(number: int, head: bytes) -> Answer | None:
        return FAILURES["closes every connection"] if b"cursor=" in head else None

    with in_front_of(staged().asgi, turning) as (port, _):
        report = run(port, only=["answer-arrives"], max_requests=150)
    assert "answer-arrives" in {finding.rule for finding in report.findings}
    assert report.died == ""


def test_a_pause_that_is_longer_than_the_budget_ends_the_run() -> None:
    pause = saying(http("429 Too Many Requests", b"{}", JSON, "Retry-After: 3600"))
    with in_front_of(staged().asgi, lambda number, head: pause if number > 9 else None) as (port, asked):
        report = run(port, only=["page-*"])
    assert report.exit_status == 2
    assert "asks for a pause of 3600 s" in report.stopped
    assert len(asked) == 10


@pytest.mark.parametrize("name", ["a head, byte by byte", "429, and an hour to wait", "a body without an end"])
def test_the_command_ends_with_2_and_one_line(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDEE_API_KEY", ACME)
    with serving(AT_ONCE[name].answer) as (port, _), pytest.raises(SystemExit) as ended:
        main(["check", f"http://127.0.0.1:{port}", "--request-timeout", "1s"])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def rows(*ids: object) -> list[dict[str, object]]:
    """Calendars of which only the ids are right, or wrong."""
    return [{"id": name, "created_at": "2026-01-01T00:00:00Z", "updated_at": None} for name in ids]


ODD_PAGES: dict[str, object] = {
    "a link to itself": {"next": "http://127.0.0.1/api/v1/calendars?cursor=a", "results": rows("cal_aaaaaaaaaaaaaaaa")},
    "a link that is no URL": {"next": "http://[::1/?cursor=a", "previous": "::", "results": []},
    "a link that is a number": {"next": 7, "previous": [], "results": rows("cal_aaaaaaaaaaaaaaaa")},
    "rows that are no objects": {"next": None, "results": [1, None, "x", [], True]},
    "no rows": {"next": None, "results": None},
    "odd ids": {"next": None, "results": rows(None, 7, "../../x", "\ud800", "a" * 10_000, "", "cal_\x00")},
    "odd times": {
        "next": None,
        "results": [{"id": "x", "created_at": time} for time in (0, "", "9999-99-99", "x" * 999)],
    },
}


@pytest.mark.long
@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("name", ODD_PAGES)
def test_a_target_that_answers_everything_with_an_odd_page_ends_the_run_without_an_error(
    name: str, write: bool
) -> None:
    page = http("200 OK", json.dumps(ODD_PAGES[name]).encode(), JSON)
    with serving(saying(page)) as (port, _):
        report = run(port, write=write, max_requests=300)
    assert report.exit_status in (1, 2)
    assert report.left == []


@pytest.mark.long
def test_a_list_without_an_end_ends_with_the_budget() -> None:
    numbers = iter(range(1_000_000))

    def answer(peer: Peer) -> None:
        number = next(numbers)
        link = f"http://127.0.0.1:{port}/api/v1/calendars?cursor={number}"
        peer.says(http("200 OK", json.dumps({"next": link, "previous": None, "results": rows(number)}).encode(), JSON))

    with serving(answer) as (port, asked):
        assert run(port, max_requests=300).exit_status in (1, 2)
    assert len(asked) <= 300


def test_a_job_that_is_cancelled_cleans_up_as_after_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    mock = staged()
    before = state_of(mock)
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.setdefault(number, handler))

    def turning(number: int, head: bytes) -> Answer | None:
        if head.startswith(b"POST ") and signal.SIGTERM in handlers:
            cancelled.append(number)
        return None

    def progress(run: JudgeRun) -> None:
        if len(cancelled) == 5:
            cancelled.append(0)
            handlers[signal.SIGTERM](signal.SIGTERM, None)

    cancelled: list[int] = []
    with in_front_of(mock.asgi, turning) as (port, _):
        report = run(port, write=True, only=["create-*"], progress=progress)
    assert (report.exit_status, report.left) == (130, [])
    assert state_of(mock) == before
