"""Control routes of webhooks: subscriptions, and listing, holding, releasing, dropping and resending deliveries."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from mockserver.control.errors import Refused
from mockserver.control.masking import Secrets
from mockserver.control.request import read_after, read_choice, read_limit, read_wait
from mockserver.control.routes import Call, Reply, Route
from mockserver.control.waits import Waits
from mockserver.delivery.worker import Worker
from mockserver.domain import outbox
from mockserver.domain.deliveries import Attempt, Deliveries, Delivery
from mockserver.domain.secret_urls import shown_url, url_secrets, without_secrets
from mockserver.domain.store import Project, new_id
from mockserver.domain.subscriptions import (
    TRIGGERS,
    Subscription,
    UrlRules,
    set_active,
    subscribe,
    unsubscribe,
)
from mockserver.domain.timestamps import render

_SUBSCRIPTIONS = "/__mock__/subscriptions"
_DELIVERIES = "/__mock__/deliveries"
_STATES = ("pending", "held", "sending", "success", "failure", "dropped", "finished")
"""The states of a delivery, and `finished` for the three that are ends."""


class _Wanted(NamedTuple):
    """Which deliveries a query wants; None wants all."""

    trigger: str | None
    state: str | None
    calendar: str | None
    after: int
    """Only deliveries with a higher number."""

    def takes(self, one: Delivery) -> bool:
        """Whether the delivery is wanted."""
        return (
            one.number > self.after
            and (self.state is None or one.state == self.state or (self.state == "finished" and one.finished))
            and self.trigger in (None, one.trigger)
            and self.calendar in (None, one.calendar_id)
        )


class WebhookRoutes:
    """A project's subscriptions and deliveries."""

    def __init__(self, secrets: Secrets, worker: Worker, rules: UrlRules, waits: Waits) -> None:
        """`rules` are what new subscriptions' URLs have to keep; `secrets` and `waits` are those of the whole mock."""
        self._secrets = secrets
        self._worker = worker
        self._rules = rules
        self._waits = waits
        self._watched: dict[Deliveries, Callable[[], None]] = {}
        """The deliveries that requests wait for, with the function that ends watching them."""

    def routes(self) -> list[Route]:
        """What there is under /__mock__/subscriptions and /__mock__/deliveries."""
        one, delivery = f"{_SUBSCRIPTIONS}/{{id}}", f"{_DELIVERIES}/{{key}}"
        wanted = frozenset({"trigger", "state", "calendar", "after", "limit", "wait"})
        new, switch = frozenset({"url", "triggers"}), frozenset({"active"})
        return [
            Route("GET", _SUBSCRIPTIONS, self.subscriptions),
            Route("POST", _SUBSCRIPTIONS, self.subscribe, fields=new, required=frozenset({"url"})),
            Route("PATCH", one, self.switch, fields=switch, required=switch),
            Route("DELETE", one, self.unsubscribe),
            Route("GET", _DELIVERIES, self.deliveries, query=wanted),
            Route("GET", delivery, self.delivery),
            Route("POST", f"{_DELIVERIES}/hold", self.hold_all),
            Route("POST", f"{_DELIVERIES}/release", self.release_all),
            Route("POST", f"{delivery}/hold", self.hold),
            Route("POST", f"{delivery}/release", self.release),
            Route("POST", f"{delivery}/drop", self.drop),
            Route("POST", f"{delivery}/resend", self.resend),
        ]

    async def subscriptions(self, call: Call) -> Reply:
        """The project's subscriptions."""
        return Reply(200, {"subscriptions": [_subscription(one) for one in call.project.subscriptions]})

    async def subscribe(self, call: Call) -> Reply:
        """Adds a subscription, to every trigger when none is named."""
        url, triggers = call.body["url"], call.body.get("triggers", list(TRIGGERS))
        if not isinstance(url, str):
            raise Refused("url", "must be a string", fix="write it as http://127.0.0.1:3000/webhook")
        if not isinstance(triggers, list) or not all(isinstance(trigger, str) for trigger in triggers):
            raise Refused("triggers", "must be a list of strings", fix=f"the triggers are {' and '.join(TRIGGERS)}")
        project = call.project
        made = subscribe(project.subscriptions, new_id("webhook", project.random), url, triggers, self._rules)
        self._worker.wake(project)
        return Reply(201, _subscription(made))

    async def switch(self, call: Call) -> Reply:
        """Switches a subscription on or off."""
        active = call.body["active"]
        if not isinstance(active, bool):
            raise Refused("active", "must be true or false")
        switched = set_active(call.project.subscriptions, call.names["id"], active=active)
        self._worker.wake(call.project)
        return Reply(200, _subscription(switched))

    async def unsubscribe(self, call: Call) -> Reply:
        """Deletes a subscription."""
        unsubscribe(call.project.subscriptions, call.names["id"])
        self._worker.wake(call.project)
        return Reply(200, {"removed": call.names["id"]})

    async def deliveries(self, call: Call) -> Reply:
        """The latest deliveries that are asked for, or the first after a number; it can wait until there is one."""
        project, query = call.project, call.query
        after, limit, seconds = read_after(query, "a delivery"), read_limit(query), read_wait(query)
        wanted = _wanted(project, call, after or 0)
        found = project.deliveries.select(wanted.takes)
        if not found and seconds:
            found = await self._wait(project, wanted, seconds)
        chosen = found[-limit:] if after is None else found[:limit]
        shown = {"deliveries": [_summary(one) for one in chosen], "total": len(found)}
        return Reply(200, {**shown, "evicted": project.deliveries.evicted, "holding": project.deliveries.holding})

    async def delivery(self, call: Call) -> Reply:
        """One delivery, with every attempt at it as it went over the wire."""
        found = call.project.deliveries.find(call.names["key"])
        urls = {found.url, *(attempt.url for attempt in found.attempts)}
        masker = self._secrets.known().masker(call.project.name, *(text for url in urls for text in url_secrets(url)))

        def hide(text: str) -> str:
            return without_secrets(masker.without_known(text))

        attempts = [_attempt(attempt, hide) for attempt in found.attempts]
        problem = None if found.problem is None else {**found.problem, "request_url": shown_url(found.url)}
        return Reply(200, {**_summary(found), "data": dict(found.data), "attempts": attempts, "problem": problem})

    async def hold_all(self, call: Call) -> Reply:
        """Holds all waiting and all new deliveries."""
        outbox.hold(call.project)
        return self._all(call.project)

    async def release_all(self, call: Call) -> Reply:
        """Releases all held deliveries."""
        outbox.release(call.project)
        return self._all(call.project)

    async def hold(self, call: Call) -> Reply:
        """Holds one waiting delivery."""
        outbox.hold(call.project, call.names["key"])
        return self._one(call)

    async def release(self, call: Call) -> Reply:
        """Releases one held delivery."""
        outbox.release(call.project, call.names["key"])
        return self._one(call)

    async def drop(self, call: Call) -> Reply:
        """Drops one delivery."""
        outbox.drop(call.project, call.names["key"])
        return self._one(call)

    async def resend(self, call: Call) -> Reply:
        """Sends a finished delivery once more."""
        outbox.resend(call.project, call.names["key"])
        return self._one(call)

    async def _wait(self, project: Project, wanted: _Wanted, seconds: float) -> list[Delivery]:
        """The deliveries that came, each as it was when it was last one of those that are wanted."""
        deliveries, waits = project.deliveries, self._waits
        if deliveries not in self._watched:
            self._watched[deliveries] = deliveries.watch(partial(waits.offer, deliveries))
        try:
            came = await waits.wait(deliveries, wanted, seconds)
        finally:
            if not waits.count(deliveries):
                self._watched.pop(deliveries)()
        return sorted({one.key: one for one in came}.values(), key=lambda one: one.number)

    def _one(self, call: Call) -> Reply:
        self._worker.wake(call.project)
        return Reply(200, _summary(call.project.deliveries.find(call.names["key"])))

    def _all(self, project: Project) -> Reply:
        self._worker.wake(project)
        held = project.deliveries.select(lambda one: one.state == "held")
        return Reply(200, {"holding": project.deliveries.holding, "held": len(held)})


