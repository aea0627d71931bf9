"""A project's fixtures over HTTP: out as they would stand in a file, and in, all of them or none."""

from __future__ import annotations

from typing import Final

from mockserver.control.guard import Guard
from mockserver.control.lives import Lives
from mockserver.control.projects import LARGE
from mockserver.control.refusal import Refused
from mockserver.control.routing import Call, Reply, Route
from mockserver.seed import read_project, write_project

_FIELDS: Final = frozenset(
    {"name", "api_keys", "disabled_api_keys", "webhook_secret", "webhooks", "sync", "zoom_credentials", "calendars"}
)
_KEPT: Final = ("name", "api_keys", "disabled_api_keys")


class Fixtures:
    """Writes a project as fixtures, and reads others in their place."""

    def __init__(self, lives: Lives, guard: Guard) -> None:
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
        return Reply(200, write_project(call.project, secrets=wanted == "true"))

    async def _read(self, call: Call) -> Reply:
        project, given = call.project, call.body
        own = {"name": project.name, "api_keys": list(project.api_keys)}
        own["disabled_api_keys"] = list(project.disabled_api_keys)
        for field in _KEPT:
            if given.get(field, own[field]) != own[field]:
                raise Refused(field, "a project keeps its name and its keys", fix="leave it out, or make a new project")
        read = read_project({**given, **own}, project.clock.now(), project.sync)
        if "webhook_secret" in given:
            project.webhook_secret = read.webhook_secret
        if "zoom_credentials" in given:
            project.zoom_credentials = read.zoom_credentials
        subscriptions = read.subscriptions if "webhooks" in given else project.subscriptions
        project.begin_anew(read.baseline, subscriptions, read.sync)
        self._lives.begin_again(project)
        return Reply(200, {"calendars": len(project.state.calendars), "events": len(project.state.events)})
