"""Events that real calendars have, from the edit of the upstream to the list of the API."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.domain.clock import FixedClock
from mockserver.domain.timestamps import render
from tests.clients import Client
from tests.control.client import new_project
from tests.domain.lab import instant

CASES = sorted((Path(__file__).parents[1] / "recorded" / "sync-cases").glob("*.json"))
NOW = instant("2026-11-30T12:00:00Z")
HOUR = 3_600_000_000


def filled(value: Any, *, zone: str) -> Any:
    """The value with times instead of `+2h` and of `-72h, the date alone`: hours from now."""
    if isinstance(value, dict):
        return {name: filled(inner, zone=zone) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, zone=zone) for inner in value]
    match = re.fullmatch(r"([+-]\d+)h(, the date alone)?", value) if isinstance(value, str) else None
    if match is None:
        return value
    text = render(NOW + int(match[1]) * HOUR)
    return text[:10] if match[2] else text.removesuffix("Z") + zone


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_is_synced_and_listed_as_in_the_service(path: Path, mock: Mock, clock: FixedClock) -> None:
    clock.at = NOW
    case = json.loads(path.read_text("utf-8"))
    calendar = {"platform": case["platform"], "deduplication_key": "one"}
    controls = new_project(mock, sync="manual", fixtures={"calendars": [calendar]})
    for event in filled(case["upstream"], zone="Z" if case["platform"] == "google" else ""):
        added = controls("POST", "calendars/one/upstream/events", event)
        assert added.status == 201, added.text
    for again in (False, True):
        synced = controls("POST", "calendars/one/sync").body
        found = {"outcome": synced["outcome"], **synced["detail"]}
        if not again:
            assert {name: found[name] for name in case["expected"]["sync"]} == case["expected"]["sync"]
        listed = Client(mock, controls.key or "")("GET", "/calendar_events")
        assert listed.status == 200, listed.text
        events = {event["platform_uuid"]: event for event in listed.body["results"]}
        expected = case["expected"]["events"]
        assert events.keys() == expected.keys()
        for name, fields in expected.items():
            assert {field: events[name][field] for field in fields} == fields
