"""The failures that an upstream can have, by name, and the service's error text for each."""

from __future__ import annotations

import difflib
from typing import Final, Literal, NamedTuple, TypeAlias

from mockserver.domain.model import Calendar, Failure, Json, Platform
from mockserver.domain.upstream_schema import BadInput

SLOW: Final = "slow"
LONGEST_WAIT = 25
"""After so many seconds the service gives a remote calendar up."""
_USUAL_WAIT = 10
_LONGEST_SECONDS = 3600
Stage: TypeAlias = Literal["credentials", "token", "list"]


class Case(NamedTuple):
    """One way to fail on one platform."""

    stage: Stage
    """How far a sync gets: not even to ask, to an access token, or to the list of events."""
    answer: Json
    """What the platform answers, as the service quotes it."""
    authentication: bool = True
    """Whether the service disconnects the calendar for it."""
    ended_by: Literal["refresh_token", "client_secret"] | None = None
    """Which new credential makes it go away."""


def _google(code: str, description: str, ended_by: Literal["refresh_token", "client_secret"] | None = None) -> Case:
    return Case("token", {"error": code, "error_description": description}, ended_by=ended_by)


def _case(platform: Platform, name: str) -> Case | None:
    """The failure of this name; texts that were recorded are as recorded, the others as the platforms document them."""
    return _common_cases().get(name) or (_google_cases() if platform == "google" else _microsoft_cases()).get(name)


def _common_cases() -> dict[str, Case]:
    return {
        "no_credentials": Case("credentials", "No credentials found for calendar", ended_by="refresh_token"),
        "missing_credentials": Case("credentials", "Missing refresh_token or client_secret", ended_by="refresh_token"),
        "unreachable": Case("token", "'NoneType' object has no attribute 'json'", authentication=False),
        "outage": Case("list", None, authentication=False),
        SLOW: Case("list", None, authentication=False),
    }


def _google_cases() -> dict[str, Case]:
    insufficient: Json = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
    }
    denied: dict[str, Json] = {"code": 403, "message": "The caller does not have permission"}
    scopes: dict[str, Json] = {"code": 403, "message": "Request had insufficient authentication scopes."}
    return {
        "revoked": _google("invalid_grant", "Token has been expired or revoked.", "refresh_token"),
        "invalid_client": _google("invalid_client", "The OAuth client was not found.", "client_secret"),
        "deleted_client": _google("deleted_client", "The OAuth client was deleted."),
        "permission_denied": Case("list", {"error": {**denied, "status": "PERMISSION_DENIED"}}),
        "insufficient_scope": Case(
            "list", {"error": {**scopes, "status": "PERMISSION_DENIED", "details": [insufficient]}}
        ),
        "token_outage": Case("token", {"error": "internal_failure"}, authentication=False),
        "token_missing": Case("token", {}, authentication=False),
    }


def _microsoft_cases() -> dict[str, Case]:
    return {
        "revoked": Case(
            "token",
            {"error": "invalid_grant", "error_description": "AADSTS70008: expired", "error_codes": [70008]},
            ended_by="refresh_token",
        ),
        "invalid_client": Case(
            "token",
            {
                "error": "invalid_client",
                "error_description": "AADSTS7000215: Invalid client secret provided.",
                "error_codes": [7000215],
            },
            ended_by="client_secret",
        ),
        "permission_denied": Case(
            "list",
            {
                "error": {
                    "code": "ErrorAccessDenied",
                    "message": "Access is denied. Check credentials and try again.",
                }
            },
        ),
        "inactive_mailbox": Case(
            "list",
            {
                "error": {
                    "code": "MailboxNotEnabledForRESTAPI",
                    "message": "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
                }
            },
        ),
        "lapsed_subscription": Case(
            "token",
            {
                "error": "invalid_resource",
                "error_description": "AADSTS500014: The service principal for resource is disabled. This indicate that"
                " a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled"
                " the application, preventing tokens from being issued for it.",
                "error_codes": [500014],
            },
        ),
        "not_multi_tenant": Case(
            "token",
            {
                "error": "unauthorized_client",
                "error_description": "AADSTS700016: Application is not configured as a multi-tenant application.",
            },
        ),
        "token_outage": Case("token", {"error": "temporarily_unavailable"}, authentication=False),
        "token_missing": Case("token", {}, authentication=False),
    }


def names(platform: Platform) -> list[str]:
    """The failures that a calendar of this platform can have."""
    own = _google_cases() if platform == "google" else _microsoft_cases()
    return sorted([*_common_cases(), *own])


def case_of(platform: Platform, name: str) -> Case:
    """The failure of this name; raises BadInput when the platform has none."""
    found = _case(platform, name)
    if found is None:
        known = names(platform)
        close = difflib.get_close_matches(name[:60].lower(), known, n=1)
        fix = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise BadInput("failure.name", f"{platform.capitalize()} calendars have no such failure", fix)
    return found


def checked(platform: Platform, failure: Failure) -> Failure:
    """The failure with its defaults, if calendars of this platform can have it.

    Raises BadInput.
    """
    case_of(platform, failure.name)
    if failure.for_next is not None and failure.for_next < 1:
        raise BadInput(
            "failure.for_next", "must be 1 or more", "leave it out to fail until the calendar is reconnected"
        )
    if failure.name == SLOW:
        seconds = failure.seconds or _USUAL_WAIT
        if not 1 <= seconds <= _LONGEST_SECONDS:
            raise BadInput("failure.seconds", f"must be 1 to {_LONGEST_SECONDS}", "give a number of seconds")
        return failure._replace(seconds=seconds)
    if failure.seconds:
        raise BadInput("failure.seconds", "is only for the failure slow", "leave it out, or use the failure slow")
    return failure


def text_of(calendar: Calendar, name: str, list_url: str) -> str:
    """What the service says of a failure; `list_url` is the address of the list that it asked for."""
    case = case_of(calendar.platform, name)
    platform = calendar.platform.capitalize()
    if name == SLOW:
        return text_of(calendar, "unreachable", list_url)
    if name == "outage":
        return f"500 Server Error: None for url: {list_url}"
    if isinstance(case.answer, str):
        return case.answer
    if case.authentication:
        return f"{platform} Authentication error: {case.answer!r}"
    if name == "token_missing":
        kind = "response" if calendar.platform == "google" else "refresh response"
        return f"No access_token in {kind}. Response body: {case.answer!r}"
    return f"Failed to refresh {platform} access token. Response body: {case.answer!r}"
