"""How many rules of each part were tested, for the tables of reports."""

from __future__ import annotations

from dataclasses import dataclass, fields

from mockserver.conformance.report import Report


@dataclass
class Count:
    """The rules of one part by what became of them."""

    tested: int = 0
    times: int = 0
    """Tests of all of them together."""
    hidden: int = 0
    """Rules that this target cannot show."""
    missing: int = 0
    """Rules that should have been tested and were not."""
    findings: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def by_part(report: Report) -> dict[str, Count]:
    """The counts, in the order in which the parts ran; rules that were left out count nowhere."""
    counts: dict[str, Count] = {}
    parts = {}
    for result in report.results:
        if result.verdict == "left out":
            continue
        parts[result.rule.id] = result.rule.part
        count = counts.setdefault(result.rule.part, Count())
        count.tested += result.exercised > 0
        count.times += result.exercised
        count.hidden += result.verdict == "not observable"
        count.missing += result.verdict == "not tested"
    for finding in report.findings:
        if finding.rule in parts:
            counts[parts[finding.rule]].findings += 1
    return counts
