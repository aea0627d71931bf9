"""Makes deliveries, and moves them through their states: begun, retried, held, released, dropped, sent again."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final
from uuid import UUID

from mockserver.domain.deliveries import (
    MOST_ATTEMPTS,
    Attempt,
    Delivery,
    DeliveryFault,
    DeliveryNotReady,
    frozen,
    stored_error,
)
from mockserver.domain.model import Calendar
from mockserver.domain.store import Project
from mockserver.domain.task_queue import Task
from mockserver.domain.timestamps import SECOND

ATTEMPTS: Final = 3
_LONGEST_WAIT: Final = 600

FindFault = Callable[[Project, Delivery], DeliveryFault | None]
"""Finds the fault that applies to a delivery's next attempt, if there is one."""


def enqueue(project: Project, trigger: str, calendar: Calendar) -> list[Delivery]:
    """Makes one delivery to every active subscription with the trigger, due now.

    `calendar` is the record as the sync wrote it. Keys are drawn from the project's random numbers, and so are the
    waits before later attempts: what a receiver answers, and how fast, then changes nothing of what is drawn
    afterwards.
    """
    deliveries, made = project.deliveries, []
    for subscription in project.subscriptions:
        if not subscription.active or trigger not in subscription.triggers:
            continue
        now = project.clock.now()
        delivery = Delivery(
            key=_new_key(project.random),
            number=deliveries.next_number(),
            subscription_id=subscription.id,
            url=subscription.url,
            trigger=trigger,
            calendar_id=calendar.id,
            data=frozen(calendar),
            created_at=now,
            state="held" if deliveries.holding else "pending",
            due=now,
            waits=tuple(draw_wait(project.random, retries) for retries in range(ATTEMPTS - 1)),
        )
        if len(deliveries) >= deliveries.most_open:
            problem = stored_error("QueueFull", delivery.url, f"{deliveries.most_open} deliveries are waiting already")
            delivery = delivery._replace(state="dropped", problem=problem)
        made.append(deliveries.put(delivery))
        if delivery.state == "pending":
            project.task_queue.add(now, "deliver", delivery.key, trigger)
    return made


def begin(project: Project, key: str, find_fault: FindFault | None = None) -> Delivery | None:
    """Takes up a delivery whose task fell due; `find_fault` is asked once for each attempt.

    The state is `sending` when there is something to send. Otherwise it says what became of the delivery: a
    subscription that was switched off has failed it, a fault has put it off. None is a delivery that is gone.
    """
    deliveries = project.deliveries
    delivery = deliveries.find_open(key)
    if delivery is None or delivery.state != "pending":
        return None
    subscription = next((one for one in project.subscriptions if one.id == delivery.subscription_id), None)
    if subscription is None or not subscription.active:
        problem = stored_error("InactiveSubscription", delivery.url, "Webhook subscription is no longer active")
        return deliveries.put(delivery._replace(state="failure", problem=problem))
    if find_fault is not None and delivery.asked <= delivery.tried:
        fault = find_fault(project, delivery)
        delivery = delivery._replace(asked=delivery.tried + 1, next_fault=fault)
        if fault is not None:
            delivery = delivery._replace(fault=fault.name)
            if fault.kind in ("hold", "drop", "late", "reorder"):
                return _put_off(project, delivery, fault)
    return deliveries.put(delivery._replace(state="sending", url=subscription.url))


def record(project: Project, key: str, *attempts: Attempt) -> Delivery:
    """Records an attempt, the one that counts first, and schedules the next when there is one left.

    Raises DeliveryNotFound.
    """
    deliveries = project.deliveries
    delivery, first = deliveries.find(key), attempts[0]
    kept = (*delivery.attempts, *attempts)[-MOST_ATTEMPTS:]
    delivery = delivery._replace(attempts=kept, tried=delivery.tried + 1, problem=None, next_fault=None)
    if first.succeeded:
        deliveries.put(delivery._replace(state="success"))
    elif delivery.waits:
        wait, *rest = delivery.waits
        due = project.clock.now() + wait * SECOND
        delivery = delivery._replace(due=due, waits=tuple(rest), state="held" if deliveries.holding else "pending")
        deliveries.put(delivery)
        if delivery.state == "pending":
            project.task_queue.add(due, "deliver", key, "retry", delivery.tried)
    else:
        deliveries.put(delivery._replace(state="failure"))
    for other in deliveries.take_after_next(delivery.subscription_id):
        release(project, other)
    return deliveries.find(key)


