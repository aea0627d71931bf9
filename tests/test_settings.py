"""Settings are checked when they are made, and take the texts that their options take."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.settings import Rate, Settings
from tests.conftest import RECORDED

make: Any = Settings
"""What a caller without types calls."""


def test_fixtures_are_a_text_or_a_path() -> None:
    seed = RECORDED / "seed.json"
    assert make(fixtures=str(seed)).fixtures == seed
    assert len(Mock(make(fixtures=str(seed))).store.projects) > 1


def test_a_rate_is_a_text_or_a_rate() -> None:
    assert make(post_rate="5/sec").post_rate == Rate(5, 1)
    assert make(post_rate=Rate(5, 1)).post_rate == Rate(5, 1)


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_a_value_of_another_type_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(TypeError, match=f"setting {name}: expected"):
        make(**{name: [1]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fixtures", " "),
        ("post_rate", "many"),
        ("max_body", 0),
        ("sync", "sometimes"),
        ("first_webhook", "during"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"setting {name}: "):
        make(**{name: value})


@pytest.mark.parametrize("name", ["strict", "max_body", "random_seed"])
def test_true_is_no_number_and_one_is_no_flag(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        make(**{name: 1 if name == "strict" else True})


def test_a_wrong_token_is_in_no_error() -> None:
    with pytest.raises(TypeError) as caught:
        make(control_token=b"very secret token")
    assert "very secret" not in str(caught.value)


def test_the_defaults_are_paths_and_rates() -> None:
    assert make(fixtures=Path("a.yaml")).fixtures == Path("a.yaml")
    assert make() == make()
