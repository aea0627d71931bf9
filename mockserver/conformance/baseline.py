"""Findings that are known: a file says which, why and until when, so that only new ones fail a build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mockserver.conformance.findings import Finding
from mockserver.conformance.rules import FORMER_IDS

_MEMBERS = ("rule", "operation", "field", "reason", "expires", "ticket")
_NEEDED = ("rule", "operation", "reason")
_EXAMPLE = """\
- rule: page-each-once
  operation: listCalendarEvents
  reason: rows with equal times are repeated
  expires: 2027-03-31
  ticket: CAL-42"""


class KnownError(Exception):
    """The file cannot be read; the text says where and how to mend it."""


class Entry(NamedTuple):
    """A finding that is known. Without a field it stands for every field of the operation."""

    rule: str
    operation: str
    reason: str
    field: str | None = None
    expires: date | None = None
    ticket: str | None = None
    line: int = 0

    def covers(self, finding: Finding) -> bool:
        """Whether it is this finding."""
        return (self.rule, self.operation) == (finding.rule, finding.operation) and self.field in (None, finding.field)

    def has_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and self.expires < today


class Sorted(NamedTuple):
    """Findings told apart by a file of known ones."""

    new: list[Finding]
    known: list[tuple[Finding, Entry]]
    expired: list[Entry]
    """Entries whose last day is over: what they were for counts as new again."""
    unseen: list[Entry]
    """Entries that were in force and that nothing fitted."""


def sort_out(findings: Iterable[Finding], entries: Sequence[Entry], today: date) -> Sorted:
    """Tells the new findings from the known ones."""
    expired = [entry for entry in entries if entry.has_expired(today)]
    valid = [entry for entry in entries if entry not in expired]
    new: list[Finding] = []
    known: list[tuple[Finding, Entry]] = []
    for finding in findings:
        entry = next((entry for entry in valid if entry.covers(finding)), None)
        if entry is None:
            new.append(finding)
        else:
            known.append((finding, entry))
    seen = [entry for _, entry in known]
    return Sorted(new, known, expired, [entry for entry in valid if entry not in seen])


def read_known(path: Path, rules: Iterable[str]) -> list[Entry]:
    """The entries of a file; `rules` are the ids that there are. Raises KnownError."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise KnownError(f"{path}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise KnownError(f"{path}:{line}: not YAML: {getattr(error, 'problem', error)}") from error
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise KnownError(f"{path}:1: must be a list of entries, e.g.\n{_EXAMPLE}")
    known = set(rules)
    return [_entry(path, node, known) for node in root.value]


def _entry(path: Path, node: yaml.Node, rules: set[str]) -> Entry:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise KnownError(f"{path}:{line}: an entry must be an object, e.g.\n{_EXAMPLE}")
    given, lines = _members(path, node)
    for name in _NEEDED:
        if not given.get(name):
            raise KnownError(f"{path}:{line}: the entry has no {name}; add `{name}: …`")
    given["rule"] = FORMER_IDS.get(given["rule"], given["rule"])
    if given["rule"] not in rules:
        where = f"{path}:{lines['rule']}"
        raise KnownError(f"{where}: there is no rule {given['rule']!r}; `attendee-mock rules` lists all rules")
    if "expires" in given:
        given["expires"] = _date(path, lines["expires"], given["expires"])
    return Entry(**given, line=line)


def _members(path: Path, node: yaml.MappingNode) -> tuple[dict[str, Any], dict[str, int]]:
    """What an entry has, and on which lines."""
    given: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for name_node, value_node in node.value:
        name = str(name_node.value)
        lines[name] = name_node.start_mark.line + 1
        if name not in _MEMBERS:
            raise KnownError(f"{path}:{lines[name]}: there is no {name!r}; an entry has {', '.join(_MEMBERS)}")
        if not isinstance(value_node, yaml.ScalarNode):
            raise KnownError(f"{path}:{lines[name]}: {name} must be a text")
        given[name] = value_node.value
    return given, lines


def _date(path: Path, line: int, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise KnownError(f"{path}:{line}: expires must be a date like 2027-03-31, not {text!r}") from error
