"""Differences that are known: a file says which, why and until when, so that only new ones fail a build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from mockserver.drift.difference import Difference
from mockserver.drift.document import SubjectError
from mockserver.drift.kinds import KINDS

_MEMBERS: Final = ("id", "reason", "operations", "expires", "ticket")
_EXAMPLE: Final = "- {id: response-null:Calendar.metadata, reason: reported upstream, expires: 2027-03-31}"


class Entry(NamedTuple):
    """A known difference. With operations, it covers only differences that no other operation has."""

    id: str
    reason: str
    operations: frozenset[str] = frozenset()
    expires: date | None = None
    ticket: str | None = None
    line: int = 0

    def covers(self, difference: Difference) -> bool:
        """Whether it is this difference."""
        return self.id == difference.id and (not self.operations or difference.operations <= self.operations)


class Sorted(NamedTuple):
    """Differences, and the entries of a file of known ones."""

    new: list[Difference]
    known: list[tuple[Difference, Entry]]
    expired: list[Entry]
    """Entries whose last day is over: their differences count as new again."""
    unseen: list[Entry]
    """Entries in force that cover no difference."""


def sort_out(differences: Iterable[Difference], entries: Sequence[Entry], today: date) -> Sorted:
    """Separates new differences from known ones."""
    expired = [entry for entry in entries if entry.expires is not None and entry.expires < today]
    valid = [entry for entry in entries if entry not in expired]
    result = Sorted([], [], expired, [])
    for difference in differences:
        entry = next((entry for entry in valid if entry.covers(difference)), None)
        if entry is None:
            result.new.append(difference)
        else:
            result.known.append((difference, entry))
    seen = [entry for _, entry in result.known]
    result.unseen.extend(entry for entry in valid if entry not in seen)
    return result


def read_known(path: Path) -> list[Entry]:
    """The entries of a file. Raises SubjectError with file, line and what to write."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise SubjectError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise SubjectError(f"{path}:{line}: is not YAML ({getattr(error, 'problem', error)})") from None
    if root is None:
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise SubjectError(f"{path}:1: must be a list of entries such as {_EXAMPLE}")
    return [_entry(path, node) for node in root.value]


def _entry(path: Path, node: yaml.Node) -> Entry:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise SubjectError(f"{path}:{line}: an entry must be an object such as {_EXAMPLE}")
    given: dict[str, Any] = {}
    for name_node, value_node in node.value:
        name, at = str(name_node.value), name_node.start_mark.line + 1
        if name not in _MEMBERS:
            raise SubjectError(f"{path}:{at}: there is no {name!r}; an entry has {', '.join(_MEMBERS)}")
        given[name] = _value(path, name, value_node, at)
    for name in ("id", "reason"):
        if not given.get(name):
            raise SubjectError(f"{path}:{line}: the entry has no {name}; add `{name}: …`")
    kind = given["id"].partition(":")[0]
    if kind not in KINDS:
        raise SubjectError(f"{path}:{line}: there is no kind {kind!r}; copy the id from a report")
    return Entry(**given, line=line)


def _value(path: Path, name: str, node: yaml.Node, line: int) -> Any:
    if name == "operations":
        if not isinstance(node, yaml.SequenceNode):
            raise SubjectError(f"{path}:{line}: operations must be a list of operationIds")
        return frozenset(str(item.value) for item in node.value)
    if not isinstance(node, yaml.ScalarNode):
        raise SubjectError(f"{path}:{line}: {name} must be a text")
    if name != "expires":
        return str(node.value)
    try:
        return date.fromisoformat(node.value)
    except ValueError:
        raise SubjectError(f"{path}:{line}: expires must be a date like 2027-03-31, not {node.value!r}") from None
