"""A fault with a status replaces a response by the error or the page that has this status in the service."""

from __future__ import annotations

import pytest

from mockserver.api.fault import STATUSES, InjectedFault, page, replacement

PAGES = (500, 502, 503, 504)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_an_error_that_names_the_fault_for_the_log(status: int) -> None:
    error = replacement(InjectedFault("mine", "error", status=status), "listCalendars")
    assert (error.status, error.reason) == (status, "fault mine: error")


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("getCalendar", {"error": "Calendar not found"}),
        ("deleteCalendar", {"error": "Calendar not found"}),
        ("getBot", {"error": "Bot not found"}),
        ("listCalendars", {"detail": "Not found."}),
        (None, {"detail": "Not found."}),
    ],
)
def test_a_404_has_the_body_that_the_operation_gives(operation: str | None, body: dict[str, str]) -> None:
    assert replacement(InjectedFault("f", "error", status=404), operation).body == body


def test_a_throttled_response_says_when_to_come_back() -> None:
    error = replacement(InjectedFault("f", "throttled", status=429, retry_after=7), "createCalendar")
    assert error.headers == {"Retry-After": "7"}


@pytest.mark.parametrize("status", STATUSES)
def test_only_what_breaks_a_server_has_a_page(status: int) -> None:
    html = page(status)
    assert (html is not None) == (status in PAGES)
    assert html is None or html.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("fault", "replaces"),
    [
        (InjectedFault("f", "error", status=503), True),
        (InjectedFault("f", "reset"), True),
        (InjectedFault("f", "slow", 2.0), False),
        (InjectedFault("f", "truncated"), False),
    ],
    ids=lambda value: value.kind if isinstance(value, InjectedFault) else None,
)
def test_a_fault_with_a_status_and_a_reset_hide_the_operations_own_response(
    fault: InjectedFault, replaces: bool
) -> None:
    assert fault.replaces is replaces
