"""What a run found, in the form that each reader takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mockserver.conformance.report import Report
from mockserver.conformance.reports.github import github
from mockserver.conformance.reports.html import html
from mockserver.conformance.reports.json_file import json_report
from mockserver.conformance.reports.junit import junit
from mockserver.conformance.reports.markdown import markdown
from mockserver.conformance.reports.sarif import sarif
from mockserver.conformance.reports.style import PLAIN, Style
from mockserver.conformance.reports.terminal import terminal

_STYLED: Final[Mapping[str, Callable[[Report, Style], str]]] = {
    "terminal": terminal,
    "markdown": markdown,
    "sarif": sarif,
    "github": github,
}
_FORMS: Final[Mapping[str, Callable[[Report], str]]] = {"junit": junit, "html": html, "json": json_report}
FORMS: Final = (*_STYLED, *_FORMS)


def render(report: Report, form: str, style: Style = PLAIN) -> str:
    """The report in one of FORMS."""
    return _STYLED[form](report, style) if form in _STYLED else _FORMS[form](report)
