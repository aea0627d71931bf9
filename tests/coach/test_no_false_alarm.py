"""What looks like a mistake and is none gets no remark."""

from __future__ import annotations

import pytest

from mockserver.coach import remarks
from tests.coach.entries import Written, event

ADA = {"id": "cal_a", "deduplication_key": "ada", "state": "connected"}


def rules(written: Written) -> list[str]:
    return [one.rule for one in remarks(written.entries)]


def test_an_empty_journal_gets_no_remark() -> None:
    assert not remarks([])


def test_a_walk_that_broke_off_and_was_made_again_is_whole() -> None:
    broken = Written().page(0, "2", event(1)).call("GET", "calendar_events", 1, status=503, cursor="2")
    assert rules(broken) == ["first-page-only"]
    again = broken.page(5, "2", event(1)).page(6, None, event(2), cursor="2")
    assert not rules(again)


def test_a_page_that_was_read_again_changes_nothing() -> None:
    walk = Written().page(0, "2", event(1)).page(1, "3", event(2), cursor="2").page(2, "3", event(2), cursor="2")
    assert not rules(walk.page(3, None, event(3), cursor="3"))


def test_a_walk_from_the_newest_row_may_end_where_it_knows_the_rows() -> None:
    walk = Written().page(0, None, event(1), event(2), ordering="-updated_at")
    assert not rules(walk.page(9, "2", event(3, 5), event(2), ordering="-updated_at"))
    assert rules(walk.page(19, "2", event(4, 15), ordering="-updated_at")) == ["first-page-only"]


def test_the_first_page_that_the_journal_has_lost_is_not_missed() -> None:
    assert not rules(Written().page(0, None, event(9), cursor="9"))


@pytest.mark.parametrize("watermark", ["2027-01-15T07:59:00Z", "2027-01-15T08:00:30+00:00", "2027-01-15", "soon"])
def test_a_watermark_from_the_rows_or_from_before_the_walk_is_right(watermark: str) -> None:
    walk = Written().page(5, "2", event(1)).page(40, None, event(2, at=30), cursor="2")
    assert not rules(walk.page(60, None, updated_at_gte=watermark))


def test_a_page_that_the_journal_cut_off_still_shows_its_link_and_its_first_rows() -> None:
    walk = Written().page(5, "2", event(1), event(2, 30), cut=330)
    assert rules(walk) == ["first-page-only"]
    walk.page(40, None, event(3), cursor="2")
    assert not rules(walk.page(60, None, updated_at_gte="2027-01-15T08:00:39Z"))
    assert rules(walk.page(70, None, updated_at_gte="2027-01-15T08:01:05Z")) == ["watermark-late"]


def test_a_receiver_alone_need_not_list_events() -> None:
    assert not rules(Written().webhook(0))


def test_a_client_that_reads_while_the_service_waits_for_its_answer_has_read() -> None:
    during = Written().page(0, None, event(1)).page(9.5, None, event(1, 9)).webhook(10, seconds=1)
    assert not rules(during)


def test_a_list_of_all_calendars_or_by_key_follows_a_webhook_too() -> None:
    by_key = Written().call("GET", "calendars/cal_a", 0, answer=ADA).webhook(1)
    assert not rules(by_key.page(2, None, calendar_deduplication_key="ada"))
    other = Written().webhook(1).page(2, None, calendar_id="cal_b")
    assert rules(other) == ["webhook-not-followed"]


def test_polling_now_and_then_is_a_fallback() -> None:
    written = Written()
    for hour in range(30):
        written.page(hour * 3600, None, event(1))
    assert not rules(written)


def test_one_quick_retry_after_a_5xx_and_a_retry_on_a_frozen_clock_are_harmless() -> None:
    once = Written().call("GET", "calendars", 0, status=503).call("GET", "calendars", 0.01, status=503)
    assert not rules(once.call("GET", "calendars", 2))
    frozen = Written()
    for _ in range(4):
        frozen.call("GET", "calendars", 0, status=429, headers=[("Retry-After", "9")])
    assert not rules(frozen.call("GET", "calendars", 0))


def test_a_429_must_be_waited_for_as_long_as_it_says() -> None:
    limited = Written().call("GET", "calendars", 0, status=429, headers=[("Retry-After", "9")])
    assert rules(limited.call("GET", "calendars", 8)) == ["retried-at-once"]
    limited = Written().call("GET", "calendars", 0, status=429, headers=[("Retry-After", "9")])
    assert not rules(limited.call("GET", "calendars", 9.01))


