"""What values a schema allows, as alternatives without references, allOf, oneOf and `nullable`.

Two schemas that are written differently and allow the same values have the same shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from mockserver.drift.document import Document, Pointer, pointer_of

Direction: TypeAlias = Literal["request", "response"]

TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_MOST_BRANCHES: Final = 64
_LOWER: Final = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_UPPER: Final = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties", "x-max-json-length")


@dataclass(frozen=True)
class Branch:
    """One alternative of a shape: values of some types, with limits."""

    types: frozenset[str] = TYPES
    limits: Mapping[str, Any] = field(default_factory=dict)
    """Keywords of JSON Schema by name; `pattern`, `format` and `multipleOf` are tuples of all that hold."""
    enum: tuple[Any, ...] | None = None
    properties: Mapping[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    additional: Shape | bool = True
    """What properties that are not listed may be; False: there are none."""
    items: Shape | None = None
    samples: tuple[Any, ...] = ()
    """Values that the document gives as examples."""

    @property
    def is_object(self) -> bool:
        """Whether objects are among its values."""
        return "object" in self.types


ANYTHING: Final = Branch()
_NULL: Final = Branch(frozenset({"null"}))


class Schemas:
    """The schemas of one document in one direction; each shape is made once, so that recursion ends."""

    def __init__(self, document: Document, direction: Direction) -> None:
        self.document = document
        self.direction = direction
        self._shapes: dict[Pointer, Shape] = {}

    def shape(self, pointer: Pointer) -> Shape:
        """The shape of the schema at a pointer."""
        if pointer not in self._shapes:
            self._shapes[pointer] = Shape(self, (pointer,))
        return self._shapes[pointer]

    def all_of(self, pointers: Sequence[Pointer]) -> Shape:
        """The shape of values that fit several schemas."""
        return self.shape(pointers[0]) if len(pointers) == 1 else Shape(self, tuple(pointers))

    def raw(self, pointer: Pointer) -> Any:
        """A schema as it is written."""
        return self.document.part(pointer)

    def is_3_0(self) -> bool:
        """Whether `nullable` has a meaning and what stands beside `$ref` has none."""
        return str(self.document.data.get("openapi")).startswith("3.0")


class Shape:
    """The values that the schemas at some pointers all allow; it reads them when they are needed."""

    def __init__(self, schemas: Schemas, pointers: tuple[Pointer, ...]) -> None:
        self._schemas = schemas
        self.pointers = pointers

    @property
    def pointer(self) -> Pointer:
        """Where it is in the document."""
        return self.pointers[0]

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The alternatives; without any, no value is allowed."""
        found: list[Branch] = [ANYTHING]
        for pointer in self.pointers:
            found = _both(self._schemas, found, _expanded(self._schemas, pointer, ()))
        return tuple(found)

    @cached_property
    def canonical(self) -> Shape:
        """The shape of the schema to which this one only refers, or itself."""
        raw = self._schemas.raw(self.pointer)
        is_reference = len(self.pointers) == 1 and isinstance(raw, Mapping) and isinstance(raw.get("$ref"), str)
        if not is_reference or (len(raw) > 1 and not self._schemas.is_3_0()):
            return self
        target = self._schemas.shape(pointer_of(raw["$ref"]))
        return self if self.branches == (ANYTHING,) else target

    @cached_property
    def name(self) -> str:
        """The name of the component that it refers to, if that is an object with properties; else ""."""
        return self._component[0] if self._component is not None and self._has_properties else ""

    @property
    def target(self) -> Pointer:
        """Where the component is to which it refers, or where it is itself."""
        return self._component[1] if self._component is not None else self.pointer

    @cached_property
    def _component(self) -> tuple[str, Pointer] | None:
        pointer, raw = self.pointer, self._schemas.raw(self.pointer)
        name = pointer[2] if pointer[:2] == ("components", "schemas") and len(pointer) == 3 else ""
        for _ in range(_MOST_BRANCHES):
            if not isinstance(raw, Mapping):
                break
            only = raw.get("allOf") or _not_null(raw.get("oneOf")) or _not_null(raw.get("anyOf"))
            reference = raw.get("$ref") or (only[0].get("$ref") if only and len(only) == 1 else None)
            if not isinstance(reference, str):
                break
            pointer = pointer_of(reference)
            name = pointer[-1] if pointer[:2] == ("components", "schemas") else name
            raw = self._schemas.raw(pointer)
        return (name, pointer) if name else None

    @property
    def _has_properties(self) -> bool:
        return any(branch.properties for branch in self.branches)

    @property
    def is_unlimited(self) -> bool:
        """Whether any value at all fits."""
        return any(
            branch.types == TYPES
            and branch.enum is None
            and not (branch.limits or branch.properties or branch.required or branch.items)
            and branch.additional is True
            for branch in self.branches
        )

    def property(self, name: str) -> Shape | None:
        """The shape of a property that is listed in one of the alternatives."""
        return next((branch.properties[name] for branch in self.branches if name in branch.properties), None)


