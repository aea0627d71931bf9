"""The body of a calendar that a run creates, and the id that the answer gives it."""

from __future__ import annotations

import pytest

from mockserver.conformance.calendar_bodies import calendar_body, created_id, marked
from tests.conformance.fakes import FakeTarget, exchange

TARGET = FakeTarget(lambda request: (200, {}))


def test_a_body_has_what_is_required_fresh_credentials_and_the_mark_of_the_run() -> None:
    assert calendar_body(TARGET) == {
        "platform": "google",
        "client_id": "conformance.invalid",
        "client_secret": "fresh-client_secret",
        "refresh_token": "fresh-refresh_token",
        "metadata": {"conformance_run": TARGET.tag()},
    }


def test_later_layers_lie_over_earlier_ones() -> None:
    body = calendar_body(TARGET, {"client_id": "one", "platform_uuid": "1"}, {"client_id": "two"})
    assert (body["client_id"], body["platform_uuid"]) == ("two", "1")


def test_a_tag_and_credentials_that_are_given_are_used() -> None:
    body = calendar_body(TARGET, tag="mine", credentials=("secret", "token"))
    assert (body["client_secret"], body["refresh_token"]) == ("secret", "token")
    assert body["metadata"] == marked("mine")["metadata"]


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (201, {"id": "cal_1"}, "cal_1"),
        (200, {"id": "cal_1"}, None),
        (201, {"id": 1}, None),
        (201, {}, None),
        (201, ["id"], None),
    ],
)
def test_only_a_201_with_an_id_says_that_a_calendar_was_created(
    status: int, document: object, expected: str | None
) -> None:
    assert created_id(exchange(1, "POST", "/api/v1/calendars", status, document)) == expected


def test_other_statuses_count_where_they_are_named() -> None:
    assert created_id(exchange(1, "POST", "/api/v1/calendars", 200, {"id": "cal_1"}), (200, 201)) == "cal_1"
