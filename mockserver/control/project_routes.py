"""Projects over HTTP: create, list, reset, delete and sync mode; and a project's fixtures, read and replaced."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, Final, cast

from mockserver.control.errors import Refused
from mockserver.control.guard import Guard
from mockserver.control.project_lifecycle import ProjectLifecycle
from mockserver.control.routes import Call, Reply, Route, is_large
from mockserver.domain import timestamps
from mockserver.domain.clock import Clock
from mockserver.domain.model import Micros
from mockserver.domain.secret_urls import shown_url
from mockserver.domain.store import ALPHABET, Project, Store, Sync
from mockserver.domain.subscriptions import Subscription
from mockserver.fixtures_io import Broken, read_project, write_project, write_project_text
from mockserver.settings import SYNCS, Settings

_LARGE: Final = 50_000_000
"""The largest body with fixtures, in bytes."""
_LONGEST_NAME: Final = 100
_SLICE: Final = 20
"""So many projects are shown or reset before others have their turn."""
_NEW: Final = frozenset({"name", "sync", "fixtures", "webhooks"})
_REPLACED: Final = frozenset(
    {"name", "api_keys", "disabled_api_keys", "webhook_secret", "webhooks", "sync", "zoom_credentials", "calendars"}
)
_MANY_EVENTS: Final = 500
_OWN: Final = ("name", "api_keys", "disabled_api_keys")
_DOCUMENT: Final = frozenset({"name", "sync", "webhooks", "webhook_secret", "zoom_credentials", "calendars"})


class ProjectRoutes:
    """Makes and shows projects."""

    def __init__(self, store: Store, lifecycle: ProjectLifecycle, clock: Clock, settings: Settings) -> None:
        """New projects are read at the time of `clock`, and are as the settings say where they do not say it."""
        self._store = store
        self._lifecycle = lifecycle
        self._clock = clock
        self._settings = settings
        self._begin()

    def reset_all(self) -> None:
        """Every project back to the fixtures; the next throw-away ones get the names and keys of the first again."""
        for _ in self._lifecycle.reset_all():
            pass
        self._begin()

    def _begin(self) -> None:
        self._random = Random(f"{self._settings.random_seed}/keys")
        self._made = 0

    def routes(self) -> list[Route]:
        """The routes of this group."""
        one, every = "/__mock__/project", "/__mock__/projects"
        sync = frozenset({"sync"})
        return [
            Route("POST", "/__mock__/reset", self._reset_all, of_project=False),
            Route("GET", every, self._list, of_project=False),
            Route("POST", every, self._create, fields=_NEW, of_project=False, most=_LARGE),
            Route("GET", one, self._show),
            Route("DELETE", one, self._delete),
            Route("POST", f"{one}/reset", self._reset),
            Route("POST", f"{one}/sync-mode", self._set_sync, fields=sync, required=sync),
        ]

    async def _reset_all(self, call: Call) -> Reply:
        for at, _ in enumerate(self._lifecycle.reset_all(), 1):
            if at % _SLICE == 0:
                await asyncio.sleep(0)
        self._begin()
        return Reply(200, {"status": "reset"})

    async def _list(self, call: Call) -> Reply:
        described = []
        for at, project in enumerate(list(self._store.projects), 1):
            described.append(self._described(project))
            if at % _SLICE == 0:
                await asyncio.sleep(0)
        return Reply(200, {"projects": described})

    async def _show(self, call: Call) -> Reply:
        return Reply(200, self._described(call.project))

    async def _create(self, call: Call) -> Reply:
        self._lifecycle.check_room()
        project = await self._read(call.body)
        # To read much takes long: another may have got the name meanwhile.
        self._check_is_new(project.name)
        self._lifecycle.check_room()
        self._lifecycle.begin(project)
        shown_once = {
            "api_key": project.api_keys[0],
            "webhook_secret": base64.b64encode(project.webhook_secret).decode("ascii"),
        }
        return Reply(201, {**self._described(project), **shown_once})

    async def _delete(self, call: Call) -> Reply:
        self._lifecycle.end(call.project)
        return Reply(204, b"")

    async def _reset(self, call: Call) -> Reply:
        self._lifecycle.reset(call.project)
        return Reply(200, self._described(call.project))

    async def _set_sync(self, call: Call) -> Reply:
        sync = call.body["sync"]
        if sync not in SYNCS:
            raise Refused("sync", f"must be {' or '.join(SYNCS)}")
        call.project.sync = cast(Sync, sync)
        self._lifecycle.follow_sync(call.project)
        return Reply(200, self._described(call.project))

    async def _read(self, body: Mapping[str, Any]) -> Project:
        """A new project out of what was sent.

        Raises Refused and Broken, with nothing changed.
        """
        document = body.get("fixtures", {})
        if not isinstance(document, dict):
            raise Refused("fixtures", "must be an object", fix='write {"calendars": [...]}, as GET /__mock__/fixtures')
        for field in document:
            if field not in _DOCUMENT:
                fix = f"the fields of a new project's fixtures are {', '.join(sorted(_DOCUMENT))}"
                raise Refused(f"fixtures.{field[:80]}", "cannot be part of a new project's fixtures", fix=fix)
        given = {name: value for name, value in body.items() if name != "fixtures"}
        name = self._name(given)
        drawn = {"api_keys": [self._new_key()], "webhook_secret": base64.b64encode(self._random.randbytes(32)).decode()}
        now, sync = self._clock.now(), self._settings.sync
        try:
            if not document.keys().isdisjoint({"name", *given}):
                # What the request overrides is not used, but a mistake in it is still a mistake.
                await _read_apart({**drawn, "name": name, **document}, now, sync)
            project = await _read_apart({**drawn, **document, **given, "name": name}, now, sync)
        except Broken as problem:
            raise problem.moved(lambda place: place if place and place[0] in given else ("fixtures", *place)) from None
        _check_urls(project.subscriptions, https_only=self._settings.https_webhooks)
        return project

    def _name(self, given: Mapping[str, Any]) -> str:
        if "name" not in given:
            self._made += 1
            while f"world-{self._made}" in self._store.by_name:
                self._made += 1
            return f"world-{self._made}"
        name = given["name"]
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            raise Refused("name", f"must be a string of 1 to {_LONGEST_NAME} characters")
        self._check_is_new(name)
        return name

    def _check_is_new(self, name: str) -> None:
        if name in self._store.by_name:
            raise Refused("name", f"a project {name!r} already exists", 409, "use another name, or leave it out")

    def _new_key(self) -> str:
        while True:
            key = "".join(self._random.choices(ALPHABET, k=32))
            if key not in self._store.by_key:
                return key

    def _described(self, project: Project) -> dict[str, Any]:
        """What is shown of a project: nothing secret."""
        clock = {"now": timestamps.render(project.clock.now()), "frozen": project.clock.frozen}
        return {
            "name": project.name,
            "calendars": len(project.state.calendars),
            "events": len(project.state.events),
            "sync": project.sync,
            "clock": clock,
            "throwaway": self._lifecycle.is_throwaway(project),
            "webhooks": [
                {**one._asdict(), "url": shown_url(one.url), "triggers": list(one.triggers)}
                for one in project.subscriptions
            ],
        }


async def _read_apart(document: Mapping[str, Any], now: Micros, sync: Sync) -> Project:
    """A project out of its fixtures; large ones are read in a thread, while others are answered.

    Raises Broken.
    """
    if is_large(document):
        return await asyncio.to_thread(read_project, document, now, sync)
    return read_project(document, now, sync)


def _check_urls(subscriptions: list[Subscription], *, https_only: bool) -> None:
    for at, one in enumerate(subscriptions):
        if https_only and not one.url.lower().startswith("https://"):
            fix = "use https, or serve without --https-webhooks"
            raise Refused(f"webhooks[{at}].url", "webhook URL must start with https://", fix=fix)


class FixtureRoutes:
    """Writes a project as fixtures, and reads others in their place."""

    def __init__(self, lifecycle: ProjectLifecycle, guard: Guard) -> None:
        """`guard` knows whether the mock is this machine's alone, and secrets may be shown."""
        self._lifecycle = lifecycle
        self._guard = guard

    def routes(self) -> list[Route]:
        """The routes of this group."""
        path = "/__mock__/fixtures"
        return [
            Route("GET", path, self._write, query=frozenset({"secrets"})),
            Route("PUT", path, self._read, fields=_REPLACED, required=frozenset({"calendars"}), most=_LARGE),
        ]

    async def _write(self, call: Call) -> Reply:
        wanted = call.query.get("secrets", "false")
        if wanted not in ("true", "false"):
            raise Refused("secrets", "must be true or false")
        if wanted == "true" and self._guard.token is not None:
            raise Refused("secrets", "are only shown by a mock that listens on loopback", 403, "leave secrets out")
        project = call.project
        if len(project.state.events) < _MANY_EVENTS:
            return Reply(200, write_project(project, secrets=wanted == "true"))
        # Of a copy: in a thread it takes its time, while others are answered and change the project.
        text = await asyncio.to_thread(write_project_text, project, project.state.copy(), secrets=wanted == "true")
        return Reply(200, text.encode())

    async def _read(self, call: Call) -> Reply:
        project, given = call.project, call.body
        own = {"name": project.name, "api_keys": list(project.api_keys)}
        own["disabled_api_keys"] = list(project.disabled_api_keys)
        for field in _OWN:
            if given.get(field, own[field]) != own[field]:
                fix = "leave it out, or make a new project"
                raise Refused(field, "a project keeps its name and its keys", 409, fix)
        read = await _read_apart({**given, **own}, project.clock.now(), project.sync)
        if "webhook_secret" in given:
            project.webhook_secret = read.webhook_secret
        if "zoom_credentials" in given:
            project.zoom_credentials = read.zoom_credentials
        subscriptions = _unmasked(read.subscriptions, project) if "webhooks" in given else project.subscriptions
        self._lifecycle.replace(project, read.baseline, subscriptions, read.sync)
        return Reply(200, {"calendars": len(project.state.calendars), "events": len(project.state.events)})


def _unmasked(read: Iterable[Subscription], project: Project) -> list[Subscription]:
    """The subscriptions with the secrets in their URLs where these were masked when the project was written."""
    whole = {shown_url(one.url): one.url for one in project.subscriptions}
    return [one._replace(url=whole.get(one.url, one.url)) for one in read]
