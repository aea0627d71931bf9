"""An audit finds the one mistake of each receiver, and nothing in a right one."""

from __future__ import annotations

import runpy
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli.control_client import Controls
from mockserver.receiver.audit import Audit, CheckResult
from mockserver.receiver.behind import MockBehind
from mockserver.receiver.checks import IDS
from mockserver.receiver.deliveries import Composer
from mockserver.receiver.endpoint import Endpoint
from mockserver.server import RunningServer
from tests.patience import HANGS
from tests.receiver.receivers import (
    MISTAKES,
    MORE,
    FirstPageOnly,
    IgnoresAll,
    ListsAll,
    MarksTooEarly,
    RightReceiver,
    WorksFirst,
    receiving,
    serving_patiently,
)

IN_VAIN = {ListsAll: 0.3, IgnoresAll: 0.3, MarksTooEarly: 0.5}
"""Receivers for whose next request an audit waits in vain, and how many seconds."""
CALENDARS = [{"platform": "google", "deduplication_key": name, "metadata": {"team": name}} for name in ("ada", "bob")]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with serving_patiently() as served:
        yield served


def project(server: RunningServer) -> tuple[Any, Controls]:
    """A new project with two calendars, and its control API."""
    body = {"sync": "manual", "fixtures": {"calendars": CALENDARS}}
    made = Controls(server.url, None, None).ask("POST", "projects", body=body)
    return made, Controls(server.url, made["api_key"], None)


def composer(made: Any) -> Composer:
    return Composer(made["webhook_secret"], lambda: str(uuid.uuid4()), datetime.now(UTC))


def audit(server: RunningServer, kind: type[RightReceiver]) -> list[CheckResult]:
    made, controls = project(server)
    with receiving(kind(server.url, made["api_key"], made["webhook_secret"])) as url:
        behind = MockBehind(controls, IN_VAIN.get(kind, 60))
        results = Audit(Endpoint(url, HANGS), composer(made), behind, slow=0.3 if kind is WorksFirst else 100).run()
    assert len(controls.ask("GET", "fixtures")["calendars"]) == 2
    assert not controls.ask("GET", "faults")["faults"]
    assert not controls.ask("GET", "snapshots")["snapshots"]
    assert not controls.ask("GET", "deliveries")["holding"]
    controls.ask("DELETE", "project")
    return results


KINDS = [pytest.param(kind, marks=[pytest.mark.long] if kind in MORE else [], id=kind.__name__) for kind in MISTAKES]


@pytest.mark.parametrize("kind", KINDS)
def test_a_receiver_fails_exactly_the_checks_of_its_mistake(server: RunningServer, kind: type[RightReceiver]) -> None:
    results = audit(server, kind)
    assert tuple(result.check.id for result in results) == IDS
    failed = {result.check.id for result in results if result.verdict == "failed"}
    assert failed == MISTAKES[kind], results
    if kind in (RightReceiver, FirstPageOnly):
        assert not [result for result in results if result.verdict == "not tested"]


@pytest.mark.long
def test_the_example_integrator_passes_every_check(server: RunningServer) -> None:
    module = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "integrator" / "app.py"))

    def begin(base_url: str, key: str, secret: str) -> Any:
        app = module["Integrator"](base_url, key, secret)
        handler = type("Handler", (module["Handler"],), {"app": app, "log_message": lambda *_: None})
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)

    made, controls = project(server)
    with begin(server.url, made["api_key"], made["webhook_secret"]) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{receiver.server_port}/webhook"
        results = Audit(Endpoint(url, HANGS), composer(made), MockBehind(controls, 60), slow=100).run()
        receiver.shutdown()
        thread.join(HANGS)
    assert not [result for result in results if result.verdict != "passed"]
