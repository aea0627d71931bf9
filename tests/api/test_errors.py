"""Every rule of the domain that says no has its response, in the service's words."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from mockserver.api import errors
from mockserver.api.errors import FieldError
from mockserver.domain.bot_service import (
    BotKeyTaken,
    BotNotFound,
    CredentialsMissing,
    EventNotFound,
    UnreadableBotId,
)
from mockserver.domain.calendar_service import CalendarNotFound, DuplicateDeduplicationKey
from mockserver.domain.pagination import InvalidCursor

TAKEN = "A calendar with this deduplication key already exists in this project."


@pytest.mark.parametrize(
    ("problem", "status", "body"),
    [
        (CalendarNotFound(), 404, {"error": "Calendar not found"}),
        (InvalidCursor(), 404, {"detail": "Invalid cursor"}),
        (DuplicateDeduplicationKey(), 400, {"deduplication_key": [TAKEN]}),
        (BotNotFound(), 404, {"error": "Bot not found"}),
        (UnreadableBotId(), 400, {"error": "Null characters are not allowed in object_id."}),
        (EventNotFound("evt_1"), 400, {"error": "Calendar event with id evt_1 does not exist in this project."}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_the_domain_refuses_has_the_services_response(problem: Exception, status: int, body: Any) -> None:
    error = errors.from_domain(problem, "creating")
    assert (error.status, error.body) == (status, body)
    assert error.reason


def test_a_bots_key_that_is_taken_says_what_to_do() -> None:
    error = errors.from_domain(BotKeyTaken(), "creating")
    assert error.status == 400
    assert error.body["error"].startswith("Deduplication key already in use.")
    assert error.body["error"].endswith("Please use a different deduplication key or wait for that bot to terminate.")


@pytest.mark.parametrize("needed", ["zoom", "external media storage"])
def test_missing_credentials_name_the_page_where_they_are_added(needed: Any) -> None:
    error = errors.from_domain(CredentialsMissing(needed, "proj_1"), "creating")
    assert error.status == 400
    assert "https://app.attendee.dev/projects/proj_1/credentials" in error.body["error"]
    assert needed in error.body["error"].lower()


def test_an_error_that_is_not_the_domains_is_raised_again() -> None:
    with pytest.raises(ZeroDivisionError):
        errors.from_domain(ZeroDivisionError(), "reading")


@pytest.mark.parametrize("make", [errors.missing_authorization, errors.malformed_authorization, errors.unknown_key])
def test_every_401_names_the_scheme(make: Any) -> None:
    error = make()
    assert (error.status, error.headers) == (401, {"WWW-Authenticate": "Token"})


@pytest.mark.parametrize(("seconds", "text"), [(1, "1 second."), (2, "2 seconds."), (59, "59 seconds.")])
def test_a_throttled_client_learns_when_to_come_back(seconds: int, text: str) -> None:
    error = errors.throttled(seconds)
    assert (error.status, error.headers) == (429, {"Retry-After": str(seconds)})
    assert error.body == {"detail": f"Request was throttled. Expected available in {text}"}


def test_every_field_has_its_messages_and_the_reason_names_rules_alone() -> None:
    error = errors.invalid_fields({"platform": [FieldError('"x" is not a valid choice.', "not one of the choices")]})
    assert (error.status, error.body) == (400, {"platform": ['"x" is not a valid choice.']})
    assert error.reason == "platform: not one of the choices"


def test_no_error_puts_what_the_client_sent_into_its_reason() -> None:
    sent = "s3cret-of-a-client"
    one_text = [
        make
        for name, make in inspect.getmembers(errors, inspect.isfunction)
        if not name.startswith("_") and [p.annotation for p in inspect.signature(make).parameters.values()] == ["str"]
    ]
    values = {errors.method_not_allowed, errors.unsupported_media_type, errors.malformed_json}
    assert values <= set(one_text)
    assert not [make.__name__ for make in values if sent in make(sent).reason]
