"""Writes the table of rules into docs/conformance.md."""

from __future__ import annotations

import re
from pathlib import Path

from mockserver.conformance.registry import all_rules

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
_BETWEEN = re.compile(r"(<!-- rules:[^\n]*-->\n).*?(<!-- end of rules -->)", re.DOTALL)


def rules_table() -> str:
    """The rules as a table."""
    lines = ["| rule | part | severity | description | source | needs |", "| --- | --- | --- | --- | --- | --- |"]
    for rule in all_rules():
        needs = ", ".join(sorted(rule.needs - {"read"}))
        cells = (f"`{rule.id}`", rule.part, rule.severity, rule.sentence, rule.source, needs)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def page_with_rules(page: str) -> str:
    """The page with its table renewed."""
    return _BETWEEN.sub(lambda match: f"{match[1]}\n{rules_table()}\n{match[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(page_with_rules(PAGE.read_text("utf-8")), encoding="utf-8")
