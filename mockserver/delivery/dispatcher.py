"""Sends a delivery that is due to its receiver, and records the attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from socket import SOCK_STREAM, getaddrinfo
from typing import NamedTuple, Protocol

from mockserver.delivery.http_client import SendResult
from mockserver.delivery.payload import Webhook, compose
from mockserver.domain import outbox
from mockserver.domain.activity import Activity
from mockserver.domain.deliveries import Attempt, Delivery
from mockserver.domain.model import Micros
from mockserver.domain.outbox import FindFault
from mockserver.domain.secret_urls import shown_url
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import public_addresses
from mockserver.domain.task_queue import Task


class Sender(Protocol):
    """Sends webhooks over HTTP."""

    async def send(self, webhook: Webhook, addresses: Sequence[str] = ()) -> SendResult:
        """Sends a webhook to one of these addresses, or to those of its host when there are none.

        Never raises for what a receiver does: the result says what happened.
        """
        ...


class PreparedDelivery(NamedTuple):
    """A delivery that is ready to be sent, as it was when it was prepared."""

    project: Project
    epoch: int
    task: Task
    delivery: Delivery
    webhook: Webhook
    at: Micros


class Dispatcher:
    """Prepares deliveries, sends them and records their attempts."""

    def __init__(
        self,
        sender: Sender,
        *,
        find_fault: FindFault | None = None,
        public_only: bool = False,
        resolve: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        """`find_fault` finds the fault of an attempt; `public_only` refuses receivers in private networks.

        `resolve` gives the addresses of a host's name, and raises OSError where there are none; else the system does.
        """
        self._sender = sender
        self._resolve = resolve or _addresses
        self._find_fault = find_fault
        self._public_only = public_only

    def prepare(self, project: Project, task: Task) -> PreparedDelivery | Activity | None:
        """Prepares the delivery whose task is due, or returns what became of it; None when it is gone.

        The calendar, the secret and the subscription's URL are read at each attempt, here.
        """
        delivery = outbox.begin(project, task.subject, self._find_fault)
        if delivery is None:
            return None
        now = project.clock.now()
        if delivery.state != "sending":
            return _activity(delivery, now)
        fault = delivery.next_fault.kind if delivery.next_fault is not None else None
        calendar = project.state.calendars.get(delivery.calendar_id)
        webhook = compose(delivery, calendar, project.webhook_secret, fault=fault)
        return PreparedDelivery(project, project.deliveries.epoch, task, delivery, webhook, now)

    async def send_all(
        self, several: Sequence[PreparedDelivery], slots: asyncio.Semaphore | None = None
    ) -> list[Activity]:
        """Sends several deliveries together and records their attempts in order; `slots` limits how many are in flight.

        When it is cancelled their tasks go back into the task queue. Attempts of a project that was reset meanwhile are
        not recorded.
        """
        try:
            async with slots or nullcontext():
                results = await asyncio.gather(*(self._send(prepared) for prepared in several))
        except asyncio.CancelledError:
            for prepared in several:
                self.put_back(prepared)
            raise
        return [
            self._record(prepared, result)
            for prepared, result in zip(several, results, strict=True)
            if prepared.epoch == prepared.project.deliveries.epoch
        ]

    def put_back(self, prepared: PreparedDelivery) -> None:
        """Puts the task of a cancelled delivery back into the task queue; a second call does nothing."""
        project = prepared.project
        if prepared.epoch == project.deliveries.epoch:
            outbox.put_back(project, prepared.task)

    async def _send(self, prepared: PreparedDelivery) -> list[SendResult]:
        """The results of its POSTs: one, two of a duplicate, or none where nothing may be sent."""
        addresses: Sequence[str] = ()
        if self._public_only:
            addresses = await asyncio.to_thread(public_addresses, prepared.webhook.url, self._resolve)
            if not addresses:
                return []
        fault = prepared.delivery.next_fault
        times = 2 if fault is not None and fault.kind == "duplicate" else 1
        return [await self._sender.send(prepared.webhook, addresses) for _ in range(times)]

    def _record(self, prepared: PreparedDelivery, results: list[SendResult]) -> Activity:
        project, key = prepared.project, prepared.delivery.key
        if not results:
            refused = outbox.refuse(project, key, "PublicURLRequired", "Webhook URL must be public")
            return _activity(refused, project.clock.now())
        attempts = [_attempt(prepared, result) for result in results]
        return _activity(outbox.record(project, key, *attempts), prepared.at, *attempts)


def _attempt(prepared: PreparedDelivery, result: SendResult) -> Attempt:
    delivery, webhook = prepared.delivery, prepared.webhook
    headers = tuple((name, "Basic ****" if name == "Authorization" else value) for name, value in webhook.headers)
    return Attempt(
        number=delivery.tried + 1,
        at=prepared.at,
        url=webhook.url,
        headers=headers,
        body=webhook.body,
        signed=webhook.signed,
        status=result.status,
        answer=result.text,
        error_type=result.error_type,
        error_message=result.error_message,
        seconds=result.seconds,
        fault=delivery.next_fault.name if delivery.next_fault is not None else None,
    )


def _activity(delivery: Delivery, at: Micros, *attempts: Attempt) -> Activity:
    """A delivery as an activity. How long the receiver took is not part of it: it is never the same twice."""
    attempt = attempts[0] if attempts else None
    retried = attempt is not None and delivery.state in ("pending", "held")
    error = (delivery.problem or {}).get("error_type") if attempt is None else attempt.error_type or None
    return Activity(
        at=at,
        what="delivery",
        subject=delivery.key,
        outcome="retry" if retried else delivery.state,
        detail={
            "trigger": delivery.trigger,
            "calendar_id": delivery.calendar_id,
            "subscription_id": delivery.subscription_id,
            "url": shown_url(delivery.url),
            "attempt": delivery.tried,
            "status_code": attempt.status if attempt is not None else None,
            "error_type": error,
            "fault": delivery.fault,
        },
        attempts=attempts,
    )


def _addresses(host: str) -> Iterable[str]:
    return [str(place[4][0]) for place in getaddrinfo(host, None, type=SOCK_STREAM)]
