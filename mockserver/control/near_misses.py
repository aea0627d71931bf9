"""Near misses: which entries of the journal are most like a search, and what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mockserver.control.entries import Shown
from mockserver.control.journal import Filter
from mockserver.control.masking import names_a_secret

_MOST = 5
_COMPARED = 200
"""How many characters of a path are compared with another: the time that it takes grows with their square."""


class Difference(NamedTuple):
    """One thing that was not as it was looked for; `weight` says how much it matters."""

    what: str
    wanted: Any
    was: Any
    weight: float


def near_misses(
    entries: Iterable[Shown], wanted: Filter, body: Mapping[str, Any] | None = None, most: int = _MOST
) -> list[dict[str, Any]]:
    """The entries that differ least, nearest first, the latest of equally near ones before the others.

    `body` are fields that the request's body was to have. What of it is secret is only looked for, never compared.
    """
    found = []
    for entry in entries:
        differences = list(_differences(entry, wanted, body or {}))
        found.append((sum(difference.weight for difference in differences), -entry["id"], entry, differences))
    found.sort(key=lambda miss: miss[:2])
    return [_miss(entry, distance, differences) for distance, _, entry, differences in found[:most]]


def _miss(entry: Shown, distance: float, differences: list[Difference]) -> dict[str, Any]:
    line = f"{entry['method']} {entry.get('path') or entry.get('url')} {entry['status']}"
    why = [_sentence(difference) for difference in differences]
    if entry["reason"] is not None and any(difference.what == "status" for difference in differences):
        why.append(f"it was refused: {entry['reason']}")
    listed = [{"what": d.what, "wanted": d.wanted, "was": d.was} for d in differences]
    return {"id": entry["id"], "line": line, "distance": round(distance, 2), "differs": listed, "why": why}


def _sentence(difference: Difference) -> str:
    if difference.what == "id":
        return (
            f"it came before: its id is {difference.was}, and only later ones than {difference.wanted} were asked for"
        )
    if difference.was is None:
        return f"{difference.what} is missing, wanted {difference.wanted!r}"
    return f"{difference.what} was {difference.was!r}, wanted {difference.wanted!r}"


def _differences(entry: Shown, wanted: Filter, body: Mapping[str, Any]) -> Iterable[Difference]:
    kind = wanted.kind or ("exchange" if wanted.path or wanted.operation else None)
    if kind not in (None, entry["kind"]):
        yield Difference("kind", kind, entry["kind"], 8)
    for name, weight in (("operation", 4), ("method", 2)):
        asked = getattr(wanted, name)
        if asked is not None and asked != entry.get(name):
            yield Difference(name, asked, entry.get(name), weight)
    if not Filter(path=wanted.path, status=wanted.status).takes_shown(entry):
        yield from _place_and_status(entry, wanted)
    if entry["id"] <= wanted.since:
        yield Difference("id", wanted.since, entry["id"], 0.5)
    yield from _body_differences(entry, body)


def _place_and_status(entry: Shown, wanted: Filter) -> Iterable[Difference]:
    path, status = entry.get("path"), str(entry["status"] or 0)
    if not Filter(path=wanted.path).takes_shown(entry):
        alike = SequenceMatcher(None, (wanted.path or "")[:_COMPARED], (path or "")[:_COMPARED]).ratio()
        yield Difference("path", wanted.path, path, 4 * (1 - alike) + 0.5)
    if not Filter(status=wanted.status).takes_shown(entry):
        asked = wanted.status or ""
        yield Difference("status", asked, status, 1 if asked[:1] == status[:1] else 2)


def _body_differences(entry: Shown, body: Mapping[str, Any]) -> Iterable[Difference]:
    fields = _fields(entry) if body else {}
    for name, value in body.items():
        shown = "***" if names_a_secret(name) else value
        if name not in fields:
            yield Difference(f"body field {name}", shown, None, 1)
        elif not names_a_secret(name) and fields[name] != value:
            yield Difference(f"body field {name}", shown, fields[name], 0.5)


def _fields(entry: Shown) -> Mapping[str, Any]:
    """The fields of the request's body, as far as it is readable."""
    request = entry["request"]
    value = request.get("json")
    if isinstance(value, dict):
        return value
    return {} if "json" in request or not request["body"] else dict(parse_qsl(request["body"], keep_blank_values=True))
