"""The mock behind the tests: one in this process, one elsewhere, or a real deployment that it is exchanged for."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from mockserver.app import Mock
from mockserver.contracts import data_path
from mockserver.fixtures_io.document import Document
from mockserver.server import running
from mockserver.settings import Settings
from mockserver.testing.clock import as_time
from mockserver.testing.controls import AGENT, ControlError, Controls, NeedsControls, NoControls, send
from mockserver.testing.direct import AsgiBridge, InProcess, OverTheApi
from mockserver.testing.project import AttendeeProject
from mockserver.testing.startable import Startable

__all__ = ["AttendeeMock", "Fixtures"]

Fixtures = Mapping[str, Any] | str | Path
"""A project in the format of fixture files, or the path of a YAML or JSON file with one project."""
_OWN = ("name", "api_keys", "disabled_api_keys")
"""What a project gets anew, whatever its fixtures have."""
_SERVER_LOG = logging.getLogger("mockserver.http")


class _Errors(logging.Handler):
    """Keeps what the HTTP server of one mock reports as an error."""

    def __init__(self, bridge: AsgiBridge) -> None:
        """`bridge` knows the thread of the server: all servers of a process share one logger."""
        super().__init__(logging.ERROR)
        self._bridge = bridge
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the message, with the exception in one line."""
        error = record.exc_info[1] if record.exc_info else None
        if record.thread == self._bridge.thread:
            self.texts.append(record.getMessage() + (f": {error!r}" if error is not None else ""))


