"""Waits, limits and numbers are read as they are written, or refused by their names."""

from __future__ import annotations

import pytest

from mockserver.control.errors import Refused
from mockserver.control.request import read_after, read_choice, read_limit, read_span, read_wait


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5), ("5", 5), ("250ms", 0.25), ("1m30s", 90), ("300s", 300)])
def test_a_wait_is_a_span_or_seconds(text: str, seconds: float) -> None:
    assert read_wait({"wait": text}) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5m1ms", "5 s"])
def test_a_wait_that_is_none_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="wait"):
        read_wait({"wait": text})


def test_what_is_left_out_is_what_is_usual() -> None:
    assert read_wait({}) == 0
    assert read_limit({}) == 100
    assert read_after({}, "an entry") is None
    assert read_choice({}, "state", ("held",)) is None


def test_a_span_is_not_negative() -> None:
    assert read_span("duration", "1h30m") == 90 * 60_000_000
    for value in ("-1h", 7, "long"):
        with pytest.raises(Refused, match="duration"):
            read_span("duration", value)


def test_a_misspelt_word_is_told_the_nearest() -> None:
    with pytest.raises(Refused, match="did you mean held"):
        read_choice({"state": "hold"}, "state", ("held", "pending"))
