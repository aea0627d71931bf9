"""What the pytest plugin knows of one test: its mock and project, and what is reported when it fails or ends."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mockserver.settings import Settings
from mockserver.testing.controls import ControlError, NeedsControls, Unreachable
from mockserver.testing.interception import Intercept
from mockserver.testing.journal import is_own
from mockserver.testing.mock import AttendeeMock
from mockserver.testing.project import AttendeeProject, unless_gone
from mockserver.testing.receiver import WebhookReceiver
from mockserver.testing.report import describe, failures_of_the_mock

__all__ = ["CoachWarning", "TestState", "start_mock"]

_OF_THE_MOCK: Final = ("post_rate", "strict", "random_seed")
"""Keywords of the marker that are settings: a test with one of them gets a mock of its own."""
_LONGEST_NAME: Final = 90


class CoachWarning(UserWarning):
    """Something that the client under test does, and that goes wrong later (--attendee-coach=warn)."""


def start_mock(settings: Settings, url: str, environment: Mapping[str, str]) -> AttendeeMock:
    """A mock with the settings, or what runs at the URL, with key and secret from the environment.

    Raises Unreachable, and ValueError for a real deployment without ATTENDEE_API_KEY.
    """
    if not url:
        return AttendeeMock(settings)
    return AttendeeMock.connect(
        url,
        api_key=environment.get("ATTENDEE_API_KEY", ""),
        webhook_secret=environment.get("ATTENDEE_WEBHOOK_SECRET", ""),
        control_token=environment.get("ATTENDEE_MOCK_CONTROL_TOKEN"),
    )


class TestState:
    """One test that uses `attendee_project`."""

    __test__ = False
    mock: AttendeeMock
    """Set while the project exists."""

    def __init__(self, nodeid: str, path: Path, options: Mapping[str, Any]) -> None:
        """`path` is the test's file; `options` are the keywords of its markers, the closest first."""
        self.nodeid = nodeid
        self._options = dict(options)
        fixtures = self._options.get("fixtures")
        if isinstance(fixtures, str | Path) and not Path(fixtures).is_absolute():
            self._options["fixtures"] = path.parent / fixtures
        self._project: AttendeeProject | None = None
        self.receiver: WebhookReceiver | None = None
        self.intercepted: Intercept | None = None

    @contextmanager
    def project(self, session_mock: Callable[[], AttendeeMock]) -> Iterator[AttendeeProject]:
        """The test's project, in the session's mock or in one of its own; deleted at the end."""
        settings = {name: self._options.pop(name) for name in _OF_THE_MOCK if name in self._options}
        if not settings:
            with self._made(session_mock()) as project:
                yield project
            return
        shared = session_mock()
        if shared.settings is None:
            raise NeedsControls(
                f"{shared.url} does not run in this process: the marker's {', '.join(settings)} need that"
            )
        with AttendeeMock(dataclasses.replace(shared.settings, **settings)) as own, self._made(own) as project:
            yield project

    @contextmanager
    def _made(self, mock: AttendeeMock) -> Iterator[AttendeeProject]:
        self.mock = mock
        # Named after the test: ids are drawn from the name, so they are the same in every run and every worker. A mock
        # elsewhere may have other users, who run the same test.
        name = _short(self.nodeid) + (f"-{secrets.token_hex(4)}" if mock.settings is None else "")
        project = self._project = mock.new_project(name, **self._options)
        try:
            yield project
        finally:
            project.close()

    def finish(self, coach: str) -> None:
        """At the end of the test: raises AssertionError if the mock itself failed, and runs the coach if it is on."""
        project = self._project
        if project is None or project.is_real:
            return
        with unless_gone():
            if problems := failures_of_the_mock(self.mock, project):
                what = "the mock failed, so this test shows nothing about the client:"
                raise AssertionError("\n".join([what, *problems]))
            if coach != "off":
                self._coach(project, coach)

    def _coach(self, project: AttendeeProject, coach: str) -> None:
        from mockserver.coach import remarks

        entries = project.controls.ask("GET", "requests", kind="any", limit=1000)["requests"]
        found = [str(remark) for remark in remarks(entry for entry in entries if not is_own(entry))]
        if found and coach == "error":
            raise AssertionError("\n".join(["the coach found mistakes of the client:", *found]))
        for text in found:
            warnings.warn(f"{self.nodeid}: {text}", CoachWarning, stacklevel=2)

    def describe(self) -> str:
        """The section of the report of a failed test."""
        assert self._project is not None
        try:
            return describe(self._project, self.receiver, self.intercepted)
        except (ControlError, Unreachable) as error:
            return f"The mock could not be asked what happened: {error}"

    def write_har(self, folder: Path) -> None:
        """Writes the test's exchanges to a file in the folder, which is named after the test."""
        assert self._project is not None
        if self._project.is_real:
            return
        name = re.sub(r"[^\w.-]+", "_", self.nodeid)
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._project.requests.har(), indent=1)
        (folder / f"{_short(name)}.har").write_text(text, encoding="utf-8")


def _short(text: str) -> str:
    if len(text) <= _LONGEST_NAME:
        return text
    return f"{text[:40]}...{text[-30:]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
