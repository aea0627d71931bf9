"""A sync does what the real service was recorded to do, step by step."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from mockserver.domain.happenings import Happening
from mockserver.domain.model import Calendar, CalendarEvent, Failure
from mockserver.domain.sync import DAY
from mockserver.domain.timestamps import render
from mockserver.domain.upstream import Add, Cancel, Change, Move, Vanish
from tests.domain.worlds import FIELDS, MICROSOFT, NOW, RECORDED, Lab, instant

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
            self.lab.world.edit(self.lab.project, self.id, edit)

    def fail(self, name: str) -> None:
        self.lab.world.fail(self.lab.project, self.id, Failure(name))

    def heal(self) -> None:
        self.lab.world.heal(self.lab.project, self.id)

    def bot(self, name: str = "g1") -> None:
        self.lab.add_bot(self.lab.events(self.id)[name])

    def sync(self) -> None:
        self.lab.world.sync_now(self.lab.project, self.id)

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


def play(stage: Stage, step: dict[str, Any]) -> Happening:
    """Changes the cause, syncs, and sees to it that the effect is the recorded one."""
    lab = stage.lab
    for action in BEFORE[step["step"]]:
        action(stage)
    lab.sent.clear()
    lab.clock.at = max(lab.clock.at, sync_time(step))
    calendar, events = lab.calendar(stage.id), lab.events(stage.id)
    happened = lab.world.sync_now(lab.project, stage.id)
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
    assert all(sent.calendar == after for sent in lab.sent)
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
        lab.world.edit(lab.project, calendar.id, Add(pair["remote"]))
    lab.world.sync_now(lab.project, calendar.id)
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
        lab.world.sync_now(lab.project, calendar.id)
        after = lab.calendar(calendar.id).credentials
        assert (after.refresh_token != "token") is rotates
        assert after.client_secret == "secret"


@pytest.mark.parametrize(
    ("offset", "inside"), [(-DAY - 1, False), (-DAY, True), (28 * DAY - 1, True), (28 * DAY, False)]
)
def test_the_window_has_its_beginning_and_not_its_end(offset: int, *, inside: bool) -> None:
    lab = Lab()
    calendar = lab.create()
    start = render(NOW + offset)
    lab.world.edit(lab.project, calendar.id, Add({"id": "a", "start": {"dateTime": start}, "end": {"dateTime": start}}))
    lab.world.sync_now(lab.project, calendar.id)
    assert ("a" in lab.events(calendar.id)) is inside


def test_an_event_is_found_when_the_window_has_slid_over_it() -> None:
    lab = Lab()
    calendar = lab.create()
    start = render(NOW + 30 * DAY)
    lab.world.edit(lab.project, calendar.id, Add({"id": "a", "start": {"dateTime": start}, "end": {"dateTime": start}}))
    lab.world.sync_now(lab.project, calendar.id)
    assert not lab.events(calendar.id)
    lab.clock.advance(3 * DAY)
    assert lab.world.sync_now(lab.project, calendar.id).detail["created_count"] == 1


def test_a_time_that_stands_still_moves_every_stamp() -> None:
    lab = Lab()
    calendar = lab.create()
    lab.world.edit(lab.project, calendar.id, Add(GOOGLE["g1"]))
    stamps = []
    for number in range(3):
        lab.world.edit(lab.project, calendar.id, Change("g1", {"sequence": number}))
        lab.world.sync_now(lab.project, calendar.id)
        event, after = lab.events(calendar.id)["g1"], lab.calendar(calendar.id)
        stamps += [event.updated_at, after.last_attempted_sync_at or 0, after.updated_at]
    assert stamps == sorted(set(stamps))
