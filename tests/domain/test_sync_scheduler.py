"""When calendars are synced, and when they are not."""

from __future__ import annotations

import pytest

from mockserver.domain.activity import Activity
from mockserver.domain.calendar_service import CalendarNotFound, DuplicateDeduplicationKey
from mockserver.domain.calendar_sync import DAY
from mockserver.domain.deliveries import frozen
from mockserver.domain.model import Failure, Micros
from mockserver.domain.sync_scheduler import MINUTE, MOST_WAITING, RETRIES, SCHEDULER, next_sync
from mockserver.domain.timestamps import SECOND, render
from mockserver.domain.upstream import Create
from tests.domain.lab import FIELDS, MICROSOFT, NOW, RECORDED, Lab

FULL_MINUTE = (NOW // MINUTE + 1) * MINUTE


def causes(happened: list[Activity]) -> list[tuple[object, str]]:
    """Why each sync was, and what came of it."""
    return [(one.detail["cause"], one.outcome) for one in happened if one.what == "sync"]


def waiting(lab: Lab) -> list[tuple[Micros, str]]:
    return [(task.due, task.cause) for task in lab.project.task_queue.tasks() if task.subject != SCHEDULER]


def test_what_puts_a_calendar_down_for_a_sync_is_what_was_recorded() -> None:
    recorded = RECORDED["sync"]["enqueued_by"]
    lab = Lab("auto")
    calendar = lab.create({**FIELDS, "deduplication_key": "k"})
    assert len(waiting(lab)) == len(recorded["POST calendars (accepted)"])
    with pytest.raises(DuplicateDeduplicationKey):
        lab.create({**FIELDS, "deduplication_key": "k"})
    assert len(waiting(lab)) == 1 + len(recorded["POST calendars (refused)"])
    lab.service.update_calendar(lab.project, calendar.id, {})
    lab.service.update_calendar(lab.project, calendar.id, {"metadata": {"a": "b"}})
    assert len(waiting(lab)) == 1 + len(recorded["PATCH {}"]) + len(recorded["PATCH metadata"])
    lab.service.get_calendar(lab.project, calendar.id)
    lab.service.delete_calendar(lab.project, calendar.id)
    assert waiting(lab) == [(NOW, "create"), (NOW, "patch"), (NOW, "patch")]


def test_each_of_them_syncs_at_once_and_then_every_day() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    assert causes(lab.settle()) == [("create", "synced")]
    lab.clock.advance(5 * SECOND)
    lab.service.update_calendar(lab.project, calendar.id, {})
    assert causes(lab.settle()) == [("patch", "synced")]
    assert causes(lab.advance(NOW + 5 * SECOND + DAY - 1)) == []
    assert causes(lab.advance(NOW + 5 * SECOND + DAY)) == [("24 h", "synced")]
    assert causes(lab.advance(NOW + 5 * SECOND + 4 * DAY)) == [("24 h", "synced")] * 3


def test_with_manual_nothing_happens_but_on_demand() -> None:
    lab = Lab("manual")
    calendar = lab.create()
    lab.service.update_calendar(lab.project, calendar.id, {})
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    assert lab.advance(NOW + 3 * DAY) == []
    lab.clock.at = NOW
    lab.scheduler.fail(lab.project, calendar.id, Failure("outage", for_next=1))
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["retry_at"] is None
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["created_count"] == 1
    assert all(task.kind == "deliver" for task in lab.project.task_queue.tasks())


def test_the_calendars_of_the_fixtures_are_synced_a_day_after_the_start_and_only_the_connected_ones() -> None:
    lab = Lab("auto")
    one, other = lab.create(), lab.create()
    lab.project.state.replace_calendar(other._replace(state="disconnected"))
    lab.project.baseline = lab.project.state.copy()
    lab.project.reset()
    lab.scheduler.rearm(lab.project)
    happened = lab.advance(NOW + 3 * DAY)
    assert [(event.at, event.subject) for event in happened if event.what == "sync"] == [
        (NOW + number * DAY, one.id) for number in (1, 2, 3)
    ]


def test_arming_twice_is_arming_once() -> None:
    lab = Lab("auto")
    lab.scheduler.rearm(lab.project)
    lab.scheduler.rearm(lab.project)
    assert [task.subject for task in lab.project.task_queue.tasks()] == [SCHEDULER]
    lab.project.sync = "manual"
    assert [event.outcome for event in lab.advance(NOW + 3 * DAY)] == ["daily check"]
    lab.scheduler.rearm(lab.project)
    assert len(lab.project.task_queue) == 0


def test_what_waits_for_the_full_minute_still_does_after_a_restore() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.settle()
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    lab.project.baseline = lab.project.state.copy()
    lab.project.reset()
    lab.scheduler.rearm(lab.project)
    lab.scheduler.rearm(lab.project)
    assert causes(lab.advance(FULL_MINUTE)) == [("upstream change", "synced")]


def test_edits_of_one_minute_are_one_sync_on_the_next() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.settle()
    for number in range(3):
        lab.scheduler.edit(lab.project, calendar.id, Create(NOW + number, NOW + number))
        lab.clock.advance(SECOND)
    assert waiting(lab) == [(FULL_MINUTE, "upstream change")]
    assert FULL_MINUTE - NOW <= MINUTE
    lab.forget_sent()
    (happened,) = lab.advance(FULL_MINUTE)
    assert (happened.at, happened.detail["created_count"]) == (FULL_MINUTE, 3)
    assert [sent.trigger for sent in lab.sent] == ["calendar.events_update"]


def test_a_sync_that_comes_before_the_full_minute_is_the_one_that_an_edit_gets() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.settle()
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    lab.service.update_calendar(lab.project, calendar.id, {})
    assert causes(lab.advance(FULL_MINUTE)) == [("patch", "synced"), ("upstream change", "not needed")]
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    assert causes(lab.advance(FULL_MINUTE + MINUTE)) == [("upstream change", "synced")]


def test_a_disconnected_calendar_is_synced_by_a_patch_alone() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.scheduler.fail(lab.project, calendar.id, Failure("revoked"))
    assert causes(lab.settle()) == [("create", "disconnected")]
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    assert causes(lab.advance(NOW + DAY - MINUTE)) == [("upstream change", "not needed")]
    lab.service.update_calendar(lab.project, calendar.id, {"refresh_token": "new"})
    lab.forget_sent()
    assert causes(lab.settle()) == [("patch", "synced")]
    assert lab.calendar(calendar.id).connection_failure_data is None
    assert [sent.trigger for sent in lab.sent] == ["calendar.events_update"]


def test_reconnecting_sends_nothing_and_the_days_begin_again() -> None:
    lab = Lab("auto")
    calendar = lab.create(MICROSOFT)
    lab.scheduler.fail(lab.project, calendar.id, Failure("revoked"))
    lab.advance(NOW + 2 * DAY)
    lab.forget_sent()
    lab.service.update_calendar(lab.project, calendar.id, {"refresh_token": "new"})
    at = lab.clock.now()
    assert causes(lab.advance(at + DAY)) == [("patch", "synced"), ("24 h", "synced")]
    assert lab.calendar(calendar.id).state == "connected"
    assert lab.sent == []


@pytest.mark.parametrize(
    ("failure", "changes", "connects"),
    [
        ("revoked", {"refresh_token": "new"}, True),
        ("revoked", {"refresh_token": "token"}, False),
        ("revoked", {"client_secret": "new"}, False),
        ("no_credentials", {"refresh_token": "new"}, True),
        ("invalid_client", {"client_secret": "new"}, True),
        ("invalid_client", {"refresh_token": "new"}, False),
        ("permission_denied", {"refresh_token": "new", "client_secret": "new"}, False),
    ],
)
def test_the_credentials_decide(failure: str, changes: dict[str, str], *, connects: bool) -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.scheduler.fail(lab.project, calendar.id, Failure(failure))
    lab.settle()
    lab.service.update_calendar(lab.project, calendar.id, changes)  # type: ignore[arg-type]
    (happened,) = lab.settle()
    assert (happened.outcome == "synced") is connects
    lab.scheduler.heal(lab.project, calendar.id)
    assert lab.scheduler.sync_now(lab.project, calendar.id).outcome == "synced"


def test_a_failed_sync_is_tried_again_six_times_each_after_a_random_time_of_its_own() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.scheduler.fail(lab.project, calendar.id, Failure("outage"))
    happened = lab.advance(NOW + DAY - 1)
    assert causes(happened) == [("create", "failed")] + [("retry", "failed")] * RETRIES
    times = [event.at for event in happened]
    assert [event.detail["retry_at"] for event in happened] == [*map(render, times[1:]), None]
    waits = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert all(0 <= wait <= SECOND << number and wait % SECOND == 0 for number, wait in enumerate(waits))
    assert lab.sent == []
    calendar = lab.calendar(calendar.id)
    assert calendar.state == "connected"
    assert calendar.last_attempted_sync_at == times[-1]


def test_the_same_seed_waits_as_long() -> None:
    runs = []
    for _ in range(2):
        lab = Lab("auto")
        lab.scheduler.fail(lab.project, lab.create().id, Failure("unreachable"))
        runs.append(lab.advance(NOW + DAY - 1))
    assert runs[0] == runs[1]


def test_an_outage_of_some_syncs_is_over_by_itself() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.scheduler.fail(lab.project, calendar.id, Failure("outage", for_next=2))
    assert [outcome for _, outcome in causes(lab.advance(NOW + MINUTE))] == ["failed", "failed", "synced"]


def test_a_revoked_token_for_one_sync_disconnects_once() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.scheduler.fail(lab.project, calendar.id, Failure("revoked", for_next=1))
    lab.service.update_calendar(lab.project, calendar.id, {})
    assert [outcome for _, outcome in causes(lab.settle())] == ["disconnected", "synced"]


def test_a_slow_sync_ends_when_the_answer_is_there() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    lab.scheduler.fail(lab.project, calendar.id, Failure("slow", seconds=7))
    (began, ended) = lab.advance(NOW + 7 * SECOND)
    assert (began.outcome, began.detail["until"]) == ("waiting", render(NOW + 7 * SECOND))
    assert (ended.at, ended.outcome, ended.detail["cause"]) == (NOW + 7 * SECOND, "synced", "create")
    assert lab.calendar(calendar.id).last_successful_sync_at == NOW + 7 * SECOND + 2


def test_too_slow_is_unreachable() -> None:
    lab = Lab("manual")
    calendar = lab.create()
    lab.scheduler.fail(lab.project, calendar.id, Failure("slow", seconds=60))
    assert lab.scheduler.sync_now(lab.project, calendar.id).outcome == "waiting"
    (ended,) = lab.advance(NOW + 60 * SECOND)
    assert (ended.at, ended.outcome) == (NOW + 25 * SECOND, "failed")


def test_a_sync_of_a_calendar_that_is_gone_says_so_and_does_nothing() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.service.delete_calendar(lab.project, calendar.id)
    assert causes(lab.settle()) == [("create", "gone")]
    assert lab.sent == []
    for action in (lab.scheduler.heal, lab.scheduler.sync_now):
        with pytest.raises(CalendarNotFound):
            action(lab.project, calendar.id)
    with pytest.raises(CalendarNotFound):
        lab.scheduler.fail(lab.project, calendar.id, Failure("revoked"))
    with pytest.raises(CalendarNotFound):
        lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))


