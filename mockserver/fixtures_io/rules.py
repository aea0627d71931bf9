"""Readers for the types of value in a fixture file: each checks a value and converts it to what is stored."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from mockserver.domain import timestamps
from mockserver.domain.model import Micros
from mockserver.fixtures_io.problem import Broken, Problems, added, did_you_mean
from mockserver.relative_time import resolve

Reader: TypeAlias = Callable[[Any], Any]
"""Takes what is written and gives what is stored; raises Broken."""

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{6})?Z", re.ASCII)
_ID = re.compile(r"[a-z]{3}_[A-Za-z0-9]{16}")
_YEARS_1_TO_9999 = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LARGEST_BITS = 10_000
_DEEPEST = 100


def fields(value: Any, readers: Mapping[str, Reader], required: Collection[str] = ()) -> dict[str, Any]:
    """The fields that are written in a mapping, each as its reader gives it.

    Raises Broken for all that is wrong, also for a field that has no reader and for a required one that is missing.
    """
    found, problems = read_fields(value, readers, required)
    if problems is not None:
        problems.check()
    return found


def read_fields(
    value: Any, readers: Mapping[str, Reader], required: Collection[str] = ()
) -> tuple[dict[str, Any], Problems | None]:
    """The fields of a mapping that can be read, and what is wrong with the others; None where nothing is."""
    found: dict[str, Any] = {}
    problems: Problems | None = None
    try:
        written = mapping(value)
    except Broken as problem:
        return found, problem.problems
    for name, given in written.items():
        read = readers.get(name)
        if read is None:
            problems = added(problems, _unknown(name, given, readers))
            continue
        try:
            found[name] = read(given)
        except Broken as problem:
            problems = added(problems, problem, name)
    for name in required:
        if name not in written:
            problems = added(problems, Broken(f"{name} is missing", fix="add it"))
    return found, problems


def _unknown(name: Any, given: Any, readers: Mapping[str, Reader]) -> Broken:
    """A field that is not known. {api_keys: a, b} has a field b with no value: such a name may be a secret."""
    fix = did_you_mean(name, readers)
    if given is None and not fix.endswith("?"):
        return Broken("has a name without a value that is no field", fix=fix)
    return Broken("there is no such field", fix=fix, place=(str(name),))


def mapping(value: Any) -> dict[Any, Any]:
    """A mapping with keys of any kind."""
    if not isinstance(value, dict):
        raise Broken("must be a mapping", value)
    return value


def items(value: Any, read: Reader) -> list[Any]:
    """A list, each item as its reader gives it."""
    if not isinstance(value, list):
        raise Broken("must be a list", value)
    found: list[Any] = []
    problems: Problems | None = None
    for at, item in enumerate(value):
        try:
            found.append(read(item))
        except Broken as problem:
            problems = added(problems, problem, at)
    if problems is not None:
        problems.check()
    return found


def some(value: Any, read: Reader) -> list[Any]:
    """As `items`, and at least one of them."""
    found = items(value, read)
    if not found:
        raise Broken("must be a list of one or more", value)
    return found


def optional(value: Any, read: Reader) -> Any:
    """Null, or what the reader takes."""
    return None if value is None else read(value)


def as_written(value: Any) -> Any:
    """Anything: it is read later."""
    return value


def text(value: Any) -> str:
    """Any text that the service can store, the empty one included."""
    if not isinstance(value, str):
        raise Broken("must be text", value, fix="" if value is None or isinstance(value, dict | list) else "quote it")
    if _UNSTORABLE.search(value):
        raise Broken("must be text without NUL and lone surrogates", value)
    return value


def some_text(value: Any, longest: int) -> str:
    """Any text but the empty one, at most so many characters; blanks count."""
    found = text(value)
    if not found:
        raise Broken("must be text that is not empty", value)
    if len(found) > longest:
        raise Broken(f"must be at most {longest} characters", len(found))
    return found


def label(value: Any, longest: int | None = None) -> str:
    """Text as the service keeps it when it strips what is sent, at most so many characters."""
    found = text(value)
    if not found or found != found.strip():
        raise Broken("must be text that is not blank and does not begin or end with spaces", value)
    if longest is not None and len(found) > longest:
        raise Broken(f"must be at most {longest} characters", len(found))
    return found


def choice(value: Any, allowed: tuple[str, ...]) -> str:
    """One of the words."""
    if value not in allowed:
        nearest = difflib.get_close_matches(value[:100], allowed, 1) if isinstance(value, str) else []
        raise Broken(f"must be {' or '.join(allowed)}", value, fix=f"did you mean {nearest[0]}?" if nearest else "")
    return str(value)


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Broken("must be true or false", value)
    return value


def number(value: Any) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Broken("must be a whole number", value)
    return value


def json_object(value: Any) -> dict[str, Any]:
    """Any JSON object that the service can store."""
    storable(mapping(value))
    return dict(value)


def identifier(value: Any, prefix: str) -> str:
    """An object's id, whose kind begins it."""
    if not isinstance(value, str) or not value.startswith(prefix) or not _ID.fullmatch(value):
        raise Broken(f"must be {prefix} and 16 letters or digits", value)
    return value


def moment(value: Any, now: Micros) -> Micros:
    """The instant that a timestamp or a relative time names, in microseconds since 1970."""
    if isinstance(value, str):
        instant = _instant(value, now)
        if instant is not None and instant in _YEARS_1_TO_9999:
            return instant
    raise Broken("must be a time such as 2026-05-01T09:00:00Z, now-90m, today+1d 09:30 or monday 09:00", value)


def _instant(value: str, now: Micros) -> Micros | None:
    if _USUAL.fullmatch(value):  # what nearly every time in a large file looks like, read several times as fast
        try:
            return (datetime.fromisoformat(value) - _EPOCH) // _MICROSECOND
        except ValueError:
            return None
    return timestamps.parse(value) if value[:1].isdigit() else resolve(value, now)


def storable(value: Any, levels: int = _DEEPEST) -> None:
    """Refuses what is not JSON: YAML has more than that, and Python's JSON reader takes more than that."""
    if isinstance(value, dict | list):
        if not levels:
            raise Broken(f"must not be nested deeper than {_DEEPEST} levels", fix="make it flatter")
        if isinstance(value, dict):
            _refuse_keys(value)
        _storable_inside(value, levels - 1)
    elif isinstance(value, str):
        text(value)
    elif not (value is None or _is_json_number(value)):
        raise Broken("must be JSON", value, fix="quote it")


def _refuse_keys(value: dict[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str) or _UNSTORABLE.search(key):
            raise Broken("must have keys that are text without NUL and lone surrogates", key, fix="quote the key")


def _storable_inside(value: dict[Any, Any] | list[Any], levels: int) -> None:
    problems: Problems | None = None
    for part, item in value.items() if isinstance(value, dict) else enumerate(value):
        try:
            storable(item, levels)
        except Broken as problem:
            problems = added(problems, problem, part)
    if problems is not None:
        problems.check()


def _is_json_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and value.bit_length() < _LARGEST_BITS
