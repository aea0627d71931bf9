"""Subscriptions are made and ended, deliveries seen, waited for, held, released, dropped and sent again."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.control.errors import Refused
from mockserver.domain import outbox
from mockserver.domain.deliveries import Delivery, DeliveryNotFound, DeliveryNotReady
from mockserver.domain.subscriptions import TRIGGERS, SubscriptionNotFound, SubscriptionRefused
from tests.clients import ACME, MAIN_CALENDAR
from tests.control.client import DirectControls

NOBODY = "http://user:hidden@127.0.0.1:1/webhook"
"""An address where nobody answers."""


@pytest.fixture
def controls(mock: Mock) -> DirectControls:
    controls = DirectControls(mock)
    controls.project.clock.freeze()
    controls.project.subscriptions.clear()
    return controls


def tell(controls: DirectControls, trigger: str = TRIGGERS[0]) -> Delivery:
    """A new delivery of the main calendar; there has to be a subscription."""
    calendar = controls.project.state.calendars.get(MAIN_CALENDAR)
    assert calendar is not None
    return outbox.enqueue(controls.project, trigger, calendar)[0]


def test_subscriptions_are_added_switched_and_removed(controls: DirectControls) -> None:
    made = controls("POST", "/subscriptions", url="http://127.0.0.1:3000/hook")
    assert made["triggers"] == list(TRIGGERS)
    assert made["active"]
    assert controls("PATCH", f"/subscriptions/{made['id']}", active=False)["active"] is False
    assert controls("GET", "/subscriptions") == {"subscriptions": [{**made, "active": False}]}
    assert controls("DELETE", f"/subscriptions/{made['id']}") == {"removed": made["id"]}
    assert controls("GET", "/subscriptions") == {"subscriptions": []}
    with pytest.raises(SubscriptionNotFound):
        controls("DELETE", f"/subscriptions/{made['id']}")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": 7}, "url"),
        ({"url": "ftp://x/"}, "url"),
        ({"url": "http://x/", "triggers": "all"}, "triggers"),
        ({"url": "http://x/", "triggers": []}, "triggers"),
        ({"url": "http://x/", "triggers": ["calendar.event"]}, "triggers"),
    ],
    ids=str,
)
def test_a_subscription_that_cannot_be_is_refused(controls: DirectControls, body: dict[str, Any], field: str) -> None:
    assert controls.refused("POST", "/subscriptions", **body) == field
    assert controls.project.subscriptions == []


def test_the_services_own_rules_for_urls_can_be_asked_for(make_mock: Callable[..., Mock]) -> None:
    controls = DirectControls(make_mock(https_webhooks=True))
    with pytest.raises(SubscriptionRefused, match="https://"):
        controls("POST", "/subscriptions", url="http://127.0.0.1/")


def test_only_true_and_false_switch_a_subscription(controls: DirectControls) -> None:
    made = controls("POST", "/subscriptions", url="http://127.0.0.1:3000/hook")
    with pytest.raises(Refused, match="active"):
        controls("PATCH", f"/subscriptions/{made['id']}", active="no")


def test_a_delivery_shows_every_attempt_as_it_went_over_the_wire_and_no_secret(controls: DirectControls) -> None:
    controls("POST", "/subscriptions", url=NOBODY)
    key = tell(controls).key
    controls("GET", "/deliveries")
    shown = controls("GET", f"/deliveries/{key}")
    attempt = shown["attempts"][0]
    assert attempt["headers"][0] == ["Host", "127.0.0.1:1"]
    assert json.loads(attempt["body"])["idempotency_key"] == key
    assert (
        json.dumps(json.loads(attempt["body"]), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        == (attempt["signed"])
    )
    assert attempt["status"] is None
    assert attempt["error_type"]
    text = json.dumps([shown, controls("GET", "/deliveries"), controls("GET", "/subscriptions")])
    for secret in ("hidden", ACME, base64.b64encode(controls.project.webhook_secret).decode()):
        assert secret not in text
    with pytest.raises(DeliveryNotFound):
        controls("GET", "/deliveries/other")


def test_deliveries_are_found_by_trigger_state_calendar_and_number(controls: DirectControls) -> None:
    controls("POST", "/deliveries/hold")
    controls("POST", "/subscriptions", url=NOBODY)
    first, second = tell(controls), tell(controls, TRIGGERS[1])
    controls("POST", f"/deliveries/{first.key}/drop")

    def found(query: str) -> list[str]:
        return [one["key"] for one in controls("GET", f"/deliveries?{query}")["deliveries"]]

    assert found(f"trigger={TRIGGERS[1]}") == [second.key]
    assert found("state=held") == [second.key]
    assert found("state=finished") == [first.key]
    assert found(f"calendar={MAIN_CALENDAR}") == [first.key, second.key]
    assert found("calendar=cal_gone") == []
    assert found("after=1") == [second.key]
    assert found("after=0&limit=1") == [first.key]
    assert found("limit=1") == [second.key]


@pytest.mark.parametrize(
    "query", ["trigger=x", "state=x", "after=x", "limit=0", "limit=1001", "wait=soon", "wait=-5s", "wait=301s"]
)
def test_a_search_that_finds_nothing_ever_is_refused(controls: DirectControls, query: str) -> None:
    assert controls.refused("GET", f"/deliveries?{query}") == query.partition("=")[0]


def test_a_delivery_is_waited_for(controls: DirectControls) -> None:
    outbox.hold(controls.project)
    controls.project.deliveries.holding = True

    async def run() -> Any:
        await controls.ask("POST", "/subscriptions", url=NOBODY)
        waiting = asyncio.create_task(controls.ask("GET", "/deliveries?wait=30s"))
        await asyncio.sleep(0)
        made = tell(controls)
        reply = await waiting
        await controls.settle()
        return reply.body["deliveries"][0]["key"] == made.key

    assert asyncio.run(run())
    assert controls("GET", "/deliveries?after=1&wait=1ms")["deliveries"] == []


def test_deliveries_are_held_released_dropped_and_sent_again(controls: DirectControls) -> None:
    controls("POST", "/subscriptions", url=NOBODY)
    assert controls("POST", "/deliveries/hold") == {"holding": True, "held": 0}
    one, other = tell(controls), tell(controls)
    assert controls("POST", f"/deliveries/{one.key}/release")["state"] == "pending"
    assert controls("POST", f"/deliveries/{other.key}/drop")["state"] == "dropped"
    with pytest.raises(DeliveryNotReady):
        controls("POST", f"/deliveries/{other.key}/release")
    assert controls("POST", f"/deliveries/{other.key}/resend")["state"] == "pending"
    assert controls("GET", f"/deliveries/{other.key}")["tried"] == 1
    assert controls("POST", "/deliveries/release")["holding"] is False


def test_one_delivery_is_held(controls: DirectControls) -> None:
    controls("POST", "/subscriptions", url=NOBODY)
    key = tell(controls).key
    assert controls("POST", f"/deliveries/{key}/hold")["state"] == "held"


def test_a_subscription_that_is_off_fails_what_was_to_be_sent_and_it_says_so(controls: DirectControls) -> None:
    made = controls("POST", "/subscriptions", url=NOBODY)
    key = tell(controls).key
    controls("PATCH", f"/subscriptions/{made['id']}", active=False)
    shown = controls("GET", f"/deliveries/{key}")
    assert (shown["state"], shown["attempts"]) == ("failure", [])
    assert "no longer active" in shown["error"]
    assert "hidden" not in json.dumps(shown)


def test_so_many_may_wait_and_no_more(controls: DirectControls) -> None:
    controls.mock._waits._most = 1

    async def run() -> int:
        waiting = asyncio.create_task(controls.ask("GET", "/deliveries?wait=30s"))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await controls.ask("GET", "/deliveries?wait=30s")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (await controls.ask("GET", "/deliveries?wait=1ms")).status == 200
        return refused.value.status

    assert asyncio.run(run()) == 429
    assert controls.project.deliveries._watchers == []


def test_the_waits_of_one_project_take_no_place_of_another(controls: DirectControls) -> None:
    controls.mock._waits._most = 1
    first, other = controls.mock.store.projects[:2]

    async def run() -> None:
        waiting = asyncio.create_task(controls.ask("GET", "/deliveries?wait=30s"))
        await asyncio.sleep(0)
        controls.project = other
        assert (await controls.ask("GET", "/deliveries?wait=1ms")).body["deliveries"] == []
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(run())


def test_a_state_that_passes_at_once_is_not_missed(controls: DirectControls) -> None:
    outbox.hold(controls.project)

    async def run() -> Any:
        await controls.ask("POST", "/subscriptions", url=NOBODY)
        waiting = asyncio.create_task(controls.ask("GET", "/deliveries?state=held&wait=30s"))
        await asyncio.sleep(0)
        made = tell(controls)
        outbox.drop(controls.project, made.key)
        return (await waiting).body["deliveries"]

    assert [one["state"] for one in asyncio.run(run())] == ["held"]
