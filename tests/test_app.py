"""A mock is whole from the start, and has nothing that the contract does not ask for."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from connexion.exceptions import ResolverError

from mockserver.api.bots import BotHandlers
from mockserver.api.handlers import Handlers
from mockserver.app import Mock
from mockserver.contracts import BOTS, CALENDARS, load_contract
from mockserver.domain import outbox
from mockserver.fixtures_io import FixtureError
from mockserver.settings import Settings
from tests.patience import HANGS
from tests.projects import CHANGED, make_project, the_calendar
from tests.receivers.sockets import hang, receiving, status

CLASSES = [(CALENDARS, Handlers), (BOTS, BotHandlers)]


def operation_ids(name: str) -> set[str]:
    paths = load_contract(name)["paths"].values()
    return {operation["operationId"] for item in paths for operation in item.values() if isinstance(operation, dict)}


def methods(handlers: type) -> dict[str, object]:
    return {name: m for name, m in inspect.getmembers(handlers, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.parametrize(("contract", "handlers"), CLASSES)
def test_every_operation_has_a_handler_and_every_handler_an_operation(contract: str, handlers: type) -> None:
    named = {re.sub("([A-Z])", lambda match: f"_{match[1].lower()}", name) for name in operation_ids(contract)}
    assert methods(handlers).keys() == named


def test_no_operation_is_in_both_contracts() -> None:
    assert not operation_ids(CALENDARS) & operation_ids(BOTS)


@pytest.mark.parametrize(("handlers", "name"), [(Handlers, "get_calendar"), (BotHandlers, "get_bot")])
def test_a_handler_that_is_missing_is_an_error_at_start(
    handlers: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(handlers, name)
    with pytest.raises(ResolverError, match=name):
        Mock()


@pytest.mark.parametrize(("contract", "handlers"), CLASSES)
def test_no_handler_can_be_interrupted_by_another_request(contract: str, handlers: type) -> None:
    assert not [name for name, method in methods(handlers).items() if inspect.iscoroutinefunction(method)]


def test_broken_fixtures_are_told_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="nowhere.yaml"):
        Mock(Settings(fixtures=tmp_path / "nowhere.yaml"))


def test_only_a_mock_that_syncs_by_itself_has_something_to_do_by_itself(tmp_path: Path) -> None:
    for sync, waits in (("auto", 1), ("manual", 0)):
        mock = Mock(Settings(sync=sync))  # type: ignore[arg-type]
        assert [len(project.task_queue) for project in mock.store.projects] == [waits] * len(mock.store.projects)
        (first, *_) = mock.store.projects
        calendar = next(iter(first.state.calendars))
        mock.calendar_service.update_calendar(first, calendar.id, {})
        assert len(first.task_queue) == 2 * waits
        mock.reset()
        assert len(first.task_queue) == waits


def test_the_public_surface_is_what_is_documented() -> None:
    surface = [name for name, _ in inspect.getmembers(Mock(), lambda member: True) if not name.startswith("_")]
    assert surface == [
        "asgi",
        "bot_service",
        "calendar_service",
        "clock",
        "end_waits",
        "explainer",
        "faults",
        "guard",
        "journals",
        "reset",
        "routes",
        "settings",
        "store",
        "sync_scheduler",
        "worker",
    ]


async def live(mock: Mock, meanwhile: Callable[[], Any]) -> None:
    """The lifespan of a server around the mock."""
    asked: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    told: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    serving = asyncio.ensure_future(mock.asgi({"type": "lifespan"}, asked.get, told.put))
    for event in ("startup", "shutdown"):
        await asked.put({"type": f"lifespan.{event}"})
        assert (await told.get())["type"] == f"lifespan.{event}.complete"
        if event == "startup":
            await meanwhile()
    await serving


def test_what_waits_is_delivered_from_the_start_and_broken_off_at_the_end() -> None:
    async def run() -> None:
        async with receiving(status(200)) as good, receiving(hang) as bad:
            project = make_project(good.base, bad.base)
            mock = Mock(projects=[project])
            outbox.enqueue(project, CHANGED, the_calendar(project))

            async def meanwhile() -> None:
                async with asyncio.timeout(HANGS):
                    while not (good.received and bad.received and len(project.deliveries) == 1):
                        await asyncio.sleep(0)

            await live(mock, meanwhile)
            assert [one.state for one in project.deliveries.select()] == ["success", "pending"]
            assert [task.kind for task in project.task_queue.tasks()] == ["deliver", "sync"]

    asyncio.run(run())


def test_a_mock_that_never_had_a_server_delivers_when_it_is_woken() -> None:
    async def run() -> None:
        async with receiving(status(200)) as receiver:
            project = make_project(receiver.base)
            mock = Mock(projects=[project])
            outbox.enqueue(project, CHANGED, the_calendar(project))
            assert [one.outcome for one in await mock.worker.settle(project)] == ["success"]

    asyncio.run(run())


def test_addresses_that_are_not_public_are_refused_when_that_is_set() -> None:
    project = make_project("http://127.0.0.1:9/x")
    mock = Mock(Settings(public_webhooks=True), projects=[project])
    outbox.enqueue(project, CHANGED, the_calendar(project))
    happened = asyncio.run(mock.worker.settle(project))
    assert [(one.outcome, one.detail["error_type"]) for one in happened] == [("failure", "PublicURLRequired")]
