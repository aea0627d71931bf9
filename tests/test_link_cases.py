"""Links that people reported: what a bot is refused for, and what a synced event has a link from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.domain.timestamps import SECOND, render
from tests.clients import Client
from tests.conftest import NOW
from tests.control.client import new_project

CASES = sorted((Path(__file__).parent / "recorded" / "cases").glob("*.json"))
CALENDARS = [{"platform": "google", "deduplication_key": "g"}, {"platform": "microsoft", "deduplication_key": "m"}]


def at(hours: int) -> str:
    return render(NOW + hours * 3600 * SECOND)


def filled(part: Any) -> Any:
    """The part of a case with its times, which are written as `+2h`, put in."""
    if isinstance(part, dict):
        return {name: filled(value) for name, value in part.items()}
    hours = re.fullmatch(r"([+-]\d+)h", part) if isinstance(part, str) else None
    return at(int(hours[1])) if hours else part


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_reported_links_are_read_as_the_service_reads_them(path: Path, mock: Mock) -> None:
    case = json.loads(path.read_text("utf-8"))
    controls = new_project(mock, sync="manual", fixtures={"zoom_credentials": True, "calendars": CALENDARS})
    client = Client(mock, str(controls.key))
    for event in case.get("upstream", ()):
        assert controls("POST", f"calendars/{case['calendar']}/upstream/events", filled(event)).status == 201
    if "upstream" in case:
        assert controls("POST", f"calendars/{case['calendar']}/sync").body["outcome"] == "synced"
        links = [event["meeting_url"] for event in client("GET", "/calendar_events").body["results"]]
        assert links == [case["expected"]["meeting_url"]] * len(case["upstream"])
    bots = [{"bot_name": "n", "meeting_url": link, "join_at": at(5)} for link in case.get("bots", ())]
    assert [client("POST", "/bots", bot).status for bot in bots] == case["expected"].get("bots", [])


def test_there_are_cases() -> None:
    assert len(CASES) >= 3
