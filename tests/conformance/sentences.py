"""Which rule of the judge reads which sentence of the contracts; a sentence that none can read has a reason.

python -m tests.conformance.sentences    lists the sentences without a rule or reason, and those that are gone
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mockserver.contracts import BOTS, CALENDARS, load_contract

TABLE = Path(__file__).with_name("sentences.yaml")
_ENDS = re.compile(r"(?<=[.:!?])\s+(?=[A-Z`*{\"])")
_TEXTS = ("description", "summary")


class Sentence(NamedTuple):
    """A sentence of a contract, and where it stands first."""

    text: str
    place: str


class Reading(NamedTuple):
    """Who reads a sentence: rules by their ids, or nobody for a reason."""

    rules: tuple[str, ...]
    reason: str


def contracts() -> dict[str, Any]:
    """The contracts whose sentences are read, by their names."""
    return {name: load_contract(name) for name in (CALENDARS, BOTS)}


def sentences(documents: Mapping[str, Any]) -> dict[str, Sentence]:
    """Every sentence of the descriptions, by its text."""
    found: dict[str, Sentence] = {}
    for name, document in documents.items():
        for place, text in _described(document, name):
            for sentence in _ENDS.split(" ".join(text.replace("**", "").split())):
                found.setdefault(sentence, Sentence(sentence, place))
    return found


def _described(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for number, part in enumerate(value):
            yield from _described(part, f"{place}/{number}")
    elif isinstance(value, dict):
        for name, part in value.items():
            if name in _TEXTS and isinstance(part, str):
                yield place, part
            elif name not in ("example", "examples", "value"):
                yield from _described(part, f"{place}/{name}")


def readings() -> dict[str, Reading]:
    """The table: by sentence."""
    written: Mapping[str, Mapping[str, Any]] = yaml.safe_load(TABLE.read_text("utf-8"))
    return {text: Reading(tuple(entry.get("rules", ())), entry.get("reason", "")) for text, entry in written.items()}


def problems(documents: Mapping[str, Any]) -> list[str]:
    """What the table lacks for these contracts, one line each."""
    now, table = sentences(documents), readings()
    found = [f"no rule and no reason for {text!r} ({one.place})" for text, one in now.items() if text not in table]
    found += [f"no contract says any more {text!r}" for text in table if text not in now]
    return found + [
        f"neither rules nor a reason, or both, for {text!r}"
        for text, one in table.items()
        if bool(one.rules) == bool(one.reason)
    ]


if __name__ == "__main__":
    missing = problems(contracts())
    sys.stdout.write("\n".join(missing) or f"{len(readings())} sentences, each with a rule or a reason")
    sys.stdout.write("\n")
    sys.exit(1 if missing else 0)
