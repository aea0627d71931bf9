"""A sync does what the real service was recorded to do, step by step."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from mockserver.domain.activity import Activity
from mockserver.domain.calendar_sync import DAY
from mockserver.domain.deliveries import frozen
from mockserver.domain.model import Calendar, CalendarEvent, Failure
from mockserver.domain.timestamps import render
from mockserver.domain.upstream import Add, Cancel, Change, Move, Vanish
from mockserver.fixtures_io import read_project
from tests.domain.lab import FIELDS, MICROSOFT, NOW, RECORDED, Lab, instant

SYNC: dict[str, Any] = RECORDED["sync"]
STEPS: list[dict[str, Any]] = SYNC["steps"]
GOOGLE = {pair["remote"]["id"]: pair["remote"] for pair in SYNC["google_events_mapped"]}
NEW_LINK = "https://meet.google.com/new-link-abc"


class Stage:
    """One calendar on which steps are played, and what each step changed."""

    def __init__(self, first: str) -> None:
        at = instant(next(step for step in STEPS if step["step"] == first)["calendar_changed"]["updated_at"][0])
        self.lab = Lab(now=at)
        self.calendar = self.lab.create(MICROSOFT if first.startswith("microsoft") else FIELDS)
        self.id = self.calendar.id

    def edit(self, *edits: Any) -> None:
        for edit in edits:
            self.lab.scheduler.edit(self.lab.project, self.id, edit)

    def fail(self, name: str) -> None:
        self.lab.scheduler.fail(self.lab.project, self.id, Failure(name))

    def heal(self) -> None:
        self.lab.scheduler.heal(self.lab.project, self.id)

    def bot(self, name: str = "g1") -> None:
        self.lab.add_bot(self.lab.events(self.id)[name])

    def sync(self) -> None:
        self.lab.scheduler.sync_now(self.lab.project, self.id)

    def patch(self, **fields: Any) -> None:
        self.lab.service.update_calendar(self.lab.project, self.id, fields)  # type: ignore[arg-type]


def times(start: str, end: str) -> dict[str, Any]:
    return {"start": {**GOOGLE["g1"]["start"], "dateTime": start}, "end": {"dateTime": end}}


USUAL = {name: GOOGLE["g1"][name] for name in ("start", "end", "summary", "hangoutLink")}
BEFORE: dict[str, list[Callable[[Stage], None]]] = {
    "google-first-sync": [lambda stage: stage.edit(*(Add(remote) for remote in GOOGLE.values()))],
    "google-same-again": [],
    "google-rescheduled": [Stage.bot, lambda stage: stage.edit(Move("g1", instant("2026-11-22T02:26:14Z")))],
    "google-renamed": [lambda stage: stage.edit(Change("g1", {"summary": "Plan B"}))],
    "google-raw-only": [lambda stage: stage.edit(Change("g1", {"sequence": 1}))],
    "google-moved-out-of-window": [
        lambda stage: stage.edit(
            Change("g1", {**USUAL, **times("2027-01-19T23:26:14Z", "2027-01-20T00:26:14Z")}, without=("sequence",))
        )
    ],
    "google-outside-window-gone": [lambda stage: stage.edit(Vanish("g1"))],
    "google-vanished": [lambda stage: stage.edit(Vanish("g4"))],
    "google-cancelled": [lambda stage: stage.edit(Cancel("g2"))],
    "google-uncancelled": [lambda stage: stage.edit(Change("g2", {"status": "confirmed"}))],
    "google-cancelled-without-start": [lambda stage: stage.edit(Add({"id": "g7", "status": "cancelled"}))],
    "google-500": [lambda stage: stage.edit(Vanish("g7")), lambda stage: stage.fail("outage")],
    "google-permission-denied": [lambda stage: stage.fail("permission_denied")],
    "google-recovered-without-change": [Stage.heal],
    "google-invalid-grant": [Stage.bot, lambda stage: stage.fail("revoked")],
    "google-invalid-grant-again": [],
    "patch-while-disconnected": [lambda stage: stage.patch(client_secret="new")],
    "patch-reconnects": [
        lambda stage: stage.patch(refresh_token="new"),
        lambda stage: stage.edit(Add({**GOOGLE["g1"], "id": "g9"})),
    ],
    "google-invalid-client": [lambda stage: stage.fail("invalid_client")],
    "google-token-500": [lambda stage: stage.fail("token_outage")],
    "google-token-without-token": [lambda stage: stage.fail("token_missing")],
    "google-unreachable": [lambda stage: stage.fail("unreachable")],
    "microsoft-first-sync": [lambda stage: stage.edit(*(Add(p["remote"]) for p in SYNC["microsoft_events_mapped"]))],
    "microsoft-invalid-grant": [lambda stage: stage.fail("revoked")],
    "microsoft-not-multi-tenant": [lambda stage: stage.fail("not_multi_tenant")],
    "microsoft-other-400": [lambda stage: stage.fail("token_outage")],
    "first": [lambda stage: stage.edit(*(Add(GOOGLE[name]) for name in ("g1", "g2", "g4")))],
    "vanished": [lambda stage: stage.edit(Vanish("g4"))],
    "back-unchanged": [lambda stage: stage.edit(Add(GOOGLE["g4"]))],
    "back-changed": [lambda stage: stage.edit(Change("g4", {"sequence": 1}))],
    "event-loses-link": [
        lambda stage: stage.edit(Change("g1", times("2026-11-21T23:27:24Z", "2026-11-22T00:27:24Z"))),
        Stage.sync,
        Stage.bot,
        lambda stage: stage.edit(Change("g1", {}, without=("hangoutLink",)), Change("g4", {"sequence": 2})),
    ],
    "event-new-link": [lambda stage: stage.edit(Change("g1", {"hangoutLink": NEW_LINK}))],
    "event-moved-to-past": [
        lambda stage: stage.edit(Change("g1", {**USUAL, **times("2026-11-20T20:00:00Z", "2026-11-20T21:00:00Z")}))
    ],
    "event-cancelled-with-bot": [lambda stage: stage.edit(Change("g1", {**USUAL, "status": "cancelled"}))],
    "event-uncancelled": [
        lambda stage: stage.edit(
            Change("g1", {"status": "confirmed", "end": {"dateTime": "2026-11-22T00:30:00Z"}}, without=("attendees",))
        )
    ],
}


def changed(before: CalendarEvent | Calendar, after: CalendarEvent | Calendar) -> list[str]:
    return sorted(name for name in before._fields if getattr(before, name) != getattr(after, name))


def bots(lab: Lab, calendar_id: str) -> dict[str, list[list[str]]]:
    shown: dict[str, list[list[str]]] = {}
    for name, event in lab.events(calendar_id).items():
        for bot in event.bots:
            assert isinstance(bot, dict)
            shown.setdefault(name, []).append([str(bot[part]) for part in ("state", "join_at", "meeting_url")])
    return shown


def play(stage: Stage, step: dict[str, Any]) -> Activity:
    """Changes the cause, syncs, and sees to it that the effect is the recorded one."""
    lab = stage.lab
    for action in BEFORE[step["step"]]:
        action(stage)
    lab.forget_sent()
    lab.clock.at = max(lab.clock.at, sync_time(step))
    calendar, events = lab.calendar(stage.id), lab.events(stage.id)
    happened = lab.scheduler.sync_now(lab.project, stage.id)
    after = lab.calendar(stage.id)
    seen = [
        {
            "platform_uuid": name,
            "what": "created" if name not in events else "changed" if events[name] != event else "same",
            "fields_changed": changed(events[name], event) if name in events else [],
        }
        for name, event in sorted(lab.events(stage.id).items())
    ]
    wanted = step["calendar_changed"]
    assert seen == step["events"]
    assert set(changed(calendar, after)) - {"credentials"} == set(wanted)
    assert [sent.trigger for sent in lab.sent] == step["webhooks"]
    assert after.state == step["calendar_state_after"]
    assert shape(after.connection_failure_data) == shape(step["connection_failure_data_after"])
    assert bots(lab, stage.id) == step["bots_after"]
    if "last_successful_sync_at" in wanted:
        assert after.last_successful_sync_at == after.last_attempted_sync_at
    assert all(sent.data == frozen(after) for sent in lab.sent)
    return happened


def shape(failure: Any) -> Any:
    """Connection failure data without the time, which has to have the recorded form."""
    if failure is None:
        return None
    assert failure["timestamp"].endswith("+00:00")
    assert len(failure["timestamp"]) == len("2026-11-20T23:26:16.819757+00:00")
    return failure["error"]


def sync_time(step: dict[str, Any]) -> int:
    """When the recorded step began: a day after its window does."""
    text = json.dumps(step["task"]["result"])
    for mark in ("'time_window_start': '", "timeMin="):
        if mark in text:
            return instant(re.split("['&]", unquote(text.split(mark)[1]))[0]) + DAY
    return 0


def stages() -> list[list[dict[str, Any]]]:
    """The steps, cut where another calendar begins."""
    cuts = [
        at for at, step in enumerate(STEPS) if step["step"] in ("google-first-sync", "microsoft-first-sync", "first")
    ]
    return [STEPS[start:end] for start, end in zip(cuts, [*cuts[1:], len(STEPS)], strict=True)]


def test_every_recorded_step_is_played() -> None:
    assert [step["step"] for step in STEPS] == list(BEFORE)


@pytest.mark.parametrize("steps", stages(), ids=lambda steps: steps[0]["step"])
def test_each_step_has_the_recorded_effect(steps: list[dict[str, Any]]) -> None:
    stage = Stage(steps[0]["step"])
    for step in steps:
        happened = play(stage, step)
        state, result = step["task"]["state"], step["task"]["result"]
        if state == "FAILURE":
            assert (happened.outcome, happened.detail["error"]) == ("failed", result), step["step"]
        elif result and result != "None":
            counts = ast.literal_eval(result)
            assert {name: happened.detail[name] for name in counts if name != "success"} == {
                name: count for name, count in counts.items() if name != "success"
            }, step["step"]


@pytest.mark.parametrize("platform", ["google", "microsoft"])
def test_events_are_mapped_as_recorded(platform: str) -> None:
    lab = Lab()
    calendar = lab.create(MICROSOFT if platform == "microsoft" else FIELDS)
    pairs = SYNC[f"{platform}_events_mapped"]
    for pair in pairs:
        lab.scheduler.edit(lab.project, calendar.id, Add(pair["remote"]))
    lab.scheduler.sync_now(lab.project, calendar.id)
    for pair in pairs:
        event = lab.events(calendar.id)[pair["local"]["platform_uuid"]]
        local = {name: getattr(event, name) for name in pair["local"]}
        local |= {name: render(local[name]) for name in ("start_time", "end_time")}
        assert json.dumps(local) == json.dumps({name: pair["local"][name] for name in local})
        assert event.created_at < event.updated_at
        assert event.id.startswith("evt_")


def test_the_rotated_refresh_token_of_microsoft_is_kept_and_google_rotates_none() -> None:
    lab = Lab()
    for fields, rotates in ((MICROSOFT, True), (FIELDS, False)):
        calendar = lab.create(fields)
        lab.scheduler.sync_now(lab.project, calendar.id)
        after = lab.calendar(calendar.id).credentials
        assert (after.refresh_token != "token") is rotates
        assert after.client_secret == "secret"


EARLIER = 26 * 3_600_000_000


@pytest.mark.parametrize("platform", ["google", "microsoft"])
@pytest.mark.parametrize(
    ("start", "length", "listed"),
    [
        (-DAY + 1_000_000, 0, True),
        (-DAY - 1_000_000, 0, False),
        (-DAY - EARLIER, EARLIER - 1_000_000, False),
        (-DAY - EARLIER, EARLIER + 1_000_000, True),
        (-3 * DAY, 4 * DAY, True),
        (-400 * DAY, 800 * DAY, True),
        (28 * DAY - 1_000_000, 0, True),
        (28 * DAY, 0, False),
        (29 * DAY, 5 * DAY, False),
    ],
)
def test_what_has_not_ended_when_the_window_begins_is_listed(
    platform: str, start: int, length: int, *, listed: bool
) -> None:
    lab = Lab()
    calendar = lab.create(MICROSOFT if platform == "microsoft" else FIELDS)
    lab.scheduler.edit(lab.project, calendar.id, Add(spanning("a", NOW + start, NOW + start + length)))
    detail = lab.scheduler.sync_now(lab.project, calendar.id).detail
    assert ("a" in lab.events(calendar.id)) is listed
    assert detail["total_remote_events"] == listed


def spanning(name: str, start: int, end: int) -> dict[str, Any]:
    return {"id": name, "start": {"dateTime": render(start)}, "end": {"dateTime": render(end)}}


@pytest.mark.parametrize(("length", "listed"), [(0, False), (1, True)])
def test_the_end_of_an_event_is_after_the_beginning_of_the_window(length: int, *, listed: bool) -> None:
    """Google's timeMin is exclusive, and is asked for to the microsecond."""
    lab = Lab()
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Add(spanning("a", NOW - DAY, NOW - DAY + length)))
    lab.scheduler.sync_now(lab.project, calendar.id)
    assert ("a" in lab.events(calendar.id)) is listed


