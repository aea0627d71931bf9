"""Journeys: calendars made, changed and deleted in many orders, and held against a model of what they should be."""

from __future__ import annotations

from mockserver.conformance.checks import Check
from mockserver.conformance.checks.lifecycle import machine, opening
from mockserver.conformance.checks.lifecycle.opening import RULES

CHECKS: tuple[Check, ...] = (*opening.CHECKS, machine.explored)

__all__ = ["CHECKS", "RULES"]
