from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from mockserver.domain.subscriptions import (
    TRIGGERS,
    Subscription,
    SubscriptionNotFound,
    SubscriptionRefused,
    UrlRules,
    public_addresses,
    set_active,
    subscribe,
    unsubscribe,
)

RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "webhooks.json").read_text("utf-8"))
URL = "https://example.com/hook"
ANY = UrlRules()


def one_more(subscriptions: list[Subscription], url: str, rules: UrlRules = ANY) -> Subscription:
    return subscribe(subscriptions, f"webhook_{len(subscriptions):016}", url, TRIGGERS, rules)


def resolve(host: str) -> Iterable[str]:
    known = {"localhost": ["::1", "127.0.0.1"], "mixed.example": ["8.8.8.8", "10.0.0.1"], "good.example": ["8.8.8.8"]}
    if host not in known:
        raise OSError
    return known[host]


@pytest.mark.parametrize(("url", "public"), RECORDED["cases"]["url_is_public"].items())
def test_what_is_public_is_what_was_recorded(url: str, public: bool) -> None:
    assert bool(public_addresses(url, resolve)) is public


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://good.example/", True),
        ("https://mixed.example/", False),
        ("https://[::ffff:127.0.0.1]/", False),
        ("https://[::ffff:8.8.8.8]/", True),
    ],
)
def test_every_address_of_a_host_has_to_be_public(url: str, public: bool) -> None:
    assert bool(public_addresses(url, resolve)) is public


def test_the_addresses_that_were_checked_are_given() -> None:
    assert public_addresses("https://good.example/", resolve) == ["8.8.8.8"]
    assert public_addresses("https://nobody.example/", lambda _: []) == []


def test_a_project_has_at_most_two_subscriptions() -> None:
    subscriptions: list[Subscription] = []
    one_more(subscriptions, URL)
    one_more(subscriptions, f"{URL}/2")
    with pytest.raises(SubscriptionRefused, match="You have reached the maximum number of webhooks") as refused:
        one_more(subscriptions, f"{URL}/3")
    assert refused.value.fix
    assert len(subscriptions) == 2


def test_no_two_subscriptions_have_one_url() -> None:
    subscriptions: list[Subscription] = []
    one_more(subscriptions, URL)
    with pytest.raises(SubscriptionRefused, match="URL already subscribed") as refused:
        one_more(subscriptions, URL)
    assert refused.value.field == "url"


def test_loopback_and_http_are_for_everyone_unless_the_service_is_followed() -> None:
    one_more([], "http://127.0.0.1:3000/hook")
    with pytest.raises(SubscriptionRefused, match="webhook URL must start with https://"):
        one_more([], "http://127.0.0.1:3000/hook", UrlRules(https_only=True))
    one_more([], URL, UrlRules(https_only=True))


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a.de", "http://", "http://a b", "http://a\0b", "http://a..b", "http://[x", "http://a/\ud800"],
)
def test_what_cannot_be_asked_for_is_refused(url: str) -> None:
    with pytest.raises(SubscriptionRefused, match="must be an http or https URL"):
        one_more([], url)


@pytest.mark.parametrize(("triggers", "problem"), [((), "at least one"), (("calendar.event_update",), "no trigger")])
def test_triggers_are_those_that_there_are(triggers: tuple[str, ...], problem: str) -> None:
    with pytest.raises(SubscriptionRefused, match=problem) as refused:
        subscribe([], "webhook_0", URL, triggers, ANY)
    assert refused.value.field == "triggers"
    assert "calendar.events_update" in refused.value.fix


def test_a_subscription_is_switched_off_and_taken_away() -> None:
    subscriptions: list[Subscription] = []
    one_more(subscriptions, f"{URL}/first")
    made = one_more(subscriptions, URL)
    assert set_active(subscriptions, made.id, active=False).active is False
    assert [one.active for one in subscriptions] == [True, False]
    unsubscribe(subscriptions, made.id)
    assert [one.url for one in subscriptions] == [f"{URL}/first"]
    with pytest.raises(SubscriptionNotFound):
        unsubscribe(subscriptions, made.id)
