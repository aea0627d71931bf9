"""The report of a comparison as SARIF 2.1.0: results are at the line of the document that is contradicted."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from mockserver import __version__
from mockserver.drift.difference import Difference, Source
from mockserver.drift.kinds import KINDS
from mockserver.drift.known import Entry
from mockserver.drift.run import Report

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ORDER: Final[tuple[Source, ...]] = ("published", "contract")


def sarif(report: Report, sentence: Callable[[Difference], str], observed: Callable[[Difference], str]) -> str:
    """The report as SARIF; known differences are suppressed results."""
    found: list[tuple[Difference, Entry | None]] = [(one, None) for one in report.new]
    found += report.known
    kinds = sorted({one.kind for one, _ in found})
    results = []
    for one, entry in found:
        text = " ".join(part for part in (sentence(one), *_said(one), observed(one), f"Effect: {one.effect}.") if part)
        results.append(_result(report, one, entry, kinds.index(one.kind), text))
    run = {
        "tool": {"driver": {"name": "attendee-mock", "version": __version__, "rules": [_rule(kind) for kind in kinds]}},
        "automationDetails": {"id": "drift/"},
        "columnKind": "utf16CodeUnits",
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(kind: str) -> dict[str, Any]:
    return {
        "id": kind,
        "shortDescription": {"text": f"A part {KINDS[kind].sentence}."},
        "help": {"text": f"Effect: {KINDS[kind].effect}."},
        "defaultConfiguration": {"level": _LEVELS[KINDS[kind].level]},
    }


def _said(difference: Difference) -> list[str]:
    return [f"{source}: {difference.says[source]}." for source in _ORDER if source in difference.says]


def _result(report: Report, one: Difference, entry: Entry | None, index: int, text: str) -> dict[str, Any]:
    source = next(source for source in _ORDER if source in one.places and source in report.documents)
    document = report.documents[source]
    artifact = {"uri": document.name, "uriBaseId": "%SRCROOT%"}
    if document.name.startswith("/"):
        artifact = {"uri": f"file://{document.name}"}
    result: dict[str, Any] = {
        "ruleId": one.kind,
        "ruleIndex": index,
        "level": _LEVELS[one.level],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": artifact,
                    "region": {"startLine": document.line(one.places[source])},
                },
                "logicalLocations": [{"name": one.where, "kind": "member"}],
            }
        ],
        "partialFingerprints": {"difference/v1": sha256(one.id.encode()).hexdigest()},
        "occurrenceCount": max(one.seen.times, 1),
        "properties": {"id": one.id, "operations": sorted(one.operations), "contradicted": sorted(one.wrong)},
    }
    if entry is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": entry.reason}]
    return result
