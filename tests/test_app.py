"""A mock is whole from the start, and has nothing that the contract does not ask for."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from connexion.exceptions import ResolverError

from mockserver.api.handlers import Handlers
from mockserver.app import Mock
from mockserver.seed import FixtureError
from mockserver.settings import Settings
from mockserver.spec import load_contract


def operation_ids() -> set[str]:
    paths = load_contract()["paths"].values()
    return {operation["operationId"] for item in paths for operation in item.values() if isinstance(operation, dict)}


def test_every_operation_has_a_handler_and_every_handler_an_operation() -> None:
    handlers = {name for name, _ in inspect.getmembers(Handlers, inspect.isfunction) if not name.startswith("_")}
    assert handlers == {re.sub("([A-Z])", lambda match: f"_{match[1].lower()}", name) for name in operation_ids()}


def test_a_handler_that_is_missing_is_an_error_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Handlers, "get_calendar")
    with pytest.raises(ResolverError, match="get_calendar"):
        Mock()


def test_no_handler_can_be_interrupted_by_another_request() -> None:
    assert not [
        name for name, method in inspect.getmembers(Handlers, inspect.isfunction) if inspect.iscoroutinefunction(method)
    ]


def test_broken_fixtures_are_told_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="nowhere.yaml"):
        Mock(Settings(fixtures=tmp_path / "nowhere.yaml"))


def test_the_public_surface_is_what_is_documented() -> None:
    surface = [name for name, _ in inspect.getmembers(Mock(), lambda member: True) if not name.startswith("_")]
    assert surface == ["asgi", "clock", "reset", "service", "settings", "store"]
