"""The parts of the judge, in the order in which they go: what finds most with fewest requests first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mockserver.conformance import always, fuzz, hostile, journeys, laws, probes, races
from mockserver.conformance.rules import Rule
from mockserver.conformance.runner import Part

PARTS: Final[Mapping[str, Part]] = {
    "always": always,
    "laws": laws,
    "hostile": hostile,
    "probes": probes,
    "races": races,
    "fuzz": fuzz,
    "journeys": journeys,
}


def all_rules() -> list[Rule]:
    """Every rule, in the order of the parts."""
    return [rule for part in PARTS.values() for rule in part.RULES]
