"""Parses a fixture file, and finds the line of each value."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from mockserver.contracts import PlainLoader
from mockserver.fixtures_io.problem import Broken, FixtureError, Place, Problem, Problems

_DEEP = 2000


class _Repeating(dict[str, Any]):
    """A JSON object that has a name more than once."""

    repeated = ""


class Document:
    """The values of one YAML or JSON file; `.json` is JSON, every other name is YAML.

    Raises FixtureError when there is no such file or it cannot be read as that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root: yaml.Node | None = None
        text = self._text()
        try:
            self.value: Any = self._json(text) if path.suffix.lower() == ".json" else self._yaml(text)
        except Broken as problem:
            raise self.error(problem) from None
        except RecursionError:
            raise FixtureError(f"{path}: lists and mappings are nested too deeply; make them flatter") from None
        except ValueError as error:
            # Such as a number with more digits than Python reads; the error's text could quote the file.
            raise FixtureError(f"{path}: a value cannot be read ({type(error).__name__}); correct it") from None

    def error(self, broken: Broken) -> FixtureError:
        """The problems as an error that names the file and, in YAML, the line; a line for each of several."""
        problems = broken.problems
        lines = [f"{self._path}{self._line_of(one)}: {one.text()}" for one in problems.found]
        if problems.count == 1:
            return FixtureError(lines[0])
        more = [f"and {problems.more} more"] if problems.more else []
        return FixtureError("\n".join([f"{self._path} has {problems.count} problems", *lines, *more]))

    def _line_of(self, problem: Problem) -> str:
        return "" if self._root is None else f":{_line(self._root, problem.place)}"

    def _text(self) -> str:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            raise FixtureError(f"{self._path}: there is no such file; check the path") from None
        except OSError as error:
            raise FixtureError(f"{self._path}: cannot be read ({error.strerror}); give a readable file") from None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise FixtureError(f"{self._path}:{line}: is not UTF-8; save the file as UTF-8") from None

    def _yaml(self, text: str) -> Any:
        try:
            _refuse_deep(text)
            loader = PlainLoader(text)
            self._root = loader.get_single_node()
            if self._root is None:
                return None
            problems = Problems()
            _find_repeated(self._root, (), set(), problems)
            problems.check()
            return loader.construct_document(self._root)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            raise FixtureError(f"{self._path}{where}: is not YAML: {_unquoted(error.problem)}; correct it") from None
        except yaml.YAMLError as error:
            reason = getattr(error, "reason", "unreadable")
            raise FixtureError(f"{self._path}: is not YAML: {reason}; remove the character") from None

    def _json(self, text: str) -> Any:
        repeating: list[_Repeating] = []

        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) == len(pairs):
                return found
            names = [name for name, _ in pairs]
            again = _Repeating(found)
            again.repeated = next(name for at, name in enumerate(names) if name in names[:at])
            repeating.append(again)
            return again

        try:
            value = json.loads(text, object_pairs_hook=unique)
        except json.JSONDecodeError as error:
            where = f"{self._path}:{error.lineno}:{error.colno}"
            raise FixtureError(f"{where}: is not JSON: {error.msg}; correct it") from None
        problems = Problems()
        for one in repeating:
            problems.add(_repeated(_place_of(value, one) or ()))
        problems.check()
        return value


def _refuse_deep(text: str) -> None:
    """Refuses what would take the process down: libyaml puts nodes together by a recursion in C that has no limit.

    Raises RecursionError. The nesting is counted only where there are enough brackets or columns for it.
    """
    longest = max(map(len, text.splitlines()), default=0)
    if text.count("[") + text.count("{") + 2 * longest < _DEEP:
        return
    depth = 0
    for event in yaml.parse(text, PlainLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEP:
            raise RecursionError


def _repeated(place: Place) -> Broken:
    return Broken("appears twice in one mapping", fix="keep one of them", place=place)


def _find_repeated(node: yaml.Node, place: Place, seen: set[int], problems: Problems) -> None:
    """Notes each key that is twice in a mapping: YAML forbids it, but its readers take the last one and say nothing."""
    if isinstance(node, yaml.ScalarNode) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for at, item in enumerate(node.value):
            _find_repeated(item, (*place, at), seen, problems)
        return
    keys = set()
    for key, value in node.value:
        inside = (*place, str(key.value)) if isinstance(key, yaml.ScalarNode) else place
        if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in keys:
            problems.add(_repeated(inside))
        keys.add((key.tag, str(key.value)))
        _find_repeated(value, inside, seen, problems)


def _place_of(value: Any, wanted: _Repeating) -> Place | None:
    """Where in a value the repeated name of the wanted mapping is."""
    if value is wanted:
        return (wanted.repeated,)
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, item in inner:
        place = _place_of(item, wanted)
        if place is not None:
            return (part, *place)
    return None


def _line(node: yaml.Node, place: Place) -> int:
    """The line of a place, or of the innermost part of it that is in the file."""
    line = node.start_mark.line
    for part in place:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in reversed(node.value) if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part], node.value[part]
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return int(line) + 1


def _unquoted(problem: str | None) -> str:
    """What the YAML reader says, without the pieces of the file that it quotes: they could be secrets."""
    return re.sub(r"'(?!<)[^']{2,}'", "…", problem or "unreadable")
