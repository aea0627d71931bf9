"""What every test may ask for: a mock of its own with the recorded data, and ways to talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.delivery import dispatcher
from mockserver.delivery.payload import Webhook, compose
from mockserver.domain.clock import FixedClock
from mockserver.domain.deliveries import Delivery, DeliveryFaultKind
from mockserver.domain.model import Calendar
from mockserver.settings import Settings
from tests.clients import Client
from tests.webhook_contract import WebhookContract

RECORDED = Path(__file__).parent / "recorded"
NOW = 1_800_000_000_000_000
"""2027-01-15T08:00:00Z, later than everything in the recorded data."""


# How fast this machine is does not decide whether a test passes: examples are counted, not timed.
settings.register_profile("counted", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("counted")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where tests/test_contract.py goes."""
    group = parser.getgroup("contract")
    group.addoption("--target", default="", help="the URL of a deployment to hold to the contract; the mock without it")
    group.addoption("--token", default="", help="its API key; better in ATTENDEE_API_KEY")
    group.addoption("--other-token", default="", help="a key of another project; better in ATTENDEE_OTHER_API_KEY")


@pytest.fixture(scope="session")
def deliveries_outside_contract() -> Iterator[list[str]]:
    """What the deliveries of this test process had that contracts/webhooks.yaml does not allow."""
    contract, found = WebhookContract(), list[str]()

    def compose_and_check(
        delivery: Delivery, calendar: Calendar | None, secret: bytes, *, fault: DeliveryFaultKind | None = None
    ) -> Webhook:
        webhook = compose(delivery, calendar, secret, fault=fault)
        found.extend(contract.problems(webhook, secret, fault))
        return webhook

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatcher, "compose", compose_and_check)
        yield found


@pytest.fixture(autouse=True)
def every_delivery_keeps_the_contract(deliveries_outside_contract: list[str]) -> Iterator[None]:
    """Fails the test during which a mock in this process prepared a delivery that breaks the contract of webhooks."""
    yield
    problems, deliveries_outside_contract[:] = [*deliveries_outside_contract], []
    assert not problems


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def exchanges() -> list[Exchange]:
    """Every exchange that the mock of this test has seen."""
    return []


@pytest.fixture
def make_mock(clock: FixedClock, exchanges: list[Exchange]) -> Callable[..., Mock]:
    """Makes mocks with the recorded data, where nothing happens by itself; keywords are settings."""

    def make(**settings: Any) -> Mock:
        given = Settings(**{"fixtures": RECORDED / "seed.json", "sync": "manual", **settings})
        return Mock(given, clock=clock, observe=exchanges.append)

    return make


@pytest.fixture
def mock(make_mock: Callable[..., Mock]) -> Mock:
    return make_mock()


@pytest.fixture
def client(mock: Mock) -> Client:
    return Client(mock)
