"""webhooks.yaml is valid OpenAPI, fits every recorded delivery, and finds what breaks it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mockserver.contracts import WEBHOOKS, load_contract
from mockserver.delivery.payload import Webhook, compose
from mockserver.domain.deliveries import DeliveryFaultKind
from mockserver.domain.subscriptions import TRIGGERS
from tests.delivery.test_payload import make_delivery
from tests.projects import SECRET, make_calendar
from tests.webhook_contract import WebhookContract, signature

CONTRACT = WebhookContract()
DOCUMENT = CONTRACT.document
RECORDED = json.loads((Path(__file__).parent / "recorded" / "webhooks.json").read_text("utf-8"))
DELIVERIES = [one for several in RECORDED["deliveries"].values() for one in several]
SAMPLE_SECRET = base64.b64decode(DOCUMENT["x-sample-secret"])
CONNECTED = DOCUMENT["components"]["examples"]["EventsUpdate"]["value"]["data"]


def examples() -> Iterator[Any]:
    """Each request body's schema with the name and content of each of its examples."""
    for body in DOCUMENT["components"]["requestBodies"].values():
        media = body["content"]["application/json"]
        for name, reference in media["examples"].items():
            example = DOCUMENT["components"]["examples"][reference["$ref"].split("/")[-1]]
            yield pytest.param(media["schema"], example, id=name)


def problems(body: Any, headers: dict[str, str] | None = None) -> list[str]:
    """What the contract says of a delivery with this content, which is otherwise as it should be."""
    good = compose(make_delivery(data=CONNECTED), make_calendar(), SECRET)
    text = json.dumps(body).encode()
    given = dict(good.headers) | {"X-Webhook-Signature": signature(body, SECRET), "Content-Length": str(len(text))}
    return list(CONTRACT.problems(Webhook(good.url, tuple((given | (headers or {})).items()), text, ""), SECRET))


def good_body() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(compose(make_delivery(data=CONNECTED), make_calendar(), SECRET).body)
    return body


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(load_contract(WEBHOOKS)).iter_errors()) == []


def test_it_has_the_triggers_that_a_subscription_can_have() -> None:
    assert {*DOCUMENT["webhooks"]} == {*TRIGGERS}


@pytest.mark.parametrize("recorded", DELIVERIES, ids=[one["json"]["idempotency_key"] for one in DELIVERIES])
def test_every_recorded_delivery_fits(recorded: Any) -> None:
    webhook = Webhook("", tuple(recorded["headers"].items()), recorded["raw_body"].encode(), "")
    secret = base64.b64decode(RECORDED["secret_base64_of_the_samples"])
    assert list(CONTRACT.problems(webhook, secret)) == []


def test_the_recorded_delivery_for_a_deleted_calendar_fits() -> None:
    assert problems(RECORDED["cases"]["calendar-deleted-before-delivery"]["body"]) == []


@pytest.mark.parametrize(("schema", "example"), [*examples()])
def test_an_example_fits_the_schema_beside_it(schema: Any, example: Any) -> None:
    assert [error.message for error in CONTRACT.validator(schema).iter_errors(example["value"])] == []


@pytest.mark.parametrize(("schema", "example"), [*examples()])
def test_the_signature_of_an_example_is_that_of_the_sample_secret(schema: Any, example: Any) -> None:
    assert example.get("x-signature") in (None, signature(example["value"], SAMPLE_SECRET))


def test_the_examples_that_are_said_to_be_recorded_are() -> None:
    said = [one for one in DOCUMENT["components"]["examples"].values() if "as recorded" in one["summary"].lower()]
    bodies = [one["json"] for one in DELIVERIES] + [RECORDED["cases"]["calendar-deleted-before-delivery"]["body"]]
    assert len(said) == 5
    assert not [one for one in said if one["value"] not in bodies]


def test_the_large_metadata_is_as_long_as_the_service_takes_it() -> None:
    metadata = DOCUMENT["components"]["examples"]["MetadataLarge"]["value"]["calendar_metadata"]
    assert len(json.dumps(metadata)) == 1000


def test_a_delivery_of_the_mock_fits() -> None:
    assert problems(good_body()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"trigger": "calendar.created"},
        {"bot_id": "bot_aaaaaaaaaaaaaaaa"},
        {"calendar_metadata": {"a": 1}},
        {"calendar_id": None},
        {"idempotency_key": "not a uuid"},
        {"data": {**CONNECTED, "state": "disconnected"}},
        {"data": {**CONNECTED, "last_attempted_sync_at": "2026-11-20 23:26:15Z"}},
        {"data": {name: value for name, value in CONNECTED.items() if name != "connection_failure_data"}},
    ],
    ids=str,
)
def test_a_body_that_differs_is_a_problem(change: dict[str, Any]) -> None:
    assert problems(good_body() | change)


def test_a_body_with_some_of_the_members_about_the_calendar_is_a_problem() -> None:
    body = good_body()
    del body["calendar_id"]
    assert problems(body)


@pytest.mark.parametrize(
    "header",
    [
        {"X-Webhook-Signature": signature(good_body(), b"another secret")},
        {"User-Agent": "python-requests/2.32"},
        {"Content-Type": "text/plain"},
        {"Content-Length": "7"},
        {"X-Another": "header"},
    ],
    ids=str,
)
def test_a_header_that_differs_is_a_problem(header: dict[str, str]) -> None:
    assert problems(good_body(), header)


def test_headers_in_another_order_are_a_problem() -> None:
    webhook = compose(make_delivery(data=CONNECTED), make_calendar(), SECRET)
    assert list(CONTRACT.problems(webhook._replace(headers=webhook.headers[::-1]), SECRET))


def test_the_signature_is_not_checked_where_a_fault_changes_it() -> None:
    delivery, calendar = make_delivery(data=CONNECTED), make_calendar()
    faults: tuple[DeliveryFaultKind, ...] = ("unsigned", "old secret")
    for fault in faults:
        webhook = compose(delivery, calendar, SECRET, fault=fault)
        assert list(CONTRACT.problems(webhook, SECRET)) != []
        assert list(CONTRACT.problems(webhook, SECRET, fault)) == []
