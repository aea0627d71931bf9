"""Turns what was found in schemas and operations into differences, named in the same way whoever finds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from mockserver.drift.difference import Difference, Differences, Source
from mockserver.drift.document import Pointer
from mockserver.drift.fit import ANY, ITEM, Path, Problem
from mockserver.drift.har import Recorded
from mockserver.drift.shapes import Shape
from mockserver.drift.wording import place, shown, statement

_ORDER: Final[tuple[Source, ...]] = ("published", "contract")


class Pair(NamedTuple):
    """The same thing in both documents, where they have it."""

    label: str
    """What it is called where no component names it."""
    shapes: Mapping[Source, Shape]
    operation: str

    @property
    def naming(self) -> Shape:
        """The shape that gives the names: of the published document where there is one."""
        return next(self.shapes[source] for source in _ORDER if source in self.shapes)


class Recorder:
    """Adds differences."""

    def __init__(self, differences: Differences) -> None:
        self.differences = differences

    def problem(
        self,
        direction: str,
        problem: Problem,
        pair: Pair,
        wrong: Source,
        *,
        exchange: Recorded | None = None,
        value: Any = None,
        is_open: bool = False,
    ) -> None:
        """A way in which a schema is wrong; `direction` is response, request or accepted.

        `value` is what the exchange has in the place to which the problem's path leads; `is_open` says that the
        contract only says less.
        """
        kind, path = _folded(direction, problem, pair, wrong)
        at = place(pair.naming, path, pair.label)
        found = self.differences.add(f"{direction}-{kind}", at.where, pair.operation, is_open=is_open)
        found.wrong.add(wrong)
        for source, shape in pair.shapes.items():
            own = place(shape, path, pair.label)
            found.says.setdefault(source, statement(kind, own, path[-1] if path else ""))
            found.places.setdefault(source, own.pointer)
        if exchange is not None:
            self.seen(found, exchange, _observed(kind, problem.path, value))

    def plain(
        self,
        kind: str,
        where: str,
        operation: str,
        wrong: Source,
        says: Mapping[Source, tuple[str, Pointer]],
        *,
        detail: str = "",
        exchange: Recorded | None = None,
        observed: str = "",
    ) -> None:
        """A difference that is in no schema; `says` has the words and the place of each document."""
        found = self.differences.add(kind, where, operation, detail=detail)
        found.wrong.add(wrong)
        for source, (text, pointer) in says.items():
            found.says.setdefault(source, text)
            found.places.setdefault(source, pointer)
        if exchange is not None:
            self.seen(found, exchange, observed)

    @staticmethod
    def seen(difference: Difference, exchange: Recorded, text: str) -> None:
        """Counts an exchange that shows a difference; the first one is shown."""
        seen = difference.seen
        if seen.last == exchange.number:
            return
        if not seen.times:
            seen.text, seen.request, seen.entry = text, exchange.line, exchange.number
        seen.times += 1
        seen.last = exchange.number


def _folded(direction: str, problem: Problem, pair: Pair, wrong: Source) -> tuple[str, Path]:
    """The kind and place under which a problem is counted, so that one cause is one difference."""
    published, limiting = pair.shapes.get("published"), pair.shapes.get("contract" if direction == "request" else wrong)
    if direction == "request" and published is not None:
        open_at = _unlimited_at(published, problem.path)
        if open_at is not None:
            return "type", open_at
    if problem.kind == "pattern" and direction != "response" and limiting is not None:
        # The pattern says more exactly what the format says.
        shape = place(limiting, problem.path, "").shape
        if shape is not None and any("format" in branch.limits for branch in shape.branches):
            return "format", problem.path
    return _of_unknown_field(direction, problem, pair, wrong)


def _unlimited_at(shape: Shape, path: Path) -> Path | None:
    """The first part of a path where a document gives no limits at all: all that the service refuses is below it."""
    for length in range(len(path) + 1):
        found = place(shape, path[:length], "").shape
        if found is None:
            return None
        if found.is_unlimited:
            return path[:length]
    return None


def _of_unknown_field(direction: str, problem: Problem, pair: Pair, wrong: Source) -> tuple[str, Path]:
    """An unknown field of a request is one difference of its object, whatever the field is called."""
    kind, path = problem
    if kind != "unexpected" or direction == "response":
        return kind, path
    listing = [shape for source, shape in pair.shapes.items() if direction == "request" or source != wrong]
    if any(place(shape, path, "").shape is not None for shape in listing):
        return kind, path
    return "closed", path[:-1]


def _observed(kind: str, path: Path, value: Any) -> str:
    name = next((step for step in reversed(path) if step not in (ITEM, ANY)), "")
    if kind == "required":
        return "missing"
    if kind == "closed":
        return f"the field {path[-1]}" if path else "another field"
    return shown(value, name)