def _not_null(parts: Any) -> list[Any]:
    if not isinstance(parts, list):
        return []
    return [part for part in parts if isinstance(part, Mapping) and part.get("type") != "null"]


def _expanded(schemas: Schemas, pointer: Pointer, seen: tuple[Pointer, ...]) -> list[Branch]:
    """The alternatives of the schema at a pointer; one that refers to itself without an end allows anything."""
    raw = schemas.raw(pointer)
    if raw is False:
        return []
    if not isinstance(raw, Mapping) or pointer in seen:
        return [ANYTHING]
    seen = (*seen, pointer)
    found = [ANYTHING]
    if isinstance(raw.get("$ref"), str):
        found = _expanded(schemas, pointer_of(raw["$ref"]), seen)
        if schemas.is_3_0():
            return found
    found = _both(schemas, found, [_own(schemas, raw, pointer)])
    found = _composed(schemas, found, raw, pointer, seen)
    if raw.get("unevaluatedProperties") is False:
        found = [_closed(branch) for branch in found]
    if raw.get("nullable") is True and schemas.is_3_0():
        found = [*found, _NULL]
    return found if len(found) <= _MOST_BRANCHES else [ANYTHING]


def _composed(
    schemas: Schemas, found: list[Branch], raw: Mapping[str, Any], pointer: Pointer, seen: tuple[Pointer, ...]
) -> list[Branch]:
    """The alternatives that also fit all of `allOf`, and one of `oneOf` and `anyOf`."""
    for index, _ in enumerate(raw.get("allOf") or ()):
        found = _both(schemas, found, _expanded(schemas, (*pointer, "allOf", str(index)), seen))
    for keyword in ("oneOf", "anyOf"):
        parts = raw.get(keyword)
        if parts:
            places = [(*pointer, keyword, str(index)) for index, _ in enumerate(parts)]
            found = _both(schemas, found, [branch for place in places for branch in _expanded(schemas, place, seen)])
    return found


def _closed(branch: Branch) -> Branch:
    return Branch(**{**branch.__dict__, "additional": False})


def _own(schemas: Schemas, raw: Mapping[str, Any], pointer: Pointer) -> Branch:
    """What a schema says without the schemas to which it refers."""
    enum = (raw["const"],) if "const" in raw else tuple(raw["enum"]) if isinstance(raw.get("enum"), list) else None
    types = _types(raw)
    if enum is not None:
        listed_types = frozenset(type_of(value) for value in enum)
        types = frozenset(one for one in listed_types if one in types or (one == "integer" and "number" in types))
    hidden = _hidden(schemas, raw, pointer)
    listed = [name for name in raw.get("properties") or () if name not in hidden]
    return Branch(
        types,
        _limits(raw),
        enum,
        {name: schemas.shape((*pointer, "properties", name)) for name in listed},
        frozenset(raw.get("required") or ()) - hidden if isinstance(raw.get("required"), list) else frozenset(),
        _additional(schemas, raw, pointer),
        schemas.shape((*pointer, "items")) if "items" in raw else None,
        _samples(raw),
    )


def _types(raw: Mapping[str, Any]) -> frozenset[str]:
    given = raw.get("type")
    if given is None:
        return TYPES
    return frozenset([given] if isinstance(given, str) else given) & TYPES


def _hidden(schemas: Schemas, raw: Mapping[str, Any], pointer: Pointer) -> frozenset[str]:
    """Properties that are not in this direction: readOnly ones in requests, writeOnly ones in responses."""
    keyword = "readOnly" if schemas.direction == "request" else "writeOnly"
    names = raw.get("properties") or {}
    return frozenset(name for name in names if _marked(schemas, (*pointer, "properties", name), keyword))


