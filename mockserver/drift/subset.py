"""Finds values that one shape allows and another does not, and says in which ways.

Of texts and numbers, a difference is only claimed with a value that shows it: it is drawn from the limits of both
shapes, fits the first and does not fit the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from mockserver.drift.fit import ANY, ITEM, Path, Problem, problems
from mockserver.drift.shapes import Branch, Shape, type_of

Allowed: TypeAlias = Callable[[Any], bool]

_LONGEST: Final = 20_000
_DEEPEST: Final = 80
"""How many shapes may be within each other; what is deeper is not compared."""
_MOST_PROBLEMS: Final = 500
"""The problems of one pair of shapes that are kept."""
_TEXTS: Final = (
    *("", " ", "a", "abc", "0", "12", "-1", "true", "a b", "a/b", "A-b_c.d", "ä", "a\0b"),
    *("2025-01-13T10:30:00Z", "2025-01-13T10:30:00.123456Z", "2025-01-13T10:30:00+01:00", "2025-01-13"),
    *("http://example.com/a?b=c", "ann@example.com", "0b8f0c3a-9a41-4f3e-8a5e-3c1d0f2b6e7d"),
)
_NUMBERS: Final = (0, 1, -1, 2, 10, 100, 0.5, -0.5, 1_000_000)
_SIZES: Final = (
    ("array", "minItems", "maxItems", "count"),
    ("object", "minProperties", "maxProperties", "count"),
    ("object", "", "x-max-json-length", "length"),
)


def anything(value: Any) -> bool:
    """Every value may be drawn."""
    return True


def outside(one: Shape, other: Shape, allowed: Allowed = anything) -> list[Problem]:
    """How values that fit `one` fail to fit `other`, each way and place once.

    `allowed` says which texts and numbers can be sent at all.
    """
    return list(dict.fromkeys(_Search(allowed).shapes(one, other, ())))


class _Search:
    """One comparison; each pair of shapes is compared once, also where documents refer to each other in circles."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._open: set[tuple[int, int]] = set()
        self._done: dict[tuple[int, int], tuple[Problem, ...]] = {}
        """What was found of each pair, with paths from there."""

    def shapes(self, one: Shape, other: Shape, path: Path) -> list[Problem]:
        """The problems of a pair, at this path."""
        one, other = one.canonical, other.canonical
        pair = id(one), id(other)
        if one is other or pair in self._open or len(self._open) >= _DEEPEST:
            return []
        if pair in self._done and one.name and other.name:
            # Its problems are named after the component, whatever leads to it.
            return []
        if pair not in self._done:
            self._open.add(pair)
            found = dict.fromkeys(problem for branch in one.branches for problem in self._branch(branch, other, ()))
            self._done[pair] = tuple(found)[:_MOST_PROBLEMS]
            self._open.discard(pair)
        return [Problem(problem.kind, (*path, *problem.path)) for problem in self._done[pair]]

    def _branch(self, branch: Branch, other: Shape, path: Path) -> Iterator[Problem]:
        for kind in sorted(branch.types - ({"integer"} if "number" in branch.types else set())):
            same_type = [one for one in other.branches if kind in one.types or (kind == "integer" and _numeric(one))]
            if not same_type:
                yield from self._of_another_type(branch, kind, path)
            elif kind == "object":
                yield from _nearest(self._objects(branch, one, path) for one in same_type)
            elif kind == "array":
                yield from _nearest(self._arrays(branch, one, path) for one in same_type)
            elif kind != "null":
                yield from self._scalars(branch, other, kind, path)

    def _of_another_type(self, branch: Branch, kind: str, path: Path) -> Iterator[Problem]:
        if kind == "null":
            # An enum without null allows none, whatever the type says.
            if branch.enum is None or None in branch.enum:
                yield Problem("null", path)
        elif kind in ("array", "object") or any(self._drawn(branch, (), kind)):
            yield Problem("type", path)

    def _scalars(self, branch: Branch, other: Shape, kind: str, path: Path) -> Iterator[Problem]:
        for value in self._drawn(branch, other.branches, kind):
            for problem in problems(other, value):
                yield Problem(problem.kind, path)

    def _drawn(self, branch: Branch, others: Sequence[Branch], kind: str) -> Iterator[Any]:
        """Values of a type that fit the branch."""
        alone = _Alone(branch)
        for value in _candidates((branch, *others), kind):
            is_of_type = type_of(value) == kind or (kind == "number" and type_of(value) == "integer")
            if is_of_type and self._allowed(value) and not problems(alone, value):  # type: ignore[arg-type]
                yield value

    def _objects(self, one: Branch, other: Branch, path: Path) -> list[Problem]:
        found = [Problem("required", (*path, name)) for name in sorted(other.required - one.required)]
        for name, shape in one.properties.items():
            known = other.properties.get(name)
            if known is not None:
                found += self.shapes(shape, known, (*path, name))
            elif other.additional is False:
                found.append(Problem("unexpected", (*path, name)))
            elif isinstance(other.additional, Shape):
                found += self.shapes(shape, other.additional, (*path, name))
        return [*found, *self._additional(one, other, path), *_sizes(one, other, "object", path)]

    def _additional(self, one: Branch, other: Branch, path: Path) -> list[Problem]:
        if one.additional is False or other.additional is True:
            return []
        if not isinstance(other.additional, Shape):
            return [Problem("closed", path)]
        if not isinstance(one.additional, Shape):
            return [Problem("type", (*path, ANY))] if _is_limited(other.additional) else []
        return self.shapes(one.additional, other.additional, (*path, ANY))

    def _arrays(self, one: Branch, other: Branch, path: Path) -> list[Problem]:
        found = _sizes(one, other, "array", path)
        if other.items is None or one.limits.get("maxItems") == 0:
            return found
        if one.items is None:
            return [*found, Problem("type", (*path, ITEM))] if _is_limited(other.items) else found
        return [*found, *self.shapes(one.items, other.items, (*path, ITEM))]


