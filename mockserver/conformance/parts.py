"""The parts of the judge, in the order in which they go: cheap and certain ones first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mockserver.conformance import always, fuzz, hostile, journeys, laws, probes, races
from mockserver.conformance.rules import Rule
from mockserver.conformance.runner import Part

PARTS: Final[Mapping[str, Part]] = {
    "always": always,
    "probes": probes,
    "hostile": hostile,
    "laws": laws,
    "races": races,
    "fuzz": fuzz,
    "journeys": journeys,
}


def all_rules() -> list[Rule]:
    """Every rule, in the order of the parts."""
    return [rule for part in PARTS.values() for rule in part.RULES]
