"""Faults of deliveries: each marked, none on its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac

from mockserver.delivery.payload import SIGNATURE, previous_secret
from mockserver.domain.deliveries import Delivery, DeliveryFault, DeliveryFaultKind
from mockserver.domain.store import Project
from tests.delivery.workers import Wire, make_worker, states, tell
from tests.projects import SECOND, SECRET, make_project

URL = "http://127.0.0.1:9/x"


def first(how: DeliveryFaultKind, seconds: int = 0) -> object:
    """Spoils the first attempt at the first delivery."""

    def find_fault(_: Project, delivery: Delivery) -> DeliveryFault | None:
        return DeliveryFault("my fault", how, seconds) if (delivery.number, delivery.tried) == (1, 0) else None

    return find_fault


def with_fault(how: DeliveryFaultKind, *answers: int, seconds: int = 0) -> tuple[Wire, Project]:
    """Three deliveries of which the first has a fault, and a minute after."""
    wire, project = Wire(*answers), make_project(URL)

    async def run() -> None:
        worker = make_worker(wire, find_fault=first(how, seconds))
        for _ in range(3):
            tell(project)
            await worker.settle(project)
        await worker.advance(project, 60 * SECOND)

    asyncio.run(run())
    return wire, project


def order(wire: Wire, project: Project) -> list[int]:
    """The deliveries' numbers in the order in which they were sent."""
    keys = [delivery.key for delivery in project.deliveries.select()]
    return [next(n for n, key in enumerate(keys, 1) if key.encode() in webhook.body) for webhook in wire.sent]


def signatures(wire: Wire) -> list[str | None]:
    return [dict(webhook.headers).get(SIGNATURE) for webhook in wire.sent]


def test_without_a_fault_nothing_is_changed() -> None:
    wire, project = Wire(), make_project(URL)
    tell(project)
    asyncio.run(make_worker(wire).settle(project))
    (delivery,) = project.deliveries.select()
    assert (delivery.fault, delivery.attempts[0].fault) == (None, None)


def test_a_duplicate_is_the_same_bytes_again_and_does_not_count() -> None:
    wire, project = with_fault("duplicate")
    assert order(wire, project) == [1, 1, 2, 3]
    assert wire.sent[0] == wire.sent[1]
    delivery = project.deliveries.select()[0]
    assert (delivery.state, delivery.tried) == ("success", 1)
    assert [(attempt.number, attempt.fault) for attempt in delivery.attempts] == [(1, "my fault"), (1, "my fault")]


def test_a_duplicate_that_fails_is_retried_once() -> None:
    wire, project = with_fault("duplicate", 500, 500)
    assert sorted(order(wire, project)) == [1, 1, 1, 2, 3]
    assert project.deliveries.select()[0].tried == 2


def test_a_reordered_delivery_comes_after_the_next() -> None:
    wire, project = with_fault("reorder")
    assert order(wire, project) == [2, 1, 3]
    assert project.deliveries.select()[0].attempts[0].fault == "my fault"


def test_a_held_delivery_is_not_sent() -> None:
    wire, project = with_fault("hold")
    assert order(wire, project) == [2, 3]
    assert states(project) == ["held", "success", "success"]
    assert project.deliveries.select()[0].fault == "my fault"


def test_a_dropped_delivery_is_gone() -> None:
    wire, project = with_fault("drop")
    assert order(wire, project) == [2, 3]
    assert states(project) == ["dropped", "success", "success"]


def test_a_late_delivery_comes_so_many_seconds_later() -> None:
    wire, project = with_fault("late", seconds=30)
    assert order(wire, project) == [2, 3, 1]
    delivery = project.deliveries.select()[0]
    assert delivery.attempts[0].at == delivery.created_at + 30 * SECOND


def test_an_unsigned_delivery_has_no_signature_and_its_retry_has_one() -> None:
    wire, _ = with_fault("unsigned", 401)
    assert [signature is None for signature in signatures(wire)] == [True, False, False, False]


def test_a_delivery_with_an_old_secret_fails_verification() -> None:
    wire, project = with_fault("old secret")
    text = project.deliveries.select()[0].attempts[0].signed.encode()
    expected = [base64.b64encode(hmac.digest(key, text, hashlib.sha256)) for key in (SECRET, previous_secret(SECRET))]
    assert signatures(wire)[0] == expected[1].decode() != expected[0].decode()


def test_a_password_in_a_url_is_sent_and_not_shown() -> None:
    wire, project = Wire(), make_project("http://us:pass@127.0.0.1:9/x")
    tell(project)
    asyncio.run(make_worker(wire).settle(project))
    (attempt,) = project.deliveries.select()[0].attempts
    assert attempt.headers[-1] == ("Authorization", "Basic ****")
    assert wire.sent[0].headers[-1][1] != "Basic ****"


def test_what_happened_tells_no_password_of_a_url() -> None:
    wire, project = Wire(), make_project("http://somebody:planted-word@127.0.0.1:9/x")
    tell(project)
    (told,) = asyncio.run(make_worker(wire).settle(project))
    assert told.detail["url"] == "http://127.0.0.1:9/x"
    assert "planted-word" not in str(told)


def test_where_only_public_addresses_are_allowed_it_is_sent_to_those_that_were_checked() -> None:
    wire, project = Wire(), make_project("http://receiver.example/x")
    tell(project)
    looked_up: list[str] = []

    def resolve(host: str) -> list[str]:
        looked_up.append(host)
        return ["8.8.8.8", "8.8.4.4"] if len(looked_up) == 1 else ["127.0.0.1"]

    duplicate = first("duplicate")
    asyncio.run(make_worker(wire, public_only=True, resolve=resolve, find_fault=duplicate).settle(project))
    assert wire.addresses == [["8.8.8.8", "8.8.4.4"]] * 2
    assert looked_up == ["receiver.example"]


def test_where_any_address_is_allowed_none_is_looked_up_before() -> None:
    wire, project = Wire(), make_project("http://receiver.example/x")
    tell(project)
    asyncio.run(make_worker(wire).settle(project))
    assert list(map(list, wire.addresses)) == [[]]
