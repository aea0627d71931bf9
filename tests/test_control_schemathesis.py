"""Schemathesis over control.yaml: the mock accepts what its schemas allow, refuses the rest, answers as documented."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test

from mockserver.app import Mock
from mockserver.contracts import CONTROL, load_contract
from mockserver.control import journal_routes, timeline_routes, webhook_routes
from mockserver.control.request import read_wait
from mockserver.delivery.http_client import HttpClient, SendResult
from mockserver.domain import outbox
from mockserver.domain.clock import FixedClock
from mockserver.domain.subscriptions import TRIGGERS
from mockserver.settings import Settings
from tests.clients import in_process
from tests.control.client import Controls
from tests.projects import NOW

KEY = "YOUR_API_KEY_HERE"
CALENDAR = "cal_abcdef1234567890"
EVENT = "evt_abcdef1234567890"
SEED = 11
FEW, MANY = 3, 15
"""How many requests are drawn for each operation, beside the contract's examples and the limits of every schema."""
AS_IT_WAS = 50
"""After so many requests that changed nothing everything is made anew too: the journal keeps only the latest."""
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "positive_data_acceptance",
    "negative_data_rejection",
    "unsupported_method",
)
BEYOND_SCHEMAS = {
    "must not be before": "a schema cannot compare two members",
    "must be an id that": "a schema cannot compare the members of two objects",
    "must be a key that": "a schema cannot compare the members of two objects",
    "must be a URL that": "a schema cannot compare the members of two objects",
    "must be at most 1000 characters of JSON": "a schema cannot limit the length of an object's text",
    "calendars have no such failure": "a schema does not know the platform of the calendar",
    "without NUL": "a schema cannot limit the names and texts inside a free object",
    "write both times in the same form": "a schema cannot compare two members",
    "must be an object with a time": "a schema does not know which members the event keeps",
    "time zone that is not known": "the contract does not list the names of time zones",
    "or its time zone is unknown": "the contract does not list the names of time zones",
    "are missing or no text": "a day alone is for Google only, and a schema does not know the platform of the calendar",
}
"""The texts with which the mock refuses what a schema allows, and why no schema can forbid it."""
_OWN_HEADERS = {"user-agent", "accept-encoding", "connection", "accept"}


def operations() -> list[str]:
    """The operationIds of the contract."""
    items = load_contract(CONTROL)["paths"].values()
    return [part["operationId"] for item in items for method, part in item.items() if method != "parameters"]


def find(name: str) -> Any:
    """The operation of this operationId, as Schemathesis has it."""
    document = load_contract(CONTROL)
    document.pop("security")
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url="http://127.0.0.1:8000")
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # the contract is valid: its tests say so
        if operation.definition.raw["operationId"] == name:
            return operation
    raise AssertionError(name)


