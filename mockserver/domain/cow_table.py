"""A copy-on-write mapping: a shared base and the changes to it; copying costs as much as was changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Generic, TypeVar, cast

V = TypeVar("V")


class _Gone:
    """Stands in the changes for what was deleted."""


_GONE: Final = _Gone()


class Table(Generic[V]):
    """Records by name, as a base that is shared and never written plus the changes made since."""

    __slots__ = ("_base", "_changes", "_length")

    def __init__(self, base: Mapping[str, V]) -> None:
        self._base = base
        self._changes: dict[str, V | _Gone] = {}
        self._length = len(base)

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[V]:
        for name, value in self._base.items():
            if name not in self._changes:
                yield value
        for changed in self._changes.values():
            if not isinstance(changed, _Gone):
                yield changed

    def get(self, name: str) -> V | None:
        """The record of this name, or None."""
        changed = self._changes.get(name)
        if changed is None:
            return self._base.get(name)
        return None if changed is _GONE else cast("V", changed)

    def pick(self, names: Iterable[str]) -> list[V]:
        """The records of these names, in their order, without those that there are not; a record is never false."""
        if not self._changes:
            return list(filter(None, map(self._base.get, names)))
        changed, base = self._changes.get, self._base.get
        found = [changed(name) or base(name) for name in names]
        return [cast("V", record) for record in found if record is not None and record is not _GONE]

    def put(self, name: str, value: V) -> None:
        """Adds a record, or replaces the one of this name."""
        known = self._changes.get(name)
        if known is _GONE or (known is None and name not in self._base):
            self._length += 1
        self._changes[name] = value

    def drop(self, name: str) -> None:
        """Takes the record of this name out.

        Raises KeyError when there is none.
        """
        if name not in self:
            raise KeyError(name)
        self._length -= 1
        if name in self._base:
            self._changes[name] = _GONE
        else:
            del self._changes[name]

    def copy(self) -> Table[V]:
        """A table with the same records; neither sees what happens to the other. Costs as much as was changed."""
        copied: Table[V] = Table.__new__(Table)
        copied._base, copied._changes, copied._length = self._base, self._changes.copy(), self._length
        return copied
