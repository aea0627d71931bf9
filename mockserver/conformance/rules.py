"""Rules: what a deployment has to keep. One record each; findings, reports and documentation follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["high", "medium", "low"]
Need: TypeAlias = Literal["read", "write", "other-key", "disabled-key", "events", "parallel"]
Part: TypeAlias = Literal["always", "probes", "laws", "journeys", "races", "hostile", "fuzz", "bots", "details"]


READ: Final[frozenset[Need]] = frozenset({"read"})
WRITE: Final[frozenset[Need]] = READ | {"write"}
WITH_EVENTS: Final[frozenset[Need]] = READ | {"events"}
WITH_OTHER_KEY: Final[frozenset[Need]] = READ | {"other-key"}


class Rule(NamedTuple):
    """One rule. `source` names the part of openapi.yaml or the recordings that it stands on."""

    id: str
    """Kebab case, e.g. page-each-once; stable, for known findings and reports refer to it."""
    part: Part
    severity: Severity
    sentence: str
    source: str
    needs: frozenset[Need] = READ
    """What a run has to have for the rule to be observable at all."""


FORMER_IDS: Final[Mapping[str, str]] = {
    "page-forth-again": "page-next-after-previous",
    "secret-unanswered": "secrets-not-echoed",
    "create-taken": "create-accepted",
    "patch-taken": "patch-accepted",
    "delete-taken": "delete-accepted",
    "cursor-spelt": "cursor-encoding",
    "links-kept": "links-preserve-query",
    "prompt": "response-time",
}
"""Ids that rules had before: files of known findings and command lines may still use them."""


def ids_of(rule: Rule) -> list[str]:
    """The rule's id, and the ones it had before."""
    return [rule.id, *(former for former, now in FORMER_IDS.items() if now == rule.id)]
