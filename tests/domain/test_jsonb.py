"""How the service's database orders JSON, and what it cannot hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.domain.jsonb import as_stored, unstorable


def test_shorter_names_come_first_and_then_bytes_decide_at_every_level() -> None:
    value: dict[str, Any] = {"bb": [{"é": 1, "zz": 2, "aaa": {"b": 1, "a": 2}}], "b": 1, "a": None, "": {"x": {}}}
    ordered = '{"": {"x": {}}, "a": null, "b": 1, "bb": [{"zz": 2, "é": 1, "aaa": {"a": 2, "b": 1}}]}'
    assert json.dumps(as_stored(value), ensure_ascii=False) == ordered
    assert as_stored(value) == value


def test_other_values_stay_as_they_are() -> None:
    values: list[Any] = [None, True, 1, 1.0, "text", [], {}, [[1]]]
    for value in values:
        assert as_stored(value) == value


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("a\0", "x"),
        ({"a": ["\udc00"]}, "x.a[0]"),
        ({"a": {"\0": 1}}, "x.a"),
        ({"a": {1: 1}}, "x.a"),
        ([1, float("inf")], "x[1]"),
        ([object()], "x[0]"),
        (1 << 10_000, "x"),
    ],
)
def test_what_the_database_cannot_hold_is_found(value: Any, place: str) -> None:
    found = unstorable(value, "x")
    assert found is not None
    assert found[0] == place


def test_everything_else_can_be_held() -> None:
    deep: Any = None
    for _ in range(100):
        deep = [deep]
    for value in (deep, {"": "é😀"}, [True, 1.5, 1 << 9_000, None]):
        assert unstorable(value, "x") is None
    assert unstorable([deep], "x") is not None
