"""Deliveries are what the real service put on the wire, byte for byte."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.delivery.payload import address_of, canonical, compose, payload, previous_secret, signature
from mockserver.domain import outbox
from mockserver.domain.deliveries import Delivery
from mockserver.domain.timestamps import parse
from tests.projects import NOW, SECRET, make_calendar, make_project

RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "webhooks.json").read_text("utf-8"))
DELIVERIES = [one for several in RECORDED["deliveries"].values() for one in several]
URL = "http://127.0.0.1:8899/hook"


def make_delivery(**fields: Any) -> Delivery:
    delivery = Delivery(
        key="9a4d544f-be46-40b7-add9-94a9b8923d9b",
        number=1,
        subscription_id="webhook_0000000000000000",
        url=URL,
        trigger="calendar.events_update",
        calendar_id="cal_aaaaaaaaaaaaaaaa",
        data={"state": "connected"},
        created_at=NOW,
        state="sending",
        due=NOW,
        waits=(),
    )
    return delivery._replace(**fields)


@pytest.mark.parametrize("recorded", DELIVERIES, ids=[one["json"]["idempotency_key"] for one in DELIVERIES])
def test_a_delivery_has_the_body_and_the_headers_that_were_recorded(recorded: Any) -> None:
    written = recorded["json"]
    delivery = make_delivery(key=written["idempotency_key"], trigger=written["trigger"], data=written["data"])
    calendar = make_calendar(
        id=written["calendar_id"],
        deduplication_key=written["calendar_deduplication_key"],
        metadata=written["calendar_metadata"],
    )
    webhook = compose(delivery, calendar, base64.b64decode(RECORDED["secret_base64_of_the_samples"]))
    assert webhook.body.decode() == recorded["raw_body"]
    assert webhook.headers == tuple(recorded["headers"].items())


@pytest.mark.parametrize("recorded", DELIVERIES, ids=[one["json"]["idempotency_key"] for one in DELIVERIES])
def test_what_a_sync_wrote_is_told_as_it_was_recorded(recorded: Any) -> None:
    data = recorded["json"]["data"]
    calendar = make_calendar(
        state=data["state"],
        connection_failure_data=data["connection_failure_data"],
        last_attempted_sync_at=parse(data["last_attempted_sync_at"]),
        last_successful_sync_at=parse(data["last_successful_sync_at"]),
    )
    project = make_project(URL)
    (delivery,) = outbox.enqueue(project, recorded["json"]["trigger"], calendar)
    assert json.dumps(payload(delivery, calendar)["data"]) == json.dumps(data)


@pytest.mark.parametrize("vector", RECORDED["signature"]["vectors"], ids=lambda vector: vector["signature"][:8])
def test_every_recorded_signature_comes_out(vector: Any) -> None:
    signed = canonical(vector["payload"])
    assert signed == vector["canonical"]
    assert signature(base64.b64decode(vector["secret_base64"]), signed) == vector["signature"]


def test_of_a_calendar_that_was_deleted_nothing_is_said() -> None:
    recorded = RECORDED["cases"]["calendar-deleted-before-delivery"]["body"]
    delivery = make_delivery(key=recorded["idempotency_key"], data=recorded["data"])
    assert compose(delivery, None, SECRET).body.decode() == json.dumps(recorded)


def test_metadata_comes_in_the_order_of_the_database() -> None:
    calendar = make_calendar(metadata={"bb": "1", "ü": "2", "a": "3", "aa": "4"})
    written = json.loads(compose(make_delivery(), calendar, SECRET).body)["calendar_metadata"]
    assert list(written) == ["a", "aa", "bb", "ü"]


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\0", "\x7f\x1f"])
def test_characters_that_no_database_holds_break_nothing(text: str) -> None:
    webhook = compose(make_delivery(), make_calendar(metadata={text: text}), SECRET)
    assert json.loads(webhook.body)["calendar_metadata"] == {text: text}
    assert json.loads(webhook.signed)["calendar_metadata"] == {text: text}


def test_an_unsigned_delivery_lacks_only_its_signature() -> None:
    calendar = make_calendar()
    good = dict(compose(make_delivery(), calendar, SECRET).headers)
    del good["X-Webhook-Signature"]
    assert dict(compose(make_delivery(), calendar, SECRET, fault="unsigned").headers) == good


def test_an_old_secret_signs_the_same_text() -> None:
    webhook = compose(make_delivery(), make_calendar(), SECRET, fault="old secret")
    assert dict(webhook.headers)["X-Webhook-Signature"] == signature(previous_secret(SECRET), webhook.signed)
    assert previous_secret(SECRET) != SECRET


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://LocalHost/a?b=c#d", "localhost", "/a?b=c"),
        ("https://example.com", "example.com", "/"),
        ("https://example.com:443/%7e", "example.com", "/%7e"),
        ("https://example.com:80/", "example.com:80", "/"),
        ("http://[::1]:8000/x y", "[::1]:8000", "/x%20y"),
        ("http://bücher.example/ü?q=ü", "xn--bcher-kva.example", "/%C3%BC?q=%C3%BC"),
    ],
)
def test_a_url_is_asked_for_as_the_service_does(url: str, host: str, target: str) -> None:
    webhook = compose(make_delivery(url=url), None, SECRET)
    assert webhook.headers[0] == ("Host", host)
    assert address_of(url).target == target


def test_a_user_in_the_url_is_sent_as_the_service_does() -> None:
    webhook = compose(make_delivery(url="http://us:p%40w@127.0.0.1/x"), None, SECRET)
    assert webhook.headers[0] == ("Host", "127.0.0.1")
    assert webhook.headers[-1] == ("Authorization", f"Basic {base64.b64encode(b'us:p@w').decode()}")