def refuse(project: Project, key: str, error_type: str, message: str) -> Delivery:
    """Fails a delivery that was begun, at once and with nothing sent.

    Raises DeliveryNotFound.
    """
    delivery = project.deliveries.find(key)
    problem = stored_error(error_type, delivery.url, message)
    return project.deliveries.put(delivery._replace(state="failure", problem=problem))


def put_back(project: Project, task: Task) -> None:
    """Puts the task of a delivery whose attempt was cancelled into the task queue again, in its old place."""
    delivery = project.deliveries.find_open(task.subject)
    if delivery is not None and delivery.state == "sending":
        project.deliveries.put(delivery._replace(state="pending"))
        project.task_queue.put_back(task)


def hold(project: Project, key: str | None = None) -> None:
    """Holds one delivery; or, without a key, all that wait and all that are still to be made.

    Raises DeliveryNotFound, and DeliveryNotReady for one that does not wait.
    """
    deliveries = project.deliveries
    if key is None:
        deliveries.holding = True
    for delivery in deliveries.waiting(key, "pending"):
        deliveries.put(delivery._replace(state="held"))
    held = {one.key for one in deliveries.in_state("held")}
    project.task_queue.drop(lambda task: task.kind == "deliver" and task.subject in held)


def release(project: Project, key: str | None = None) -> None:
    """Releases one held delivery; or, without a key, all of them, in the order in which they were made.

    Raises DeliveryNotFound, and DeliveryNotReady for one that is not held.
    """
    if key is None:
        project.deliveries.holding = False
    for delivery in project.deliveries.waiting(key, "held"):
        _schedule(project, delivery, "released")


def drop(project: Project, key: str | None = None) -> None:
    """Drops one delivery that waits or is held; or, without a key, all of them.

    Raises DeliveryNotFound, and DeliveryNotReady for one that is being sent or is finished.
    """
    waiting = list(project.deliveries.waiting(key, "pending", "held"))
    for delivery in waiting:
        project.deliveries.put(delivery._replace(state="dropped"))
    dropped = {delivery.key for delivery in waiting}
    project.task_queue.drop(lambda task: task.kind == "deliver" and task.subject in dropped)


def resend(project: Project, key: str) -> Delivery:
    """One more attempt at a finished delivery, due now, with the same key and data; there is no retry after it.

    Raises DeliveryNotFound, and DeliveryNotReady for one that is not finished.
    """
    delivery = project.deliveries.find(key)
    if not delivery.finished:
        fix = "release it" if delivery.state == "held" else "wait until it is finished"
        raise DeliveryNotReady(delivery, f"the delivery is {delivery.state}", fix)
    project.deliveries.reopen(key)
    delivery = delivery._replace(due=project.clock.now(), waits=(), problem=None)
    return _schedule(project, delivery, "resend")


def _schedule(project: Project, delivery: Delivery, cause: str) -> Delivery:
    project.task_queue.add(delivery.due, "deliver", delivery.key, cause, delivery.tried)
    return project.deliveries.put(delivery._replace(state="pending"))


def _put_off(project: Project, delivery: Delivery, fault: DeliveryFault) -> Delivery:
    """Does what a fault does to a delivery that is not sent now."""
    if fault.kind == "drop":
        return project.deliveries.put(delivery._replace(state="dropped"))
    if fault.kind == "late":
        due = project.clock.now() + fault.seconds * SECOND
        return _schedule(project, delivery._replace(due=due), "late")
    if fault.kind == "reorder":
        project.deliveries.release_after_next(delivery)
    return project.deliveries.put(delivery._replace(state="held"))


def draw_wait(random: Random, retries: int) -> int:
    """How many whole seconds to wait before the next attempt, after so many retries (webhooks.json, retry)."""
    return min(random.randrange(2**retries + 1), _LONGEST_WAIT)


def _new_key(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))
