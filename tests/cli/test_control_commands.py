"""Each command that controls a running mock: which request it sends, and what it prints."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from mockserver.cli.main import cli
from mockserver.contracts import CONTROL, load_contract
from tests.cli.fake_control import Fake, Run

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
    ("contract webhooks", {"openapi": "3.1.0"}, ("GET", "/__mock__/webhooks.json", None), '"3.1.0"'),
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


CASES += [
    (
        "events stored cal_1",
        {"events": [{"id": "evt_1", "start_time": "2027-01-16T09:00:00Z", "name": "Review", "is_deleted": True}]},
        ("GET", "/__mock__/calendars/cal_1/events", None),
        "evt_1  2027-01-16T09:00:00Z  Review  deleted",
    ),
    (
        "timeline --after 1.0",
        {
            "items": [
                {"id": "n1", "cause": None, "time": "T1", "kind": "action", "title": "Requested a sync"},
                {"id": "n2", "cause": "n1", "time": "T2", "kind": "sync", "title": "Sync: synced"},
            ],
            "next": "1.2",
            "more": True,
        },
        ("GET", "/__mock__/timeline?after=1.0", None),
        "T1  action  Requested a sync\nT2    sync  Sync: synced\nthere are more: attendee-mock timeline --after 1.2",
    ),
]
OF_THE_PAGE = {("GET", "/__mock__/timeline/stream"), ("GET", "/__mock__/calendars")}
"""What the page alone uses: `timeline` and `calendars` print the same."""


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

    assert not [operation for operation in operations - OF_THE_PAGE if not is_reached(operation)]


def test_every_command_is_in_its_page() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    typed = {" ".join(path) for name, command in cli.commands.items() for path, _ in leaves(command, (name,))}
    assert not [name for name in typed if f"`{name}" not in page]


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
