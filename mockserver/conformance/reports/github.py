"""The findings as GitHub annotations, at their operation in openapi.yaml or in a file of the user's."""

from __future__ import annotations

from typing import Final

from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report
from mockserver.conformance.reports.style import Style

_SHOWN: Final = 10
"""GitHub shows no more errors than these for one step."""


def github(report: Report, style: Style) -> str:
    """One workflow command a finding, and one for what was not tested."""
    places = {finding.operation: style.place(finding.operation) for finding in report.findings}
    shown = report.findings[: _SHOWN if len(report.findings) <= _SHOWN else _SHOWN - 1]
    lines = [
        _command(
            "error",
            report.mask(f"expected {finding.expected}; was {finding.actual}{_with(finding)}"),
            file=places[finding.operation][0],
            line=str(places[finding.operation][1]),
            title=f"{finding.rule}: {finding.operation} {finding.field}".strip(),
        )
        for finding in shown
    ]
    if len(shown) < len(report.findings):
        rest = ", ".join(f"{finding.rule} ({finding.operation})" for finding in report.findings[len(shown) :])
        lines.append(_command("error", rest, title=f"{len(report.findings) - len(shown)} more findings"))
    if report.left:
        lines.append(_command("error", report.mask("; ".join(report.left)), title="not deleted"))
    if report.died:
        lines.append(_command("error", report.mask(report.died), title="the target stopped answering"))
    if report.not_tested:
        names = ", ".join(f"{result.rule.id} ({report.mask(result.reason)})" for result in report.not_tested)
        lines.append(_command("warning", names, title="rules that were not tested"))
    return "".join(f"{line}\n" for line in lines)


def _with(finding: Finding) -> str:
    return f"; of the same cause: {finding.with_it}" if finding.symptoms else ""


def _command(kind: str, message: str, **properties: str) -> str:
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
