"""Keys, and the limit on POSTs."""

from __future__ import annotations

import pytest

from mockserver.api.auth import Throttle, TokenSecurity
from mockserver.api.errors import ApiError
from mockserver.domain.clock import FixedClock, ProjectClock
from mockserver.domain.store import Project, Store
from mockserver.domain.timestamps import SECOND
from mockserver.settings import Rate, parse_rate

PROJECT = Project("Acme", ("key", "second"), ("old",))
SECURITY = TokenSecurity(Store([PROJECT], FixedClock(0), 1))


@pytest.mark.parametrize("header", ["Token key", "token  second", "TOKEN\tkey ", "Token\xa0key"])
def test_a_key_of_the_project_is_taken(header: str) -> None:
    assert SECURITY.authenticate(header) is PROJECT


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Missing Authorization header"),
        ("", "Invalid Authorization header. Should have this format: Token <api_key>"),
        ("Token", "Invalid Authorization header. Should have this format: Token <api_key>"),
        ("Bearer key", "Invalid Authorization header. Should have this format: Token <api_key>"),
        ("Token key extra", "Invalid Authorization header. Should have this format: Token <api_key>"),
        ("Token old", "Invalid or disabled API key"),
        ("Token KEY", "Invalid or disabled API key"),
    ],
)
def test_anything_else_is_a_401_that_names_the_scheme(header: str | None, detail: str) -> None:
    with pytest.raises(ApiError) as raised:
        SECURITY.authenticate(header)
    assert (raised.value.status, raised.value.body) == (401, {"detail": detail})
    assert raised.value.headers == {"WWW-Authenticate": "Token"}


def test_the_limit_slides_and_tells_when_the_next_is_let_through() -> None:
    clock = FixedClock(1000 * SECOND)
    project = Project("Acme", ("key",), clock=ProjectClock(clock))
    throttle = Throttle(Rate(2, 60))
    throttle.admit(project)
    clock.advance(10 * SECOND)
    throttle.admit(project)
    for waited, left, unit in ((0, 50, "seconds"), (SECOND // 2, 50, "seconds"), (49 * SECOND, 1, "second")):
        clock.at = 1010 * SECOND + waited
        with pytest.raises(ApiError) as raised:
            throttle.admit(project)
        assert raised.value.headers == {"Retry-After": str(left)}
        assert raised.value.body["detail"] == f"Request was throttled. Expected available in {left} {unit}."
    clock.at = 1060 * SECOND
    throttle.admit(project)
    with pytest.raises(ApiError):
        throttle.admit(project)


def test_a_limit_of_none_lets_none_through() -> None:
    with pytest.raises(ApiError):
        Throttle(Rate(0, 60)).admit(Project("Acme", ("key",)))


@pytest.mark.parametrize(("text", "rate"), [("3000/min", (3000, 60)), ("1/s", (1, 1)), ("5/Hours", (5, 3600))])
def test_rates_are_read(text: str, rate: tuple[int, int]) -> None:
    assert parse_rate(text) == rate
    assert parse_rate(str(parse_rate(text))) == rate


@pytest.mark.parametrize("text", ["", "many", "1", "1/fortnight", "-1/min", "1.5/min"])
def test_what_is_no_rate_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="3000/min"):
        parse_rate(text)
