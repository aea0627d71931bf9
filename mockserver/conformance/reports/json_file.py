"""The report as JSON, with a version of its form."""

from __future__ import annotations

import json
from typing import Any, Final

from mockserver.conformance.baseline import Entry
from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report

SCHEMA_VERSION: Final = "1.0"


def json_report(report: Report) -> str:
    """The report as JSON. A finding's `recipe` is what `attendee-mock replay` takes."""
    return json.dumps(_document(report), indent=2, ensure_ascii=True) + "\n"


def _document(report: Report) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "attendee-mock", "version": report.version},
        "target": report.mask(report.target),
        "mode": report.mode,
        "seed": report.seed,
        "started": report.started,
        "seconds": round(report.seconds, 3),
        "requests": report.requests,
        "exit_status": report.exit_status,
        "verdict": report.verdict,
        "stopped": report.mask(report.stopped) or None,
        "interrupted": report.interrupted,
        "died": report.mask(report.died) or None,
        "first_finding": (
            {"requests": report.first_finding[0], "seconds": round(report.first_finding[1], 3)}
            if report.first_finding
            else None
        ),
        "rules": [
            {
                "id": result.rule.id,
                "part": result.rule.part,
                "severity": result.rule.severity,
                "verdict": result.verdict,
                "exercised": result.exercised,
                "reason": report.mask(result.reason) or None,
            }
            for result in report.results
        ],
        "findings": [_finding(report, finding) for finding in report.findings],
        "known": [_finding(report, finding) | {"entry": _entry(entry)} for finding, entry in report.known],
        "expired": [_entry(entry) for entry in report.expired],
        "no_longer_seen": [_entry(entry) for entry in report.unseen],
        "left_behind": [report.mask(text) for text in report.left],
        "notes": [report.mask(text) for text in report.notes],
    }


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "operation": finding.operation,
        "field": finding.field,
        "expected": report.mask(finding.expected),
        "actual": report.mask(finding.actual),
        "hits": finding.hits,
        "symptoms": [
            {"rule": symptom.rule, "operation": symptom.operation, "field": symptom.field}
            for symptom in finding.symptoms
        ],
        "recipe": report.recipes.get(finding.identity),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "rule": entry.rule,
        "operation": entry.operation,
        "field": entry.field,
        "reason": entry.reason,
        "expires": entry.expires.isoformat() if entry.expires else None,
        "ticket": entry.ticket,
        "line": entry.line,
    }
