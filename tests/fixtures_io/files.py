"""A small fixture file in which everything is right, and ways to change it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.domain.store import Project
from mockserver.domain.timestamps import parse
from mockserver.fixtures_io import FixtureError

ROOT = Path(__file__).parents[2]
RECORDED = Path(__file__).parents[1] / "recorded" / "seed.json"
NOW = parse("2026-05-13T12:34:56.789012Z") or 0  # a Wednesday
CALENDAR = ("projects", 0, "calendars", 0)
EVENT = (*CALENDAR, "events", 0)
ABSENT = object()
Load = Callable[..., list[Project]]


def good() -> dict[str, Any]:
    """A small file in which everything is right."""
    event = {"id": "evt_aaaaaaaaaaaaaaaa", "start_time": "now", "end_time": "now+1h"}
    calendar = {"id": "cal_aaaaaaaaaaaaaaaa", "platform": "google", "deduplication_key": "one", "events": [event]}
    other = {"id": "cal_bbbbbbbbbbbbbbbb", "platform": "microsoft", "events": [{**event, "id": "evt_bbbbbbbbbbbbbbbb"}]}
    return {
        "projects": [
            {"name": "A", "api_keys": ["key-a"], "disabled_api_keys": ["old-a"], "calendars": [calendar, other]},
            {"name": "B", "api_keys": ["key-b"]},
        ]
    }


def changed(place: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The good file with this value in this place, or without what is there."""
    document = good()
    inner: Any = document
    for part in place[:-1]:
        inner = inner[part]
    if value is ABSENT:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return document


def problem(load: Load, document: object, name: str = "fixtures.json") -> str:
    with pytest.raises(FixtureError) as caught:
        load(document, name)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)
