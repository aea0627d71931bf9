"""Who may use the controls."""

from __future__ import annotations

import pytest

from mockserver.control.guard import Guard
from mockserver.settings import Settings


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_on_loopback_everybody_may(address: str) -> None:
    guard = Guard("the-token")
    guard.listens_on(address)
    assert guard.token is None
    assert guard.admits([])


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::", "fe80::1%eth0", "::ffff:192.0.2.1"])
def test_elsewhere_only_who_has_the_token(address: str) -> None:
    guard = Guard("the-token")
    guard.listens_on(address)
    assert guard.admits([(b"x-control-token", b"the-token")])
    assert not guard.admits([])
    assert not guard.admits([(b"x-control-token", b"another")])


def test_a_token_is_made_up_when_none_is_set() -> None:
    made = []
    for _ in range(2):
        guard = Guard()
        guard.listens_on("0.0.0.0")
        made.append(guard.token)
    assert made[0] != made[1]
    assert all(token and len(token) >= 32 for token in made)


def test_the_token_is_in_no_repr() -> None:
    assert "the-token" not in repr(Settings(control_token="the-token"))
