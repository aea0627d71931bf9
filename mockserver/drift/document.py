"""Reads an OpenAPI document with the line of each of its parts, and refuses one that is not valid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from mockserver.contracts import PlainLoader

Pointer: TypeAlias = tuple[str, ...]
"""The keys and indexes that lead to a part of a document, all as text."""

_MOST_PROBLEMS = 10
_LONGEST_PROBLEM = 300


class SubjectError(Exception):
    """A file cannot be compared; each line of the text names the file, the place and what to do."""


class Document:
    """An OpenAPI document, and where its parts are in the file."""

    def __init__(self, name: str, data: Mapping[str, Any], root: Callable[[], yaml.Node | None]) -> None:
        """`name` is the file as the user wrote it; `root` gives None where lines are not known."""
        self.name = name
        self.data = data
        self._read_root = root

    @cached_property
    def _root(self) -> yaml.Node | None:
        return self._read_root()

    def line(self, pointer: Pointer) -> int:
        """The line of a part, from 1; of its nearest parent if the part itself is not there."""
        node, line = self._root, 1
        for step in pointer:
            key, node = _child(node, step)
            if node is None:
                break
            line = (key or node).start_mark.line + 1
        return line

    def part(self, pointer: Pointer) -> Any:
        """The part at a pointer, or None where there is none."""
        found: Any = self.data
        for step in pointer:
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return found


def _child(node: yaml.Node | None, step: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The nodes of the key and the value of a step; None, None where there is no such step."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == step:
                return key, value
    if isinstance(node, yaml.SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        return None, node.value[int(step)]
    return None, None


class Loaded(NamedTuple):
    """A file's data before it is known what it is."""

    data: Any
    root: yaml.Node | None


def load(path: Path) -> Loaded:
    """The data of a JSON or YAML file. Raises SubjectError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SubjectError(f"{path}: there is no such file") from None
    except OSError as error:
        raise SubjectError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SubjectError(f"{path}: is not UTF-8 text; give an OpenAPI document or a HAR file") from None
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text)
    try:
        root = yaml.compose(text, PlainLoader)
        return Loaded(yaml.load(text, PlainLoader), root)  # noqa: S506 -- derives from SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        what = getattr(error, "problem", None) or "it cannot be parsed"
        raise SubjectError(f"{path}:{line}: is not YAML or JSON ({what})") from None


def _json(path: Path, text: str) -> Loaded:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        at_end = not text[error.pos :].strip(' \r\n\t"')
        hint = "the file ends too early; record or download it again" if at_end else error.msg
        raise SubjectError(f"{path}:{error.lineno}: is not complete JSON ({hint})") from None
    except RecursionError:
        raise SubjectError(f"{path}: is nested too deeply") from None
    if not isinstance(data, Mapping) or "openapi" not in data:
        return Loaded(data, None)
    try:
        return Loaded(data, yaml.compose(text, PlainLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        # JSON that is not also YAML is compared all the same, without lines.
        return Loaded(data, None)


def openapi_document(path: Path, loaded: Loaded) -> Document:
    """The document, checked with openapi-spec-validator. Raises SubjectError with one line for each problem."""
    data = with_text_keys(loaded.data)
    version = str(data.get("openapi"))
    document = Document(str(path), data, lambda: loaded.root)
    if not version.startswith(("3.0", "3.1")):
        line = document.line(("openapi",))
        raise SubjectError(f"{path}:{line}: is OpenAPI {version}; drift reads 3.0 and 3.1")
    problems = list(_problems(document, version))
    if problems:
        raise SubjectError("\n".join(problems))
    return document


def _problems(document: Document, version: str) -> Iterator[str]:
    outside = _outside_reference(document.data)
    if outside is not None:
        pointer, reference = outside
        where = f"{document.name}:{document.line(pointer)}"
        yield f"{where}: refers to another file ({reference}); bundle the document into one file first"
        return
    try:
        from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
        from referencing.exceptions import Unresolvable
    except ImportError:
        raise SubjectError(
            "openapi-spec-validator is not installed; pip install 'attendee-mockserver[drift]'"
        ) from None
    validator = OpenAPIV30SpecValidator if version.startswith("3.0") else OpenAPIV31SpecValidator
    try:
        errors = list(validator(document.data).iter_errors())
    except RecursionError:
        yield f"{document.name}: is nested too deeply"
        return
    except (LookupError, ValueError, TypeError, AttributeError, Unresolvable) as failure:
        # The validator cannot go on at references that lead nowhere, and at parts of a wrong type.
        yield f"{document.name}: is not valid OpenAPI ({type(failure).__name__}: {_one_line(str(failure))})"
        return
    for error in errors[:_MOST_PROBLEMS]:
        pointer = tuple(str(step) for step in error.absolute_path)
        yield f"{document.name}:{document.line(pointer)}: is not valid OpenAPI: {_one_line(_reason(error))}"
    if len(errors) > _MOST_PROBLEMS:
        yield f"{document.name}: and {len(errors) - _MOST_PROBLEMS} more problems"


def _reason(error: Any) -> str:
    """The words of the validator; of alternatives those of the one that fits best."""
    deepest = max(error.context or [], key=lambda one: len(one.absolute_path), default=None)
    place = "/".join(str(step) for step in error.absolute_path) or "the document"
    # Newer versions of the validator write what was validated into further lines.
    return f"{place}: {(deepest or error).message.partition(chr(10))[0]}"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_PROBLEM else f"{line[:_LONGEST_PROBLEM]}…"


def _outside_reference(data: Any) -> tuple[Pointer, str] | None:
    """The first reference that leads out of the document."""
    waiting: list[tuple[Pointer, Any]] = [((), data)]
    seen: set[int] = set()
    while waiting:
        pointer, part = waiting.pop()
        if id(part) in seen or not isinstance(part, Mapping | list):
            continue
        seen.add(id(part))
        if isinstance(part, list):
            waiting += [((*pointer, str(index)), item) for index, item in enumerate(part)]
            continue
        reference = part.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            return (*pointer, "$ref"), reference
        waiting += [((*pointer, name), item) for name, item in part.items() if name not in ("example", "examples")]
    return None


def with_text_keys(value: Any) -> Any:
    """The data with each key as text: YAML reads a status such as 200 as a number."""
    done: dict[int, Any] = {}

    def convert(part: Any) -> Any:
        if not isinstance(part, Mapping | list):
            return part
        if id(part) not in done:
            if isinstance(part, list):
                done[id(part)] = [convert(item) for item in part]
            else:
                done[id(part)] = {str(name): convert(item) for name, item in part.items()}
        return done[id(part)]

    return convert(value)


def pointer_of(reference: str) -> Pointer:
    """The steps of a local reference such as #/components/schemas/Calendar."""
    from urllib.parse import unquote

    steps: Sequence[str] = unquote(reference.removeprefix("#")).split("/")[1:]
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
