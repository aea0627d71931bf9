"""Findings: broken rules, each told once however often it is hit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import LAST, Expectation, in_words, renumbered


@dataclass
class Finding:
    """A broken rule. Its identity is rule, operation and field; never its text."""

    rule: str
    operation: str
    field: str
    expectation: Expectation
    """What does not hold on the answers; it names them by the numbers of their exchanges."""
    actual: str
    """What was seen instead, in words."""
    exchanges: tuple[Exchange, ...]
    """The smallest sequence seen that shows it, in order; the last one is the one that breaks the rule."""
    hits: int = 1
    history: tuple[Exchange, ...] = ()
    """What the run sent last before it, for findings that do not show without."""
    raced: bool = False
    """Whether it was seen only among requests that were started at one moment."""
    symptoms: list[Finding] = dataclasses.field(default_factory=list)
    """What else was found that has the same cause."""

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        return in_words(self.expectation)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.rule} {self.operation} {self.field}".rstrip()

    @property
    def with_it(self) -> str:
        """What else was found that has the same cause, in words; "" for nothing."""
        return "; ".join(symptom.name for symptom in self.symptoms)

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells findings apart."""
        return self.rule, self.operation, self.field


class Findings:
    """The findings of a run, and how often each rule was really put to the test."""

    def __init__(self) -> None:
        self.broken: dict[tuple[str, str, str], Finding] = {}
        self.exercised: dict[str, int] = {}
        self.unobservable: dict[str, str] = {}
        """Why a rule could not be observed, by its id."""

    def kept(self, rule: str, times: int = 1) -> None:
        """Counts tests of a rule that it passed."""
        self.exercised[rule] = self.exercised.get(rule, 0) + times

    def record(
        self,
        rule: str,
        seen: str,
        expectation: Expectation,
        *,
        operation: str,
        exchanges: Sequence[Exchange],
        field: str = "",
        raced: bool = False,
    ) -> bool:
        """Counts one test of a rule and keeps a finding where something else was seen; gives whether the rule holds.

        `seen` is "" where the expectation holds. `exchanges` is the shortest sequence that shows what was seen;
        `operation` an operationId. `raced`: other requests were under way.
        """
        self.kept(rule)
        if not seen:
            return True
        last = exchanges[-1].number
        numbered = renumbered(expectation, lambda step: last if step == LAST else step)
        finding = Finding(rule, operation, field, numbered, seen, tuple(exchanges), raced=raced)
        known = self.broken.get(finding.identity)
        if known is None:
            self.broken[finding.identity] = finding
            return False
        known.hits += 1
        alone = known.raced and not raced
        if alone or (raced == known.raced and len(finding.exchanges) < len(known.exchanges)):
            # What one request alone shows is no matter of a race.
            known.exchanges, known.expectation, known.actual = finding.exchanges, numbered, seen
            known.raced = raced
        return False