def test_microsoft_is_asked_in_whole_seconds_and_an_event_beyond_them_is_looked_up() -> None:
    lab = Lab()
    calendar = lab.create(MICROSOFT)
    first, last = NOW - DAY - 700_000, NOW + 28 * DAY - 700_000
    lab.scheduler.edit(lab.project, calendar.id, Add(spanning("first", first, first)))
    lab.scheduler.edit(lab.project, calendar.id, Add(spanning("last", last, last)))
    lab.scheduler.sync_now(lab.project, calendar.id)
    assert list(lab.events(calendar.id)) == ["first"]
    lab.scheduler.edit(lab.project, calendar.id, Move("last", NOW))
    lab.scheduler.sync_now(lab.project, calendar.id)
    lab.scheduler.edit(lab.project, calendar.id, Move("last", last))
    detail = lab.scheduler.sync_now(lab.project, calendar.id).detail
    assert (detail["checked_individually_count"], detail["updated_count"]) == (1, 1)
    detail = lab.scheduler.sync_now(lab.project, calendar.id).detail
    assert (detail["checked_individually_count"], detail["total_remote_events"]) == (1, 2)


def test_an_event_that_began_before_the_window_follows_its_object_and_is_never_looked_up() -> None:
    lab = Lab()
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Add(spanning("a", NOW - 3 * DAY, NOW + DAY)))
    lab.scheduler.sync_now(lab.project, calendar.id)
    lab.scheduler.edit(lab.project, calendar.id, Change("a", {"summary": "Renamed"}))
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["updated_count"] == 1
    lab.scheduler.edit(lab.project, calendar.id, Vanish("a"))
    detail = lab.scheduler.sync_now(lab.project, calendar.id).detail
    assert (detail["deleted_count"], detail["checked_individually_count"]) == (0, 0)
    assert lab.events(calendar.id)["a"].is_deleted is False


