"""The report for a person at a terminal, and what they see while the run goes on."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator
from typing import Final, TextIO

from mockserver.conformance.baseline import Entry
from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.runner import JudgeRun

_WITH_CURL: Final = 5
_WIDTH: Final = 110
_LONGEST: Final = 300


def terminal(report: Report) -> str:
    """The report as text."""
    return "\n".join([*_head(report), *_findings(report), *_rest(report), *_foot(report)]) + "\n"


def _head(report: Report) -> Iterator[str]:
    counted: dict[str, list[int]] = {}
    for result in report.results:
        if result.verdict != "left out":
            row = counted.setdefault(result.rule.part, [0, 0, 0, 0])
            row[0] += result.exercised > 0
            row[1] += result.exercised
            row[2] += result.verdict == "not observable"
            row[3] += result.verdict == "not tested"
    yield f"{report.mask(report.target)}, {report.mode}, seed {report.seed}"
    yield ""
    yield f"{'part':10} {'rules tested':>12} {'times':>8} {'not observable':>15} {'not tested':>11} {'findings':>9}"
    parts = {result.rule.id: result.rule.part for result in report.results}
    for part, (tested, times, hidden, missing) in counted.items():
        found = sum(parts.get(finding.rule) == part for finding in report.findings)
        yield f"{part:10} {tested:>12} {times:>8} {hidden:>15} {missing:>11} {found:>9}"


def _findings(report: Report) -> Iterator[str]:
    severities = {result.rule.id: result.rule for result in report.results}
    for number, finding in enumerate(report.findings, 1):
        rule = severities[finding.rule]
        yield ""
        yield f"{number}. {finding.rule} ({rule.severity}) {finding.operation} {finding.field}".rstrip()
        yield _wrapped(rule.sentence)
        yield _wrapped(f"expected: {_short(report.mask(finding.expected))}")
        yield _wrapped(f"actual:   {_short(report.mask(finding.actual))}")
        yield f"   seen {finding.hits} time{'s' if finding.hits > 1 else ''}; source: {rule.source}"
        if number <= _WITH_CURL:
            yield from _steps(report, finding)


def _steps(report: Report, finding: Finding) -> Iterator[str]:
    recipe = report.recipes.get(finding.identity)
    if recipe is None:
        return
    lines = curl_lines(recipe, base=report.target).splitlines()
    for line in lines[2:]:
        yield f"   {report.mask(line) if len(line) < 2000 else report.mask(line)[:300] + ' … (whole in the reports)'}"


def _rest(report: Report) -> Iterator[str]:
    for finding, entry in report.known:
        until = f", until {entry.expires}" if entry.expires else ""
        ticket = f" [{entry.ticket}]" if entry.ticket else ""
        yield f"known: {finding.rule} {finding.operation} {finding.field}: {entry.reason}{ticket}{until}"
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


def _foot(report: Report) -> Iterator[str]:
    yield ""
    yield from (f"note: {report.mask(note)}" for note in report.notes)
    if report.stopped and not report.interrupted:
        yield f"stopped early: {report.mask(report.stopped)}"
    yield from (f"NOT DELETED: {report.mask(text)}" for text in report.left)
    yield f"{report.verdict} {report.requests} requests, {report.seconds:.1f} s."


def _wrapped(text: str, indent: str = "   ") -> str:
    return textwrap.fill(
        _printable(text), _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class Progress:
    """One line, written over and over, on a terminal; nothing anywhere else."""

    def __init__(self, stream: TextIO, seconds: float | None) -> None:
        """`seconds` is the time box."""
        self._stream, self._seconds = stream, seconds
        self._shows = stream.isatty()
        self._last = 0.0
        self._started = time.monotonic()

    def __call__(self, run: JudgeRun) -> None:
        """Tells where the run is, now and then."""
        now = time.monotonic()
        if not self._shows or now - self._last < 0.2:
            return
        self._last = now
        left = "" if self._seconds is None else f", {max(0, self._seconds - (now - self._started)):.0f} s left"
        found = run.findings
        sent = getattr(run.target, "sent", 0)
        self._stream.write(
            f"\r\033[K{run.part}: {len(found.exercised)} rules tested, "
            f"{sent} requests, {len(found.broken)} findings{left}"
        )
        self._stream.flush()

    def end(self) -> None:
        """Takes the line away."""
        if self._shows and self._last:
            self._stream.write("\r\033[K")
            self._stream.flush()
