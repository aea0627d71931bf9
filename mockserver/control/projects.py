"""The projects over HTTP: a throw-away one in one call, what there is, resets, and how calendars are synced."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from random import Random
from typing import Any, Final, cast

from mockserver.control.project_lifecycle import ProjectLifecycle
from mockserver.control.refusal import Refused
from mockserver.control.routing import Call, Reply, Route, is_large
from mockserver.domain import timestamps
from mockserver.domain.clock import Clock
from mockserver.domain.model import Micros
from mockserver.domain.secret_urls import shown_url
from mockserver.domain.store import ALPHABET, Project, Store, Sync
from mockserver.domain.subscriptions import Subscription
from mockserver.fixtures_io import Broken, read_project
from mockserver.settings import SYNCS, Settings

LARGE: Final = 50_000_000
"""The largest body with fixtures, in bytes."""
_LONGEST_NAME: Final = 100
_SLICE: Final = 100
"""So many projects are shown or reset before others have their turn."""
_NEW: Final = frozenset({"name", "sync", "fixtures", "webhooks"})
_DOCUMENT: Final = frozenset({"name", "sync", "webhooks", "webhook_secret", "zoom_credentials", "calendars"})


class Projects:
    """Makes and shows projects."""

    def __init__(self, store: Store, lives: ProjectLifecycle, clock: Clock, settings: Settings) -> None:
        """New projects are read at the time of `clock`, and are as the settings say where they do not say it."""
        self._store = store
        self._lives = lives
        self._clock = clock
        self._settings = settings
        self._begin()

    def reset_all(self) -> None:
        """Every project back to the fixtures; the next throw-away ones get the names and keys of the first again."""
        for _ in self._lives.reset_all():
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
            Route("POST", every, self._create, fields=_NEW, of_project=False, most=LARGE),
            Route("GET", one, self._show),
            Route("DELETE", one, self._delete),
            Route("POST", f"{one}/reset", self._reset),
            Route("POST", f"{one}/sync-mode", self._set_sync, fields=sync, required=sync),
        ]

    async def _reset_all(self, call: Call) -> Reply:
        for at, _ in enumerate(self._lives.reset_all(), 1):
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
        self._lives.check_room()
        project = await self._read(call.body)
        # To read much takes long: another may have got the name meanwhile.
        self._check_is_new(project.name)
        self._lives.check_room()
        self._lives.begin(project)
        shown_once = {
            "api_key": project.api_keys[0],
            "webhook_secret": base64.b64encode(project.webhook_secret).decode("ascii"),
        }
        return Reply(201, {**self._described(project), **shown_once})

    async def _delete(self, call: Call) -> Reply:
        self._lives.end(call.project)
        return Reply(204, b"")

    async def _reset(self, call: Call) -> Reply:
        call.project.reset()
        self._lives.begin_again(call.project)
        return Reply(200, self._described(call.project))

    async def _set_sync(self, call: Call) -> Reply:
        sync = call.body["sync"]
        if sync not in SYNCS:
            raise Refused("sync", f"must be {' or '.join(SYNCS)}")
        call.project.sync = cast(Sync, sync)
        self._lives.follow_sync(call.project)
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
                raise Refused(f"fixtures.{field[:80]}", "has no place in a project that gets a key of its own", fix=fix)
        given = {name: value for name, value in body.items() if name != "fixtures"}
        name = self._name(given)
        drawn = {"api_keys": [self._new_key()], "webhook_secret": base64.b64encode(self._random.randbytes(32)).decode()}
        now, sync = self._clock.now(), self._settings.sync
        try:
            if not document.keys().isdisjoint({"name", *given}):
                # What the request overrides is not used, but a mistake in it is still a mistake.
                await read_apart({**drawn, "name": name, **document}, now, sync)
            project = await read_apart({**drawn, **document, **given, "name": name}, now, sync)
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
            raise Refused("name", f"must be a text of 1 to {_LONGEST_NAME} characters")
        self._check_is_new(name)
        return name

    def _check_is_new(self, name: str) -> None:
        if name in self._store.by_name:
            raise Refused("name", f"there is a project {name!r} already", 409, "give another name, or none")

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
            "throwaway": self._lives.is_throwaway(project),
            "webhooks": [
                {**one._asdict(), "url": shown_url(one.url), "triggers": list(one.triggers)}
                for one in project.subscriptions
            ],
        }


async def read_apart(document: Mapping[str, Any], now: Micros, sync: Sync) -> Project:
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