@pytest.mark.parametrize("platform", ["google", "microsoft"])
def test_of_an_upstream_that_nobody_described_running_events_are_listed_too(platform: str) -> None:
    times = {
        "ended": ("now-3d", "now-25h"),
        "running": ("now-3d", "now+1h"),
        "short": ("now-25h", "now-23h"),
        "today": ("now", "now+1h"),
        "far": ("now+29d", "now+60d"),
    }
    events = [{"platform_uuid": name, "start_time": start, "end_time": end} for name, (start, end) in times.items()]
    calendar = {"id": "cal_aaaaaaaaaaaaaaaa", "platform": platform, "events": events}
    lab = Lab()
    lab.project = read_project({"name": "Lab", "api_keys": ["key"], "calendars": [calendar]}, NOW, "manual")
    lab.project.clock.set(NOW)
    lab.project.clock.freeze()
    detail = lab.scheduler.sync_now(lab.project, "cal_aaaaaaaaaaaaaaaa").detail
    counts = ("created_count", "updated_count", "deleted_count", "checked_individually_count")
    assert [detail[name] for name in counts] == [0, 0, 0, 0]
    assert (detail["total_remote_events"], detail["total_local_events"]) == (3, 1)
    lab.scheduler.edit(lab.project, "cal_aaaaaaaaaaaaaaaa", Change("running", {"note": 1}))
    detail = lab.scheduler.sync_now(lab.project, "cal_aaaaaaaaaaaaaaaa").detail
    assert (detail["updated_count"], detail["total_remote_events"]) == (1, 3)


