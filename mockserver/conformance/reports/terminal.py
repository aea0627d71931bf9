"""The report for a person at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from mockserver.conformance.baseline import Entry
from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report, by_part
from mockserver.conformance.reports.folder import name_of
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.reports.style import Style

_WIDTH: Final = 110
_LONGEST: Final = 300
_BRIEF: Final = 100
"""Characters of what was expected, and of what was seen, where a finding has one line."""


def terminal(report: Report, style: Style) -> str:
    """The report as text: one line a finding, or with `verbose` all that there is to a finding."""
    return "\n".join([*_head(report), *_findings(report, style), *_rest(report), *_foot(report, style)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"{report.mask(report.target)}, {report.mode}, seed {report.seed}"
    yield ""
    yield f"{'part':10} {'rules tested':>12} {'times':>8} {'not observable':>15} {'not tested':>11} {'findings':>9}"
    for part, count in by_part(report).items():
        row = f"{count.tested:>12} {count.times:>8} {count.hidden:>15} {count.missing:>11} {count.findings:>9}"
        yield f"{part:10} {row}"


def _findings(report: Report, style: Style) -> Iterator[str]:
    rules = {result.rule.id: result.rule for result in report.results}
    yield from [""] if report.findings else []
    for number, finding in enumerate(report.findings, 1):
        rule = rules[finding.rule]
        expected, actual = (_printable(report.mask(text)) for text in (finding.expected, finding.actual))
        title = f"{number}. {finding.rule} ({rule.severity}) {finding.operation} {finding.field}".rstrip()
        if not style.verbose:
            file = f" -> {style.folder / name_of(finding)}.sh" if style.folder is not None else ""
            more = f" (+{len(finding.symptoms)} of the same cause)" if finding.symptoms else ""
            yield f"{title}: expected {_short(expected, _BRIEF)}; was {_short(actual, _BRIEF)}{more}{file}"
            continue
        yield title
        yield _wrapped(rule.sentence)
        yield _wrapped(f"expected: {_short(expected, _LONGEST)}")
        yield _wrapped(f"actual:   {_short(actual, _LONGEST)}")
        yield f"   seen {finding.hits} time{'s' if finding.hits > 1 else ''}; source: {rule.source}"
        if finding.symptoms:
            yield _wrapped(f"of the same cause: {finding.with_it}")
        yield from _steps(report, finding)
        yield ""


def _steps(report: Report, finding: Finding) -> Iterator[str]:
    recipe = report.recipes.get(finding.identity)
    if recipe is None:
        return
    lines = curl_lines(recipe, base=report.target, headers=report.headers).splitlines()
    for line in lines[2:]:
        yield f"   {report.mask(line) if len(line) < 2000 else report.mask(line)[:300] + ' … (whole in the reports)'}"


def _rest(report: Report) -> Iterator[str]:
    for finding, entry in report.known:
        until = f", until {entry.expires}" if entry.expires else ""
        ticket = f" [{entry.ticket}]" if entry.ticket else ""
        where = " ".join(filter(None, (finding.rule, finding.operation, finding.field)))
        yield f"known: {where}: {entry.reason}{ticket}{until}"
    yield from (f"expired: {_entry(entry)}, since {entry.expires}" for entry in report.expired)
    yield from (f"no longer seen: {_entry(entry)}; remove it from the file" for entry in report.unseen)
    reasons: dict[tuple[str, str], list[str]] = {}
    for result in report.results:
        if result.verdict in ("not observable", "not tested"):
            reasons.setdefault((result.verdict, result.reason), []).append(result.rule.id)
    if reasons:
        yield ""
    for (verdict, reason), rules in reasons.items():
        yield _wrapped(f"{verdict} ({report.mask(reason)}): {', '.join(rules)}", indent="")


def _entry(entry: Entry) -> str:
    return f"line {entry.line}, {entry.rule} {entry.operation} {entry.field or ''}".rstrip()


def _foot(report: Report, style: Style) -> Iterator[str]:
    yield ""
    if report.findings and not style.verbose and style.folder is None:
        yield "--verbose prints curl lines for each finding; --findings FOLDER writes them, a test and a replay file"
    yield from (f"note: {report.mask(note)}" for note in report.notes)
    if report.stopped and not report.interrupted and not report.died:
        yield f"stopped early: {report.mask(report.stopped)}"
    yield from (f"NOT DELETED: {report.mask(text)}" for text in report.left)
    yield f"{report.verdict} {report.requests} requests, {report.seconds:.1f} s."


def _wrapped(text: str, indent: str = "   ") -> str:
    return textwrap.fill(
        _printable(text), _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
