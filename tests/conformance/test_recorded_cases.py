"""The recorded cases find nothing in the mock, and the right thing in its mutants."""

from __future__ import annotations

import json
import time
from copy import copy

import pytest

from mockserver.conformance import every_response, recorded_cases
from mockserver.conformance.blame import grouped
from mockserver.conformance.recorded_cases import methods
from mockserver.conformance.recorder import Watched
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.replay import Replayer
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.runner import JudgeRun
from mockserver.conformance.targets import HttpTarget
from mockserver.conformance.transport import Keys
from mockserver.contracts import load_contract
from mockserver.http import responses
from mockserver.http.responses import whole
from mockserver.server import running
from tests.clients import ACME
from tests.conformance.judging import judged, of, sampled, told
from tests.conformance.test_transport import answering, target
from tests.mutants import auth, headers, status
from tests.mutants.mutant import Mutant
from tests.mutants.table import new_mock
from tests.mutants.wrapped import Call, before


@pytest.mark.parametrize("writes", [True, False])
def test_the_mock_is_without_findings(writes: bool) -> None:
    run = judged(new_mock().asgi, recorded_cases, writes=writes)
    assert told(run) == []
    tested = run.findings.exercised.keys() | run.findings.unobservable.keys()
    assert {rule.id for rule in recorded_cases.RULES} <= tested


def test_a_run_that_only_reads_sends_nothing_else() -> None:
    run = judged(new_mock().asgi, recorded_cases, writes=False)
    assert run.findings.exercised["answer-arrives"] < 400


@pytest.mark.parametrize(
    ("mutants", "name", "rule", "operation", "field"),
    sampled(
        [
            (auth.MUTANTS, "get-needs-no-key", "key-required", "getCalendar", "Authorization"),
            (auth.MUTANTS, "key-prefix-accepted", "key-exact", "listCalendars", "Authorization"),
            (auth.MUTANTS, "malformed-body-checked-before-key", "key-first", "createCalendar", "Authorization"),
            (auth.MUTANTS, "delete-needs-no-key", "key-required", "deleteCalendar", "Authorization"),
            (headers.MUTANTS, "accept-q-zero-counts", "accept-taken", "listCalendars", "Accept"),
            (headers.MUTANTS, "options-lacks-actions", "options-describe", "listCalendars", "OPTIONS"),
            (headers.MUTANTS, "method-override-deletes-silently", "method-override", "getCalendar", "method"),
            (status.MUTANTS, "delete-of-unknown-id-answers-200", "id-gone", "deleteCalendar", "object_id"),
            (status.MUTANTS, "parameter-limit-known", "parameter-unknown", "listCalendars", "limit"),
            (status.MUTANTS, "platform-ignores-case", "field-choice", "createCalendar", "platform"),
            (status.MUTANTS, "create-refused-for-unknown-field-stored", "refusal-stores-nothing", "createCalendar", ""),
            (status.MUTANTS, "empty-dedup-key-filter-ignored", "filter-empty", "listCalendars", "deduplication_key"),
            (status.MUTANTS, "dedup-key-filter-matches-any-case", "filter-exact", "listCalendars", "deduplication_key"),
        ],
        step=3,
    ),
)
def test_a_mutant_is_found_by_its_rule_alone(
    mutants: tuple[Mutant, ...], name: str, rule: str, operation: str, field: str
) -> None:
    assert told(judged(of(mutants, name), recorded_cases)) == [(rule, operation, field)]


def test_a_body_after_head_on_a_kept_connection_is_one_finding_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_get(call: Call) -> None:
        call.method = "GET" if call.method == "HEAD" else call.method

    monkeypatch.setattr(responses, "whole", lambda start, body, method, lines: whole(start, body, "GET", lines))
    mock = new_mock()
    mutant = copy(mock)
    mutant.asgi = before(as_get)(mock)
    with running(mock=mutant) as server, HttpTarget(server.url, Keys(ACME)) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        run.target = Watched(sender, run, every_response.look, lambda: None)
        for tried in (methods.bodies_of_head, methods.heads):
            list(tried.begin(run))
    found = grouped(run.findings.broken.values())
    assert [(finding.rule, finding.operation) for finding in found] == [("head-no-body", "listCalendars")]
    assert "answer-arrives" in {symptom.rule for symptom in found[0].symptoms}


@pytest.mark.parametrize("keyed", [True, False])
def test_a_body_after_head_is_found_and_shown_by_bytes_with_a_key_and_without(
    monkeypatch: pytest.MonkeyPatch, keyed: bool
) -> None:
    def as_get(call: Call) -> None:
        if call.method == "HEAD" and ("authorization" in call.headers) == keyed:
            call.method = "GET"

    sent = lambda start, body, method, lines: whole(start, body, "GET" if body else method, lines)  # noqa: E731
    monkeypatch.setattr(responses, "whole", sent)
    mock = new_mock()
    mutant = copy(mock)
    mutant.asgi = before(as_get)(mock)
    with running(mock=mutant) as server, HttpTarget(server.url, Keys(ACME)) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        list(methods.bodies_of_head.begin(run))
        (finding,) = grouped(run.findings.broken.values())
        rule = next(rule for rule in recorded_cases.RULES if rule.id == "head-no-body")
        recipe = recipe_of(finding, rule, Origins("", {"main": ACME}))
        assert [step["method"] in ("RAW", "CUT") for step in recipe["steps"]] == [True]
        shell = curl_lines(recipe, base=server.url)
        assert ACME not in json.dumps(recipe) + shell
        assert ('export key_main="$ATTENDEE_API_KEY"' in shell) == keyed
        player = Replayer(sender, {}, {}, look=lambda *_: None, keys={"main": ACME}, clock=time.monotonic)
        assert player.replay(recipe).verdict == "shows"


@pytest.mark.parametrize(("body", "found"), [(b"", False), (b"{}", True)])
def test_a_body_after_head_is_one_finding_of_its_own_rule_and_shows_again(body: bytes, found: bool) -> None:
    head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    with answering(lambda _: head + body) as (url, asked), target(url) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        list(methods.bodies_of_head.begin(run))
        assert asked[0].startswith(b"HEAD /api/v1/calendars HTTP/1.1\r\n")
        assert {rule for rule, _, _ in told(run)} == ({"head-no-body"} if found else set())
        rule = next(rule for rule in recorded_cases.RULES if rule.id == "head-no-body")
        for finding in run.findings.broken.values():
            player = Replayer(sender, {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic)
            assert player.replay(recipe_of(finding, rule, Origins("", {}))).verdict == "shows"
