"""What a fault does to one response, and the error that replaces the response."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from mockserver.api import errors
from mockserver.api.errors import ApiError
from mockserver.domain.store import Project

STATUSES = (400, 401, 403, 404, 429, 500, 502, 503, 504)
"""The statuses that a fault can answer with."""
_OF_ONE_CALENDAR = ("getCalendar", "updateCalendar", "deleteCalendar")


class InjectedFault(NamedTuple):
    """What a fault does to one response; `name` is the fault's."""

    name: str
    kind: str
    seconds: float = 0.0
    """How long it waits: before the operation, or between the pieces of a dribbled response."""
    status: int = 0
    after: bool = False
    """Whether the operation is carried out although its response is replaced."""
    retry_after: int = 1
    pieces: int = 10
    by: int = 1
    """How many bytes a wrong Content-Length is too large; below zero, too small."""

    @property
    def replaces(self) -> bool:
        """Whether the operation's own response is never seen."""
        return self.kind == "reset" or self.status != 0


class FaultSource(Protocol):
    """Finds the fault of each response."""

    armed: bool
    """Whether there is any fault."""

    def next(self, project: Project, operation: str, query: bytes) -> InjectedFault | None:
        """The fault that applies to this request, if there is one; to be asked once for each request."""
        ...


def replacement(fault: InjectedFault, operation: str | None) -> ApiError:
    """The error that replaces the operation's response; with status 0 nothing is sent."""
    reason = f"fault {fault.name}: {fault.kind}"
    found = _error(fault, operation or "")
    return ApiError(found.status, found.body, reason, found.headers)


def _error(fault: InjectedFault, operation: str) -> ApiError:
    status = fault.status
    if status == 401:
        return errors.unknown_key()
    if status == 429:
        return errors.throttled(fault.retry_after)
    return ApiError(status, _body(status, operation), "")


def _body(status: int, operation: str) -> dict[str, Any]:
    if status == 404:
        if operation in _OF_ONE_CALENDAR:
            return {"error": "Calendar not found"}
        return {"error": "Bot not found"} if operation.endswith("Bot") else {"detail": "Not found."}
    texts = {400: "Malformed request.", 403: "You do not have permission to perform this action."}
    return {"detail": texts.get(status, "")}


def page(status: int) -> bytes | None:
    """The page that comes instead of JSON when the service breaks (500), or its front server cannot reach it."""
    titles = {
        500: "Server Error (500)",
        502: "502 Bad Gateway",
        503: "503 Service Unavailable",
        504: "504 Gateway Timeout",
    }
    if status not in titles:
        return None
    title, rest = titles[status], "<p></p>" if status == 500 else ""
    text = f'<!doctype html>\n<html lang="en">\n<head><title>{title}</title></head>\n'
    return f"{text}<body>\n<h1>{title}</h1>{rest}\n</body>\n</html>\n".encode()