def _wanted(project: Project, call: Call, after: int) -> _Wanted:
    """What a query asks for; a calendar may be one that is deleted by now, by its id."""
    trigger, state = read_choice(call.query, "trigger", TRIGGERS), read_choice(call.query, "state", _STATES)
    calendar = call.query.get("calendar") or None
    if calendar is not None:
        calendar = project.state.calendar_ids.get(calendar) or calendar
    return _Wanted(trigger, state, calendar, after)


def _subscription(one: Subscription) -> dict[str, Any]:
    return {"id": one.id, "url": shown_url(one.url), "triggers": list(one.triggers), "active": one.active}


def _summary(one: Delivery) -> dict[str, Any]:
    last = one.attempts[-1] if one.attempts else None
    return {
        "key": one.key,
        "number": one.number,
        "subscription": one.subscription_id,
        "url": shown_url(one.url),
        "trigger": one.trigger,
        "calendar": one.calendar_id,
        "state": one.state,
        "created_at": render(one.created_at),
        "due": None if one.finished else render(one.due),
        "tried": one.tried,
        "status": None if last is None else last.status,
        "error": _error(one, last),
        "fault": one.fault,
    }


def _error(one: Delivery, last: Attempt | None) -> str | None:
    """Why nothing was sent, or why the latest attempt had no answer."""
    if one.problem is not None:
        return without_secrets(str(one.problem["error_message"]))
    return without_secrets(last.error_message) or None if last is not None else None


def _attempt(one: Attempt, hide: Callable[[str], str]) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": render(one.at),
        "url": shown_url(one.url),
        "headers": [[name, hide(value)] for name, value in one.headers],
        "body": hide(one.body.decode("utf-8", "replace")),
        "signed": hide(one.signed),
        "status": one.status,
        "answer": hide(one.answer),
        "error_type": one.error_type or None,
        "error_message": hide(one.error_message) or None,
        "seconds": round(one.seconds, 6),
        "fault": one.fault,
    }
