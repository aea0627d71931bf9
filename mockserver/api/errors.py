"""Every error response of the service: one function for each, with the service's own status, shape and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from mockserver.domain.bot_service import (
    BotKeyTaken,
    BotNotFound,
    BotNotStorable,
    CredentialsMissing,
    EventNotFound,
    SchedulingError,
    UnreadableBotId,
)
from mockserver.domain.calendar_service import CalendarNotFound, DuplicateDeduplicationKey
from mockserver.domain.pagination import InvalidCursor
from mockserver.domain.postgres_limits import NotStorable

ALREADY_TAKEN: Final = "already taken"
"""The rule of a deduplication key that another calendar or bot has."""


class BrokenRule(NamedTuple):
    """A field or a parameter of a request, and the rule that it broke; neither holds a value."""

    field: str
    rule: str


class Remark(NamedTuple):
    """What in a request the contract does not allow although the service takes it. Its text never holds a value."""

    text: str
    broken: BrokenRule | None = None
    """The same of one field or parameter, where it is of one."""


class ApiError(Exception):
    """A response other than the one asked for. `reason` says why in words for the log; it never holds a value.

    `broken` has the rules that fields and parameters broke.
    """

    def __init__(
        self,
        status: int,
        body: Mapping[str, Any],
        reason: str,
        headers: Mapping[str, str] | None = None,
        broken: Iterable[BrokenRule] = (),
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.body = body
        self.reason = reason
        self.headers = headers or {}
        self.broken = tuple(broken)


class Page(Exception):
    """A request that the service's framework answers before or after the API, with a page of its own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadRequestPage(Page):
    """A request that the framework refuses before the API sees it."""


class NotFoundPage(Page):
    """A path that is none of the API's, not even an unknown one."""


class ServerErrorPage(Page):
    """A request over which the service breaks off; the one such that the mock does too."""


MOST_PARAMETERS = 1000
"""How many parameters a query or a form may have."""


def too_many_parameters() -> BadRequestPage:
    """A query or form with more parameters than the framework counts."""
    return BadRequestPage(f"more than {MOST_PARAMETERS} parameters")


class FieldError(Exception):
    """What is wrong with one field: the service's message, and the rule's name for the log."""

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule


def _field_error(status: int, body: Mapping[str, Any], field: str, rule: str) -> ApiError:
    """An error about one field or parameter."""
    return ApiError(status, body, f"{field}: {rule}", broken=(BrokenRule(field, rule),))


def _detail(status: int, text: str, reason: str, headers: Mapping[str, str] | None = None) -> ApiError:
    return ApiError(status, {"detail": text}, reason, headers)


def not_acceptable() -> ApiError:
    """No representation that the Accept header allows."""
    return _detail(406, "Could not satisfy the request Accept header.", "Accept allows neither JSON nor HTML")


def unknown_format() -> ApiError:
    """A `format` parameter that names no representation."""
    return _detail(404, "Not found.", "format names no representation")


def missing_authorization() -> ApiError:
    """No Authorization header."""
    return _unauthorized("Missing Authorization header", "no Authorization header")


def malformed_authorization() -> ApiError:
    """An Authorization header that is not the word Token and one key."""
    text = "Invalid Authorization header. Should have this format: Token <api_key>"
    return _unauthorized(text, "the Authorization header is not 'Token <api key>'")


def unknown_key() -> ApiError:
    """An API key that is of no project, or was disabled."""
    return _unauthorized("Invalid or disabled API key", "the API key is unknown or disabled")


def _unauthorized(text: str, reason: str) -> ApiError:
    return _detail(401, text, reason, {"WWW-Authenticate": "Token"})


def forbidden(text: str) -> ApiError:
    """Basic credentials that the service's page for unknown paths does not take (path-unknown)."""
    return _detail(403, text, "the path is unknown and Basic credentials are not accepted")


