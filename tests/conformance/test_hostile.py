"""Hostile input finds nothing in the mock, and what gives way in its mutants."""

from __future__ import annotations

import pytest

from mockserver.conformance import hostile
from tests.conformance.single import judged, of, recorded, told
from tests.mutants import robustness


@pytest.mark.parametrize("writes", [True, False])
def test_the_mock_is_without_findings(writes: bool) -> None:
    run = judged(recorded().asgi, hostile, writes=writes)
    assert told(run) == []
    tested = run.findings.exercised.keys() | run.findings.unobservable.keys()
    assert {rule.id for rule in hostile.RULES} <= tested


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("R3", {"no-server-error"}),
        ("R9", {"no-server-error"}),
        ("R19", {"still-answers"}),
        ("R20", {"text-kept"}),
        ("R27", {"cursor-spelt"}),
        ("R29", {"text-unholdable"}),
        ("R30", {"number-odd"}),
        ("R31", {"size-odd"}),
        ("R32", {"type-odd"}),
        ("R33", {"query-odd"}),
        ("R34", {"time-odd"}),
        ("R35", {"id-odd"}),
        ("R36", {"header-odd"}),
        ("R37", {"answer-arrives"}),
        ("R38", {"cursor-forged"}),
    ],
)
def test_a_mutant_is_found_by_its_rule(name: str, rules: set[str]) -> None:
    assert {rule for rule, _, _ in told(judged(of(robustness.MUTANTS, name), hostile))} == rules