def test_an_outage_of_hours_is_no_endless_retry() -> None:
    written = Written()
    for hour in range(20):
        written.call("GET", "calendars", hour * 3600, status=503)
    assert not rules(written)


def test_a_post_that_finds_the_key_in_use_and_a_patch_after_it_reconnect() -> None:
    lost = {**ADA, "state": "disconnected"}
    written = Written().call("GET", "calendars/cal_a", 0, answer=lost)
    written.call("POST", "calendars", 1, status=400, sent={"deduplication_key": "ada"}, answer={})
    assert rules(written) == ["post-to-reconnect"]
    assert not rules(written.call("PATCH", "calendars/cal_a", 2, answer=ADA))


def test_another_account_may_be_connected_while_one_is_disconnected() -> None:
    written = Written().call("POST", "calendars", 0, status=201, sent={"client_id": "app"}, answer={"id": "cal_a"})
    written.webhook(1, trigger="calendar.state_change", state="disconnected")
    assert not rules(written.call("POST", "calendars", 2, status=201, sent={"client_id": "app"}, answer={}))


def test_a_calendar_without_a_key_is_known_by_its_metadata() -> None:
    sent = {"client_id": "app", "platform": "google", "metadata": {"user": 1}}
    written = Written().call("POST", "calendars", 0, status=201, sent=sent, answer={"id": "cal_a"})
    written.webhook(1, trigger="calendar.state_change", state="disconnected")
    written.call("POST", "calendars", 2, status=201, sent=sent, answer={"id": "cal_b"})
    assert rules(written) == ["post-to-reconnect"]


def test_a_second_bot_is_right_once_the_first_is_gone() -> None:
    sent = {"calendar_event_id": "evt_00000001"}

    def schedule(written: Written, at: float) -> Written:
        return written.call("POST", "bots", at, status=201, sent=sent, answer={"id": f"bot_{at}"})

    assert rules(schedule(schedule(Written(), 1), 2)) == ["two-bots"]
    assert not rules(schedule(schedule(Written(), 1).call("DELETE", "bots/bot_1", 1.5), 2))
    assert not rules(schedule(schedule(Written(), 1).page(1.5, None, event(1, bots=[])), 2))
    disconnected = schedule(Written(), 1).webhook(1.5, trigger="calendar.state_change", state="disconnected")
    assert not rules(schedule(disconnected, 2))
    at_a_time = {"meeting_url": "https://meet.google.com/abc-defg-hij", "join_at": "2027-01-15T10:00:00Z"}
    twice = Written().call("POST", "bots", 1, status=201, sent=at_a_time, answer={"id": "a"})
    assert rules(twice.call("POST", "bots", 2, status=201, sent=at_a_time, answer={"id": "b"})) == ["two-bots"]


def test_an_event_that_came_back_may_have_a_bot() -> None:
    gone = Written().page(1, None, event(1, is_deleted=True)).page(2, None, event(1))
    sent = {"calendar_event_id": "evt_00000001"}
    assert not rules(gone.call("POST", "bots", 3, status=201, sent=sent, answer={"id": "bot_1"}))


def test_an_id_that_is_merely_unknown_is_not_parsed() -> None:
    known = Written().call("GET", "calendars/cal_abcdef123456", 0, answer={"id": "cal_abcdef123456"})
    assert not rules(known.call("GET", "calendars/cal_zzzzzz999999", 1, status=404))
    assert rules(known.call("GET", "calendars/CAL_ABCDEF123456", 1, status=404)) == ["id-parsed"]


def test_a_webhook_that_was_lost_long_ago_and_never_asked_about_needs_a_fallback() -> None:
    lost = Written().page(0, None, event(1))
    for attempt in (1, 2, 3):
        lost.webhook(attempt, status=500, attempt=attempt)
    assert not rules(lost)
    lost.page(7200, None, calendar_id="cal_b")
    assert rules(lost) == ["no-fallback"]
    assert not rules(lost.page(7201, None, calendar_id="cal_a"))


def test_a_rule_can_be_left_out_and_the_same_mistake_twice_is_one_remark() -> None:
    walk = Written().page(0, "2", event(1), calendar_id="cal_a").page(1, "3", event(2), calendar_id="cal_b")
    (found,) = remarks(walk.entries)
    assert found.exchanges == (1, 2)
    assert "1 more time." in found.what
    assert not remarks(walk.entries, skip=["first-page-only"])
