"""What is sent to a subscriber: a delivery, every attempt at it, and what a fault may do to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from mockserver.domain.model import Calendar, Json, Micros
from mockserver.domain.timestamps import render

DeliveryState: TypeAlias = Literal["pending", "held", "sending", "success", "failure", "dropped"]
SpoiledHow: TypeAlias = Literal["duplicate", "reorder", "hold", "drop", "late", "old secret", "unsigned"]

LONGEST_ANSWER: Final = 500
"""How many characters of a receiver's answer are kept."""
MOST_ATTEMPTS: Final = 10
"""How many attempts are kept of a delivery that is sent again and again."""


class Spoiled(NamedTuple):
    """What a fault does to an attempt. `name` is the fault's own, and marks what came of it."""

    name: str
    how: SpoiledHow
    seconds: int = 0
    """How much later, of `late`: seconds of the project's clock."""


class Attempt(NamedTuple):
    """One POST and what became of it."""

    number: int
    """From 1; the second POST of a duplicate has the number of the first."""
    at: Micros
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    signed: str
    """The text that the signature is over; it is not the body."""
    status: int | None
    """None where no answer came."""
    answer: str
    """At most 500 characters."""
    error_type: str
    """Empty where an answer came."""
    error_message: str
    seconds: float
    """How long it took, on the wall."""
    fault: str | None = None
    """The name of the fault that spoiled it."""

    @property
    def succeeded(self) -> bool:
        """Whether the answer was a 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Delivery(NamedTuple):
    """One thing told to one subscription, by its idempotency key."""

    key: str
    number: int
    """Its place in the order in which a project's deliveries were made, from 1."""
    subscription_id: str
    url: str
    """The subscription's, when the delivery was made."""
    trigger: str
    calendar_id: str
    data: Mapping[str, Json]
    """What the body says of the calendar's state; it stays as it was when the delivery was made."""
    created_at: Micros
    state: DeliveryState
    due: Micros
    """When the next attempt is or was due."""
    waits: tuple[int, ...]
    """How many seconds to wait before each attempt that is still left after the next."""
    attempts: tuple[Attempt, ...] = ()
    tried: int = 0
    """How many attempts there were, duplicates not counted."""
    problem: Mapping[str, Json] | None = None
    """Why nothing was sent, as the service stores it."""
    fault: str | None = None
    """The name of the fault that last spoiled it."""
    asked: int = 0
    """The attempt for which faults were asked last."""
    spoiled: Spoiled | None = None
    """What a fault does to the next attempt."""

    @property
    def finished(self) -> bool:
        """Whether nothing more will be sent unless somebody asks."""
        return self.state in ("success", "failure", "dropped")

    @property
    def responses(self) -> list[Json]:
        """What the service stores of each attempt: the answer's text, or an error (webhooks.json, stored_responses)."""
        found: list[Json] = []
        for attempt in self.attempts:
            if attempt.error_type:
                found.append(dict(stored_error(attempt.error_type, attempt.url, attempt.error_message)))
            else:
                found.append(attempt.answer)
        return found if self.problem is None else [*found, dict(self.problem)]


class DeliveryNotFound(Exception):
    """The project has no delivery of this idempotency key, or has forgotten it."""


class DeliveryNotReady(Exception):
    """What was asked cannot be done to a delivery in its state: `fix` is what to do."""

    def __init__(self, delivery: Delivery, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.delivery = delivery
        self.problem = problem
        self.fix = fix


def stored_error(error_type: str, url: str, message: str) -> Mapping[str, Json]:
    """An error in the form in which the service stores it in the place of an answer."""
    return {"error_type": error_type, "request_url": url, "status_code": None, "error_message": message}


def frozen(calendar: Calendar) -> Mapping[str, Json]:
    """What a body says of a calendar's state."""
    failure = calendar.connection_failure_data
    return {
        "state": calendar.state,
        "last_attempted_sync_at": _text(calendar.last_attempted_sync_at),
        "connection_failure_data": None if failure is None else dict(failure),
        "last_successful_sync_at": _text(calendar.last_successful_sync_at),
    }


def _text(instant: Micros | None) -> str | None:
    return None if instant is None else render(instant)
