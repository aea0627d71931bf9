"""What a run found, in the form that each reader takes."""

from __future__ import annotations

from mockserver.conformance.report import Report
from mockserver.conformance.reports.github import github
from mockserver.conformance.reports.html import html
from mockserver.conformance.reports.json_file import json_report
from mockserver.conformance.reports.junit import junit
from mockserver.conformance.reports.sarif import sarif
from mockserver.conformance.reports.terminal import terminal

_FORMS = {
    "terminal": terminal,
    "junit": junit,
    "html": html,
    "json": json_report,
    "sarif": sarif,
    "github": github,
}


def render(report: Report, form: str) -> str:
    """The report in a form: terminal, junit, html, json, sarif or github."""
    return _FORMS[form](report)
