"""What a failed test shows of its project: the last exchanges, why requests were refused, and undelivered webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mockserver.testing.controls import ControlError
from mockserver.testing.interception import Intercept
from mockserver.testing.journal import RecordedRequest, counted
from mockserver.testing.mock import AttendeeMock
from mockserver.testing.project import AttendeeProject, undelivered
from mockserver.testing.receiver import WebhookReceiver

__all__ = ["describe", "failures_of_the_mock"]

_LAST: Final = 10
_MOST_WEBHOOKS: Final = 10
_NOT_IMITATED: Final = 501
_IMITATED_CRASH: Final = "the service fails with a server error"


def describe(project: AttendeeProject, receiver: WebhookReceiver | None, intercepted: Intercept | None) -> str:
    """The section "Attendee" of the report; no secret is in it.

    Raises ControlError and Unreachable.
    """
    lines = [*_refused(intercepted)]
    if project.is_real:
        return "\n".join([*lines, f"{project.base_url} is a real deployment: it does not show what it was asked."])
    requests = project.requests.find()
    shown = requests[-_LAST:]
    which = "all" if len(shown) == len(requests) else f"the last {len(shown)}"
    many = counted(len(requests), "request")
    lines.append(f"{many} of project {project.name!r}, {which}:" if requests else "No request came.")
    for request in shown:
        lines += _exchange(project, request)
    return "\n".join([*lines, *_webhooks(project, receiver)])


def failures_of_the_mock(mock: AttendeeMock, project: AttendeeProject) -> list[str]:
    """What the mock itself did wrong: responses 5xx that no fault asked for, and what its server reported.

    A 501 is none, nor is the one crash of the service that the mock imitates. Raises ControlError and Unreachable.
    """
    wrong = [request for request in project.requests.find(status="5xx") if _is_wrong(request)]
    return [*(f"{request.line}: {request.reason}" for request in wrong), *mock.take_errors()]


def _is_wrong(request: RecordedRequest) -> bool:
    is_meant = request.status == _NOT_IMITATED or (request.reason or "").endswith(_IMITATED_CRASH)
    return request.entry["fault"] is None and not is_meant


def _exchange(project: AttendeeProject, request: RecordedRequest) -> Iterator[str]:
    yield f"  {request.line}"
    if request.status < 400 and request.entry["fault"] is None:
        return
    try:
        explained = project.requests.explain(request)
    except ControlError:
        return  # the journal has dropped it meanwhile
    yield from (f"      {sentence}" for sentence in explained["why"])
    if explained["curl"] and request.entry["fault"] is None:
        yield f"      this would be accepted: {explained['curl']}"


def _webhooks(project: AttendeeProject, receiver: WebhookReceiver | None) -> Iterator[str]:
    missing = [one for one in project.deliveries if one["state"] != "success"]
    if missing:
        yield f"not delivered: {counted(len(missing), 'webhook')}"
        yield from (f"  {undelivered(one)}" for one in missing[-_MOST_WEBHOOKS:])
    if receiver is None:
        return
    came = receiver.received
    yield f"received: {counted(len(came), 'webhook')}"
    yield from (f"  {_received(one.line, one.problem, one.error)}" for one in came[-_MOST_WEBHOOKS:])
    if not came and not missing:
        yield from (f"  {sentence}" for sentence in project.why_no_webhook())


def _received(line: str, problem: str | None, error: BaseException | None) -> str:
    notes: Mapping[str, Any] = {"wrong signature": problem, "the application raised": error and repr(error)}
    return "; ".join([line, *(f"{what}: {why}" for what, why in notes.items() if why)])


def _refused(intercepted: Intercept | None) -> Iterator[str]:
    if intercepted is not None:
        yield from (f"attendee_intercept refused {what}." for what in intercepted.refused)
