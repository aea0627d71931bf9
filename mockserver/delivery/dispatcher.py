"""Takes a delivery out of a project's outbox, sends it, and writes down what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from socket import SOCK_STREAM, getaddrinfo
from typing import NamedTuple, Protocol

from mockserver.api.webhooks import Webhook, compose
from mockserver.delivery.http_client import Reply
from mockserver.domain.activity import Activity
from mockserver.domain.deliveries import Attempt, Delivery
from mockserver.domain.model import Micros
from mockserver.domain.outbox import Spoil
from mockserver.domain.secret_urls import shown_url
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import public_addresses
from mockserver.domain.task_queue import Task


class Sends(Protocol):
    """What puts webhooks on the wire."""

    async def send(self, webhook: Webhook, addresses: Sequence[str] = ()) -> Reply:
        """Sends one to one of these addresses, or without any to where its host's name leads; says what came of it.

        Raises nothing, whatever the receiver does.
        """
        ...


class Parcel(NamedTuple):
    """A delivery on its way: what it was, and the bytes, when it was taken up."""

    project: Project
    epoch: int
    task: Task
    delivery: Delivery
    webhook: Webhook
    at: Micros


class Dispatcher:
    """Carries deliveries to their receivers."""

    def __init__(
        self,
        sender: Sends,
        *,
        spoil: Spoil | None = None,
        public_only: bool = False,
        resolve: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        """`spoil` is asked what a fault does to an attempt; `public_only` refuses receivers on this machine's net.

        `resolve` gives the addresses of a host's name, and raises OSError where there are none; else the system does.
        """
        self._sender = sender
        self._resolve = resolve or _addresses
        self._spoil = spoil
        self._public_only = public_only

    def take(self, project: Project, task: Task) -> Parcel | Activity | None:
        """The delivery whose task fell due, ready to be sent; or what became of it instead; None when it is gone.

        Everything that is read anew at an attempt is read here: the calendar, the secret, the subscription's URL.
        """
        delivery = project.outbox.begin(project, task.subject, self._spoil)
        if delivery is None:
            return None
        now = project.clock.now()
        if delivery.state != "sending":
            return _happening(delivery, now)
        how = delivery.spoiled.how if delivery.spoiled is not None else None
        calendar = project.state.calendars.get(delivery.calendar_id)
        webhook = compose(delivery, calendar, project.webhook_secret, spoiled=how)
        return Parcel(project, project.outbox.epoch, task, delivery, webhook, now)

    async def carry(self, parcels: Sequence[Parcel], places: asyncio.Semaphore | None = None) -> list[Activity]:
        """Sends parcels together, once there is a place, and writes down what came of them in their order.

        What is broken off is on the agenda again; what belongs to a project that was reset meanwhile is forgotten.
        """
        try:
            async with places or nullcontext():
                replies = await asyncio.gather(*(self._send(parcel) for parcel in parcels))
        except asyncio.CancelledError:
            for parcel in parcels:
                self.put_back(parcel)
            raise
        return [
            self._record(parcel, reply)
            for parcel, reply in zip(parcels, replies, strict=True)
            if parcel.epoch == parcel.project.outbox.epoch
        ]

    def put_back(self, parcel: Parcel) -> None:
        """Puts what was broken off on the agenda again; once is enough."""
        project = parcel.project
        if parcel.epoch == project.outbox.epoch:
            project.outbox.put_back(project, parcel.task)

    async def _send(self, parcel: Parcel) -> list[Reply]:
        """The replies to a parcel's POSTs: one, or two of a duplicate, or none where nothing may be sent."""
        addresses: Sequence[str] = ()
        if self._public_only:
            addresses = await asyncio.to_thread(public_addresses, parcel.webhook.url, self._resolve)
            if not addresses:
                return []
        spoiled = parcel.delivery.spoiled
        times = 2 if spoiled is not None and spoiled.how == "duplicate" else 1
        return [await self._sender.send(parcel.webhook, addresses) for _ in range(times)]

    def _record(self, parcel: Parcel, replies: list[Reply]) -> Activity:
        outbox, key = parcel.project.outbox, parcel.delivery.key
        if not replies:
            refused = outbox.refuse(key, "PublicURLRequired", "Webhook URL must be public")
            return _happening(refused, parcel.project.clock.now())
        attempts = [_attempt(parcel, reply) for reply in replies]
        return _happening(outbox.record(parcel.project, key, *attempts), parcel.at, attempts[0])


def _attempt(parcel: Parcel, reply: Reply) -> Attempt:
    delivery, webhook = parcel.delivery, parcel.webhook
    headers = tuple((name, "Basic ****" if name == "Authorization" else value) for name, value in webhook.headers)
    return Attempt(
        number=delivery.tried + 1,
        at=parcel.at,
        url=webhook.url,
        headers=headers,
        body=webhook.body,
        signed=webhook.signed,
        status=reply.status,
        answer=reply.text,
        error_type=reply.error_type,
        error_message=reply.error_message,
        seconds=reply.seconds,
        fault=delivery.spoiled.name if delivery.spoiled is not None else None,
    )


def _happening(delivery: Delivery, at: Micros, attempt: Attempt | None = None) -> Activity:
    """What is told of a delivery. How long a receiver took is not part of it: it is never the same twice."""
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
    )


def _addresses(host: str) -> Iterable[str]:
    return [str(place[4][0]) for place in getaddrinfo(host, None, type=SOCK_STREAM)]