def throttled(seconds: int) -> ApiError:
    """Too many POSTs; `seconds` until the next is let through."""
    unit = "second" if seconds == 1 else "seconds"
    text = f"Request was throttled. Expected available in {seconds} {unit}."
    return _detail(429, text, "the project's POST limit is used up", {"Retry-After": str(seconds)})


def method_not_allowed(method: str) -> ApiError:
    """A method that the path does not have."""
    return _detail(405, f'Method "{method}" not allowed.', "the path has no such method")


def unsupported_media_type(content_type: str) -> ApiError:
    """A body of a type that the service does not read."""
    return _detail(415, f'Unsupported media type "{content_type}" in request.', "Content-Type: neither JSON nor a form")


def too_large(limit: int) -> ApiError:
    """A body over the mock's limit, in bytes; the service's own front server has some other limit."""
    return _detail(413, f"Request body is larger than {limit} bytes.", "the body is over max_body")


def malformed_json(problem: str) -> ApiError:
    """A body that is not JSON."""
    return _detail(400, f"JSON parse error - {problem}", "body: not JSON")


def malformed_multipart(problem: str) -> ApiError:
    """A multipart body that cannot be taken apart."""
    return _detail(400, f"Multipart form parse error - {problem}", "body: not multipart")


def malformed_form() -> ApiError:
    """A form that is not in the encoding that it names, over which the service breaks off."""
    return _detail(400, "Malformed request.", "body: not in its charset")


def unknown_path() -> ApiError:
    """A path under /api/v1/ that names nothing."""
    return ApiError(404, {"error": "Not found"}, "no such path")


def bad_filter(name: str, example: str) -> ApiError:
    """A time filter that is no timestamp."""
    text = f"Invalid {name} format. Use ISO 8601 format (e.g., {example})"
    return _field_error(400, {"error": text}, name, "not a timestamp")


def bad_ordering(allowed: Iterable[str]) -> ApiError:
    """An ordering that is not one of the allowed."""
    text = "Invalid ordering. Allowed values: " + ", ".join(allowed)
    return _field_error(400, {"error": text}, "ordering", "not an allowed value")


def nul_in(name: str) -> ApiError:
    """A filter or an id with a NUL, over which the service's database breaks off."""
    return _field_error(400, {"error": f"Null characters are not allowed in {name}."}, name, "holds a NUL")


def not_imitated(what: str) -> ApiError:
    """A part of the service that the mock does not have."""
    return _detail(501, f"attendee-mockserver does not imitate {what}.", f"{what}: not imitated")


def not_with_event(name: str, what: str) -> ApiError:
    """A field of a new bot that its calendar event decides; `what` it is in words."""
    text = (
        f"{name} should not be provided when calendar_event_id is specified. "
        f"The {what} will be taken from the calendar event."
    )
    return _field_error(400, {"error": text}, name, "the calendar event's")


def bad_state(state: str, known: Iterable[str]) -> ApiError:
    """A filter for a state that bots do not have."""
    text = f"Invalid state: {state}. Valid states are: {', '.join(known)}"
    return _field_error(400, {"error": text}, "states", "no such state")


Problems: TypeAlias = "Sequence[FieldError] | Mapping[str, Problems]"
"""What is wrong with a field, or with each of the fields within it."""


def invalid_fields(problems: Mapping[str, Problems]) -> ApiError:
    """What is wrong with a body, field by field."""
    body = {name: _messages(found) for name, found in problems.items()}
    broken = [BrokenRule(name, rule) for name, found in problems.items() for rule in _rules(found)]
    return ApiError(400, body, "; ".join(f"{name}: {rule}" for name, rule in broken), broken=broken)


def _messages(found: Problems) -> Any:
    if isinstance(found, Mapping):
        return {name: _messages(within) for name, within in found.items()}
    return [problem.message for problem in found]


def _rules(found: Problems) -> list[str]:
    if isinstance(found, Mapping):
        return [f"{name}: {rule}" for name, within in found.items() for rule in _rules(within)]
    return [problem.rule for problem in found]


