"""What tests of an integration need: projects of a mock, a receiver of webhooks, assertions, a pytest plugin."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mockserver.settings import Settings as Settings
    from mockserver.testing.calendars import AttendeeCalendar as AttendeeCalendar
    from mockserver.testing.calendars import UpstreamEvent as UpstreamEvent
    from mockserver.testing.clock import ProjectClock as ProjectClock
    from mockserver.testing.contexts import attendee_project as attendee_project
    from mockserver.testing.controls import ControlError as ControlError
    from mockserver.testing.controls import NeedsControls as NeedsControls
    from mockserver.testing.controls import Unreachable as Unreachable
    from mockserver.testing.interception import intercept as intercept
    from mockserver.testing.journal import RecordedRequest as RecordedRequest
    from mockserver.testing.journal import Requests as Requests
    from mockserver.testing.mock import AttendeeMock as AttendeeMock
    from mockserver.testing.plugin_state import CoachWarning as CoachWarning
    from mockserver.testing.project import AttendeeProject as AttendeeProject
    from mockserver.testing.receiver import ReceivedWebhook as ReceivedWebhook
    from mockserver.testing.receiver import WebhookReceiver as WebhookReceiver
    from mockserver.testing.signature import signature_problem as signature_problem
    from mockserver.testing.signature import verify_signature as verify_signature
    from mockserver.testing.webhooks import Deliveries as Deliveries
    from mockserver.testing.webhooks import Faults as Faults
    from mockserver.testing.webhooks import Subscriptions as Subscriptions

# Imported when they are first used: pytest imports this package at each of its starts, in every test suite.
_MODULES: Final = {
    "Settings": "mockserver.settings",
    "AttendeeCalendar": "mockserver.testing.calendars",
    "UpstreamEvent": "mockserver.testing.calendars",
    "ProjectClock": "mockserver.testing.clock",
    "attendee_project": "mockserver.testing.contexts",
    "ControlError": "mockserver.testing.controls",
    "NeedsControls": "mockserver.testing.controls",
    "Unreachable": "mockserver.testing.controls",
    "intercept": "mockserver.testing.interception",
    "RecordedRequest": "mockserver.testing.journal",
    "Requests": "mockserver.testing.journal",
    "AttendeeMock": "mockserver.testing.mock",
    "CoachWarning": "mockserver.testing.plugin_state",
    "AttendeeProject": "mockserver.testing.project",
    "ReceivedWebhook": "mockserver.testing.receiver",
    "WebhookReceiver": "mockserver.testing.receiver",
    "signature_problem": "mockserver.testing.signature",
    "verify_signature": "mockserver.testing.signature",
    "Deliveries": "mockserver.testing.webhooks",
    "Faults": "mockserver.testing.webhooks",
    "Subscriptions": "mockserver.testing.webhooks",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """A name of the public API, from the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
