"""A project's fixtures over HTTP: out as they would stand in a file, and in, all of them or none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Final

from mockserver.control.guard import Guard
from mockserver.control.project_lifecycle import ProjectLifecycle
from mockserver.control.projects import LARGE, read_apart
from mockserver.control.refusal import Refused
from mockserver.control.routing import Call, Reply, Route
from mockserver.domain.secret_urls import shown_url
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import Subscription
from mockserver.fixtures_io import write_project

_FIELDS: Final = frozenset(
    {"name", "api_keys", "disabled_api_keys", "webhook_secret", "webhooks", "sync", "zoom_credentials", "calendars"}
)
_MANY_EVENTS: Final = 500
_KEPT: Final = ("name", "api_keys", "disabled_api_keys")


class Fixtures:
    """Writes a project as fixtures, and reads others in their place."""

    def __init__(self, lives: ProjectLifecycle, guard: Guard) -> None:
        """`guard` knows whether the mock is this machine's alone, and secrets may be shown."""
        self._lives = lives
        self._guard = guard

    def routes(self) -> list[Route]:
        """The routes of this group."""
        path = "/__mock__/fixtures"
        return [
            Route("GET", path, self._write, query=frozenset({"secrets"})),
            Route("PUT", path, self._read, fields=_FIELDS, required=frozenset({"calendars"}), most=LARGE),
        ]

    async def _write(self, call: Call) -> Reply:
        wanted = call.query.get("secrets", "false")
        if wanted not in ("true", "false"):
            raise Refused("secrets", "must be true or false")
        if wanted == "true" and self._guard.token is not None:
            raise Refused("secrets", "are shown only by a mock that listens on loopback", 403, "leave secrets out")
        project = call.project
        if len(project.state.events) < _MANY_EVENTS:
            return Reply(200, write_project(project, secrets=wanted == "true"))
        # Of a copy: in a thread it takes its time, while others are answered and change the project.
        write = partial(write_project, project, state=project.state.copy(), secrets=wanted == "true")
        return Reply(200, await asyncio.to_thread(write))

    async def _read(self, call: Call) -> Reply:
        project, given = call.project, call.body
        own = {"name": project.name, "api_keys": list(project.api_keys)}
        own["disabled_api_keys"] = list(project.disabled_api_keys)
        for field in _KEPT:
            if given.get(field, own[field]) != own[field]:
                fix = "leave it out, or make a new project"
                raise Refused(field, "a project keeps its name and its keys", 409, fix)
        read = await read_apart({**given, **own}, project.clock.now(), project.sync)
        if "webhook_secret" in given:
            project.webhook_secret = read.webhook_secret
        if "zoom_credentials" in given:
            project.zoom_credentials = read.zoom_credentials
        subscriptions = _unmasked(read.subscriptions, project) if "webhooks" in given else project.subscriptions
        project.begin_anew(read.baseline, subscriptions, read.sync)
        self._lives.begin_again(project)
        return Reply(200, {"calendars": len(project.state.calendars), "events": len(project.state.events)})


def _unmasked(read: Iterable[Subscription], project: Project) -> list[Subscription]:
    """The subscriptions with the secrets in their URLs where these were masked when the project was written."""
    whole = {shown_url(one.url): one.url for one in project.subscriptions}
    return [one._replace(url=whole.get(one.url, one.url)) for one in read]