class Deployment:
    """A mock that is the same before every request, with one of everything that a path can name."""

    def __init__(self) -> None:
        self.start()
        self.names: dict[str, Any] = {}
        """What is there, by the part of a path that stands before its name."""
        self.failures: list[str] = []
        self.unchanged = 0
        """How many more requests may be sent to what is there now."""

    def start(self) -> None:
        """Makes another mock."""
        self.mock = Mock(Settings(sync="manual"), clock=FixedClock(NOW))
        self.send = in_process(self.mock)
        self.controls = Controls(self.mock, KEY)
        self.baseline = self.mock.store.projects[0].baseline

    def begin(self) -> None:
        """Makes everything anew, unless the requests before only read or were refused: that takes most of the time."""
        self.unchanged -= 1
        if self.unchanged >= 0:
            return
        self.mock.reset()
        if self.mock.store.projects[0].baseline is not self.baseline:
            # The request put other fixtures into its place.
            self.start()
        ask, project = self.controls, self.mock.store.projects[0]
        for snapshot in ask("GET", "snapshots").body["snapshots"]:
            ask("DELETE", f"snapshots/{snapshot['id']}")
        self.send("GET", "/api/v1/calendars", {"authorization": f"Token {KEY}"}, None)
        subscription = ask("POST", "subscriptions", {"url": "http://127.0.0.1:9/webhooks"}).body["id"]
        outbox.hold(project)
        calendar = next(one for one in project.state.calendars if one.id == CALENDAR)
        (delivery,) = outbox.enqueue(project, TRIGGERS[0], calendar)
        self.names = {
            "calendars": CALENDAR,
            "events": EVENT,
            "snapshots": ask("POST", "snapshots").body["id"],
            "subscriptions": subscription,
            "deliveries": delivery.key,
            "faults": ask("POST", "faults", {"kind": "delay", "operation": "deleteBot"}).body["name"],
            "requests": self.mock.journals.last,
            "explain": self.mock.journals.last,
        }
        self.unchanged = AS_IT_WAS

    def try_(self, case: Any, checks: list[Any]) -> None:
        """Sends a drawn request and keeps what the checks find wrong with its answer."""
        self.begin()
        if not _is_negative(case, "path"):
            for before, part in pairwise(case.path.split("/")):
                if part.startswith("{"):
                    case.path_parameters[part[1:-1]] = self.names[before]
        given = case.as_transport_kwargs()
        known = ("method", "url", "headers", "params", "json", "data", "files")
        prepared = requests.Request(**{name: given[name] for name in known if name in given}).prepare()
        parts = urlsplit(str(prepared.url))
        headers = {name: _text(value) for name, value in prepared.headers.items() if name.lower() not in _OWN_HEADERS}
        raw: Any = prepared.body
        body: bytes | None = raw.encode() if isinstance(raw, str) else raw
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        reply = self.send(str(prepared.method), target, {"authorization": f"Token {KEY}", **headers}, body)
        if prepared.method != "GET" and reply.status < 400:
            self.unchanged = 0
        if reply.status == 400 and any(text in reply.body.decode() for text in BEYOND_SCHEMAS):
            return
        response = Response(
            status_code=reply.status,
            headers={name: [value] for name, value in reply.headers.items()},
            content=reply.body,
            request=prepared,
            elapsed=0.0,
            verify=True,
        )
        try:
            case.validate_response(response, checks=checks)
        except FailureGroup as group:
            told = "; ".join(f"{failure.title}: {failure.message}"[:500] for failure in group.exceptions)
            sent = f"{prepared.method} {target} {(body or b'')[:1000]!r}"
            self.failures.append(f"{sent} was answered {reply.status} {reply.body[:500]!r}: {told}")


def _is_negative(case: Any, part: str) -> bool:
    """Whether Schemathesis has drawn a part of the request that the contract forbids."""
    parts = case.meta.components if case.meta else {}
    return any(where.value == part and drawn.mode.value == "negative" for where, drawn in parts.items())


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


@pytest.fixture(autouse=True)
def nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits end at once, and webhooks are answered without being sent."""

    def wait(query: Mapping[str, str]) -> float:
        return min(read_wait(query), 0.001)

    async def send(self: HttpClient, webhook: object) -> SendResult:
        return SendResult(200, "", "", "", 0.0)

    monkeypatch.setattr(journal_routes, "read_wait", wait)
    monkeypatch.setattr(webhook_routes, "read_wait", wait)
    monkeypatch.setattr(timeline_routes, "read_wait", wait)
    monkeypatch.setattr(HttpClient, "send", send)


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", operations())
def test_an_operation_takes_what_its_schema_allows_and_refuses_the_rest(name: str, examples: int) -> None:
    load_all_checks()
    deployment, checks = Deployment(), CHECKS.get_by_names(list(CHECKED))
    operation = find(name)
    test = create_test(
        operation=operation,
        test_func=lambda case: deployment.try_(case, checks),
        config=HypothesisTestConfig(
            project=operation.schema.config,
            modes=list(HypothesisTestMode),
            seed=SEED,
            settings=settings(
                max_examples=examples,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.explicit, Phase.generate],
            ),
        ),
    )
    test()
    assert not deployment.failures, "\n".join([f"{len(deployment.failures)} failures", *deployment.failures[:10]])
