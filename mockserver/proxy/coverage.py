"""Which operations, statuses and response fields of the contract the traffic has shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.drift.fit import ITEM
from mockserver.drift.shapes import Shape
from mockserver.drift.surface import Operation, Surface

_DEEPEST = 12


class Coverage:
    """What was seen of the contract."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self.statuses: dict[str, set[int]] = {one.name: set() for one in surface.operations.values()}
        self.fields: dict[str, set[str]] = {one.name: set() for one in surface.operations.values()}
        self._known = {one.name: _of_operation(one) for one in surface.operations.values()}

    def add(self, method: str, path: str, status: int, body: Any) -> None:
        """Counts a response; `body` is its JSON, or None."""
        operation = self._surface.find("GET" if method == "HEAD" else method, path)
        if operation is None:
            return
        self.statuses[operation.name].add(status)
        response = operation.response(status)
        if response is not None and response.body.shape is not None and status < 400 and body is not None:
            self.fields[operation.name] |= set(_present(response.body.shape, body, ""))

    def operations(self) -> tuple[int, int]:
        """How many operations were seen, of how many."""
        return sum(bool(seen) for seen in self.statuses.values()), len(self.statuses)

    def documented(self) -> tuple[int, int]:
        """How many statuses of operations were seen, of how many that the contract has."""
        known = {(one.name, status) for one in self._surface.operations.values() for status in one.responses}
        seen = {(name, str(status)) for name, statuses in self.statuses.items() for status in statuses}
        return len(known & seen), len(known)

    def response_fields(self) -> tuple[int, int]:
        """How many fields of successful responses were seen, of how many; one counts for each operation."""
        seen = sum(len(self.fields[name] & known) for name, known in self._known.items())
        return seen, sum(map(len, self._known.values()))

    def unseen_operations(self) -> list[str]:
        """The operations that no request met."""
        return sorted(name for name, seen in self.statuses.items() if not seen)

    def unseen_fields(self) -> list[str]:
        """The fields that no successful response of an operation had, if there was such a response."""
        succeeded = {name for name, seen in self.statuses.items() if any(status < 300 for status in seen)}
        missing = (known - self.fields[name] for name, known in self._known.items() if name in succeeded)
        return sorted(set().union(*missing) - set().union(*self.fields.values()))


def _of_operation(operation: Operation) -> set[str]:
    found: set[str] = set()
    for status, response in operation.responses.items():
        if status.startswith("2") and response.body.shape is not None:
            found |= set(_listed(response.body.shape, "", 0))
    return found


def _listed(shape: Shape, where: str, depth: int) -> Iterator[str]:
    """The names of all fields that a shape lists; those of a component begin with its name."""
    where = shape.name or where
    if depth > _DEEPEST:
        return
    for branch in shape.branches:
        if branch.items is not None:
            yield from _listed(branch.items, where + ITEM, depth + 1)
        for name, inner in branch.properties.items():
            at = f"{where}.{name}".lstrip(".")
            yield at
            yield from _listed(inner, at, depth + 1)


def _present(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """The names of the listed fields that a value has, null or not."""
    where = shape.name or where
    for branch in shape.branches:
        if isinstance(value, list) and branch.items is not None:
            for item in value:
                yield from _present(branch.items, item, where + ITEM)
        elif isinstance(value, dict):
            for name in branch.properties.keys() & value.keys():
                at = f"{where}.{name}".lstrip(".")
                yield at
                yield from _present(branch.properties[name], value[name], at)
