"""Creates calendars and lists bots past the API: not recorded, not limited, and unaffected by faults."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

from mockserver.app import Mock
from mockserver.domain.bots import bot_document
from mockserver.domain.calendar_service import NewCalendar
from mockserver.testing.controls import AGENT, ControlError, send

__all__ = ["AsgiBridge", "Direct", "FoundCalendar", "InProcess", "OverTheApi"]

_T = TypeVar("_T")
_Message = Any


class FoundCalendar(NamedTuple):
    """What identifies a calendar."""

    id: str
    key: str | None
    """Its deduplication key."""
    platform: str


class Direct(Protocol):
    """What tests need of a project and the control API has no route for."""

    def create_calendar(self, fields: Mapping[str, Any]) -> str:
        """Creates a calendar from the fields of a POST; gives its id."""
        ...

    def find_calendar(self, key: str) -> FoundCalendar | None:
        """The calendar with this id or deduplication key."""
        ...

    def bots(self) -> list[dict[str, Any]]:
        """The project's scheduled bots as the API shows them, the oldest first."""
        ...


class AsgiBridge:
    """A mock's ASGI application for callers in other event loops: the mock runs it in its own loop.

    A mock's state has no locks. Only the loop of its server may use it, so every request is handed over to that loop,
    and so are its messages on the way back.
    """

    def __init__(self, mock: Mock) -> None:
        """Notes the loop in which a server starts the mock; to be made before the server."""
        self._app = mock.asgi
        self._loop: asyncio.AbstractEventLoop | None = None
        self.thread: int | None = None
        """The thread of that loop."""
        mock.asgi = self._noting

    async def _noting(self, scope: _Message, receive: _Message, send: _Message) -> None:
        if scope["type"] == "lifespan":
            self._loop, self.thread = asyncio.get_running_loop(), threading.get_ident()
        await self._app(scope, receive, send)

    def run(self, step: Callable[[], _T]) -> _T:
        """What `step` gives when the mock's own loop runs it, between two requests."""

        loop = self._own_loop()

        async def in_turn() -> _T:
            return step()

        return asyncio.run_coroutine_threadsafe(in_turn(), loop).result()

    async def __call__(self, scope: _Message, receive: _Message, send: _Message) -> None:
        """An ASGI application; a lifespan is answered here, because the mock's server has begun it already."""
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{what}.complete"})
            return
        caller, loop = asyncio.get_running_loop(), self._own_loop()

        def over_there(call: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
            async def there(*arguments: Any) -> Any:
                return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(*arguments), caller))

            return there

        async def handle() -> None:
            await self._app(scope, over_there(receive), over_there(send))

        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(handle(), loop))

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            raise RuntimeError("the mock is not running; use it inside the with block or the fixture")
        return self._loop


class InProcess:
    """A project of a mock in this process."""

    def __init__(self, mock: Mock, bridge: AsgiBridge, project: str) -> None:
        """`project` is its name."""
        self._mock, self._bridge, self._name = mock, bridge, project

    def create_calendar(self, fields: Mapping[str, Any]) -> str:
        """Creates it as a POST does: the watcher asks for its first sync."""

        def create() -> str:
            project = self._mock.store.by_name[self._name]
            calendar = self._mock.calendar_service.create_calendar(project, cast(NewCalendar, fields))
            self._mock.worker.wake(project)
            return calendar.id

        return self._bridge.run(create)

    def find_calendar(self, key: str) -> FoundCalendar | None:
        """The calendar with this id, or else with this deduplication key."""

        def find() -> FoundCalendar | None:
            state = self._mock.store.by_name[self._name].state
            found = state.calendars.get(key) or state.calendars.get(state.calendar_ids.get(key) or "")
            return None if found is None else FoundCalendar(found.id, found.deduplication_key, found.platform)

        return self._bridge.run(find)

    def bots(self) -> list[dict[str, Any]]:
        """Those that are scheduled, by the time of their creation."""

        def read() -> list[dict[str, Any]]:
            return [bot_document(bot) for bot in self._mock.store.by_name[self._name].state.bots.listed.up()]

        return self._bridge.run(read)


class OverTheApi:
    """A project of a mock elsewhere or of a real deployment: over the API, where its limits and faults apply."""

    def __init__(self, url: str, api_key: str) -> None:
        """`url` is that of the deployment, without /api/v1."""
        self._url = url
        self._headers = {"Authorization": f"Token {api_key}", "User-Agent": AGENT}

    def create_calendar(self, fields: Mapping[str, Any]) -> str:
        """Sends a POST; raises ControlError when it is refused."""
        return str(self._ask("POST", "/api/v1/calendars", fields)["id"])

    def find_calendar(self, key: str) -> FoundCalendar | None:
        """Asks by deduplication key, and if there is none, by id."""
        page = self._ask("GET", f"/api/v1/calendars?{urlencode({'deduplication_key': key})}")
        found = next(iter(page["results"]), None)
        if found is None and key.startswith("cal_"):
            try:
                found = self._ask("GET", f"/api/v1/calendars/{quote(key, safe='')}")
            except ControlError as error:
                if error.status != 404:
                    raise
        return None if found is None else FoundCalendar(found["id"], found["deduplication_key"], found["platform"])

    def delete_calendar(self, calendar_id: str) -> None:
        """Sends a DELETE; raises ControlError when it is refused."""
        self._ask("DELETE", f"/api/v1/calendars/{calendar_id}")

    def bots(self) -> list[dict[str, Any]]:
        """Those that are scheduled, page by page."""
        found: list[dict[str, Any]] = []
        target: str | None = "/api/v1/bots?states=scheduled"
        while target:
            page = self._ask("GET", target)
            found += page["results"]
            following = urlsplit(page["next"] or "")
            target = f"{following.path}?{following.query}" if following.path else None
        return found

    def _ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        response = send(self._url, method, target, self._headers, body)
        if response.status >= 400:
            text = response.body.decode("utf-8", "replace")[:300]
            what = f"{method} {target.partition('?')[0]}"
            raise ControlError(f"{what} was answered {response.status}: {text}", response.status, "")
        return json.loads(response.body) if response.body else {}
