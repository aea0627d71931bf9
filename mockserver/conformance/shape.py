"""Holds JSON against a JSON Schema, as far as the contract uses it. Standard library alone: pytest files carry it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

_NAMED = {"null": type(None), "boolean": bool, "integer": int, "string": str, "array": list, "object": dict}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"\\^`{|}]*")


def shape_problem(schema: Mapping[str, Any], value: Any, schemas: Mapping[str, Any], where: str = "") -> str:
    """The first thing in which a value is not as its schema says, "" for nothing; `schemas` are those referred to."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for keyword, wanted in schema.items():
        held = _KEYWORDS.get(keyword)
        if held is not None and not held(value, wanted):
            shown = json.dumps(value)[:120]
            return f"{where or 'the body'} breaks {keyword} {json.dumps(wanted)[:120]}: {shown}"
    return next(_parts(schema, value, schemas, where), "")


def _parts(schema: Mapping[str, Any], value: Any, schemas: Mapping[str, Any], where: str) -> Iterator[str]:
    """The problems of what schemas within the schema say."""
    for part in schema.get("allOf", ()):
        yield from _if_any(shape_problem(part, value, schemas, where))
    for keyword in ("anyOf", "oneOf"):
        problems = [shape_problem(part, value, schemas, where) for part in schema.get(keyword, ())]
        if problems and ("" not in problems if keyword == "anyOf" else problems.count("") != 1):
            yield next(filter(None, problems), f"{where or 'the body'} breaks {keyword}")
    if isinstance(value, dict):
        yield from _members(schema, value, schemas, where)
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            yield from _if_any(shape_problem(schema["items"], item, schemas, where))


def _members(schema: Mapping[str, Any], value: Any, schemas: Mapping[str, Any], where: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in value.items():
        at = f"{where}.{name}" if where else name
        if name in known:
            yield from _if_any(shape_problem(known[name], item, schemas, at))
        elif others is False:
            yield f"{at} is no member of the schema"
        elif isinstance(others, dict):
            yield from _if_any(shape_problem(others, item, schemas, at))


def _if_any(problem: str) -> Iterator[str]:
    if problem:
        yield problem


def _is_of(value: Any, name: str) -> bool:
    if name == "number":
        return type(value) in (int, float)
    return type(value) is _NAMED[name] or (name == "integer" and isinstance(value, float) and value.is_integer())


def _is_written(value: Any, kind: str) -> bool:
    if not isinstance(value, str):
        return True
    if kind == "date-time":
        return _DATE_TIME.fullmatch(value) is not None and _is_moment(value)
    return kind != "uri" or _URI.fullmatch(value) is not None


def _is_moment(text: str) -> bool:
    try:
        datetime.strptime(text[:19].upper(), "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 -- only whether there is such a day
    except ValueError:
        return False
    return True


def _matches(pattern: str, text: str) -> bool:
    """As in ECMAScript: `$` is the very end, and a digit is one of ASCII's."""
    pattern = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    return re.search(pattern, text, re.ASCII) is not None


def _among(value: Any, allowed: Any) -> bool:
    return any(type(one) is type(value) and one == value for one in allowed)


_KEYWORDS: dict[str, Callable[[Any, Any], bool]] = {
    "type": lambda value, wanted: any(
        _is_of(value, name) for name in ([wanted] if isinstance(wanted, str) else wanted)
    ),
    "enum": _among,
    "pattern": lambda value, wanted: not isinstance(value, str) or _matches(wanted, value),
    "format": _is_written,
    "minLength": lambda value, wanted: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda value, wanted: not isinstance(value, str) or len(value) <= wanted,
    "minimum": lambda value, wanted: type(value) not in (int, float) or value >= wanted,
    "maximum": lambda value, wanted: type(value) not in (int, float) or value <= wanted,
    "minItems": lambda value, wanted: not isinstance(value, list) or len(value) >= wanted,
    "maxItems": lambda value, wanted: not isinstance(value, list) or len(value) <= wanted,
    "minProperties": lambda value, wanted: not isinstance(value, dict) or len(value) >= wanted,
    "maxProperties": lambda value, wanted: not isinstance(value, dict) or len(value) <= wanted,
    "required": lambda value, wanted: not isinstance(value, dict) or all(name in value for name in wanted),
}
