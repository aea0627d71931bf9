"""Holds a value against a shape, and says in which parts and in which ways it does not fit."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from mockserver.drift.shapes import Branch, Shape, same, type_of

ITEM: Final = "[]"
ANY: Final = "*"
_DEEPEST: Final = 100
"""How deep values are judged; what is deeper fits."""
Path: TypeAlias = tuple[str, ...]
"""The way to a part of a value: names of properties, ITEM for any item, ANY for any property that is not listed."""


class Problem(NamedTuple):
    """A part of a value that does not fit: in which way, and where."""

    kind: str
    """null, type, enum, format, pattern, length, range, count, required, unexpected or closed."""
    path: Path


def problems(shape: Shape, value: Any, path: Path = ()) -> dict[Problem, Any]:
    """What does not fit, each with the part that shows it first; empty where the value fits.

    Of several alternatives, it is what does not fit the nearest one.
    """
    nearest: dict[Problem, Any] | None = None
    if len(path) > _DEEPEST:
        return {}
    for branch in shape.branches:
        found: dict[Problem, Any] = {}
        for problem, part in _of_branch(branch, value, path):
            found.setdefault(problem, part)
        if not found:
            return {}
        if nearest is None or _distance(found, path) < _distance(nearest, path):
            nearest = found
    return {Problem(_kind_of_type(value), path): value} if nearest is None else nearest


def _distance(found: Mapping[Problem, Any], path: Path) -> tuple[bool, int]:
    """How far an alternative is from a value; one of another type is the furthest."""
    return any(problem.path == path and problem.kind in ("type", "null") for problem in found), len(found)


def _kind_of_type(value: Any) -> str:
    return "null" if value is None else "type"


def _of_branch(branch: Branch, value: Any, path: Path) -> Iterator[tuple[Problem, Any]]:
    kind = type_of(value)
    if kind not in branch.types and not (kind == "integer" and "number" in branch.types):
        yield Problem(_kind_of_type(value), path), value
        return
    for problem in _of_limits(branch, kind, value):
        yield Problem(problem, path), value
    if kind == "object":
        yield from _of_members(branch, value, path)
    elif kind == "array" and branch.items is not None:
        for item in value:
            yield from problems(branch.items, item, (*path, ITEM)).items()


def _of_members(branch: Branch, value: Mapping[str, Any], path: Path) -> Iterator[tuple[Problem, Any]]:
    for name in sorted(branch.required - value.keys()):
        yield Problem("required", (*path, name)), None
    for name, part in value.items():
        known = branch.properties.get(name)
        if known is not None:
            yield from problems(known, part, (*path, name)).items()
        elif branch.additional is False:
            yield Problem("unexpected", (*path, name)), part
        elif isinstance(branch.additional, Shape):
            yield from problems(branch.additional, part, (*path, ANY)).items()


def _of_limits(branch: Branch, kind: str, value: Any) -> Iterator[str]:
    if branch.enum is not None and not any(same(value, one) for one in branch.enum):
        yield "enum"
    if not branch.limits:
        return
    if kind == "string":
        yield from _of_text(branch.limits, value)
    elif kind in ("integer", "number"):
        yield from _of_number(branch.limits, value)
    elif kind in ("array", "object"):
        yield from _of_size(branch.limits, kind, value)


def _of_text(limits: Mapping[str, Any], text: str) -> Iterator[str]:
    if limits.get("x-strip"):
        text = text.strip()
    if not all(_FORMATS.get(name, _fits)(text) for name in limits.get("format", ())):
        yield "format"
    elif not all(_matches(pattern, text) for pattern in limits.get("pattern", ())):
        yield "pattern"
    if not limits.get("minLength", 0) <= len(text) <= limits.get("maxLength", math.inf):
        yield "length"


def _of_number(limits: Mapping[str, Any], number: float) -> Iterator[str]:
    below = number < limits.get("minimum", -math.inf) or number <= limits.get("exclusiveMinimum", -math.inf)
    above = number > limits.get("maximum", math.inf) or number >= limits.get("exclusiveMaximum", math.inf)
    if below or above or any(number % step for step in limits.get("multipleOf", ()) if step):
        yield "range"


def _of_size(limits: Mapping[str, Any], kind: str, value: Any) -> Iterator[str]:
    least, most = ("minItems", "maxItems") if kind == "array" else ("minProperties", "maxProperties")
    repeated = bool(limits.get("uniqueItems")) and kind == "array" and len({json.dumps(i) for i in value}) < len(value)
    if repeated or not limits.get(least, 0) <= len(value) <= limits.get(most, math.inf):
        yield "count"
    if len(json.dumps(value)) > limits.get("x-max-json-length", math.inf):
        yield "length"


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """As in ECMAScript: `$` is the very end, and a digit is one of ASCII's. None for one that Python cannot read."""
    ended = f"{pattern[:-1]}\\Z" if pattern.endswith("$") and not pattern.endswith("\\$") else pattern
    try:
        return re.compile(ended, re.ASCII)
    except re.error:
        return None


def _matches(pattern: str, text: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.search(text) is not None


def _fits(text: str) -> bool:
    return True


_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"\\^`{|}]*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _is_date_time(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None and _is_moment(text[:19].upper(), "%Y-%m-%dT%H:%M:%S")


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _is_moment(text, "%Y-%m-%d")


def _is_moment(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 -- only whether there is such a day
    except ValueError:
        return False
    return True


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date-time": _is_date_time,
    "date": _is_date,
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "uuid": _is_uuid,
}
