"""Rules: what a deployment has to keep. One record each; findings, reports and documentation follow from it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["high", "medium", "low"]
Need: TypeAlias = Literal["read", "write", "other-key", "disabled-key", "events", "parallel"]
Part: TypeAlias = Literal["always", "probes", "laws", "journeys", "races", "hostile", "fuzz"]


class Rule(NamedTuple):
    """One rule. `source` names the part of openapi.yaml or the recordings that it stands on."""

    id: str
    """Kebab case, e.g. page-each-once; stable, for known findings and reports refer to it."""
    part: Part
    severity: Severity
    sentence: str
    source: str
    needs: frozenset[Need] = frozenset({"read"})
    """What a run has to have for the rule to be observable at all."""
