"""Fuzzing: what is known to be right is no finding, and what a schema cannot say is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import schemathesis

from mockserver.conformance import check
from mockserver.conformance.answers import answers_of
from mockserver.conformance.checks import fuzz
from mockserver.conformance.checks.fuzz import expected_by, is_refused_rightly, is_taken_rightly
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import facts_of
from mockserver.conformance.runner import JudgeRun, take
from mockserver.conformance.targets import AsgiTarget
from mockserver.conformance.transport import Keys
from mockserver.contracts import load_contract
from tests.clients import ACME
from tests.mutants.table import new_mock


def post(**fields: Any) -> Request:
    return Request("POST", "/api/v1/calendars", (), json.dumps(fields).encode())


def get(query: str) -> Request:
    return Request("GET", f"/api/v1/calendar_events?{query}")


@pytest.mark.parametrize("writes", [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_mock_is_not_blamed(writes: bool) -> None:
    report = check(new_mock().asgi, key=ACME, time_budget=None, only=["fuzz-*"], seed=3, write=writes)
    assert not report.findings
    assert {result.rule.id for result in report.results if result.verdict == "kept"} == {
        "fuzz-answer",
        "fuzz-valid-taken",
        "fuzz-invalid-refused",
    }


def test_building_the_schema_is_not_charged_to_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    real = schemathesis.openapi.from_dict

    def slow(*given: Any, **named: Any) -> Any:
        now[0] += 3600.0
        return real(*given, **named)

    monkeypatch.setattr(schemathesis.openapi, "from_dict", slow)
    with AsgiTarget(new_mock().asgi, Keys(ACME), writes=False) as target:
        run = JudgeRun(target, load_contract(), seed=3, clock=lambda: now[0])
        run.deadline = 60.0
        take(run, fuzz)
    assert run.share() == 60.0
    assert run.findings.exercised["fuzz-answer"]


def told_by(rule: str, **changed: Any) -> str:
    """What is wrong with an answer to a list of events, which is right but for what is changed."""
    headers = {"content-type": "application/json", "allow": "GET, HEAD, OPTIONS", "vary": "Accept"}
    body = b'{"next": null, "previous": null, "results": []}'
    request = Request("GET", "/api/v1/calendar_events")
    exchange = replace(Exchange(1, request, 200, headers, body), **changed)
    expectation = expected_by(rule, answers_of(load_contract()), exchange, "listCalendarEvents")
    return broken(expectation, facts_of([exchange]))


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("fuzz-answer", {"headers": {"content-type": "application/json", "allow": "GET, HEAD, OPTIONS", "vary": "*"}}),
        ("fuzz-answer", {"headers": {"content-type": "text/html", "allow": "GET, HEAD, OPTIONS", "vary": "Accept"}}),
        ("fuzz-answer", {"body": b'{"results": []}'}),
        ("fuzz-answer", {"status": 418}),
        ("fuzz-valid-taken", {"status": 400}),
        ("fuzz-valid-taken", {"status": 422}),
    ],
)
def test_what_schemathesis_finds_is_written_down_so_that_it_shows_again(rule: str, wrong: dict[str, Any]) -> None:
    assert told_by(rule) == ""
    assert told_by(rule, **wrong)


def test_what_should_have_been_refused_shows_by_any_success() -> None:
    assert told_by("fuzz-invalid-refused", status=400) == ""
    assert told_by("fuzz-invalid-refused")
    assert told_by("fuzz-invalid-refused", status=201)


def test_headers_are_held_against_the_contract_beyond_what_the_other_rules_ask() -> None:
    headers = {"content-type": "application/json", "allow": "GET, HEAD, OPTIONS", "vary": "Accept, Origin"}
    assert "Vary" in told_by("fuzz-answer", headers=headers)


@pytest.mark.parametrize("fields", [{"metadata": {"\0": "x"}}, {"metadata": {"a": "x" * 1000}}, {"client_id": " x"}])
def test_what_the_schema_cannot_forbid_may_be_refused(fields: dict[str, Any]) -> None:
    assert is_refused_rightly(post(**fields))


def test_an_ordinary_body_may_not_be_refused() -> None:
    assert not is_refused_rightly(post(client_id="x", metadata={"a": "b"}))


@pytest.mark.parametrize("query", ["updated_at_gte=", "updated_after=2026-01-01", "event_id=a&event_id=b"])
def test_what_the_service_reads_loosely_may_be_taken(query: str) -> None:
    assert is_taken_rightly(get(query))


def test_what_breaks_the_contract_may_not_be_taken() -> None:
    assert not is_taken_rightly(get("ordering=name"))
    assert not is_taken_rightly(post(client_id=None))
    assert is_taken_rightly(post(client_id=1))
