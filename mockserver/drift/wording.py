"""How places in schemas are named, and what a schema says there, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from mockserver.drift.document import Pointer
from mockserver.drift.fit import ANY, ITEM, Path
from mockserver.drift.shapes import TYPES, Branch, Shape

_SECRET: Final = re.compile(r"secret|token|password|authorization|api[-_]?key", re.IGNORECASE)
_LONGEST: Final = 60
_MOST_VALUES: Final = 12
_LIMITS: Final = {
    "format": "format {}",
    "pattern": "pattern {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} fields",
    "maxProperties": "at most {} fields",
    "x-max-json-length": "at most {} characters as JSON",
}


class Place(NamedTuple):
    """A part of a schema: its name in reports, its shape if the document has one, and where the document says it."""

    where: str
    shape: Shape | None
    pointer: Pointer
    parent: Shape | None = None


def place(root: Shape, path: Path, label: str) -> Place:
    """The part of a schema to which a path leads; it is named after the nearest component, or after `label`."""
    found = Place(root.name or label, root, root.pointer)
    for step in path:
        shape = _child(found.shape, step) if found.shape is not None else None
        where = f"{found.where}{step}" if step == ITEM else f"{found.where}.{step}"
        if shape is None:
            pointer = found.shape.target if found.shape is not None else found.pointer
            found = Place(where, None, pointer, found.shape)
        else:
            found = Place(shape.name or where, shape, shape.pointer, found.shape)
    return found


def _child(shape: Shape, step: str) -> Shape | None:
    if step == ITEM:
        return next((branch.items for branch in shape.branches if branch.items is not None), None)
    if step == ANY:
        return next((b.additional for b in shape.branches if isinstance(b.additional, Shape)), None)
    return shape.property(step)


def statement(kind: str, at: Place, name: str) -> str:
    """What a document says at a place about a difference of this kind; `name` is the last step to it."""
    if kind == "required":
        needed = at.parent is not None and all(name in b.required for b in at.parent.branches if b.is_object)
        return "required" if needed else "optional"
    if kind == "unexpected":
        return described(at.shape) if at.shape is not None else "no such field"
    if kind == "closed":
        branches = [branch for branch in at.shape.branches if branch.is_object] if at.shape is not None else []
        return "no other fields" if branches and all(b.additional is False for b in branches) else "any other fields"
    return described(at.shape) if at.shape is not None else "anything"


def described(shape: Shape) -> str:
    """The values of a shape in a few words, such as `string (at most 255 characters) or null`."""
    if shape.is_unlimited:
        return "anything"
    texts = list(dict.fromkeys(_branch(branch) for branch in shape.branches))
    return " or ".join(texts) if texts else "nothing"


def _branch(branch: Branch) -> str:
    if branch.enum is not None:
        values = [json.dumps(value, ensure_ascii=False) for value in branch.enum[:_MOST_VALUES]]
        more = f" and {len(branch.enum) - _MOST_VALUES} more" if len(branch.enum) > _MOST_VALUES else ""
        return "one of " + ", ".join(values) + more
    if branch.types == TYPES:
        return "anything" + (f" ({'; '.join(_limits(branch.limits))})" if branch.limits else "")
    types = sorted(branch.types - ({"integer"} if "number" in branch.types else set()), key=lambda name: name == "null")
    limits = "; ".join(_limits(branch.limits))
    return " or ".join(types) + (f" ({limits})" if limits else "")


def _limits(limits: Mapping[str, Any]) -> list[str]:
    found = []
    for keyword, text in _LIMITS.items():
        value = limits.get(keyword)
        if value is not None:
            one = " and ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)
            found.append(text.format(one if len(one) <= _LONGEST else f"{one[:_LONGEST]}…"))
    return found


def shown(value: Any, name: str) -> str:
    """A value as reports show it: short, and only its length where its field's name is one of a secret."""
    if isinstance(value, str):
        is_short = len(value) <= _LONGEST and not _SECRET.search(name)
        return json.dumps(value, ensure_ascii=False) if is_short else f"a string of {len(value)} characters"
    if isinstance(value, Mapping):
        return f"an object with {len(value)} fields"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"a number of {len(text)} digits"
