"""Reads what the two projects contain, so that requests can name it: ids, keys and times, paired by what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from mockserver.differential.sides import NotComparable, Side
from mockserver.differential.steps import Step

CALENDARS: Final = "/api/v1/calendars"
EVENTS: Final = "/api/v1/calendar_events"
_MOST = 16
"""How many rows of each kind requests name."""
_TIMES: Final = ("start_time", "end_time", "updated_at", "created_at")
_IDENTITY: Final = {
    "calendar": ("platform", "client_id", "platform_uuid", "deduplication_key"),
    "event": ("platform_uuid", "ical_uid"),
}


class Inventory(NamedTuple):
    """The variables that mean something on both sides, by what they are."""

    values: tuple[Mapping[str, str], Mapping[str, str]]
    """What each variable means on A and on B."""
    ids: Mapping[str, str]
    """The ids of A's rows with those of B's."""
    calendars: tuple[str, ...]
    keys: tuple[str, ...]
    """Variables of deduplication keys."""
    events: tuple[str, ...]
    times: tuple[str, ...]


def take(a: Side, b: Side, *, shapes: bool) -> Inventory:
    """Reads the first pages of both projects and pairs their rows.

    Raises NotComparable for projects with nothing in common, unless `shapes`.
    """
    values: tuple[dict[str, str], dict[str, str]] = ({}, {})
    ids: dict[str, str] = {}
    names: dict[str, list[str]] = {"calendar": [], "key": [], "event": [], "time": []}
    for kind, paths in (
        ("calendar", (CALENDARS,)),
        ("event", (EVENTS, f"{EVENTS}?ordering=start_time", f"{EVENTS}?ordering=-end_time")),
    ):
        rows_a, rows_b = (_rows(side, paths) for side in (a, b))
        pairs = _paired(kind, rows_a, rows_b, shapes=shapes)
        if rows_a and rows_b and not pairs:
            raise NotComparable(
                f"the projects of A and B have no {kind} in common; load the same fixtures into both, "
                "or add --shapes to compare only the names of the members of what they contain"
            )
        ids |= {one["id"]: other["id"] for one, other in pairs if _has_id(one) and _has_id(other)}
        for number, pair in enumerate(pairs[:: max(1, len(pairs) // _MOST)][:_MOST], 1):
            _name(kind, number, pair, values, names)
    return Inventory(
        values, ids, tuple(names["calendar"]), tuple(names["key"]), tuple(names["event"]), tuple(names["time"])
    )


def _rows(side: Side, paths: tuple[str, ...]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        page = side.send(Step("GET", path)).json
        rows = page.get("results") if isinstance(page, dict) else page
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                found.setdefault(str(row.get("id")), row)
    return list(found.values())


def _paired(
    kind: str, rows_a: list[dict[str, Any]], rows_b: list[dict[str, Any]], *, shapes: bool
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of A, each with the row of B that is the same; with `shapes`, with any."""
    if shapes:
        return list(zip(rows_a, rows_b, strict=False))
    by_id = {row.get("id"): row for row in rows_b}
    same = {_identity(kind, row): row for row in rows_b}
    alone = {
        _identity(kind, row) for row in rows_b if sum(_identity(kind, row) == _identity(kind, x) for x in rows_b) == 1
    }
    pairs = []
    for row in rows_a:
        identity = _identity(kind, row)
        other = by_id.get(row.get("id")) or (same.get(identity) if identity in alone else None)
        if other is not None:
            pairs.append((row, other))
    return pairs


def _identity(kind: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in _IDENTITY[kind])


def _has_id(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("id"), str)


def _name(
    kind: str,
    number: int,
    pair: tuple[dict[str, Any], dict[str, Any]],
    values: tuple[dict[str, str], dict[str, str]],
    names: dict[str, list[str]],
) -> None:
    """Gives names to the id, the key and the times of a pair of rows, where both have them."""

    def put(group: str, name: str, read: Callable[[dict[str, Any]], object]) -> None:
        both = [read(row) for row in pair]
        if all(isinstance(one, str) for one in both):
            names[group].append(name)
            for known, one in zip(values, both, strict=True):
                known[name] = str(one)

    put(kind, f"{kind}{number}", lambda row: row.get("id"))
    put(kind, f"{kind}{number}_swapped", lambda row: str(row.get("id")).swapcase())
    put("key", f"{kind}{number}_key", lambda row: row.get("deduplication_key"))
    put("key", f"{kind}{number}_key_swapped", lambda row: _swapped(row.get("deduplication_key")))
    if kind == "event":
        put("calendar", f"event{number}_calendar", lambda row: row.get("calendar_id"))
        put("calendar", f"event{number}_calendar_swapped", lambda row: _swapped(row.get("calendar_id")))
        for field in _TIMES:
            for form, change in _FORMS.items():
                put("time", f"event{number}_{field}{form}", partial(_changed, field, change))


def _changed(field: str, change: Callable[[object], str | None], row: dict[str, Any]) -> str | None:
    return change(row.get(field))


def _swapped(text: object) -> str | None:
    return text.swapcase() if isinstance(text, str) else None


def _shifted(text: object, *, zone: str = "", hours: int = 0, micros: int = 0, cut: str = "") -> str | None:
    """A time moved by so much and written in another way; None where it is no time."""
    try:
        moment = datetime.fromisoformat(str(text)) + timedelta(hours=hours, microseconds=micros)
    except (ValueError, OverflowError):
        return None
    written = moment.replace(tzinfo=None).isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    return written[: len(cut)] if cut else written + zone


def _tenth(text: object) -> str | None:
    """The next tenth of a second after a time, with one digit."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    digit = min(9, moment.microsecond // 100_000 + 1)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}.{digit}Z"


_FORMS: Final[Mapping[str, Callable[[object], str | None]]] = {
    "": lambda text: _shifted(text, zone="Z"),
    "_later": lambda text: _shifted(text, zone="Z", micros=1),
    "_earlier": lambda text: _shifted(text, zone="Z", micros=-1),
    "_east": lambda text: _shifted(text, zone="+02:00", hours=2),
    "_west": lambda text: _shifted(text, zone="-05:30", hours=-5, micros=-1_800_000_000),
    "_plain": lambda text: _shifted(text),
    "_digit": lambda text: _shifted(text, zone=".5Z") if "." not in str(text) else _shifted(text, zone="7Z"),
    "_tenth": lambda text: _tenth(text),
    "_date": lambda text: _shifted(text, cut="2026-01-01"),
    "_halves": lambda text: _shifted(text, zone="Z", micros=500_000),
}
"""Ways to write a time as a filter."""
