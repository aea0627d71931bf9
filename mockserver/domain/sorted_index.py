"""A sorted collection with cheap copies: chunks that copies share until one of them changes a chunk."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")
Key = Any
"""What items are ordered by: tuples of one shape. A shorter tuple sorts before every tuple that it begins."""

_LOAD = 256
_FEW = 8
"""Over how many chunks counting is still quick."""


class SortedIndex(Generic[T]):
    """Items in the order of `key(item)`, which must be unique; chunks are replaced, never changed in place.

    Adding and removing cost O(chunk), `copy()` costs O(items / chunk) and shares every chunk.
    """

    __slots__ = ("_chunks", "_heads", "_key", "_length")

    def __init__(self, key: Callable[[T], Key], items: Iterable[T] = ()) -> None:
        self._fill(key, sorted(items, key=key))

    @classmethod
    def of_sorted(cls, key: Callable[[T], Key], items: Sequence[T]) -> SortedIndex[T]:
        """An index of items that are in the order of `key` already; nothing is made for each of them."""
        made: SortedIndex[T] = cls.__new__(cls)
        made._fill(key, items)
        return made

    def _fill(self, key: Callable[[T], Key], ordered: Sequence[T]) -> None:
        self._key = key
        self._length = len(ordered)
        self._chunks = [list(ordered[at : at + _LOAD]) for at in range(0, len(ordered), _LOAD)]
        self._heads = [key(chunk[0]) for chunk in self._chunks]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        for chunk in self._chunks:
            yield from chunk

    def copy(self) -> Self:
        """An index with the same items; neither sees what happens to the other."""
        copied = type(self).__new__(type(self))
        copied._key, copied._length = self._key, self._length
        copied._chunks, copied._heads = self._chunks.copy(), self._heads.copy()
        return copied

    def of(self, items: Iterable[T]) -> SortedIndex[T]:
        """An index of these items in the same order."""
        return SortedIndex(self._key, items)

    def add(self, item: T) -> None:
        """Puts the item in its place; its key must be new."""
        key = self._key(item)
        self._length += 1
        if not self._chunks:
            self._chunks.append([item])
            self._heads.append(key)
            return
        at = max(bisect_right(self._heads, key) - 1, 0)
        old = self._chunks[at]
        cut = bisect_left(old, key, key=self._key)
        new = [*old[:cut], item, *old[cut:]]
        if len(new) > 2 * _LOAD:
            self._chunks[at : at + 1] = [new[:_LOAD], new[_LOAD:]]
            self._heads[at : at + 1] = [self._key(new[0]), self._key(new[_LOAD])]
        else:
            self._chunks[at] = new
            if not cut:
                self._heads[at] = key

    def remove(self, item: T) -> None:
        """Takes the item with this item's key out.

        Raises KeyError when there is none.
        """
        key = self._key(item)
        at = bisect_right(self._heads, key) - 1
        old = self._chunks[at] if at >= 0 else []
        cut = bisect_left(old, key, key=self._key)
        if cut == len(old) or self._key(old[cut]) != key:
            raise KeyError(key)
        self._length -= 1
        new = [*old[:cut], *old[cut + 1 :]]
        if new:
            self._chunks[at] = new
            if not cut:
                self._heads[at] = self._key(new[0])
        else:
            del self._chunks[at], self._heads[at]

    def up(self, start: Key | None = None, stop: Key | None = None) -> Iterator[T]:
        """The items with start <= key < stop, smallest first; None leaves an end open."""
        return chain.from_iterable(self._chunks_up(start, stop))

    def down(self, stop: Key | None = None, start: Key | None = None) -> Iterator[T]:
        """The items with start <= key < stop, largest first; None leaves an end open."""
        return chain.from_iterable(map(reversed, self._chunks_down(stop, start)))

    def count(self, start: Key | None = None, stop: Key | None = None) -> int:
        """How many items have start <= key < stop; None leaves an end open."""
        first, begin = self._seek(start) if start is not None else (0, 0)
        last, end = self._seek(stop) if stop is not None else (len(self._chunks), 0)
        return max(sum(map(len, self._chunks[first:last])) + end - begin, 0) if first <= last else 0

    def estimate(self, start: Key | None = None, stop: Key | None = None) -> int:
        """About how many items `count` would find: exact where they are few, and quick however many they are."""
        first = self._seek(start)[0] if start is not None else 0
        last = self._seek(stop)[0] if stop is not None else len(self._chunks)
        if last - first < _FEW:
            return self.count(start, stop)
        return (last - first) * self._length // len(self._chunks)

    def _chunks_up(self, start: Key | None, stop: Key | None) -> Iterator[list[T]]:
        """The items of `up`, many at a time."""
        at, cut = self._seek(start) if start is not None else (0, 0)
        last, end = self._seek(stop) if stop is not None else (len(self._chunks), 0)
        for number in range(at, min(last + 1, len(self._chunks))):
            chunk = self._chunks[number]
            if number == last:
                chunk = chunk[:end]
            yield chunk[cut:] if cut else chunk
            cut = 0

    def _chunks_down(self, stop: Key | None, start: Key | None) -> Iterator[list[T]]:
        """The items of `down`, many at a time, the last chunk first."""
        at, cut = self._seek(stop) if stop is not None else (len(self._chunks), 0)
        first, begin = self._seek(start) if start is not None else (0, 0)
        for number in range(min(at, len(self._chunks) - 1), first - 1, -1):
            chunk = self._chunks[number]
            if number == at:
                chunk = chunk[:cut]
            yield chunk[begin:] if number == first and begin else chunk

    def _seek(self, key: Key) -> tuple[int, int]:
        """Chunk number and place within it of the first item whose key is not below `key`."""
        at = bisect_left(self._heads, key)
        if at:
            cut = bisect_left(self._chunks[at - 1], key, key=self._key)
            if cut < len(self._chunks[at - 1]):
                return at - 1, cut
        return at, 0
