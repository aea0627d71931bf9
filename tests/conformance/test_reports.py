"""Reports are what their readers take, tell everything that there is to tell, and hold no secret."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import pytest

from mockserver.conformance.expectations import body, status
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.report import Report, RuleResult
from mockserver.conformance.reports import FORMS, render
from mockserver.conformance.reports.folder import write_findings
from mockserver.conformance.reports.pytest_file import pytest_file
from mockserver.conformance.reports.reproduction import NO_LINK, curl_lines
from mockserver.conformance.reports.style import Style, line_of, lines
from mockserver.server import running
from tests.clients import ACME, GLOBEX
from tests.conformance.fakes import MARK, RULE, SECRET, crash, exchange, mask, report
from tests.conformance.rules_table import PAGE, page_with_rules
from tests.conformance.staging import staged, state_of


@pytest.mark.parametrize("form", FORMS)
def test_no_report_holds_a_secret(form: str) -> None:
    assert SECRET not in render(report(), form)
    assert "canary-key-main" not in render(report(), form)


def test_files_of_findings_hold_no_secret(tmp_path: Path) -> None:
    written = write_findings(report(), tmp_path)
    assert sorted(path.suffix for path in written) == [".json", ".py", ".sh"]
    assert not [path for path in written if SECRET in path.read_text("utf-8")]


def test_an_expectation_holds_no_secret_in_clear() -> None:
    finding = replace(crash(), expectation={**body({"client_secret": SECRET}), "step": 2})
    recipe = recipe_of(finding, RULE, Origins(MARK, {"main": "canary-key-main"}, [SECRET]))
    assert recipe["expectation"]["like"] == {"client_secret": "${secret_1}"}
    unknown = recipe_of(finding, RULE, Origins(MARK, {}), mask)
    assert SECRET not in json.dumps(unknown["expectation"])


def test_junit_has_a_case_for_each_rule() -> None:
    suites = xml.fromstring(render(report(), "junit"))
    assert {case.get("name") for case in suites.iter("testcase")} == {
        "no-server-error",
        "vary",
        "tenant-get",
        "race-walk",
    }
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("4", "1", "1")
    assert len(list(suites.iter("skipped"))) == 1


def test_sarif_points_into_the_contract() -> None:
    run = json.loads(render(report(), "sarif"))["runs"][0]
    result = run["results"][0]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "no-server-error"
    place = result["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == line_of("updateCalendar") > 1


def test_github_annotations_escape_what_they_must() -> None:
    finding = report().findings[0]
    finding.actual = "100 %\nsecond: line"
    line = render(report(findings=[finding]), "github").splitlines()[0]
    assert line.startswith(f"::error file=openapi.yaml,line={line_of('updateCalendar')},title=no-server-error%3A ")
    assert line.endswith("was 100 %25%0Asecond: line")


def test_github_is_given_no_more_than_it_shows() -> None:
    many = [report().findings[0] for _ in range(30)]
    for number, finding in enumerate(many):
        finding.field = str(number)
    text = render(report(findings=many), "github")
    assert text.count("::error") == 10
    assert "21 more findings" in text


def test_the_page_asks_nobody_for_anything() -> None:
    page = render(report(), "html")
    assert "default-src 'none'" in page
    assert "<script src" not in page
    assert "<link" not in page
    assert "&lt;h1&gt;" in page


def test_the_json_report_says_its_version() -> None:
    document = json.loads(render(report(), "json"))
    assert document["schema_version"] == "1.0"
    assert document["findings"][0]["recipe"]["steps"][1]["path"] == "/api/v1/calendars/${id_1}"


def test_the_terminal_tells_what_was_not_tested() -> None:
    text = render(report(), "terminal")
    assert "not tested (the time budget ran out (raise --time-budget)): race-walk" in text
    assert "not observable (no key of another project): tenant-get" in text


def test_the_terminal_has_one_line_for_each_finding() -> None:
    text = render(report(), "terminal", Style(folder=Path("found")))
    (line,) = [line for line in text.splitlines() if line.startswith("1. ")]
    assert line.startswith("1. no-server-error (high) updateCalendar metadata: expected a status of 100 to 499; was ")
    assert line.endswith(f" -> {Path('found') / 'no_server_error_updateCalendar_metadata.sh'}")
    assert "curl" not in text


def test_the_terminal_prints_curl_lines_when_it_is_asked_to() -> None:
    assert "--verbose prints curl lines" in render(report(), "terminal")
    text = render(report(), "terminal", Style(verbose=True))
    assert "curl -sS" in text
    assert "--verbose" not in text


def test_markdown_has_a_row_for_each_finding_and_cannot_be_broken_by_one() -> None:
    finding = replace(report().findings[0], actual="a | b\n<script>`x`</script>")
    text = render(report(findings=[finding]), "markdown")
    (row,) = [line for line in text.splitlines() if line.startswith("| 1 |")]
    assert row.count("|") - row.count("\\|") == 8
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "```sh\n# no-server-error" in text
    assert text.startswith("## ❌ Conformance of `http://127.0.0.1:8000`")


def test_annotations_can_point_at_a_file_of_the_users() -> None:
    at = Style(at=("deploy/staging.yaml", 12))
    assert render(report(), "github", at).startswith("::error file=deploy/staging.yaml,line=12,")
    result = json.loads(render(report(), "sarif", at))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("deploy/staging.yaml", 12)
    assert "line=1," in render(report(), "github", Style(at=("deploy/staging.yaml", None)))


@pytest.mark.parametrize("form", FORMS)
def test_a_calendar_that_is_left_and_a_target_that_died_are_in_every_report(form: str) -> None:
    left = render(report(left=["cal_left: it is still there after DELETE"]), form)
    died = render(report(died="the target stopped answering at request 7"), form)
    assert "cal_left" in left
    assert "stopped answering at request 7" in died


def test_a_report_with_findings_says_what_is_left_too() -> None:
    assert report(left=["cal_x"]).verdict == "1 finding, and 1 calendar of this run could not be deleted."
    assert report(findings=[], left=["x", "y"]).verdict == (
        "No findings, but 2 calendars of this run could not be deleted."
    )


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 1),
        ({"findings": []}, 2),
        ({"findings": [], "results": []}, 2),
        ({"findings": [], "results": [RuleResult(RULE, "kept", 1)]}, 0),
        ({"left": ["cal_x"]}, 1),
        ({"findings": [], "left": ["cal_x"]}, 3),
        ({"findings": [], "results": [RuleResult(RULE, "kept", 1)], "died": "it stopped answering"}, 2),
        ({"interrupted": True, "left": ["cal_x"]}, 130),
    ],
)
def test_exit_status(changed: dict[str, object], status: int) -> None:
    told: Report = report(**changed)
    assert told.exit_status == status


def test_curl_lines_are_a_script(tmp_path: Path) -> None:
    script = next(path for path in write_findings(report(), tmp_path) if path.suffix == ".sh")
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)
    text = script.read_text("utf-8")
    assert '"$BASE"/api/v1/calendars/"$ID_1"' in text
    assert "Token $ATTENDEE_API_KEY" in text
    assert "# expected: a status of 100 to 499" in text
    assert "# seen:     500" in text
    assert "python3 -" not in text.replace("python3 -c", "")


def test_every_operation_has_a_line() -> None:
    assert len(lines()) == 6
    assert line_of("nobody") == 1


def test_the_documentation_lists_every_rule() -> None:
    page = PAGE.read_text("utf-8")
    assert page == page_with_rules(page), "run python -m tests.conformance.rules_table"


def test_curl_sends_headers_as_the_judge_does() -> None:
    seen = exchange(2, "GET", "/api/v1/calendars", 500, {})
    odd = replace(seen, request=replace(seen.request, headers=(("Accept", "\xff/\xfe"),)))
    finding = replace(crash(), operation="listCalendars", field="Accept", exchanges=(odd,))
    assert r"\377\057\376" in curl_lines(recipe_of(finding, RULE, Origins("", {})), base="http://127.0.0.1:9")


def test_the_page_has_an_index_that_leads_to_a_card_for_each_finding() -> None:
    page = render(report(), "html")
    assert page.count('<article class="card"') == 1
    assert 'href="#finding-1"' in page
    assert 'id="finding-1"' in page
    assert "<li><code>PATCH /api/v1/calendars/${id_1}</code> → 500</li>" in page


def test_the_page_runs_no_script_but_its_own() -> None:
    page = render(report(), "html")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert not re.findall(r'\s(on\w+|style)="', page)


def test_the_page_has_a_script_that_deletes_what_is_left() -> None:
    page = render(report(left=["cal_x: it is still there after DELETE; curl -X DELETE https://a.test/cal_x"]), "html")
    assert "<pre># cal_x: it is still there after DELETE\ncurl -X DELETE https://a.test/cal_x\n</pre>" in page


@pytest.mark.parametrize("headers", [False, True])
def test_curl_lines_delete_what_they_create(headers: bool, tmp_path: Path) -> None:
    fields = {"platform": "google", "client_id": "x", "client_secret": "y", "refresh_token": "z"}
    typed = ["Content-Type", "application/json"]
    bare: dict[str, Any] = {"method": "POST", "path": "/api/v1/calendars", "headers": [typed], "key": "main"}
    raw = {**bare, "body_base64": base64.b64encode(json.dumps(fields).encode()).decode()}
    post = {**bare, "body": json.dumps(fields)}
    named = {**post, "key": None, "headers": [typed, ["Authorization", "Token ${key_main}"]]}
    steps = [{**post, "capture": {"id_1": {"pointer": "/id"}}}, {**post, "together": 1}, {**post, "together": 1}, raw]
    steps += [{**post, "key": "other"}, named, post]
    recipe = {name: "x" for name in ("rule", "sentence", "operation", "field", "expected", "actual")}
    mock = staged()
    before = state_of(mock)
    with running(mock=mock) as server:
        script = tmp_path / "x.sh"
        script.write_text(curl_lines({**recipe, "steps": steps}, base=server.url, headers=headers))
        environment = {"ATTENDEE_API_KEY": ACME, "ATTENDEE_OTHER_API_KEY": GLOBEX, "ATTENDEE_HEADERS": "X-A: b"}
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        done = subprocess.run(
            ["/bin/sh", str(script)], env={**environment, "PATH": path}, capture_output=True, text=True, check=True
        )
    assert done.stdout.count('"platform":"google"') == 7
    assert done.stderr == ""
    assert state_of(mock) == before


@pytest.mark.parametrize(("query", "ends"), [("", False), ("?deduplication_key=nobody", True)])
@pytest.mark.parametrize("part", ["path", "cursor"])
def test_curl_lines_follow_links_and_say_where_there_is_none(query: str, ends: bool, part: str, tmp_path: Path) -> None:
    kind, path = ("link", "${link_1}") if part == "path" else ("cursor", "/api/v1/calendars?cursor=${cursor_1}")
    first: dict[str, Any] = {"method": "GET", "path": f"/api/v1/calendars{query}", "key": "main"}
    capture = {f"{kind}_1": {"pointer": "/next", "part": part}}
    recipe = {name: "x" for name in ("rule", "sentence", "operation", "field", "expected", "actual")}
    with running(mock=staged()) as server:
        script = tmp_path / "x.sh"
        steps = [{**first, "capture": capture}, {"method": "GET", "path": path, "key": "main"}]
        script.write_text(curl_lines({**recipe, "steps": steps}, base=server.url))
        environment = {"ATTENDEE_API_KEY": ACME, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        done = subprocess.run(["/bin/sh", str(script)], env=environment, capture_output=True, text=True, check=True)
    assert (NO_LINK in done.stdout) == ends
    assert done.stdout.count('"results":[') == (1 if ends else 2)
    assert done.stderr == ""


def test_the_pytest_file_deletes_what_it_creates(tmp_path: Path) -> None:
    fields = {"platform": "google", "client_id": "x", "client_secret": "y", "refresh_token": "z"}
    typed = ["Content-Type", "application/json"]
    post: dict[str, Any] = {"method": "POST", "path": "/api/v1/calendars", "headers": [typed], "key": "main"}
    post["body"] = json.dumps(fields)
    expectation = {**status((400, 499)), "step": 3}
    recipe = {name: "x" for name in ("rule", "sentence", "operation", "field", "expected", "actual")}
    steps = [{**post, "together": 1}, {**post, "together": 1}, post]
    mock = staged()
    before = state_of(mock)
    with running(mock=mock) as server:
        test = tmp_path / "test_x.py"
        whole = {**recipe, "steps": steps, "expectation": expectation}
        test.write_text(pytest_file(whole, base=server.url, file="test_x.py"), encoding="utf-8")
        environment = {**os.environ, "ATTENDEE_API_KEY": ACME}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert "1 failed" in done.stdout, done.stdout
    assert state_of(mock) == before


@pytest.mark.parametrize("turn", range(4))
def test_responses_to_requests_at_one_moment_are_those_of_the_steps_whichever_begins(turn: int) -> None:
    recipe = {name: "x" for name in ("rule", "sentence", "operation", "field", "expected", "actual")}
    space: dict[str, Any] = {"__name__": "finding"}
    text = pytest_file({**recipe, "steps": [], "expectation": {}}, base="http://127.0.0.1:1", file="test_x.py")
    exec(compile(text, "test_x.py", "exec"), space)
    space["_answer"] = lambda sent: sent.upper()
    assert space["_together"](["a", "b", "c"], turn) == ["A", "B", "C"]
