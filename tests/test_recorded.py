"""The mock answers what the real service was recorded to answer: in process, and over a socket."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mockserver.app import Mock
from mockserver.domain.clock import FixedClock
from mockserver.server import RunningServer, running
from mockserver.settings import Rate, Settings
from tests.clients import in_process, over_http
from tests.conftest import NOW
from tests.replayer import replay

RECORDED = Path(__file__).parent / "recorded"
RATES = {"scenarios": Rate(3000, 60), "scenarios-bots": Rate(3000, 60), "scenarios-throttle": Rate(3, 60)}


FILES = [path for folder in RATES for path in sorted((RECORDED / folder).glob("*.json"))]


def make(folder: str) -> Mock:
    """A mock for the scenarios of a folder; those of bots were taken in 2026, and need a time near that."""
    settings = Settings(fixtures=RECORDED / "seed.json", post_rate=RATES[folder], sync="manual")
    return Mock(settings, clock=FixedClock(NOW) if folder == "scenarios-bots" else None)


@pytest.fixture(scope="module")
def mocks() -> dict[str, Mock]:
    return {folder: make(folder) for folder in RATES}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, RunningServer]]:
    with ExitStack() as stack:
        yield {folder: stack.enter_context(running(mock=make(folder))) for folder in RATES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_as_recorded_in_process(path: Path, mocks: dict[str, Mock]) -> None:
    mock = mocks[path.parent.name]
    mock.reset()
    assert replay(json.loads(path.read_text("utf-8")), in_process(mock)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_as_recorded_over_a_socket(path: Path, servers: dict[str, RunningServer]) -> None:
    send = over_http(servers[path.parent.name].url)
    assert send("POST", "/__mock__/reset", {}, None).status == 200
    assert replay(json.loads(path.read_text("utf-8")), send) == []


def test_there_are_recordings_of_every_kind() -> None:
    assert len(FILES) >= 142
    assert os.path.commonprefix([path.name for path in FILES]) == ""
