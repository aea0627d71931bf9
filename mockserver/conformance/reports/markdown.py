"""The report as Markdown, for the summary of a job in CI."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report, by_part
from mockserver.conformance.reports.folder import name_of
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.reports.style import Style

_SHOWN: Final = 50
"""Findings with their curl lines: GitHub takes a megabyte for the summary of a step."""
_LONGEST: Final = 400
_LONGEST_SCRIPT: Final = 8000


def markdown(report: Report, style: Style) -> str:
    """The report as Markdown."""
    return "\n".join([*_head(report), *_parts(report), *_findings(report, style), *_foot(report)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    sign = "✅" if report.exit_status == 0 else "❌" if report.findings else "⚠️"
    yield f"## {sign} Conformance of {_code(report.mask(report.target))}"
    yield ""
    facts = f"{report.requests} requests, {report.seconds:.1f} s, {report.mode}, seed {report.seed}"
    yield f"**{_text(report.mask(report.verdict))}** {facts}, exit status {report.exit_status}."
    yield ""


def _parts(report: Report) -> Iterator[str]:
    yield "| part | rules tested | tests | not observable | not tested | findings |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for part, count in by_part(report).items():
        yield f"| {part} | {count.tested} | {count.times} | {count.hidden} | {count.missing} | {count.findings} |"
    yield ""


def _findings(report: Report, style: Style) -> Iterator[str]:
    if not report.findings:
        return
    rules = {result.rule.id: result.rule for result in report.results}
    yield "| # | rule | severity | operation | expected | was | seen |"
    yield "| ---: | --- | --- | --- | --- | --- | ---: |"
    for number, finding in enumerate(report.findings, 1):
        where = _cell(f"{finding.operation} {finding.field}".strip())
        expected, actual = (_cell(report.mask(text)) for text in (finding.expected, finding.actual))
        severity = rules[finding.rule].severity
        yield f"| {number} | `{finding.rule}` | {severity} | {where} | {expected} | {actual} | {finding.hits} |"
        if finding.symptoms:
            yield f"| | | | of the same cause: {_cell(report.mask(finding.with_it))} | | | |"
    yield ""
    for number, finding in enumerate(report.findings[:_SHOWN], 1):
        yield from _steps(report, style, number, finding)


def _steps(report: Report, style: Style, number: int, finding: Finding) -> Iterator[str]:
    recipe = report.recipes.get(finding.identity)
    if recipe is None:
        return
    where = f" · {_code(str(style.folder / f'{name_of(finding)}.sh'))}" if style.folder is not None else ""
    script = report.mask(curl_lines(recipe, base=report.target, headers=report.headers))
    fence = "`" * (max((len(run) for run in re.findall("`+", script)), default=0) + 3)
    yield f"<details><summary>{number}. {finding.rule} {_text(finding.operation)}: curl</summary>{where}"
    yield ""
    yield f"{fence}sh"
    yield script[:_LONGEST_SCRIPT].rstrip("\n") + ("\n# cut here" if len(script) > _LONGEST_SCRIPT else "")
    yield fence
    yield "</details>"
    yield ""


def _foot(report: Report) -> Iterator[str]:
    lines = [f"known: {finding.rule} {finding.operation} {finding.field}".rstrip() for finding, _ in report.known]
    lines += [f"expired since {one.expires}: {one.rule} {one.operation}" for one in report.expired]
    lines += [f"no longer seen: {one.rule} {one.operation} (line {one.line})" for one in report.unseen]
    lines += list(report.notes)
    lines += [f"stopped early: {report.stopped}"] if report.stopped and not report.died else []
    lines += [f"not tested: {result.rule.id} ({result.reason})" for result in report.not_tested]
    yield from (f"- {_text(report.mask(line))}" for line in lines)
    yield from (f"- not deleted: {_code(report.mask(text))}" for text in report.left)


def _text(text: str) -> str:
    """Text that Markdown and HTML leave as it is."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", clean.replace("&", "&amp;"))


def _cell(text: str) -> str:
    return _text(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _code(text: str) -> str:
    clean = "".join(letter if letter.isprintable() and letter != "`" else " " for letter in text)
    return f"`{clean}`"
