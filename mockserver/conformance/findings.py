"""Findings: broken rules, each told once however often it is hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mockserver.conformance.exchange import Exchange


@dataclass
class Finding:
    """A broken rule. Its identity is rule, operation and field; never its text."""

    rule: str
    operation: str
    field: str
    expected: str
    actual: str
    exchanges: tuple[Exchange, ...]
    """The smallest sequence seen that shows it, in order; the last one is the one that breaks the rule."""
    hits: int = 1
    history: tuple[Exchange, ...] = ()
    """What the run sent last before it, for findings that do not show without."""

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

    def record(
        self,
        rule: str,
        holds: bool,
        *,
        operation: str,
        exchanges: Sequence[Exchange],
        field: str = "",
        expected: object = "",
        actual: object = "",
    ) -> bool:
        """Counts one test of a rule and keeps a finding where it does not hold; gives `holds` back.

        `exchanges` is the shortest sequence that shows what was seen; `operation` an operationId.
        """
        self.exercised[rule] = self.exercised.get(rule, 0) + 1
        if holds:
            return True
        finding = Finding(rule, operation, field, str(expected), str(actual), tuple(exchanges))
        known = self.broken.get(finding.identity)
        if known is None:
            self.broken[finding.identity] = finding
            return False
        known.hits += 1
        if len(finding.exchanges) < len(known.exchanges):
            known.exchanges, known.expected, known.actual = finding.exchanges, finding.expected, finding.actual
        return False