def invalid_body(message: str, rule: str) -> ApiError:
    """What is wrong with a body as a whole."""
    return ApiError(400, {"non_field_errors": [message]}, f"body: {rule}")


def off_contract(remark: Remark) -> ApiError:
    """What strict mode refuses although the service would take it."""
    text = f"The service tolerates this but its contract does not allow it: {remark.text}. (strict mode)"
    broken = () if remark.broken is None else (remark.broken,)
    return ApiError(400, {"detail": text}, f"strict: {remark.text}", broken=broken)


def broken_promise(operation: str, problem: str) -> ApiError:
    """The mock was about to answer against the contract: a fault of the mock, said as such."""
    text = f"The mock's own answer breaks the contract of {operation}: {problem}. Please report this."
    return _detail(500, text, f"own answer off contract: {problem}")


def not_storable(problem: NotStorable, doing: str) -> ApiError:
    """What passes every rule of a field and still does not fit the service's database."""
    text = f"An unexpected error occurred while {doing} the calendar. Error ID: {problem.error_id}"
    return _not_storable({"non_field_errors": [text]}, problem)


def _not_storable(body: Mapping[str, Any], problem: NotStorable) -> ApiError:
    broken = (BrokenRule(problem.field, problem.rule),)
    return ApiError(400, body, f"{problem.field} {problem.rule}", broken=broken)


def from_domain(error: Exception, doing: str) -> ApiError:
    """The response to a rule of the domain that said no, while `doing` (creating, updating, reading) something.

    Raises the error again when it is none of the domain's.
    """
    if isinstance(error, SchedulingError):
        return _from_scheduling(error, doing)
    if isinstance(error, CalendarNotFound):
        return ApiError(404, {"error": "Calendar not found"}, "the project has no such calendar")
    if isinstance(error, InvalidCursor):
        return _field_error(404, {"detail": "Invalid cursor"}, "cursor", "not one of the service's")
    if isinstance(error, DuplicateDeduplicationKey):
        text = "A calendar with this deduplication key already exists in this project."
        return invalid_fields({"deduplication_key": [FieldError(text, ALREADY_TAKEN)]})
    if isinstance(error, NotStorable):
        return not_storable(error, doing)
    raise error


_KEY_TAKEN = (
    "Deduplication key already in use. A bot in a non-terminal state with this deduplication key already exists. "
    "Please use a different deduplication key or wait for that bot to terminate."
)
_CREDENTIALS = {
    "zoom": "Zoom App credentials are required to create a Zoom bot. Please add Zoom credentials at {}",
    "external media storage": "External media storage credentials are required to upload recordings to an external "
    "storage bucket. Please add external media storage credentials at {}.",
}


def _from_scheduling(error: SchedulingError, doing: str) -> ApiError:
    if isinstance(error, EventNotFound):
        text = f"Calendar event with id {error.event_id} does not exist in this project."
        return _field_error(400, {"error": text}, "calendar_event_id", "the project has no such event")
    if isinstance(error, BotKeyTaken):
        return _field_error(400, {"error": _KEY_TAKEN}, "deduplication_key", ALREADY_TAKEN)
    if isinstance(error, CredentialsMissing):
        page = f"https://app.attendee.dev/projects/{error.project_id}/credentials"
        return ApiError(
            400, {"error": _CREDENTIALS[error.needed_for].format(page)}, f"no {error.needed_for} credentials"
        )
    if isinstance(error, BotNotStorable):
        doing = "patching" if doing == "updating" else doing
        text = f"An error occurred while {doing} the bot. Error ID: {error.problem.error_id}"
        return _not_storable({"error": text}, error.problem)
    if isinstance(error, UnreadableBotId):
        return nul_in("object_id")
    assert isinstance(error, BotNotFound)
    return ApiError(404, {"error": "Bot not found"}, "the project has no such bot")