class AttendeeMock(Startable):
    """Makes projects, in a mock that runs from `with` or `start` until `close`, on a free port of 127.0.0.1.

    The mock runs in a thread of this process. Its state has no locks and belongs to the thread's event loop; therefore
    projects use it over its control API, as every other process does, and never touch it from the test's thread.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """A mock with these settings; without any, one that has no data but the projects that it makes."""
        self._settings = settings or Settings(fixtures=data_path("fixtures/empty.yaml"))
        self._stack = ExitStack()
        self._controls: Controls = NoControls("")
        self._mock: Mock | None = None
        self._bridge: AsgiBridge | None = None
        self._real: tuple[str, str] | None = None
        self._errors: _Errors | None = None
        self.url = ""
        """Its URL, without /api/v1; empty until it has started."""

    @classmethod
    def connect(
        cls, url: str, *, api_key: str = "", webhook_secret: str = "", control_token: str | None = None
    ) -> AttendeeMock:
        """The mock or the real deployment that runs at a URL; `start` and `close` then do nothing.

        A real deployment has one project: that of `api_key`. A mock makes new ones; `control_token` is needed when it
        runs on another machine. Raises Unreachable when nothing answers, and ValueError for a deployment without a key.
        """
        made = cls()
        made.url = url.rstrip("/")
        response = send(made.url, "GET", "/__mock__/health", {"User-Agent": AGENT})
        if response.status == 200 and _is_health(response.body):
            made._controls = Controls(made.url, control_token=control_token)
            return made
        if not api_key:
            raise ValueError(f"{url} is a real deployment; set ATTENDEE_API_KEY to the key of a project for tests")
        made._controls, made._real = NoControls(made.url), (api_key, webhook_secret)
        return made

    def start(self) -> Self:
        """Starts the mock. Raises FixtureError for broken fixtures of the settings."""
        if self.url:
            return self
        mock = Mock(self._settings)
        bridge = AsgiBridge(mock)
        with ExitStack() as stack:
            errors = _Errors(bridge)
            stack.callback(_SERVER_LOG.removeHandler, errors)
            _SERVER_LOG.addHandler(errors)
            url = stack.enter_context(running(mock=mock)).url
            controls = Controls(url)
            # The first answer: from now on the mock's loop runs, and requests of the bridge find it.
            controls.ask("GET", "health")
            self._stack = stack.pop_all()
        self._mock, self._bridge, self._errors, self._controls, self.url = mock, bridge, errors, controls, url
        return self

    def close(self) -> None:
        """Stops a mock that `start` has started, with all its projects. A second call does nothing."""
        if self._mock is not None:
            self._stack.close()
            self._mock, self._bridge, self.url = None, None, ""

    @property
    def settings(self) -> Settings | None:
        """Its settings; None for a mock or a deployment that does not run in this process."""
        return self._settings if self._mock is not None else None

    def take_errors(self) -> list[str]:
        """What its HTTP server has reported since the last call: exceptions in the mock, answered with 500."""
        if self._errors is None:
            return []
        found, self._errors.texts = self._errors.texts, []
        return found

    @property
    def is_real(self) -> bool:
        """Whether this is a real deployment, which has no controls."""
        return self._real is not None

    @property
    def asgi(self) -> AsgiBridge:
        """The mock as an ASGI application, for httpx.ASGITransport: same projects, no socket, any event loop.

        Raises NeedsControls, which skips the test, for a mock or a deployment that does not run in this process.
        """
        if self._bridge is None:
            raise NeedsControls(
                f"{self.url or 'the mock'} does not run in this process: it is no ASGI application here"
            )
        return self._bridge

    def new_project(
        self,
        name: str | None = None,
        *,
        fixtures: Fixtures | None = None,
        sync: Literal["auto", "manual"] | None = None,
        now: str | datetime | None = None,
        frozen: bool = False,
        faults: Iterable[Mapping[str, Any]] = (),
    ) -> AttendeeProject:
        """A new project with a key of its own; `close` of it deletes it.

        With the same name and `random_seed` a project gets the same ids, whatever other projects there are. `fixtures`
        are its data; their relative times count from `now`. `sync` says when calendars are synced, and `frozen` freezes
        the clock. Each of `faults` has the fields of a fault (`kind`, `first`, …). In a real deployment it is the
        project of the key, and asking for anything else raises NeedsControls, which skips the test. Raises ControlError
        for values that the mock refuses, and OSError, FixtureError or ValueError for a file that cannot be used.
        """
        if self._real is not None:
            if fixtures is not None or sync is not None or now is not None or frozen or [*faults]:
                raise NeedsControls(
                    f"{self.url} is a real deployment: it takes no fixtures, sync, now, frozen or faults"
                )
            key, secret = self._real
            return AttendeeProject(
                self.url, "the project of the key", key, secret, self._controls, OverTheApi(self.url, key)
            )
        document = {} if fixtures is None else _document(fixtures)
        project = self._create(name, {} if now is not None else document, sync)
        try:
            self._furnish(project, document, now, frozen, faults)
        except ControlError:
            project.close()
            raise
        return project

    def _create(self, name: str | None, document: Mapping[str, Any], sync: str | None) -> AttendeeProject:
        given = {"name": name, "sync": sync, "fixtures": document or None}
        body = {field: value for field, value in given.items() if value is not None}
        made = self._controls.ask("POST", "projects", body=body)
        name, key = str(made["name"]), str(made["api_key"])
        inside = self._mock is not None and self._bridge is not None
        direct = InProcess(self._mock, self._bridge, name) if inside else OverTheApi(self.url, key)  # type: ignore[arg-type]
        return AttendeeProject(self.url, name, key, made["webhook_secret"], self._controls.of_project(key), direct)

    def _furnish(
        self,
        project: AttendeeProject,
        document: Mapping[str, Any],
        now: str | datetime | None,
        frozen: bool,
        faults: Iterable[Mapping[str, Any]],
    ) -> None:
        if frozen or now is not None:
            project.clock.freeze()
        if now is not None:
            # Before the data: relative times of fixtures count from the project's time.
            project.clock.set(as_time(now))
            if document:
                project.load(document)
            if not frozen:
                project.clock.run()
        for fault in faults:
            project.faults.add(**fault)


def _document(fixtures: Fixtures) -> dict[str, Any]:
    """The project's data without its name and keys, as the control API takes it."""
    if isinstance(fixtures, Mapping):
        project: Any = fixtures
    else:
        value = Document(Path(fixtures)).value
        projects = value.get("projects") if isinstance(value, dict) else None
        if not isinstance(projects, list) or len(projects) != 1 or not isinstance(projects[0], dict):
            count = len(projects) if isinstance(projects, list) else 0
            raise ValueError(f"{fixtures}: projects: a test takes a file with one project; this file has {count}")
        project = projects[0]
    return {field: value for field, value in project.items() if field not in _OWN}


def _is_health(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("status") == "ok"
