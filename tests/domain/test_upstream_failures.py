"""Every failure of both platforms, and the service's own words about it."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.domain.model import Failure, Platform
from mockserver.domain.upstream_failures import case_of, checked, names
from mockserver.domain.upstream_schema import BadInput
from tests.domain.lab import FIELDS, MICROSOFT, RECORDED, Lab

GOOGLE_TEXTS = {
    "revoked": "{'error': 'invalid_grant', 'error_description': 'Token has been expired or revoked.'}",
    "invalid_client": "{'error': 'invalid_client', 'error_description': 'The OAuth client was not found.'}",
    "deleted_client": "{'error': 'deleted_client', 'error_description': 'The OAuth client was deleted.'}",
    "permission_denied": "{'error': {'code': 403, 'message': 'The caller does not have permission', "
    "'status': 'PERMISSION_DENIED'}}",
    "insufficient_scope": "{'error': {'code': 403, 'message': 'Request had insufficient authentication scopes.', "
    "'status': 'PERMISSION_DENIED', 'details': [{'@type': 'type.googleapis.com/google.rpc.ErrorInfo', "
    "'reason': 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'domain': 'googleapis.com'}]}}",
}
MICROSOFT_TEXTS = {
    "revoked": "{'error': 'invalid_grant', 'error_description': 'AADSTS70008: expired', 'error_codes': [70008]}",
    "invalid_client": "{'error': 'invalid_client', 'error_description': 'AADSTS7000215: Invalid client secret "
    "provided.', 'error_codes': [7000215]}",
    "permission_denied": "{'error': {'code': 'ErrorAccessDenied', 'message': 'Access is denied. Check credentials and "
    "try again.'}}",
    "inactive_mailbox": "{'error': {'code': 'MailboxNotEnabledForRESTAPI', 'message': 'The mailbox is either inactive, "
    "soft-deleted, or is hosted on-premise.'}}",
    "lapsed_subscription": "{'error': 'invalid_resource', 'error_description': 'AADSTS500014: The service principal for"
    " resource is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator "
    "for this tenant has disabled the application, preventing tokens from being issued for it.', 'error_codes': "
    "[500014]}",
    "not_multi_tenant": "{'error': 'unauthorized_client', 'error_description': 'AADSTS700016: Application is not "
    "configured as a multi-tenant application.'}",
}
BARE = {
    "no_credentials": "No credentials found for calendar",
    "missing_credentials": "Missing refresh_token or client_secret",
}
LIST = "500 Server Error: None for url: https:"
OTHERS: dict[str, dict[str, str]] = {
    "google": {
        "outage": f"{LIST}//www.googleapis.com/calendar/v3/calendars/primary/events?timeMin=2026-11-19T23%3A26%3A14."
        "772683%2B00%3A00&timeMax=2026-12-18T23%3A26%3A14.772683%2B00%3A00&singleEvents=true&showDeleted=true&maxResults=2500",
        "token_outage": "Failed to refresh Google access token. Response body: {'error': 'internal_failure'}",
        "token_missing": "No access_token in response. Response body: {}",
        "unreachable": "'NoneType' object has no attribute 'json'",
    },
    "microsoft": {
        "outage": f"{LIST}//graph.microsoft.com/v1.0/me/calendarView?startDateTime=2026-11-19T23%3A26%3A14Z&"
        "endDateTime=2026-12-18T23%3A26%3A14Z&%24orderby=start%2FdateTime&%24select=id%2Csubject%2Cstart%2Cend%2Cattendees%2C"
        "organizer%2CiCalUId%2CseriesMasterId%2CisCancelled%2CisOnlineMeeting%2ConlineMeetingProvider%2ConlineMeeting"
        "%2ConlineMeetingUrl%2Clocation%2Cbody%2CwebLink",
        "token_outage": "Failed to refresh Microsoft access token. Response body: {'error': 'temporarily_unavailable'}",
        "token_missing": "No access_token in refresh response. Response body: {}",
        "unreachable": "'NoneType' object has no attribute 'json'",
    },
}
PLATFORMS: list[tuple[Platform, dict[str, str]]] = [("google", GOOGLE_TEXTS), ("microsoft", MICROSOFT_TEXTS)]
AUTHENTICATION = [
    *(
        (p, name, f"{p.capitalize()} Authentication error: {text}")
        for p, texts in PLATFORMS
        for name, text in texts.items()
    ),
    *((p, name, text) for p, _ in PLATFORMS for name, text in BARE.items()),
]


def lab_with(platform: Platform, failure: str) -> tuple[Lab, str]:
    lab = Lab()
    calendar = lab.create(FIELDS if platform == "google" else MICROSOFT)
    lab.scheduler.fail(lab.project, calendar.id, Failure(failure))
    return lab, calendar.id


@pytest.mark.parametrize(("platform", "name", "text"), AUTHENTICATION)
def test_an_authentication_error_disconnects_with_the_services_text(platform: Platform, name: str, text: str) -> None:
    lab, calendar_id = lab_with(platform, name)
    assert lab.scheduler.sync_now(lab.project, calendar_id).outcome == "disconnected"
    calendar = lab.calendar(calendar_id)
    assert calendar.state == "disconnected"
    assert calendar.connection_failure_data is not None
    assert calendar.connection_failure_data["error"] == text
    assert calendar.last_attempted_sync_at is None
    assert [sent.trigger for sent in lab.sent] == ["calendar.state_change"]


@pytest.mark.parametrize(("platform", "name"), [(p, name) for p, texts in OTHERS.items() for name in texts])
def test_another_error_leaves_the_state_and_sends_nothing(platform: Platform, name: str) -> None:
    lab, calendar_id = lab_with(platform, name)
    happened = lab.scheduler.sync_now(lab.project, calendar_id)
    assert (happened.outcome, happened.detail["error"]) == ("failed", OTHERS[platform][name])
    calendar = lab.calendar(calendar_id)
    assert (calendar.state, calendar.connection_failure_data) == ("connected", None)
    assert calendar.last_attempted_sync_at is not None
    assert calendar.last_successful_sync_at is None
    assert not lab.sent


def test_every_failure_is_tried_above() -> None:
    for platform, texts in PLATFORMS:
        assert sorted([*texts, *BARE, *OTHERS[platform], "slow"]) == names(platform)


def test_what_the_source_calls_an_authentication_error_can_be_had() -> None:
    for platform, texts in PLATFORMS:
        everything = " ".join([*texts.values(), *BARE.values()])
        for rule in RECORDED["sync"]["authentication_errors_from_source"][platform]:
            quoted = rule.split("'")[1].removesuffix("…").rstrip(", ") if "'" in rule else rule
            for word in quoted.removeprefix("error in ").removeprefix("body contains ").split(", "):
                assert word in everything, rule


def test_a_calendar_of_another_folder_is_asked_for_that_folder() -> None:
    for fields, part in ((FIELDS, "/calendars/team@x/events?"), (MICROSOFT, "/me/calendars/team%40x/calendarView?")):
        lab = Lab()
        calendar = lab.create({**fields, "platform_uuid": "team@x"})
        lab.scheduler.fail(lab.project, calendar.id, Failure("outage"))
        assert part in str(lab.scheduler.sync_now(lab.project, calendar.id).detail["error"])


@pytest.mark.parametrize(
    ("failure", "field", "fix"),
    [
        (Failure("revokd"), "failure.name", "did you mean revoked?"),
        (Failure("tuesday"), "failure.name", "there are "),
        (Failure("deleted_client"), "failure.name", "did you mean invalid_client?"),
        (Failure("revoked", for_next=0), "failure.for_next", "leave it out to fail until the calendar is reconnected"),
        (Failure("revoked", seconds=3), "failure.seconds", "leave it out, or use the failure slow"),
        (Failure("slow", seconds=-1), "failure.seconds", "give a number of seconds"),
    ],
)
def test_a_failure_that_cannot_be_is_refused_with_its_field_and_a_fix(failure: Failure, field: str, fix: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked("microsoft", failure)
    assert caught.value.field == field
    assert caught.value.fix.startswith(fix)


def test_answers_are_fresh_each_time() -> None:
    answer: Any = case_of("google", "permission_denied").answer
    answer["error"]["code"] = 0
    again: Any = case_of("google", "permission_denied").answer
    assert again["error"]["code"] == 403