def test_the_agenda_stays_small_when_nobody_works_on_it() -> None:
    lab = Lab("auto")
    kept = lab.create()
    for _ in range(3 * MOST_WAITING):
        lab.service.update_calendar(lab.project, kept.id, {})
    for _ in range(500):
        lab.service.delete_calendar(lab.project, lab.create().id)
    assert len(lab.project.task_queue) < 200
    assert len([cause for _, cause in waiting(lab) if cause == "patch"]) == MOST_WAITING - 1


def test_a_webhook_is_asked_for_after_the_state_is_written() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    lab.settle()
    (sent,) = lab.sent
    assert sent.trigger == "calendar.events_update"
    assert sent.data == frozen(lab.calendar(calendar.id))


def test_many_calendars_are_looked_round_in_the_order_in_which_they_were_synced() -> None:
    lab = Lab("auto")
    made = []
    for _ in range(30):
        made.append(lab.create().id)
        lab.settle()
        lab.clock.advance(SECOND)
    synced = [event for event in lab.advance(NOW + DAY + MINUTE) if event.what == "sync"]
    assert [event.subject for event in synced] == made
    assert [event.at for event in synced] == [NOW + DAY + number * SECOND for number in range(30)]


def test_a_sync_that_will_find_nothing_to_do_is_not_promised() -> None:
    lab = Lab("auto")
    calendar = lab.create()
    lab.settle()
    assert next_sync(lab.project, calendar.id) is None
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW + DAY, NOW + DAY, "Talk"))
    assert next_sync(lab.project, calendar.id) is not None
    lab.scheduler.sync_now(lab.project, calendar.id)
    assert next_sync(lab.project, calendar.id) is None
