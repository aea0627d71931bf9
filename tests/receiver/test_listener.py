"""A listener verifies, answers and forwards webhooks, and reports each one in a line."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from mockserver.receiver.deliveries import AuditCalendar, AuditDelivery, Composer
from mockserver.receiver.endpoint import Endpoint
from mockserver.receiver.listener import Listener, ReceivedWebhook
from tests.patience import HANGS
from tests.receiver.receivers import RightReceiver, receiving

SECRET = "5iXV378/KoYsH0Zs0PSAwpkBxdHfo0WP+Tou6T4M0J0="
CALENDAR = AuditCalendar("cal_a", "ada")
COMPOSER = Composer(SECRET, lambda: str(uuid.uuid4()), datetime(2027, 1, 15, tzinfo=UTC))


@contextmanager
def listening(**given: Any) -> Iterator[tuple[int, list[ReceivedWebhook]]]:
    heard: list[ReceivedWebhook] = []
    server = Listener(SECRET, heard=heard.append, **given).serve("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    with server:
        try:
            yield server.port, heard
        finally:
            server.shutdown()
            thread.join(HANGS)


def post(port: int, delivery: AuditDelivery) -> int | None:
    return Endpoint(f"http://127.0.0.1:{port}/webhook", HANGS).post(delivery).status


def test_a_genuine_webhook_is_one_line() -> None:
    delivery = COMPOSER.accepted("genuine", CALENDAR)
    key = json.loads(delivery.body)["idempotency_key"]
    with listening() as (port, heard):
        assert post(port, delivery) == 200
        assert post(port, delivery) == 200
    line = f"#1  calendar.events_update  cal_a  connected  {key}  signature ok  answered 200"
    assert [str(one) for one in heard] == [
        line,
        line.replace("#1", "#2").replace("signature", "repeated, 2 times now  signature"),
    ]
    assert heard[0].as_dict() == {
        "number": 1,
        "trigger": "calendar.events_update",
        "calendar_id": "cal_a",
        "state": "connected",
        "key": key,
        "times": 1,
        "size": len(delivery.body),
        "signature": "ok",
        "answered": 200,
        "forwarded": None,
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unsigned", "there is no X-Webhook-Signature header"),
        ("tampered-body", "it is the signature of another body"),
        ("raw-bytes", "it signs the bytes of the body"),
        ("secret-as-text", "it was made with the secret as text"),
    ],
)
def test_a_wrong_signature_is_named_with_the_mistake(name: str, reason: str) -> None:
    with listening() as (port, heard):
        post(port, COMPOSER.refused(name, CALENDAR))
    assert f"signature wrong because {reason}" in str(heard[0])
    assert heard[0].as_dict()["signature"].startswith(f"wrong because {reason}")


def test_a_body_that_is_no_webhook_is_reported_too() -> None:
    with listening() as (port, heard):
        for body in (b"[1]", b"\xff", b'{"trigger": "a\\u0007b", "data": 1}'):
            assert post(port, AuditDelivery(body, ())) == 200
    assert [one.trigger for one in heard] == [None, None, "a\ufffdb"]
    assert "no trigger  no calendar  no key" in str(heard[0])


def test_the_answer_can_be_chosen() -> None:
    with listening(answer=503) as (port, heard):
        assert post(port, COMPOSER.accepted("genuine", CALENDAR)) == 503
    assert str(heard[0]).endswith("signature ok  answered 503")


def test_a_webhook_is_forwarded_unchanged_and_answered_as_the_endpoint_answers() -> None:
    receiver = RightReceiver("http://127.0.0.1:1", "key", SECRET)
    receiver.work.put(None)  # nothing is to be fetched
    with receiving(receiver) as endpoint, listening(forward=endpoint) as (port, heard):
        assert post(port, COMPOSER.accepted("non-ascii", CALENDAR)) == 200
        assert post(port, COMPOSER.refused("raw-bytes", CALENDAR)) == 400
    assert "your endpoint: answered 200 after" in str(heard[0])
    assert heard[1].as_dict()["forwarded"]["status"] == 400


def test_an_endpoint_that_does_not_answer_makes_a_502_unless_the_answer_is_chosen() -> None:
    delivery = COMPOSER.accepted("genuine", CALENDAR)
    with listening(forward="http://127.0.0.1:1/x") as (port, heard):
        assert post(port, delivery) == 502
    assert "your endpoint: no answer (connection refused)  answered 502" in str(heard[0])
    with listening(forward="http://127.0.0.1:1/x", answer=200) as (port, _):
        assert post(port, delivery) == 200


def test_what_is_no_post_and_bodies_without_a_length_are_refused() -> None:
    with listening() as (port, heard):
        for request, status in (
            (b"GET / HTTP/1.1", b"405"),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked", b"411"),
            (b"POST / HTTP/1.1\r\nContent-Length: 99999999999", b"413"),
        ):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(request + b"\r\nHost: listener\r\n\r\n")
                assert connection.makefile("rb").readline().split()[1] == status
        with socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
            half.shutdown(socket.SHUT_WR)
            assert half.recv(1) == b""
    assert not heard


def test_a_secret_or_a_url_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="base64"):
        Listener("not a secret!", heard=print)
    with pytest.raises(ValueError, match="http://127.0.0.1:8080/webhook"):
        Listener(SECRET, heard=print, forward="localhost:8080")


def test_the_composer_signs_as_the_service_does() -> None:
    delivery = COMPOSER.accepted("genuine", CALENDAR)
    text = json.dumps(json.loads(delivery.body), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hmac.digest(base64.b64decode(SECRET), text.encode(), "sha256")
    assert delivery.signature == base64.b64encode(digest).decode()
