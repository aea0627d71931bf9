"""Writes the coach's remarks as text, JSON and JUnit XML."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Collection, Sequence
from typing import Final

from mockserver.coach.remark import RULES, Remark, numbers
from mockserver.junit import Case, junit_xml

_WIDTH: Final = 110


def as_text(remarks: Sequence[Remark], entries: int) -> str:
    """A paragraph for each remark; `entries` is how many entries of the journal were read."""
    lines = [line for remark in remarks for line in (*_paragraph(remark), "")]
    count = "no remark" if not remarks else f"{len(remarks)} remark{'s' if len(remarks) > 1 else ''}"
    return "\n".join([*lines, f"{count}; {entries} entries of the journal read."])


def as_json(remarks: Sequence[Remark], entries: int) -> str:
    """The remarks as a JSON document."""
    return json.dumps({"remarks": [remark.as_dict() for remark in remarks], "entries": entries}, indent=2)


def as_junit(remarks: Sequence[Remark], skip: Collection[str]) -> str:
    """A test case for each rule; those with a remark failed."""
    found = {remark.rule: remark for remark in remarks}
    cases = [
        Case(
            name,
            rule.title,
            found[name].what if name in found else "",
            "\n".join(_paragraph(found[name])) if name in found else "",
            "left out by --skip" if name in skip else "",
        )
        for name, rule in RULES.items()
    ]
    return junit_xml("coach", cases)


def _paragraph(remark: Remark) -> list[str]:
    head = f"{remark.rule}: {RULES[remark.rule].title} ({numbers(remark.exchanges)})"
    parts = (remark.what, f"risk: {remark.risk}", f"cure: {remark.cure}")
    return [head, *(_wrapped(part) for part in parts)]


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