class _Alone:
    """One alternative as a shape of its own."""

    def __init__(self, branch: Branch) -> None:
        self.branches = (branch,)


def _numeric(branch: Branch) -> bool:
    return "number" in branch.types


def _is_limited(shape: Shape) -> bool:
    """Whether a shape does not allow every type."""
    return not frozenset({"null", "string", "object", "array"}) <= frozenset().union(
        *(branch.types for branch in shape.branches)
    )


def _nearest(found: Iterator[list[Problem]]) -> list[Problem]:
    """The problems with the alternative that has the fewest."""
    return min(found, key=len)


def _sizes(one: Branch, other: Branch, kind: str, path: Path) -> list[Problem]:
    """The sizes that one allows and the other does not."""
    found = []
    for of, least, most, problem in _SIZES:
        if of != kind:
            continue
        lowest = max(one.limits.get(least, 0), len(one.required) if kind == "object" else 0)
        too_small = lowest < other.limits.get(least, 0)
        if too_small or _unlimited(one, most) > _unlimited(other, most):
            found.append(Problem(problem, path))
    return found


def _unlimited(branch: Branch, keyword: str) -> float:
    return float(branch.limits.get(keyword, "inf"))


def _candidates(branches: Sequence[Branch], kind: str) -> Iterator[Any]:
    """Values at the limits of the branches, and usual ones."""
    for branch in branches:
        yield from branch.enum or ()
        yield from branch.samples
    if kind == "boolean":
        yield from (True, False)
    elif kind == "string":
        yield from _TEXTS
        yield from ("x" * length for length in _around(branches, "minLength", "maxLength") if 0 <= length <= _LONGEST)
    else:
        yield from _NUMBERS
        yield from _around(branches, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def _around(branches: Sequence[Branch], *keywords: str) -> list[int]:
    bounds = {int(branch.limits[keyword]) for branch in branches for keyword in keywords if keyword in branch.limits}
    return sorted({bound + step for bound in bounds for step in (-1, 0, 1)})
