"""What only shows off the usual path: in HTML, on later pages, with large values, and between two projects."""

from __future__ import annotations

from mockserver.conformance.checks import Check
from mockserver.conformance.details import html, lists, tenants, writes
from mockserver.conformance.details.rules import RULES as RULES

CHECKS: tuple[Check, ...] = (*html.CHECKS, *lists.CHECKS, *tenants.CHECKS, *writes.CHECKS)
