"""The report as SARIF 2.1.0, which code scanning reads: results are at their operation, or in a file of the user's."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from mockserver.conformance.baseline import Entry
from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report
from mockserver.conformance.reports.style import Style
from mockserver.conformance.rules import Rule

_LEVELS: Final = {"high": "error", "medium": "warning", "low": "note"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(report: Report, style: Style) -> str:
    """The report as SARIF 2.1.0."""
    rules = [result.rule for result in report.results if result.verdict != "left out"]
    found: list[tuple[Finding, Entry | None]] = [(finding, None) for finding in report.findings]
    found += report.known
    run = {
        "tool": {
            "driver": {
                "name": "attendee-mock",
                "version": report.version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "automationDetails": {"id": f"conformance/{report.mode}"},
        "invocations": [_invocation(report)],
        "columnKind": "utf16CodeUnits",
        "results": [_result(report, finding, entry, rules, style) for finding, entry in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.sentence},
        "help": {"text": f"Source: {rule.source}."},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"part": rule.part, "tags": [rule.part]},
    }


def _invocation(report: Report) -> dict[str, Any]:
    return {
        "executionSuccessful": report.exit_status in (0, 1),
        "exitCode": report.exit_status,
        "startTimeUtc": report.started,
        "properties": {"target": report.mask(report.target), "seed": report.seed, "requests": report.requests},
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": f"{result.rule.id} was not tested: {report.mask(result.reason)}"}}
            for result in report.not_tested
        ]
        + [
            {"level": "error", "message": {"text": report.mask(text)}}
            for text in (*(f"not deleted: {text}" for text in report.left), report.died)
            if text
        ],
    }


def _result(report: Report, finding: Finding, entry: Entry | None, rules: list[Rule], style: Style) -> dict[str, Any]:
    index = next(index for index, rule in enumerate(rules) if rule.id == finding.rule)
    file, line = style.place(finding.operation)
    text = f"{rules[index].sentence} Expected: {finding.expected}. Actual: {finding.actual}."
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[rules[index].severity],
        "message": {"text": report.mask(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(file), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": line},
                },
                "logicalLocations": [{"name": finding.operation, "kind": "function"}],
            }
        ],
        "partialFingerprints": {"finding/v1": sha256("\n".join(finding.identity).encode()).hexdigest()},
        "occurrenceCount": finding.hits,
        "properties": {"operation": finding.operation, "field": finding.field},
    }
    if entry is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": entry.reason}]
    return result
