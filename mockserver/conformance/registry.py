"""The parts of the judge, in the order in which they go: what finds most with fewest requests first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mockserver.conformance import details, list_properties, recorded_cases, robustness
from mockserver.conformance.checks import bots, every_response, fuzz, lifecycle, races
from mockserver.conformance.rules import Rule
from mockserver.conformance.runner import Part

PARTS: Final[Mapping[str, Part]] = {
    "always": every_response,
    "laws": list_properties,
    "hostile": robustness,
    "probes": recorded_cases,
    "details": details,
    "bots": bots,
    "races": races,
    "fuzz": fuzz,
    "journeys": lifecycle,
}


def all_rules() -> list[Rule]:
    """Every rule, in the order of the parts."""
    return [rule for part in PARTS.values() for rule in part.RULES]
