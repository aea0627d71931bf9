"""The report as SARIF 2.1.0, which code scanning reads: results stand at their operation in openapi.yaml."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final

from mockserver.conformance.baseline import Entry
from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report
from mockserver.conformance.reports.places import line_of
from mockserver.conformance.rules import Rule

_LEVELS: Final = {"high": "error", "medium": "warning", "low": "note"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(report: Report) -> str:
    """The report as SARIF 2.1.0."""
    rules = [result.rule for result in report.results if result.verdict != "left out"]
    places = {rule.id: index for index, rule in enumerate(rules)}
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
        "results": [_result(report, finding, entry, places, rules) for finding, entry in found],
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
        ],
    }


def _result(
    report: Report, finding: Finding, entry: Entry | None, places: dict[str, int], rules: list[Rule]
) -> dict[str, Any]:
    index = places[finding.rule]
    text = f"{rules[index].sentence} Expected: {finding.expected}. Actual: {finding.actual}."
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[rules[index].severity],
        "message": {"text": report.mask(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "openapi.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": line_of(finding.operation)},
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
