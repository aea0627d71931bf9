"""The commands that steer a running mock: what they ask, what they print, and how they fail."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest

from mockserver.cli.main import cli, main
from mockserver.cli.options import Text
from mockserver.contracts import CONTROL, load_contract
from mockserver.server import listen

ROOT = Path(__file__).parents[2]
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

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

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


Case = tuple[str, Any, tuple[str, str, Any], str]
# What is typed, what the mock answers, what it was asked, and a part of what is printed as data or as a note.
PROJECT = {
    "name": "Demo",
    "calendars": 3,
    "events": 20,
    "sync": "auto",
    "clock": {"now": "NOW", "frozen": True},
    "throwaway": True,
    "webhooks": [],
}
SUBSCRIBED = {"id": "webhook_1", "url": "http://x", "triggers": ["calendar.state_change"], "active": False}
SNAPSHOT = {"id": "snapshot_1", "now": "NOW", "calendars": 3, "events": 20}
FAULT = {
    "name": "status",
    "kind": "status",
    "operation": "*",
    "status": 503,
    "first": 2,
    "from": 1,
    "seen": 3,
    "hits": 1,
}
CALENDARS: list[dict[str, Any]] = [
    {"id": "cal_1", "platform": "google", "state": "connected", "deduplication_key": None, "events": []}
]
ENTRY = {
    "id": 7,
    "time": "T",
    "method": "GET",
    "path": "/p",
    "query": "a=1",
    "status": 404,
    "operation": None,
    "reason": "r",
}
NEAR = {"id": 7, "line": "GET /p 404", "why": ["status was '404', wanted '200'"]}
MADE = {**PROJECT, "api_key": "key-1", "webhook_secret": "c2VjcmV0"}
# Commands that answer with a part of what the mock answered.
REDUCED: dict[str, Any] = {
    "calendars": {"calendars": [{name: value for name, value in CALENDARS[0].items() if name != "events"}]},
    "faults kinds": {"kinds": {"delay": {"meaning": "the answer, late", "fields": {"seconds": 1.0}}}},
}
NEW: list[Case] = [
    ("health", {"status": "ok"}, ("GET", "/__mock__/health", None), "status: ok"),
    ("contract", {"openapi": "3.0.3"}, ("GET", "/__mock__/openapi.json", None), '"openapi": "3.0.3"'),
    ("contract bots", {"openapi": "3.0.3"}, ("GET", "/__mock__/bots.json", None), '"3.0.3"'),
    ("contract control", {"openapi": "3.0.3"}, ("GET", "/__mock__/control.json", None), '"3.0.3"'),
    ("reset", PROJECT, ("POST", "/__mock__/project/reset", None), "reset to the fixtures"),
    ("reset --all", {"status": "reset"}, ("POST", "/__mock__/reset", None), "reset to the fixtures"),
    ("calendars", {"calendars": CALENDARS}, ("GET", "/__mock__/fixtures", None), "cal_1  google  connected\n"),
    ("projects", {"projects": [PROJECT]}, ("GET", "/__mock__/projects", None), "3 calendars  20 events"),
    ("projects show --project Demo", PROJECT, ("GET", "/__mock__/project?project=Demo", None), "clock frozen at NOW"),
    ("projects create", MADE, ("POST", "/__mock__/projects", {}), "export ATTENDEE_API_KEY=key-1\n"),
    (
        "projects create --name a --sync manual --webhook http://x",
        MADE,
        ("POST", "/__mock__/projects", {"name": "a", "sync": "manual", "webhooks": [{"url": "http://x"}]}),
        "export ATTENDEE_WEBHOOK_SECRET=c2VjcmV0\n",
    ),
    ("projects delete --project a", {}, ("DELETE", "/__mock__/project?project=a", None), "deleted"),
    ("projects sync-mode manual", PROJECT, ("POST", "/__mock__/project/sync-mode", {"sync": "manual"}), "sync auto"),
    ("snapshots", {"snapshots": [SNAPSHOT]}, ("GET", "/__mock__/snapshots", None), "snapshot_1  NOW  3  20"),
    ("snapshots take", SNAPSHOT, ("POST", "/__mock__/snapshots", None), "snapshot_1"),
    ("snapshots restore s", SNAPSHOT, ("POST", "/__mock__/snapshots/s/restore", None), "snapshot_1"),
    ("snapshots delete s", {}, ("DELETE", "/__mock__/snapshots/s", None), "deleted"),
    ("fixtures show", {"name": "A"}, ("GET", "/__mock__/fixtures", None), '"name": "A"'),
    ("fixtures show --secrets", {"name": "A"}, ("GET", "/__mock__/fixtures?secrets=true", None), '"name": "A"'),
    (
        f"fixtures load {ROOT / 'fixtures' / 'empty.yaml'}",
        {"calendars": 0, "events": 0},
        ("PUT", "/__mock__/fixtures", {"name": "Empty", "api_keys": ["YOUR_API_KEY_HERE"]}),
        "events: 0",
    ),
    ("settle", {"happened": [HAPPENED]}, ("POST", "/__mock__/settle", None), "sync cal_1: synced"),
    (
        "agenda",
        {"tasks": [{"due": "T", "kind": "sync", "subject": "s"}]},
        ("GET", "/__mock__/agenda", None),
        "T  sync  s",
    ),
    (
        "fail cal_1 slow --seconds 9",
        BEHIND,
        ("POST", "/__mock__/calendars/cal_1/fail", {"failure": "slow", "seconds": 9}),
        "revoked",
    ),
    (
        "events list c --from 0h --to 7d --limit 3",
        {"events": []},
        ("GET", "/__mock__/calendars/c/upstream?from=0h&to=7d&limit=3", None),
        "no events",
    ),
    ("subscriptions", {"subscriptions": [SUBSCRIBED]}, ("GET", "/__mock__/subscriptions", None), "switched off"),
    ("subscriptions add http://x", SUBSCRIBED, ("POST", "/__mock__/subscriptions", {"url": "http://x"}), "webhook_1"),
    (
        "subscriptions add http://x --trigger calendar.state_change",
        SUBSCRIBED,
        ("POST", "/__mock__/subscriptions", {"url": "http://x", "triggers": ["calendar.state_change"]}),
        "webhook_1",
    ),
    ("subscriptions disable w", SUBSCRIBED, ("PATCH", "/__mock__/subscriptions/w", {"active": False}), "switched off"),
    ("subscriptions enable w", SUBSCRIBED, ("PATCH", "/__mock__/subscriptions/w", {"active": True}), "webhook_1"),
    ("subscriptions remove w", {"removed": "w"}, ("DELETE", "/__mock__/subscriptions/w", None), "removed"),
    ("deliveries hold k", DELIVERY, ("POST", "/__mock__/deliveries/k/hold", None), KEY),
    ("deliveries drop k", DELIVERY, ("POST", "/__mock__/deliveries/k/drop", None), KEY),
    ("faults", {"faults": [FAULT]}, ("GET", "/__mock__/faults", None), "status=503 first=2  applied to 1 of 3"),
    (
        "faults kinds",
        {"faults": [], "kinds": {"delay": {"meaning": "the answer, late", "fields": {"seconds": 1.0}}}},
        ("GET", "/__mock__/faults", None),
        "the answer, late  (seconds=1.0)",
    ),
    (
        "faults add status --operation listCalendars --status 503 --first 2 --from 3 --after",
        FAULT,
        (
            "POST",
            "/__mock__/faults",
            {"kind": "status", "operation": "listCalendars", "first": 2, "from": 3, "status": 503, "after": True},
        ),
        "status=503",
    ),
    ("faults remove status", {"removed": 1}, ("DELETE", "/__mock__/faults/status", None), "removed"),
    ("faults clear", {"removed": 1}, ("DELETE", "/__mock__/faults", None), "removed"),
    ("requests", {"requests": [ENTRY]}, ("GET", "/__mock__/requests", None), "7  T  GET /p?a=1  404  -  r"),
    (
        "requests list --operation getCalendar --method GET --path /p --after 1 --limit 2 --wait 5s --keyless",
        {"requests": [ENTRY]},
        (
            "GET",
            "/__mock__/requests?keyless=true&operation=getCalendar&method=GET&path=%2Fp&after=1&limit=2&wait=5s",
            None,
        ),
        "/p",
    ),
    ("requests show 7", ENTRY, ("GET", "/__mock__/requests/7", None), '"status": 404'),
    ("requests har --kind any", {"log": {}}, ("GET", "/__mock__/requests.har?kind=any", None), '"log"'),
    (
        "requests nearest --status 200 --body '{\"a\": 1}'",
        {"near_misses": [NEAR]},
        ("POST", "/__mock__/requests/near-misses", {"status": "200", "body": {"a": 1}}),
        "7  GET /p 404  status was",
    ),
    ("requests clear", {"status": "cleared"}, ("DELETE", "/__mock__/requests", None), "cleared"),
]
CASES: list[Case] = [
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
        "events change user-a/b r --title New --attendee a@b",
        EDITED,
        ("PATCH", f"{UPSTREAM}/r", {"title": "New", "attendees": ["a@b"]}),
        "Review",
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
        "none is due",
    ),
    (
        "events list user-a/b",
        {"events": [EVENT, {**EVENT, "status": "cancelled"}], "failure": {"name": "outage"}},
        ("GET", UPSTREAM.removesuffix("/events"), None),
        "its syncs fail: outage",
    ),
    (
        "revoke cal_1",
        BEHIND,
        ("POST", "/__mock__/calendars/cal_1/fail", {"failure": "revoked"}),
        "its syncs fail: revoked",
    ),
    (
        "revoke cal_1 --failure outage --for-next 2",
        BEHIND,
        ("POST", "/__mock__/calendars/cal_1/fail", {"failure": "outage", "for_next": 2}),
        "cal_1  connected",
    ),
    (
        "reconnect cal_1",
        {**BEHIND, "failure": None},
        ("POST", "/__mock__/calendars/cal_1/reconnect", {}),
        "cal_1  connected",
    ),
    (
        "reconnect cal_1 --refresh-token 1//new",
        BEHIND,
        ("POST", "/__mock__/calendars/cal_1/reconnect", {"refresh_token": "1//new"}),
        "cal_1",
    ),
    ("sync cal_1", HAPPENED, ("POST", "/__mock__/calendars/cal_1/sync", None), "created_count=1"),
    ("clock", {"now": "N", "frozen": False}, ("GET", "/__mock__/clock", None), "N  clock running"),
    ("clock freeze", CLOCK, ("POST", "/__mock__/clock/freeze", None), "clock frozen"),
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
    (
        "deliveries hold",
        {"holding": True, "held": 2},
        ("POST", "/__mock__/deliveries/hold", None),
        "deliveries on hold, 2 waiting",
    ),
    (
        "deliveries release",
        {"holding": False, "held": 0},
        ("POST", "/__mock__/deliveries/release", None),
        "not on hold",
    ),
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
    *NEW,
]


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path, command


@pytest.mark.parametrize(("line", "answer", "asked", "printed"), CASES, ids=[case[0] for case in CASES])
def test_a_command_asks_the_control_api_and_prints_its_answer(
    run: Run, fake: Fake, line: str, answer: Any, asked: tuple[str, str, Any], printed: str
) -> None:
    status, out, err = run(line, answer)
    assert status == 0, err
    assert fake.asked == [asked]
    assert printed in out + err
    for option in ("--json", "--format json"):
        status, out, err = run(f"{line} {option}", answer)
        assert (status, err) == (0, "")
        assert json.loads(out) == REDUCED.get(line, answer)


def test_every_operation_of_the_control_api_has_a_command() -> None:
    paths = load_contract(CONTROL)["paths"]
    operations = {(method.upper(), path) for path, item in paths.items() for method in item if method != "parameters"}
    asked = [(method, path.partition("?")[0]) for _, _, (method, path, _), _ in CASES]

    def is_reached(operation: tuple[str, str]) -> bool:
        pattern = re.sub(r"{\w+}", "[^/]+", operation[1])
        return any(method == operation[0] and re.fullmatch(pattern, path) for method, path in asked)

    assert not [operation for operation in operations if not is_reached(operation)]


def test_every_command_is_in_its_page() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    typed = {" ".join(path) for name, command in cli.commands.items() for path, _ in leaves(command, (name,))}
    assert not [name for name in typed if f"`{name}" not in page]


def test_only_data_goes_to_standard_output(run: Run) -> None:
    nothing: dict[str, Any] = {
        "deliveries": [],
        "requests": [],
        "events": [],
        "faults": [],
        "snapshots": [],
        "subscriptions": [],
    }
    for line in ("deliveries", "requests", "events list x", "faults", "snapshots", "subscriptions", "reset"):
        status, out, err = run(line, nothing)
        assert (status, out) == (0, ""), line
        assert err.count("\n") == 1


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
            "CALENDAR: no calendar 'x'; take an id",
        ),
        ({"error": "calendar: no such thing", "field": "calendar"}, "CALENDAR: no such thing"),
        ({}, "the mock answered 404"),
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
        assert "is not an attendee-mock" in err


def test_a_token_that_cannot_be_sent_is_not_shown(run: Run) -> None:
    status, _, err = run("clock --token 'planted\nsecret'", CLOCK)
    assert status == 2
    assert "planted" not in err


def test_a_wait_that_ends_with_nothing_is_status_1(run: Run) -> None:
    status, out, err = run("deliveries list --wait 5s --json", {"deliveries": []})
    assert (status, json.loads(out)) == (1, {"deliveries": []})
    assert "nothing arrived within 5s" in err
    assert run("requests --wait 5s", {"requests": [ENTRY]})[0] == 0


def test_a_project_by_name_goes_before_a_key_that_only_stands_in_the_environment(
    run: Run, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDEE_API_KEY", "key-1")
    run("clock", CLOCK)
    assert fake.headers["Authorization"] == "Token key-1"
    run("clock --project Demo", CLOCK)
    assert "Authorization" not in fake.headers
    run("clock --project Demo --token key-2", CLOCK)
    assert fake.headers["Authorization"] == "Token key-2"


@pytest.mark.parametrize(
    ("path", "command"), [leaf for name, one in cli.commands.items() for leaf in leaves(one, (name,))]
)
def test_an_empty_text_is_refused_before_anything_is_done(
    run: Run, fake: Fake, path: tuple[str, ...], command: click.Command
) -> None:
    texts = [param for param in command.params if isinstance(param.type, Text)]
    needed = ["1" for param in command.params if isinstance(param, click.Argument) and param.required]
    for param in texts:
        if isinstance(param, click.Option):
            line = [*path, *needed, param.opts[0], ""]
        elif param.required:
            at = [one.name for one in command.params if isinstance(one, click.Argument)].index(param.name)
            line = [*path, *needed[:at], "", *needed[at + 1 :]]
        else:
            line = [*path, ""]
        status, out, err = run(shlex.join(line), {})
        assert (status, out) == (2, ""), line
        assert err.count("\n") == 1
    assert not fake.asked


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("clock advance -1d", "-1d is a negative span"),
        ("clock advance -1d", "attendee-mock clock set -1d"),
        ("clock advance --far", "No such option '--far'"),
        ("clock set --far", "No such option '--far'"),
    ],
)
def test_a_span_may_begin_with_a_minus_sign(run: Run, fake: Fake, line: str, said: str) -> None:
    status, out, err = run(line, {})
    assert (status, out) == (2, "")
    assert said in err
    assert not fake.asked


@pytest.mark.parametrize(
    "line",
    [
        "events add cal_1 --title x",
        "events move cal_1 r",
        "events change cal_1 r",
        "clock advance",
        "revoke",
        "clock no",
    ],
)
def test_what_is_left_out_is_told_before_anything_is_asked(run: Run, fake: Fake, line: str) -> None:
    status, out, err = run(line, {})
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert not fake.asked


@pytest.mark.parametrize(
    ("path", "command"), [leaf for name, one in cli.commands.items() for leaf in leaves(one, (name,))]
)
def test_every_command_has_an_example_that_can_be_typed(path: tuple[str, ...], command: click.Command) -> None:
    examples = [line.strip() for line in (command.help or "").splitlines() if line.strip().startswith("attendee-mock ")]
    mine = [
        shlex.split(line.partition(" > ")[0])[1:]
        for line in examples
        if line.startswith(f"attendee-mock {' '.join(path)}")
    ]
    assert mine
    for words in mine:
        context = cli.make_context("attendee-mock", list(words), resilient_parsing=False)
        given = words[len(path) :]
        assert command.make_context(path[-1], list(given), parent=context).params
