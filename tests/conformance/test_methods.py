"""HEAD as the checks of methods see it: a body after its headers is a finding of its own."""

from __future__ import annotations

import json
import time
from copy import copy
from pathlib import Path

import pytest

from mockserver.conformance.blame import grouped
from mockserver.conformance.checks import every_response, methods
from mockserver.conformance.recorder import Watched
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.registry import PROBES
from mockserver.conformance.replay import Replayer
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.runner import JudgeRun
from mockserver.conformance.targets import HttpTarget
from mockserver.conformance.transport import Keys
from mockserver.contracts import load_contract
from mockserver.http import responses
from mockserver.http.responses import Message, whole
from mockserver.server import running
from tests.clients import ACME
from tests.conformance.judging import told
from tests.conformance.test_transport import answering, target
from tests.conformance.twisting import file_test
from tests.mutants.scripts import verdict_of
from tests.mutants.table import new_mock
from tests.mutants.wrapped import Call, before


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

    def with_its_body(start: Message, body: bytes, method: str, lines: bytes) -> bytes | None:
        return whole(start, body, "GET" if body else method, lines)

    monkeypatch.setattr(responses, "whole", with_its_body)
    mock = new_mock()
    mutant = copy(mock)
    mutant.asgi = before(as_get)(mock)
    with running(mock=mutant) as server, HttpTarget(server.url, Keys(ACME)) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        list(methods.bodies_of_head.begin(run))
        (finding,) = grouped(run.findings.broken.values())
        rule = next(rule for rule in PROBES.RULES if rule.id == "head-no-body")
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
        rule = next(rule for rule in PROBES.RULES if rule.id == "head-no-body")
        for finding in run.findings.broken.values():
            player = Replayer(sender, {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic)
            assert player.replay(recipe_of(finding, rule, Origins("", {}))).verdict == "shows"


def test_every_file_of_a_finding_shows_a_body_after_head_that_is_shorter_than_promised(tmp_path: Path) -> None:
    head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 200\r\nConnection: close\r\n\r\n"
    with answering(lambda _: head + b"{}") as (url, _), target(url) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        list(methods.bodies_of_head.begin(run))
        (finding,) = grouped(run.findings.broken.values())
        rule = next(rule for rule in PROBES.RULES if rule.id == "head-no-body")
        recipe = recipe_of(finding, rule, Origins("", {"main": ACME}))
        player = Replayer(sender, {}, {}, look=lambda *_: None, keys={"main": ACME}, clock=time.monotonic)
        assert player.replay(recipe).verdict == "shows"
        script = tmp_path / "finding.sh"
        script.write_text(curl_lines(recipe, base=url), encoding="utf-8")
        assert verdict_of(script, recipe, url, {"main": ACME}) == "shows"
        with pytest.raises(AssertionError, match="expected no body"):
            file_test(recipe, url, {"main": ACME})()
