"""The commands that steer a running mock: what they ask, what they print, and how they fail."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest

from mockserver.cli import cli, main
from mockserver.server import listen
from mockserver.steering import COMMANDS

KEY = "9a4d544f-be46-40b7-add9-94a9b8923d9b"
EVENT = {"id": "remote 1", "summary": "Review", "start": {"dateTime": "2027-01-15T10:00:00Z"}, "end": {"date": "x"}}
EDITED = {"id": "remote 1", "ids": ["remote 1"], "events": [EVENT], "sync_due": "2027-01-15T08:01:00Z"}
BEHIND = {"calendar": "cal_1", "state": "connected", "failure": {"name": "revoked"}, "sync_due": None}
HAPPENED = {
    "at": "2027-01-15T08:01:00Z",
    "what": "sync",
    "subject": "cal_1",
    "outcome": "synced",
    "detail": {"cause": "on demand", "created_count": 1, "deleted_count": 0, "webhook": None},
}
CLOCK = {"now": "2027-01-16T09:00:00Z", "frozen": True, "happened": [HAPPENED]}
DELIVERY = {"key": KEY, "trigger": "calendar.events_update", "calendar": "cal_1", "state": "success"}
NO_WEBHOOK = {"trigger": "calendar.events_update", "made": [], "why_none": [{"code": "c", "text": "nothing changed"}]}
EXPLAINED = {
    "request": "POST /api/v1/calendars",
    "status": 400,
    "why": ["platform: not a valid choice"],
    "fields": [{"field": "platform"}],
    "curl": "curl -X POST …",
    "webhooks": NO_WEBHOOK,
}


class Fake:
    """A mock's control API with one canned answer, that remembers what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answers: list[Any] = []
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: dict[str, str] = {}
        self.url = ""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    for name in ("ATTENDEE_API_KEY", "ATTENDEE_BASE_URL", "ATTENDEE_MOCK_CONTROL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            fake.asked.append((self.command, self.path, body))
            fake.headers = dict(self.headers)
            answer = fake.answers.pop(0) if len(fake.answers) > 1 else fake.answers[0]
            raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(fake.status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_PATCH = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield fake
    server.shutdown()
    server.server_close()


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(fake: Fake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line against the fake; gives the exit status, what was printed and what was complained of."""

    def steer(line: str, answer: Any = None, status: int = 200, *, url: str | None = None) -> tuple[int, str, str]:
        if answer is not None:
            fake.answers, fake.status = [answer], status
        monkeypatch.setenv("ATTENDEE_BASE_URL", url or fake.url)
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line))
        printed = capsys.readouterr()
        return int(str(ended.value.code)), printed.out, printed.err

    return steer


UPSTREAM = "/__mock__/calendars/user-a%2Fb/upstream/events"


@pytest.mark.parametrize(
    ("line", "answer", "asked", "printed"),
    [
        (
            "events add user-a/b --title Review --start 2h --duration 30m --link http://x --attendee a@b --attendee c"
            " --attendee 'Ann B <ann@b>' --attendee 'Room 5 <>' --attendee '<x@y>'",
            EDITED,
            (
                "POST",
                UPSTREAM,
                {
                    "title": "Review",
                    "start": "2h",
                    "duration": "30m",
                    "url": "http://x",
                    "attendees": [
                        "a@b",
                        "c",
                        {"email": "ann@b", "name": "Ann B"},
                        {"email": None, "name": "Room 5"},
                        {"email": "x@y", "name": None},
                    ],
                },
            ),
            "the sync at 2027-01-15T08:01:00Z",
        ),
        (
            "events move user-a/b 'remote 1' --start -1d --end 3h",
            EDITED,
            ("PATCH", f"{UPSTREAM}/remote%201", {"start": "-1d", "end": "3h"}),
            "Review",
        ),
        ("events cancel user-a/b r", EDITED, ("POST", f"{UPSTREAM}/r/cancel", None), "Review"),
        (
            "events vanish user-a/b r",
            {"id": "r", "events": [], "sync_due": None},
            ("DELETE", f"{UPSTREAM}/r", None),
            "no sync is due",
        ),
        (
            "events list user-a/b",
            {"events": [EVENT, {**EVENT, "status": "cancelled"}], "failure": {"name": "outage"}},
            ("GET", UPSTREAM.removesuffix("/events"), None),
            "it fails: outage",
        ),
        (
            "revoke cal_1",
            BEHIND,
            ("POST", "/__mock__/calendars/cal_1/fail", {"failure": "revoked"}),
            "behind it fails: revoked",
        ),
        (
            "revoke cal_1 --failure outage --for-next 2",
            BEHIND,
            ("POST", "/__mock__/calendars/cal_1/fail", {"failure": "outage", "for_next": 2}),
            "cal_1 is connected",
        ),
        (
            "reconnect cal_1",
            {**BEHIND, "failure": None},
            ("POST", "/__mock__/calendars/cal_1/reconnect", {}),
            "behind it works",
        ),
        (
            "reconnect cal_1 --refresh-token 1//new",
            BEHIND,
            ("POST", "/__mock__/calendars/cal_1/reconnect", {"refresh_token": "1//new"}),
            "cal_1",
        ),
        ("sync cal_1", HAPPENED, ("POST", "/__mock__/calendars/cal_1/sync", None), "created_count=1"),
        ("clock", {"now": "N", "frozen": False}, ("GET", "/__mock__/clock", None), "N  the clock runs"),
        ("clock freeze", CLOCK, ("POST", "/__mock__/clock/freeze", None), "stands still"),
        ("clock run", CLOCK, ("POST", "/__mock__/clock/run", None), "2027-01-16T09:00:00Z"),
        ("clock set -1h", CLOCK, ("POST", "/__mock__/clock/set", {"to": "-1h"}), "2027-01-16T09:00:00Z"),
        ("clock advance 25h", CLOCK, ("POST", "/__mock__/clock/advance", {"by": "25h"}), "sync cal_1: synced"),
        ("deliveries", {"deliveries": []}, ("GET", "/__mock__/deliveries", None), "no deliveries"),
        (
            "deliveries list --trigger calendar.state_change --state failure --calendar cal_1 --limit 3 --wait 5s",
            {"deliveries": [DELIVERY], "holding": True},
            (
                "GET",
                "/__mock__/deliveries?trigger=calendar.state_change&state=failure&calendar=cal_1&limit=3&wait=5s",
                None,
            ),
            "deliveries release",
        ),
        (
            f"deliveries show {KEY}",
            {**DELIVERY, "status": 502, "attempts": [{"number": 1, "at": "T", "status": 502, "body": "{}"}]},
            ("GET", f"/__mock__/deliveries/{KEY}", None),
            "attempt 1 at T: 502  {}",
        ),
        ("deliveries hold", {"holding": True}, ("POST", "/__mock__/deliveries/hold", None), "holding"),
        ("deliveries release", {"holding": False}, ("POST", "/__mock__/deliveries/release", None), "holding"),
        (f"deliveries release {KEY}", DELIVERY, ("POST", f"/__mock__/deliveries/{KEY}/release", None), KEY),
        (f"resend {KEY}", DELIVERY, ("POST", f"/__mock__/deliveries/{KEY}/resend", None), "success"),
        (
            "explain 18",
            {"request": "PATCH /", "status": 200, "why": [], "webhooks": {"made": [DELIVERY]}},
            ("GET", "/__mock__/explain/18", None),
            KEY,
        ),
        ("explain 17", EXPLAINED, ("GET", "/__mock__/explain/17", None), "not a valid choice"),
        (
            "explain cal_1",
            NO_WEBHOOK,
            ("GET", "/__mock__/calendars/cal_1/explain", None),
            "no calendar.events_update: nothing changed",
        ),
    ],
)
def test_a_command_asks_the_controls_and_says_what_they_answer(
    run: Run, fake: Fake, line: str, answer: Any, asked: tuple[str, str, Any], printed: str
) -> None:
    status, out, err = run(line, answer)
    assert (status, err) == (0, "")
    assert fake.asked == [asked]
    assert printed in out
    status, out, _ = run(f"{line} --json", answer)
    assert json.loads(out) == answer


def test_an_object_in_the_platforms_own_shape_is_sent_as_it_is(run: Run, fake: Fake, tmp_path: Path) -> None:
    document = tmp_path / "event.json"
    document.write_text(json.dumps(EVENT), "utf-8")
    assert run(f"events add cal_1 --file {document}", EDITED)[0] == 0
    assert fake.asked[0][2] == EVENT
    for text in ("[1]", "{"):
        document.write_text(text, "utf-8")
        status, _, err = run(f"events add cal_1 --file {document}", EDITED)
        assert status == 2
        assert "JSON" in err
    assert run(f"events add cal_1 --file {document} --title x", EDITED)[0] == 2
    assert len(fake.asked) == 1


def test_explain_takes_the_last_request_that_was_refused(run: Run, fake: Fake) -> None:
    fake.answers = [{"requests": [{"id": 4}]}, {"requests": [{"id": 9}]}, EXPLAINED]
    assert "curl -X POST" in run("explain")[1]
    assert [path for _, path, _ in fake.asked] == [
        "/__mock__/requests?status=4xx&limit=1",
        "/__mock__/requests?status=5xx&limit=1",
        "/__mock__/explain/9",
    ]
    status, _, err = run("explain", {"requests": []})
    assert status == 1
    assert "no request" in err


def test_a_key_chooses_the_project_and_a_control_token_opens_the_door(run: Run, fake: Fake) -> None:
    run("clock --token key-planted --control-token token-planted", CLOCK)
    assert fake.headers["Authorization"] == "Token key-planted"
    assert fake.headers["X-Control-Token"] == "token-planted"
    run("clock", CLOCK)
    assert not fake.headers.keys() & {"Authorization", "X-Control-Token"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            {"error": "no calendar 'x'", "field": "calendar", "fix": "take an id"},
            "calendar: no calendar 'x'; take an id",
        ),
        ({"error": "calendar: no such thing", "field": "calendar"}, "calendar: no such thing"),
        ({}, "the mock answers 404"),
    ],
)
def test_what_the_mock_refuses_is_one_line_with_the_fix_and_status_1(run: Run, answer: Any, told: str) -> None:
    status, out, err = run("sync x --json", answer, 404)
    assert (status, out, err) == (1, "", f"attendee-mock: {told}\n")


def test_no_mock_is_one_line_and_status_2(run: Run) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    for url, named in [
        (f"http://127.0.0.1:{port}", "attendee-mock serve"),
        ("ftp://127.0.0.1", "--url"),
        ("http://[", "--url"),
        ("nonsense", "--url"),
    ]:
        status, out, err = run("clock", CLOCK, url=url)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert named in err


def test_another_server_is_known_for_what_it_is(run: Run) -> None:
    for answer in (b"<html>", b"[]"):
        status, _, err = run("clock", answer, 404)
        assert status == 2
        assert "is no attendee-mock" in err


def test_a_token_that_cannot_be_sent_is_not_shown(run: Run) -> None:
    status, _, err = run("clock --token 'planted\nsecret'", CLOCK)
    assert status == 2
    assert "planted" not in err


@pytest.mark.parametrize(
    "line", ["events add cal_1 --title x", "events move cal_1 r", "clock advance", "revoke", "clock no"]
)
def test_what_is_left_out_is_told_before_anything_is_asked(run: Run, fake: Fake, line: str) -> None:
    status, out, err = run(line, {})
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert not fake.asked


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path, command


@pytest.mark.parametrize(("path", "command"), [leaf for one in COMMANDS for leaf in leaves(one, (one.name or "",))])
def test_every_command_has_an_example_that_can_be_typed(path: tuple[str, ...], command: click.Command) -> None:
    examples = [line.strip() for line in (command.help or "").splitlines() if line.strip().startswith("attendee-mock ")]
    mine = [shlex.split(line)[1:] for line in examples if line.startswith(f"attendee-mock {' '.join(path)}")]
    assert mine
    for words in mine:
        context = cli.make_context("attendee-mock", list(words), resilient_parsing=False)
        given = words[len(path) :]
        assert command.make_context(path[-1], list(given), parent=context).params
