"""What a run found out, before it is written down in any form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

from mockserver.conformance.baseline import Entry
from mockserver.conformance.findings import Finding
from mockserver.conformance.rules import Rule

Verdict: TypeAlias = Literal["kept", "broken", "known", "not observable", "not tested", "left out"]
NOTHING_NEW, FINDINGS, NOT_TESTED, LEFT_BEHIND, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True)
class RuleResult:
    """What a run can say about one rule."""

    rule: Rule
    verdict: Verdict
    exercised: int
    reason: str = ""
    """Why it was not observable or not tested."""


@dataclass
class Report:
    """A run's outcome."""

    target: str
    mode: Literal["read-only", "write"]
    seed: int
    version: str
    started: str
    results: Sequence[RuleResult] = ()
    findings: Sequence[Finding] = ()
    """Those that no entry of the file of known ones fits."""
    known: Sequence[tuple[Finding, Entry]] = ()
    expired: Sequence[Entry] = ()
    unseen: Sequence[Entry] = ()
    recipes: Mapping[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    """By the identity of the finding: its steps, masked and with variables."""
    left: Sequence[str] = ()
    """What the run made and could not take away."""
    requests: int = 0
    seconds: float = 0.0
    first_finding: tuple[int, float] | None = None
    """After how many requests and seconds the first finding, known ones included, was seen."""
    stopped: str = ""
    """Why the run ended early; empty where it did not."""
    interrupted: bool = False
    died: str = ""
    """How the target stopped answering, in one sentence; empty where it did not."""
    headers: bool = False
    """Whether requests carried headers of ATTENDEE_HEADERS or --header, which curl lines have to send as well."""
    notes: Sequence[str] = ()
    mask: Callable[[str], str] = str

    @property
    def removable(self) -> list[Entry]:
        """The entries of the file of known findings that stand for nothing any more, as far as this run can say."""
        if self.interrupted or self.stopped or self.died:
            return []
        tested = {result.rule.id for result in self.results if result.exercised}
        expired = [entry for entry in self.expired if not any(entry.covers(one) for one in self.findings)]
        return [entry for entry in (*self.unseen, *expired) if entry.rule in tested]

    def accept(self, entries: Sequence[Entry]) -> None:
        """Takes findings for known that entries cover."""
        covering = [(finding, [one for one in entries if one.covers(finding)]) for finding in self.seen]
        self.known = [*self.known, *((finding, found[0]) for finding, found in covering if found)]
        left = {finding.identity for finding, found in covering if not found}
        for finding in self.findings:
            finding.symptoms = [symptom for symptom in finding.symptoms if symptom.identity in left]
        self.findings = [finding for finding in self.findings if finding.identity in left]

    @property
    def seen(self) -> list[Finding]:
        """The new findings, each followed by its symptoms."""
        return [one for finding in self.findings for one in (finding, *finding.symptoms)]

    @property
    def not_tested(self) -> list[RuleResult]:
        """The rules that should have been put to the test and were not."""
        return [result for result in self.results if result.verdict == "not tested"]

    @property
    def exit_status(self) -> int:
        """0 no new findings, 1 findings, 2 some rules could not be tested, 3 something not deleted, 130 interrupted.

        Of several the first in this order: 130, 1, 3, 2.
        """
        if self.interrupted:
            return INTERRUPTED
        if self.findings:
            return FINDINGS
        if self.left:
            return LEFT_BEHIND
        tested = any(result.exercised for result in self.results)
        return NOT_TESTED if self.died or self.not_tested or not tested else NOTHING_NEW

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        count = len(self.findings)
        found = (
            f"{count} finding{'s' if count > 1 else ''}"
            if count
            else "No new findings"
            if self.known
            else "No findings"
        )
        if self.known:
            found += f", {len(self.known)} known"
        if self.interrupted:
            return f"{found}, but the run was interrupted."
        if self.died:
            return f"{found}, but {self.died}."
        if self.left:
            names = f"{len(self.left)} calendar{'s' if len(self.left) > 1 else ''}"
            return f"{found}, {'and' if count else 'but'} {names} of this run could not be deleted."
        if not count and self.not_tested:
            missing = len(self.not_tested)
            return f"{found}, but {missing} rule{'s' if missing > 1 else ''} could not be tested."
        return f"{found}."


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
