"""Bots: the operations of bots.yaml, with rules and checks of their own."""

from __future__ import annotations

from mockserver.conformance.bots import creation, fields, lists, operations
from mockserver.conformance.bots.rules import RULES as RULES
from mockserver.conformance.checks import Check

CHECKS: tuple[Check, ...] = (*creation.CHECKS, *lists.CHECKS, *operations.CHECKS, *fields.CHECKS)