LONG_TITLE = "value too long for type character varying(1024)"
LONG_LINK = "value too long for type character varying(2048)"
MEET = "https://meet.google.com/abc-defg-hij"


@pytest.mark.parametrize(
    ("platform", "members", "error"),
    [
        ("google", {"summary": "x" * 1025}, LONG_TITLE),
        ("google", {"iCalUID": "é" * 1025}, LONG_TITLE),
        ("google", {"location": f"{MEET}?{'x' * 2048}"}, LONG_LINK),
        ("google", {"summary": "x" * 1025, "location": f"{MEET}?{'x' * 2048}"}, LONG_LINK),
        ("google", {"summary": "x" * 1024 + " .", "status": "cancelled"}, LONG_TITLE),
        ("microsoft", {"subject": "x" * 1025}, LONG_TITLE),
        ("microsoft", {"iCalUId": "x" * 1025}, LONG_TITLE),
        ("microsoft", {"onlineMeetingUrl": f"{MEET}?{'x' * 2048}"}, LONG_LINK),
        ("microsoft", {"body": None}, "'NoneType' object has no attribute 'get'"),
    ],
)
def test_an_object_that_cannot_be_written_fails_the_whole_sync_and_the_next_recovers(
    platform: str, members: dict[str, Any], error: str
) -> None:
    lab = Lab()
    calendar = lab.create(MICROSOFT if platform == "microsoft" else FIELDS)
    for name in ("kept", "gone", "odd"):
        lab.scheduler.edit(lab.project, calendar.id, Add(spanning(name, NOW, NOW + DAY)))
    lab.scheduler.sync_now(lab.project, calendar.id)
    before, events = lab.calendar(calendar.id), lab.events(calendar.id)
    lab.forget_sent()
    lab.scheduler.edit(lab.project, calendar.id, Add(spanning("new", NOW - DAY, NOW)))
    lab.scheduler.edit(lab.project, calendar.id, Change("kept", {"note": 1}))
    lab.scheduler.edit(lab.project, calendar.id, Vanish("gone"))
    lab.scheduler.edit(lab.project, calendar.id, Change("odd", members))
    lab.clock.advance(DAY // 2)
    happened = lab.scheduler.sync_now(lab.project, calendar.id)
    assert (happened.outcome, happened.detail["error"], happened.detail["webhook"]) == ("failed", error, None)
    after = lab.calendar(calendar.id)
    assert set(changed(before, after)) - {"credentials"} == {"last_attempted_sync_at", "updated_at"}
    assert (lab.events(calendar.id), lab.sent) == (events, [])
    lab.scheduler.edit(lab.project, calendar.id, Change("odd", {"note": 1}, tuple(members)))
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["updated_count"] == 2
    assert {name: event.is_deleted for name, event in lab.events(calendar.id).items()} == {
        "kept": False,
        "gone": True,
        "odd": False,
        "new": False,
    }
    assert [sent.trigger for sent in lab.sent] == ["calendar.events_update"]


def test_texts_that_just_fit_are_written_and_blanks_beyond_are_dropped() -> None:
    lab = Lab()
    calendar = lab.create()
    link = f"{MEET}?{'x' * 2011}"
    assert len(link) == 2048
    members = {"summary": "x" * 1024 + "  ", "iCalUID": "😀" * 1024, "location": link}
    lab.scheduler.edit(lab.project, calendar.id, Add({**spanning("a", NOW, NOW), **members}))
    assert lab.scheduler.sync_now(lab.project, calendar.id).outcome == "synced"
    event = lab.events(calendar.id)["a"]
    assert (event.name, event.ical_uid, event.meeting_url) == ("x" * 1024, "😀" * 1024, link)
    assert isinstance(event.raw, dict)
    assert event.raw["summary"] == "x" * 1024 + "  "
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["updated_count"] == 0


def test_an_event_is_found_when_the_window_has_slid_over_it() -> None:
    lab = Lab()
    calendar = lab.create()
    start = render(NOW + 30 * DAY)
    lab.scheduler.edit(
        lab.project, calendar.id, Add({"id": "a", "start": {"dateTime": start}, "end": {"dateTime": start}})
    )
    lab.scheduler.sync_now(lab.project, calendar.id)
    assert not lab.events(calendar.id)
    lab.clock.advance(3 * DAY)
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["created_count"] == 1


def test_a_time_that_stands_still_moves_every_stamp() -> None:
    lab = Lab()
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Add(GOOGLE["g1"]))
    stamps = []
    for number in range(3):
        lab.scheduler.edit(lab.project, calendar.id, Change("g1", {"sequence": number}))
        lab.scheduler.sync_now(lab.project, calendar.id)
        event, after = lab.events(calendar.id)["g1"], lab.calendar(calendar.id)
        stamps += [event.updated_at, after.last_attempted_sync_at or 0, after.updated_at]
    assert stamps == sorted(set(stamps))
