"""JSON as the service's database (PostgreSQL jsonb) returns it: its order of members, and what it cannot store."""

from __future__ import annotations

import math
from typing import Any, TypeVar, cast

V = TypeVar("V")
_DEEPEST = 100
_LARGEST_BITS = 10_000


def as_stored(value: V) -> V:
    """The same JSON value with its names in order at every level: shorter ones first, then bytewise."""
    if isinstance(value, dict):
        if len(value) < 2:
            return cast(V, {name: as_stored(inner) for name, inner in value.items()})
        if "".join(value).isascii():
            names = sorted(value)
            names.sort(key=len)
        else:
            names = sorted(value, key=lambda name: (len(encoded := name.encode()), encoded))
        return cast(V, {name: inner if type(inner := value[name]) is str else as_stored(inner) for name in names})
    if isinstance(value, list):
        return cast(V, [as_stored(inner) for inner in value])
    return value


def unstorable(value: Any, place: str, levels: int = _DEEPEST) -> tuple[str, str] | None:
    """Where in a value is something that the database cannot hold, and what is wrong with it; None when all is well."""
    if isinstance(value, dict | list):
        return _unstorable_inside(value, place, levels)
    if isinstance(value, str):
        return None if _is_text(value) else (place, "must be text without NUL and lone surrogates")
    return None if value is None or _is_number(value) else (place, "must be JSON")


def _unstorable_inside(value: dict[Any, Any] | list[Any], place: str, levels: int) -> tuple[str, str] | None:
    if not levels:
        return place, f"must not be nested deeper than {_DEEPEST} levels"
    if isinstance(value, dict) and not all(isinstance(name, str) and _is_text(name) for name in value):
        return place, "must have names that are text without NUL and lone surrogates"
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    problems = (
        unstorable(item, f"{place}.{part}" if isinstance(value, dict) else f"{place}[{part}]", levels - 1)
        for part, item in inner
    )
    return next(filter(None, problems), None)


def _is_text(value: str) -> bool:
    return "\0" not in value and (value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value))


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and value.bit_length() < _LARGEST_BITS
