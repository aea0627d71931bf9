"""A project's deliveries: those that wait, those that are held, and a history of the rest that forgets the oldest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from mockserver.domain.deliveries import (
    MOST_ATTEMPTS,
    Attempt,
    Delivery,
    DeliveryNotFound,
    DeliveryNotReady,
    Spoiled,
    frozen,
    stored_error,
)
from mockserver.domain.model import Calendar
from mockserver.domain.task_queue import Task
from mockserver.domain.timestamps import SECOND

if TYPE_CHECKING:
    from mockserver.domain.store import Project

ATTEMPTS: Final = 3
_LONGEST_WAIT: Final = 600

Spoil = Callable[["Project", Delivery], Spoiled | None]
"""Asks what a fault does to a delivery's next attempt."""


class Outbox:
    """What one project has sent and still has to send. What it does costs the same however much there is."""

    def __init__(self, *, most_open: int = 20_000, most_finished: int = 1_000) -> None:
        """`most_open` deliveries may wait, `most_finished` are remembered; older ones are forgotten and counted."""
        self._most_open = most_open
        self._most_finished = most_finished
        self._open: dict[str, Delivery] = {}
        self._finished: OrderedDict[str, Delivery] = OrderedDict()
        self._aside: dict[str, list[str]] = {}
        self._watchers: list[Callable[[Delivery], None]] = []
        self._made = 0
        self.evicted = 0
        """How many finished deliveries were forgotten."""
        self.holding = False
        """Whether new deliveries are held."""
        self.epoch = 0
        """How often it was reset: an attempt that was begun before that is not recorded."""

    def __len__(self) -> int:
        return len(self._open)

    def reset(self) -> None:
        """Forgets everything; nothing is held any more."""
        self._open, self._finished, self._aside = {}, OrderedDict(), {}
        self._made, self.evicted, self.holding = 0, 0, False
        self.epoch += 1

    def copy(self) -> Outbox:
        """The same deliveries again, which nobody watches; neither sees what happens to the other."""
        twin = Outbox(most_open=self._most_open, most_finished=self._most_finished)
        twin._take_over(self)
        return twin

    def restore(self, kept: Outbox) -> None:
        """Has what the other one has; an attempt that was begun before is not recorded."""
        self._take_over(kept)
        self.epoch += 1
        if self._watchers:
            for delivery in self.deliveries():
                self._changed(delivery)

    def broken_off(self) -> list[Delivery]:
        """Puts what is being sent back among what waits, and gives it: its tasks are on no agenda."""
        under_way = [one for one in self._open.values() if one.state == "sending"]
        return [self._put(one._replace(state="pending")) for one in under_way]

    def _take_over(self, other: Outbox) -> None:
        self._open, self._finished = other._open.copy(), other._finished.copy()
        self._aside = {name: list(keys) for name, keys in other._aside.items()}
        self._made, self.evicted, self.holding = other._made, other.evicted, other.holding

    def watch(self, changed: Callable[[Delivery], None]) -> Callable[[], None]:
        """Calls `changed` with every delivery that is made, changed or restored; gives what ends that."""
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

    def deliveries(self, wanted: Callable[[Delivery], bool] = lambda _: True, after: int = 0) -> list[Delivery]:
        """Those that are wanted, with a number greater than `after`, in the order in which they were made."""
        everything = chain(self._finished.values(), self._open.values())
        return sorted((one for one in everything if one.number > after and wanted(one)), key=lambda one: one.number)

    def enqueue(self, project: Project, trigger: str, calendar: Calendar) -> list[Delivery]:
        """One delivery to every active subscription with the trigger, due now; their keys are drawn from the project.

        `calendar` is the record as the sync wrote it. So are the waits before later attempts drawn: what a receiver
        answers, and how fast, then changes nothing of what is drawn afterwards.
        """
        made = []
        for subscription in project.subscriptions:
            if not subscription.active or trigger not in subscription.triggers:
                continue
            now = project.clock.now()
            self._made += 1
            delivery = Delivery(
                key=_new_key(project.random),
                number=self._made,
                subscription_id=subscription.id,
                url=subscription.url,
                trigger=trigger,
                calendar_id=calendar.id,
                data=frozen(calendar),
                created_at=now,
                state="held" if self.holding else "pending",
                due=now,
                waits=tuple(draw_wait(project.random, retries) for retries in range(ATTEMPTS - 1)),
            )
            if len(self._open) >= self._most_open:
                problem = stored_error("QueueFull", delivery.url, f"{self._most_open} deliveries are waiting already")
                delivery = delivery._replace(state="dropped", problem=problem)
            made.append(self._put(delivery))
            if delivery.state == "pending":
                project.agenda.add(now, "deliver", delivery.key, trigger)
        return made

    def begin(self, project: Project, key: str, spoil: Spoil | None = None) -> Delivery | None:
        """Takes up a delivery whose task fell due; `spoil` is asked what a fault does to the attempt.

        The state is `sending` when there is something to send. Otherwise it says what became of the delivery: a
        subscription that was switched off has failed it, a fault has put it off. None is a delivery that is gone.
        """
        delivery = self._open.get(key)
        if delivery is None or delivery.state != "pending":
            return None
        subscription = next((one for one in project.subscriptions if one.id == delivery.subscription_id), None)
        if subscription is None or not subscription.active:
            problem = stored_error("InactiveSubscription", delivery.url, "Webhook subscription is no longer active")
            return self._put(delivery._replace(state="failure", problem=problem))
        if spoil is not None and delivery.asked <= delivery.tried:
            spoiled = spoil(project, delivery)
            delivery = delivery._replace(asked=delivery.tried + 1, spoiled=spoiled)
            if spoiled is not None:
                delivery = delivery._replace(fault=spoiled.name)
                if spoiled.how in ("hold", "drop", "late", "reorder"):
                    return self._put_off(project, delivery, spoiled)
        return self._put(delivery._replace(state="sending", url=subscription.url))

    def record(self, project: Project, key: str, *attempts: Attempt) -> Delivery:
        """Writes down an attempt, the one that counts first, and puts the next on the agenda when there is one left.

        Raises DeliveryNotFound.
        """
        delivery, first = self.find(key), attempts[0]
        kept = (*delivery.attempts, *attempts)[-MOST_ATTEMPTS:]
        delivery = delivery._replace(attempts=kept, tried=delivery.tried + 1, problem=None, spoiled=None)
        if first.succeeded:
            self._put(delivery._replace(state="success"))
        elif delivery.waits:
            wait, *rest = delivery.waits
            due = project.clock.now() + wait * SECOND
            delivery = delivery._replace(due=due, waits=tuple(rest), state="held" if self.holding else "pending")
            self._put(delivery)
            if delivery.state == "pending":
                project.agenda.add(due, "deliver", key, "retry", delivery.tried)
        else:
            self._put(delivery._replace(state="failure"))
        for other in self._aside.pop(delivery.subscription_id, ()):
            if other in self._open and self._open[other].state == "held":
                self.release(project, other)
        return self.find(key)

    def refuse(self, key: str, error_type: str, message: str) -> Delivery:
        """Fails a delivery that was begun, at once and with nothing sent.

        Raises DeliveryNotFound.
        """
        delivery = self.find(key)
        return self._put(delivery._replace(state="failure", problem=stored_error(error_type, delivery.url, message)))

    def put_back(self, project: Project, task: Task) -> None:
        """Puts the task of a delivery whose attempt was broken off on the agenda again, in its old place."""
        delivery = self._open.get(task.subject)
        if delivery is not None and delivery.state == "sending":
            self._put(delivery._replace(state="pending"))
            project.agenda.put_back(task)

    def hold(self, project: Project, key: str | None = None) -> None:
        """Holds one delivery; or, without a key, all that wait and all that are still to be made.

        Raises DeliveryNotFound, and DeliveryNotReady for one that does not wait.
        """
        if key is None:
            self.holding = True
        for delivery in self._waiting(key, "pending"):
            self._put(delivery._replace(state="held"))
        project.agenda.drop(
            lambda task: task.kind == "deliver" and task.subject in self._open and self._is_held(task.subject)
        )

    def release(self, project: Project, key: str | None = None) -> None:
        """Lets one held delivery go; or, without a key, all of them, in the order in which they were made.

        Raises DeliveryNotFound, and DeliveryNotReady for one that is not held.
        """
        if key is None:
            self.holding = False
        for delivery in self._waiting(key, "held"):
            self._schedule(project, delivery, "released")

    def drop(self, project: Project, key: str | None = None) -> None:
        """Gives one delivery up that waits or is held; or, without a key, all of them.

        Raises DeliveryNotFound, and DeliveryNotReady for one that is being sent or is finished.
        """
        dropped = {one.key for one in self._waiting(key, "pending", "held")}
        for one in dropped:
            self._put(self._open[one]._replace(state="dropped"))
        project.agenda.drop(lambda task: task.kind == "deliver" and task.subject in dropped)

    def resend(self, project: Project, key: str) -> Delivery:
        """One more attempt at a finished delivery, due now, with the same key and data; there is no retry after it.

        Raises DeliveryNotFound, and DeliveryNotReady for one that is not finished.
        """
        delivery = self.find(key)
        if not delivery.finished:
            fix = "release it" if delivery.state == "held" else "wait until it is finished"
            raise DeliveryNotReady(delivery, f"the delivery is {delivery.state}", fix)
        del self._finished[key]
        delivery = delivery._replace(due=project.clock.now(), waits=(), problem=None)
        return self._schedule(project, delivery, "resend")

    def _put(self, delivery: Delivery) -> Delivery:
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

    def _schedule(self, project: Project, delivery: Delivery, cause: str) -> Delivery:
        project.agenda.add(delivery.due, "deliver", delivery.key, cause, delivery.tried)
        return self._put(delivery._replace(state="pending"))

    def _put_off(self, project: Project, delivery: Delivery, spoiled: Spoiled) -> Delivery:
        """What a fault makes of a delivery that is not sent now."""
        if spoiled.how == "drop":
            return self._put(delivery._replace(state="dropped"))
        if spoiled.how == "late":
            due = project.clock.now() + spoiled.seconds * SECOND
            return self._schedule(project, delivery._replace(due=due), "late")
        if spoiled.how == "reorder":
            self._aside.setdefault(delivery.subscription_id, []).append(delivery.key)
        return self._put(delivery._replace(state="held"))

    def _waiting(self, key: str | None, *states: Literal["pending", "held"]) -> Iterator[Delivery]:
        """The delivery of this key, or all, in one of the states."""
        if key is None:
            yield from [delivery for delivery in self._open.values() if delivery.state in states]
            return
        delivery = self.find(key)
        if delivery.state not in states:
            problem = f"the delivery is {delivery.state}, not {' or '.join(states)}"
            raise DeliveryNotReady(delivery, problem, "resend it" if delivery.finished else "wait for its next state")
        yield delivery

    def _is_held(self, key: str) -> bool:
        return self._open[key].state == "held"

    def _changed(self, delivery: Delivery) -> None:
        for watcher in list(self._watchers):
            watcher(delivery)


def draw_wait(random: Random, retries: int) -> int:
    """How many whole seconds to wait before the next attempt, after so many retries (webhooks.json, retry)."""
    return min(random.randrange(2**retries + 1), _LONGEST_WAIT)


def _new_key(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))
