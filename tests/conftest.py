"""What every test may ask for: a mock of its own with the recorded data, and ways to talk to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.domain.clock import FixedClock
from mockserver.settings import Settings
from tests.clients import Client

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
