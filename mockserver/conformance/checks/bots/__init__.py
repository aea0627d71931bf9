"""Bots: the operations of bots.yaml, with rules and checks of their own."""

from __future__ import annotations

from mockserver.conformance.checks import Check
from mockserver.conformance.checks.bots import creation, fields, lists, operations
from mockserver.conformance.checks.bots.rules import RULES as RULES

CHECKS: tuple[Check, ...] = (*creation.CHECKS, *lists.CHECKS, *operations.CHECKS, *fields.CHECKS)
