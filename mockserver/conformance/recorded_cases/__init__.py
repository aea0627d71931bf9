"""A fixed table of requests, each with the answer that the service was recorded to give; nothing is drawn."""

from __future__ import annotations

from mockserver.conformance.checks import Check
from mockserver.conformance.recorded_cases import auth, bodies, fields, filters, ids, methods, negotiation
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    *auth.RULES,
    *methods.RULES,
    *negotiation.RULES,
    *ids.RULES,
    *filters.RULES,
    *bodies.RULES,
    *fields.RULES,
)
CHECKS: tuple[Check, ...] = (
    *negotiation.CHECKS,
    *filters.CHECKS,
    *auth.CHECKS,
    *methods.CHECKS,
    *ids.CHECKS,
    *bodies.CHECKS,
    *fields.CHECKS,
)
