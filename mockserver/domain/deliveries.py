"""Webhook deliveries: one to each subscription, the attempts to send it, and the store of a project's deliveries."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final, Literal, NamedTuple, TypeAlias

from mockserver.domain.model import Calendar, Json, Micros
from mockserver.domain.timestamps import render

DeliveryState: TypeAlias = Literal["pending", "held", "sending", "success", "failure", "dropped"]
DeliveryFaultKind: TypeAlias = Literal["duplicate", "reorder", "hold", "drop", "late", "old secret", "unsigned"]

LONGEST_ANSWER: Final = 500
"""How many characters of a receiver's answer are kept."""
MOST_ATTEMPTS: Final = 10
"""How many attempts are kept of a delivery that is sent again and again."""


class DeliveryFault(NamedTuple):
    """What a fault does to an attempt. `name` is the fault's own, and marks what came of it."""

    name: str
    kind: DeliveryFaultKind
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
    """The name of the fault that changed it."""

    @property
    def succeeded(self) -> bool:
        """Whether the answer was a 2xx."""
        return self.status is not None and 200 <= self.status < 300


class Delivery(NamedTuple):
    """A webhook to one subscription, with its idempotency key."""

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
    """The name of the fault that last changed it."""
    asked: int = 0
    """The attempt for which faults were asked last."""
    next_fault: DeliveryFault | None = None
    """What a fault does to the next attempt."""

    @property
    def finished(self) -> bool:
        """Whether nothing more is sent unless it is resent."""
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


class Deliveries:
    """The deliveries of one project: all that wait, and the latest that are finished. No operation slows with their
    number; `outbox` has what can be done to them."""

    def __init__(self, *, most_open: int = 20_000, most_finished: int = 1_000) -> None:
        """At most `most_open` deliveries wait, and `most_finished` are kept; older ones are dropped and counted."""
        self.most_open = most_open
        self._most_finished = most_finished
        self._open: dict[str, Delivery] = {}
        self._finished: OrderedDict[str, Delivery] = OrderedDict()
        self._after_next: dict[str, list[str]] = {}
        self._watchers: list[Callable[[Delivery], None]] = []
        self._made = 0
        self.evicted = 0
        """How many finished deliveries were dropped."""
        self.holding = False
        """Whether new deliveries are held."""
        self.epoch = 0
        """How often it was reset: an attempt that was begun before that is not recorded."""

    def __len__(self) -> int:
        """How many are not finished."""
        return len(self._open)

    def reset(self) -> None:
        """Removes every delivery; nothing is held any more."""
        self._open, self._finished, self._after_next = {}, OrderedDict(), {}
        self._made, self.evicted, self.holding = 0, 0, False
        self.epoch += 1

    def copy(self) -> Deliveries:
        """An independent copy without watchers."""
        copied = Deliveries(most_open=self.most_open, most_finished=self._most_finished)
        copied._take_over(self)
        return copied

    def restore(self, kept: Deliveries) -> None:
        """Takes over the content of a copy; an attempt that was begun before is not recorded."""
        self._take_over(kept)
        self.epoch += 1
        if self._watchers:
            for delivery in self.select():
                self._changed(delivery)

    def stop_sending(self) -> list[Delivery]:
        """Makes deliveries that are being sent pending, and returns them; their tasks are in no task queue."""
        return [self.put(one._replace(state="pending")) for one in self.in_state("sending")]

    def _take_over(self, other: Deliveries) -> None:
        self._open, self._finished = other._open.copy(), other._finished.copy()
        self._after_next = {name: list(keys) for name, keys in other._after_next.items()}
        self._made, self.evicted, self.holding = other._made, other.evicted, other.holding

    def watch(self, changed: Callable[[Delivery], None]) -> Callable[[], None]:
        """Calls `changed` with every delivery that is made, changed or restored; the result ends that."""
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def find(self, key: str) -> Delivery:
        """The delivery with this idempotency key.

        Raises DeliveryNotFound.
        """
        found = self._open.get(key) or self._finished.get(key)
        if found is None:
            raise DeliveryNotFound
        return found

    def find_open(self, key: str) -> Delivery | None:
        """The delivery with this idempotency key, if it is not finished."""
        return self._open.get(key)

    def select(self, wanted: Callable[[Delivery], bool] = lambda _: True, after: int = 0) -> list[Delivery]:
        """Those that are wanted, with a number greater than `after`, in the order in which they were made."""
        everything = chain(self._finished.values(), self._open.values())
        return sorted((one for one in everything if one.number > after and wanted(one)), key=lambda one: one.number)

    def in_state(self, *states: DeliveryState) -> list[Delivery]:
        """The unfinished ones in these states, in the order in which they were made."""
        return [one for one in self._open.values() if one.state in states]

    def waiting(self, key: str | None, *states: Literal["pending", "held"]) -> Iterator[Delivery]:
        """The delivery of this key, or all, in one of the states.

        Raises DeliveryNotFound, and DeliveryNotReady for one in another state.
        """
        if key is None:
            yield from self.in_state(*states)
            return
        delivery = self.find(key)
        if delivery.state not in states:
            problem = f"the delivery is {delivery.state}, not {' or '.join(states)}"
            raise DeliveryNotReady(delivery, problem, "resend it" if delivery.finished else "wait for its next state")
        yield delivery

    def next_number(self) -> int:
        """The number of the next delivery that is made."""
        self._made += 1
        return self._made

    def put(self, delivery: Delivery) -> Delivery:
        """Stores a delivery, new or changed, and returns it."""
        if delivery.finished:
            self._open.pop(delivery.key, None)
            self._finished[delivery.key] = delivery
            if len(self._finished) > self._most_finished:
                self._finished.popitem(last=False)
                self.evicted += 1
        else:
            self._open[delivery.key] = delivery
        self._changed(delivery)
        return delivery

    def reopen(self, key: str) -> None:
        """Takes a delivery out of the finished ones, to be put back as an open one."""
        del self._finished[key]

    def release_after_next(self, delivery: Delivery) -> None:
        """Notes a held delivery that goes out after the next attempt to the same subscription."""
        self._after_next.setdefault(delivery.subscription_id, []).append(delivery.key)

    def take_after_next(self, subscription_id: str) -> list[str]:
        """The keys of the held deliveries to be released after an attempt to this subscription."""
        keys = self._after_next.pop(subscription_id, ())
        return [key for key in keys if key in self._open and self._open[key].state == "held"]

    def _changed(self, delivery: Delivery) -> None:
        for watcher in list(self._watchers):
            watcher(delivery)


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
