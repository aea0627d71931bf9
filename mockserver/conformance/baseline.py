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
    known = set(rules)
    return [_entry(path, node, known) for node in _root(path, _text(path))]


def add_known(path: Path, findings: Sequence[Finding], *, today: date, expires: date | None) -> list[Entry]:
    """Writes an entry for each finding into the file, which may be missing; gives the entries. Raises KnownError.

    What is in the file stays as it is, but for expired entries of the same findings, which are replaced.
    """
    text = _text(path) if path.exists() else ""
    old = [_entry(path, node, {finding.rule for finding in findings}, strict=False) for node in _nodes(path, text)]
    replaced = [one for one in old if one.has_expired(today) and any(one.covers(finding) for finding in findings)]
    text = _without(path, text, replaced)
    reason = f"found by attendee-mock check on {today}; write here why it may stay"
    entries = [
        Entry(finding.rule, finding.operation, reason, finding.field or None, expires)
        for finding in sorted(findings, key=lambda finding: finding.identity)
    ]
    _write(path, text + "".join(_written(path, text, entry) for entry in entries))
    return entries


def remove_known(path: Path, entries: Sequence[Entry]) -> None:
    """Takes entries that were read from the file out of it; comments stay. Raises KnownError."""
    _write(path, _without(path, _text(path), entries))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnownError(f"{path}: cannot be read ({error})") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise KnownError(f"{path}: cannot be written ({error.strerror}); name another file with --known") from error


def _nodes(path: Path, text: str) -> list[yaml.Node]:
    """The entries of a file that is to be changed. Raises KnownError where they have no lines of their own."""
    nodes = _root(path, text)
    lines = text.splitlines()
    if any(not lines[node.start_mark.line].lstrip().startswith("-") for node in nodes):
        raise KnownError(f"{path}:1: is a list in brackets; write each entry on lines of its own, e.g.\n{_EXAMPLE}")
    return nodes


def _root(path: Path, text: str) -> list[yaml.Node]:
    """The entries of a file. Raises KnownError where it is no list."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise KnownError(f"{path}:{line}: not YAML: {getattr(error, 'problem', error)}") from error
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise KnownError(f"{path}:1: must be a list of entries, e.g.\n{_EXAMPLE}")
    return list(root.value)


def _without(path: Path, text: str, entries: Sequence[Entry]) -> str:
    """The text without the lines of the entries."""
    lines = text.splitlines(keepends=True)
    gone = {entry.line for entry in entries}
    for node in reversed(_nodes(path, text)):
        if node.start_mark.line + 1 in gone and isinstance(node, yaml.MappingNode):
            ends = [value.end_mark for _, value in node.value]
            last = max([node.start_mark.line + 1, *(mark.line + (mark.column > 0) for mark in ends)])
            del lines[node.start_mark.line : last]
    return "".join(lines)


def _written(path: Path, text: str, entry: Entry) -> str:
    """An entry as it stands in the file: below the others, and as far to the right."""
    members = {
        "rule": entry.rule,
        "operation": entry.operation,
        "field": entry.field,
        "reason": entry.reason,
        "expires": entry.expires,
    }
    given = {name: value for name, value in members.items() if value is not None}
    nodes = _nodes(path, text)
    indent = " " * max(0, nodes[0].start_mark.column - 2) if nodes else ""
    block = yaml.safe_dump([given], sort_keys=False, allow_unicode=True, width=110)
    start = "" if not text or text.endswith("\n") else "\n"
    return start + "".join(f"{indent}{line}\n" for line in block.splitlines())


def _entry(path: Path, node: yaml.Node, rules: set[str], *, strict: bool = True) -> Entry:
    """An entry; not `strict`: of a file that was read before, so that its rules are known to be some."""
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise KnownError(f"{path}:{line}: an entry must be an object, e.g.\n{_EXAMPLE}")
    given, lines = _members(path, node)
    for name in _NEEDED:
        if not given.get(name):
            raise KnownError(f"{path}:{line}: the entry has no {name}; add `{name}: …`")
    given["rule"] = FORMER_IDS.get(given["rule"], given["rule"])
    if strict and given["rule"] not in rules:
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
