"""Reports are what their readers take, tell everything that there is to tell, and hold no secret."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from mockserver.conformance.expectations import body
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.report import Report, RuleResult
from mockserver.conformance.reports import render
from mockserver.conformance.reports.folder import write_findings
from mockserver.conformance.reports.places import line_of, lines
from mockserver.conformance.reports.reproduction import curl_lines
from tests.conformance.fakes import MARK, RULE, SECRET, crash, exchange, mask, report
from tests.conformance.rules_table import PAGE, page_with_rules

FORMS = ("terminal", "junit", "html", "json", "sarif", "github")


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


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 1),
        ({"findings": []}, 2),
        ({"findings": [], "results": []}, 2),
        ({"findings": [], "results": [RuleResult(RULE, "kept", 1)]}, 0),
        ({"left": ["cal_x"]}, 3),
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
