"""The report as JUnit XML: one test case a rule, skipped where it could not be observed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as xml

from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report, RuleResult
from mockserver.conformance.reports.reproduction import curl_lines

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """The report as JUnit XML."""
    shown = [result for result in report.results if result.verdict != "left out"]
    suites = xml.Element("testsuites", name="attendee-mock check", time=f"{report.seconds:.3f}")
    for part in dict.fromkeys(result.rule.part for result in shown):
        _suite(suites, report, part, [result for result in shown if result.rule.part == part])
    told = [*(f"not deleted: {text}" for text in report.left), *report.notes, *([report.died] if report.died else [])]
    if told and len(suites):
        xml.SubElement(suites[0], "system-err").text = _clean(report.mask("\n".join(told)))
    for name in ("tests", "failures", "errors"):
        suites.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(suites, encoding="unicode") + "\n"


def _suite(suites: xml.Element, report: Report, part: str, results: list[RuleResult]) -> None:
    new = {finding.rule for finding in report.seen}
    failed = sum(result.rule.id in new for result in results)
    errors = sum(result.verdict == "not tested" for result in results)
    skipped = sum(result.verdict == "not observable" for result in results)
    suite = xml.SubElement(
        suites,
        "testsuite",
        name=f"conformance.{part}",
        tests=str(len(results)),
        failures=str(failed),
        errors=str(errors),
        skipped=str(skipped),
        time="0",
        timestamp=report.started[:19],
        hostname=_clean(report.mask(report.target)),
    )
    properties = xml.SubElement(suite, "properties")
    for name, value in (("seed", report.seed), ("requests", report.requests), ("mode", report.mode)):
        xml.SubElement(properties, "property", name=name, value=str(value))
    for result in results:
        _case(suite, report, result)


def _case(suite: xml.Element, report: Report, result: RuleResult) -> None:
    case = xml.SubElement(suite, "testcase", name=result.rule.id, classname=f"conformance.{result.rule.part}", time="0")
    if result.verdict == "not observable":
        xml.SubElement(case, "skipped", message=_clean(result.reason))
    if result.verdict == "not tested":
        xml.SubElement(case, "error", message=_clean(result.reason), type="not tested")
    found = [finding for finding in report.seen if finding.rule == result.rule.id]
    if found:
        message = "; ".join(f"{finding.operation} {finding.field}".strip() for finding in found)
        failure = xml.SubElement(case, "failure", message=_clean(message), type=result.rule.severity)
        failure.text = _clean("\n".join(_told(report, found)))
    out = xml.SubElement(case, "system-out")
    out.text = f"{result.rule.sentence} Tested {result.exercised} times."


def _told(report: Report, found: list[Finding]) -> Iterator[str]:
    for finding in found:
        yield f"{finding.operation} {finding.field}".strip()
        yield f"expected: {report.mask(finding.expected)}"
        yield f"actual:   {report.mask(finding.actual)}"
        recipe = report.recipes.get(finding.identity)
        if recipe is not None:
            yield report.mask(curl_lines(recipe, base=report.target, headers=report.headers))


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
