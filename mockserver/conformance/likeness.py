"""What an answer is like apart from what is new each time: standard library alone, for pytest files carry it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mockserver.conformance.playing import Answer

HEADERS = ("content-type", "allow", "vary", "www-authenticate")
NEAR = 300
"""Seconds by which the clocks of a service and of its judge may differ."""
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def signature(answers: Sequence[Answer], values: Mapping[str, str], member: str) -> dict[str, Any]:
    """What an answer is like apart from what is new each time: own ids, own times, cursors, tags and secrets.

    With `member` it is that member of the last answer alone. A list read after something was made is told by the rows
    that were made: others come and go.
    """
    names = _Names(answers, values, ranked=bool(member))
    last = answers[-1]
    body = last.json
    if body is None:
        body = names.plain(last.body.decode("utf-8", "replace"))
    if member and isinstance(body, dict) and member in body:
        return {"status": last.status, member: names.symbolic(body[member], own=names.owns(body))}
    if isinstance(body, dict) and isinstance(body.get("results"), list) and names.ids:
        body = {"results": [row for row in body["results"] if isinstance(row, dict) and names.owns(row)]}
    head = {name: last.headers[name] for name in HEADERS if name in last.headers}
    return {"status": last.status, "headers": head, "body": names.symbolic(body, own=False)}


class _Names:
    """The values of one playing that the next will not have, and what stands for them."""

    def __init__(self, answers: Sequence[Answer], values: Mapping[str, str], *, ranked: bool) -> None:
        self.ranked = ranked
        self.now = answers[-1].at
        self.values = sorted(values.items(), key=lambda pair: -len(pair[1]))
        self.ids: dict[str, str] = {}
        for answer in answers:
            made = answer.json
            if answer.status == 201 and isinstance(made, dict) and isinstance(made.get("id"), str):
                self.ids.setdefault(made["id"], f"{{made {len(self.ids) + 1}}}")
        marks = [text for name, text in values.items() if name in ("run", "RUN") and text]
        for answer in answers:
            for row in rows_and_all(answer.json):
                if any(mark in json.dumps(row) for mark in marks):  # made although its making was refused
                    self.ids.setdefault(row["id"], f"{{made {len(self.ids) + 1}}}")
        times: set[str] = set()
        for answer in answers:
            _own_times(answer.json, self.ids, times)
        self.times = sorted(times)

    def owns(self, row: Mapping[str, Any]) -> bool:
        return _has_id(row, "id", self.ids) or _has_id(row, "calendar_id", self.ids)

    def symbolic(self, value: Any, *, own: bool) -> Any:
        if isinstance(value, list):
            return [self.symbolic(item, own=own) for item in value]
        if isinstance(value, dict):
            own = own or _has_id(value, "id", self.ids)
            return {self.plain(name): self.symbolic(item, own=own) for name, item in value.items()}
        if not isinstance(value, str):
            return value
        if value in self.times and own:
            return self._time(value)
        if re.match(r"https?://", value) and "cursor=" in value:
            return {"link": sorted(list(pair) for pair in parse_qsl(urlsplit(value).query) if pair[0] != "cursor")}
        return self.plain(value)

    def plain(self, text: str) -> str:
        for made, name in self.ids.items():
            text = text.replace(made, name)
        for name, value in self.values:
            if len(value) >= 6:
                text = text.replace(value, f"{{{name}}}")
        return _UUID.sub("{uuid}", text)

    def _time(self, text: str) -> str:
        away = instant(text) - self.now
        near = "now" if abs(away) < NEAR else "ahead" if away > 0 else "behind"
        # Which of the times it is counts where the time is what is wrong; elsewhere other changes may have moved it.
        rank = sorted({instant(time) for time in self.times}).index(instant(text)) if self.ranked else ""
        return f"{re.sub(r'[0-9]', '0', text)} {near} {rank}"


def rows_and_all(document: Any) -> list[dict[str, Any]]:
    """A document and, of a page, its rows: those with an id."""
    if not isinstance(document, dict):
        return []
    found = [document, *(document.get("results") or [])] if isinstance(document.get("results"), list) else [document]
    return [row for row in found if isinstance(row, dict) and isinstance(row.get("id"), str)]


def _has_id(value: Mapping[str, Any], name: str, ids: Mapping[str, str]) -> bool:
    return isinstance(value.get(name), str) and value[name] in ids


def _own_times(value: Any, ids: Mapping[str, str], times: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _own_times(item, ids, times)
    elif isinstance(value, dict):
        if _has_id(value, "id", ids):
            times |= {item for item in value.values() if isinstance(item, str) and _TIMESTAMP.fullmatch(item)}
        _own_times(value.get("results"), ids, times)


def instant(text: str) -> float:
    """Seconds since 1970; 0 for what is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()  # noqa: UP017 -- runs anywhere