def _marked(schemas: Schemas, pointer: Pointer, keyword: str) -> bool:
    for _ in range(_MOST_BRANCHES):
        raw = schemas.raw(pointer)
        if not isinstance(raw, Mapping):
            return False
        if raw.get(keyword) is True:
            return True
        reference = raw.get("$ref")
        if not isinstance(reference, str):
            return False
        pointer = pointer_of(reference)
    return False


def _additional(schemas: Schemas, raw: Mapping[str, Any], pointer: Pointer) -> Shape | bool:
    given = raw.get("additionalProperties")
    if given is False and not raw.get("patternProperties"):
        return False
    return schemas.shape((*pointer, "additionalProperties")) if isinstance(given, Mapping) and given else True


def _samples(raw: Mapping[str, Any]) -> tuple[Any, ...]:
    given = raw.get("examples")
    several = given if isinstance(given, list) else []
    return tuple(value for value in (raw.get("example"), raw.get("default"), *several) if value is not None)


def _limits(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: raw[name] for name in (*_LOWER, *_UPPER) if _is_number(raw.get(name))}
    for name, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if raw.get(name) is True and bound in found:
            found[name] = found.pop(bound)
    for name in ("pattern", "format"):
        if isinstance(raw.get(name), str):
            found[name] = (raw[name],)
    if _is_number(raw.get("multipleOf")):
        found["multipleOf"] = (raw["multipleOf"],)
    found |= {name: True for name in ("uniqueItems", "x-strip") if raw.get(name) is True}
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _both(schemas: Schemas, ones: Sequence[Branch], others: Sequence[Branch]) -> list[Branch]:
    """The alternatives of values that fit one of each; those that no value fits are left out."""
    if list(ones) == [ANYTHING]:
        return list(others)
    merged = [_merged(schemas, one, other) for one in ones for other in others]
    return [branch for branch in merged if branch.types and branch.enum != ()]


def _merged(schemas: Schemas, one: Branch, other: Branch) -> Branch:
    if one is ANYTHING or other is ANYTHING:
        return other if one is ANYTHING else one
    properties = {
        name: _property(schemas, one.properties.get(name), other.properties.get(name))
        for name in (*one.properties, *(name for name in other.properties if name not in one.properties))
    }
    for branch in (one, other):
        if branch.additional is False:
            properties = {name: shape for name, shape in properties.items() if name in branch.properties}
    return Branch(
        _common_types(one.types, other.types),
        _tighter(one.limits, other.limits),
        _common(one.enum, other.enum),
        properties,
        one.required | other.required,
        _stricter(schemas, one.additional, other.additional),
        _joined(schemas, one.items, other.items),
        (*one.samples, *other.samples),
    )


def _common_types(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    # Integers are numbers: of numbers and integers, the integers are common.
    mixed = ("integer" in one and "number" in other) or ("number" in one and "integer" in other)
    return one & other | (frozenset({"integer"}) if mixed else frozenset())


def _property(schemas: Schemas, one: Shape | None, other: Shape | None) -> Shape:
    joined = _joined(schemas, one, other)
    assert joined is not None
    return joined


def _joined(schemas: Schemas, one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None or one is other:
        return one or other
    return schemas.all_of([*one.pointers, *other.pointers])


def _stricter(schemas: Schemas, one: Shape | bool, other: Shape | bool) -> Shape | bool:
    if one is False or other is False:
        return False
    if one is True or other is True:
        return other if one is True else one
    return schemas.all_of([*one.pointers, *other.pointers])


def _common(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(value for value in one if any(same(value, kept) for kept in other))


def _tighter(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    found = {**one, **other}
    for name in one.keys() & other.keys():
        if name in _LOWER:
            found[name] = max(one[name], other[name])
        elif name in _UPPER:
            found[name] = min(one[name], other[name])
        elif isinstance(one[name], tuple):
            found[name] = tuple(dict.fromkeys((*one[name], *other[name])))
    return found


def type_of(value: Any) -> str:
    """The type of JSON of a value; 2.0 is an integer."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: true is not 1."""
    return type_of(one) == type_of(other) and bool(one == other)
