"""The pytest plugin: fixtures, a marker and options. It imports the rest of the package when a test uses a fixture."""

# pytest imports this module at every start, in every project of the environment: also where nobody uses it, and before
# pytest-cov measures anything. It therefore imports nothing but pytest, and from this package only names.
from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockserver.settings import Settings
    from mockserver.testing.direct import AsgiBridge
    from mockserver.testing.interception import Intercept
    from mockserver.testing.mock import AttendeeMock
    from mockserver.testing.plugin_state import TestState
    from mockserver.testing.project import AttendeeProject
    from mockserver.testing.receiver import WebhookReceiver

MARKER_KEYWORDS = ("fixtures", "sync", "now", "frozen", "faults", "post_rate", "strict", "random_seed")
_STATE: pytest.StashKey[TestState] = pytest.StashKey()
_COACH = ("off", "warn", "error")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option has a twin in the ini file: attendee_url, attendee_coach, attendee_har."""
    group = parser.getgroup("attendee", "attendee-mockserver")
    url = "run the tests against a mock or a real deployment at this URL (key: ATTENDEE_API_KEY)"
    coach = "say after each test what its client does that goes wrong later: off, warn or error (default: off)"
    har = "write the exchanges of each failed test to DIR as an HTTP archive"
    group.addoption("--attendee-url", metavar="URL", default=None, help=url)
    group.addoption("--attendee-coach", choices=_COACH, default=None, help=coach)
    group.addoption("--attendee-har", metavar="DIR", default=None, help=har)
    parser.addini("attendee_url", url, default="")
    parser.addini("attendee_coach", coach, default="off")
    parser.addini("attendee_har", har, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker; a wrong value in the ini file is a usage error."""
    keywords = ", ".join(f"{name}=" for name in MARKER_KEYWORDS)
    config.addinivalue_line("markers", f"attendee({keywords}): how the project of the test is made (docs/pytest.md)")
    if (coach := _option(config, "coach")) not in _COACH:
        raise pytest.UsageError(f"attendee_coach: {coach!r} is unknown; valid: {', '.join(_COACH)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """An unknown keyword of the marker is a usage error."""
    # A worker of pytest-xdist that breaks off while it collects is taken for a crash; its tests fail instead.
    if not _is_worker(config) and (problem := next(filter(None, map(_problem, items)), None)):
        raise pytest.UsageError(problem)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """In a worker of pytest-xdist, a test with an unknown keyword of the marker fails."""
    if _is_worker(item.config) and (problem := _problem(item)):
        raise pytest.UsageError(problem)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _problem(item: pytest.Item) -> str | None:
    """What is wrong with the markers of a test."""
    for mark in item.iter_markers("attendee"):
        wrong = next((name for name in mark.kwargs if name not in MARKER_KEYWORDS), None)
        if wrong is not None or mark.args:
            what = f"the keyword {wrong!r} is unknown" if wrong is not None else "it takes only keywords"
            return f"{item.nodeid}: marker attendee: {what}; valid: {', '.join(MARKER_KEYWORDS)}"
    return None


@pytest.fixture(scope="session")
def attendee_settings() -> Settings:
    """The settings of the session's mock; override it in conftest.py to change them."""
    from mockserver.contracts import data_path
    from mockserver.settings import Settings

    return Settings(fixtures=data_path("fixtures/empty.yaml"))


@pytest.fixture(scope="session")
def attendee_mock(attendee_settings: Settings, pytestconfig: pytest.Config) -> Iterator[AttendeeMock]:
    """The mock of the session, on a free port; with pytest-xdist each worker has its own."""
    from mockserver.testing.plugin_state import start_mock

    with start_mock(attendee_settings, _option(pytestconfig, "url"), os.environ) as mock:
        yield mock


@pytest.fixture
def attendee_project(request: pytest.FixtureRequest) -> Iterator[AttendeeProject]:
    """A project for this test alone; the marker `attendee` says how it is made."""
    from mockserver.testing.plugin_state import TestState

    options: dict[str, Any] = {}
    for mark in request.node.iter_markers("attendee"):
        options = {**mark.kwargs, **options}
    state = TestState(request.node.nodeid, request.node.path, options)
    with state.project(lambda: request.getfixturevalue("attendee_mock")) as project:
        request.node.stash[_STATE] = state
        yield project
        state.finish(_option(request.config, "coach"))


@pytest.fixture
def attendee_env(attendee_project: AttendeeProject, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Sets ATTENDEE_BASE_URL, ATTENDEE_API_KEY and ATTENDEE_WEBHOOK_SECRET for the test."""
    for name, value in attendee_project.env.items():
        monkeypatch.setenv(name, value)
    return attendee_project.env


@pytest.fixture
def attendee_webhooks(attendee_project: AttendeeProject, request: pytest.FixtureRequest) -> Iterator[WebhookReceiver]:
    """A receiver of webhooks that is subscribed to both triggers of the test's project."""
    with attendee_project.receive_webhooks() as receiver:
        request.node.stash[_STATE].receiver = receiver
        yield receiver


@pytest.fixture
def attendee_intercept(attendee_project: AttendeeProject, request: pytest.FixtureRequest) -> Iterator[Intercept]:
    """Reroutes https://app.attendee.dev to the test's project, and refuses everything else for that host."""
    from mockserver.testing.interception import intercept

    with intercept(attendee_project) as intercepted:
        request.node.stash[_STATE].intercepted = intercepted
        yield intercepted


@pytest.fixture
def attendee_asgi(attendee_project: AttendeeProject, request: pytest.FixtureRequest) -> AsgiBridge:
    """The mock of the test's project as an ASGI application, for httpx.ASGITransport."""
    state: TestState = request.node.stash[_STATE]
    return state.mock.asgi


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the section "Attendee" to the report of a failed test, and writes its HTTP archive."""
    report = yield
    state = item.stash.get(_STATE, None)
    if report.failed and state is not None and report.when != "teardown":
        report.sections.append(("Attendee", state.describe()))
        if folder := _option(item.config, "har"):
            state.write_har(item.config.rootpath / folder)
    return report


def _option(config: pytest.Config, name: str) -> str:
    """An option of the command line, else of the ini file."""
    given = config.getoption(f"--attendee-{name}")
    return str(config.getini(f"attendee_{name}") if given is None else given)
