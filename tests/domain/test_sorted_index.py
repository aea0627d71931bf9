"""Sorted indexes against plain sorted lists."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockserver.domain import sorted_index as module
from mockserver.domain.sorted_index import SortedIndex

Item = tuple[int, int]


def identity(item: Item) -> Item:
    return item


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOAD", 3)
    monkeypatch.setattr(module, "_FEW", 2)


class IndexMachine(RuleBasedStateMachine):
    """Adds, removes and copies; a copy and its original go their own ways."""

    @initialize(items=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
    def start(self, items: set[Item]) -> None:
        self.index, self.model = SortedIndex(identity, items), sorted(items)
        self.kept: list[tuple[SortedIndex[Item], list[Item]]] = []

    @rule(item=st.tuples(st.integers(0, 9), st.integers(0, 9)))
    def add_or_remove(self, item: Item) -> None:
        if item in self.model:
            self.index.remove(item)
            self.model.remove(item)
        else:
            self.index.add(item)
            self.model = sorted([*self.model, item])

    @rule()
    def copy(self) -> None:
        self.kept.append((self.index, list(self.model)))
        self.index = self.index.copy()

    @rule(low=st.integers(-1, 10), high=st.integers(-1, 10))
    def ask_for_a_range(self, low: int, high: int) -> None:
        start, stop = (low,), (high,)
        wanted = [item for item in self.model if start <= item < stop]
        assert list(self.index.up(start, stop)) == wanted
        assert list(self.index.down(stop, start)) == wanted[::-1]
        assert self.index.count(start, stop) == len(wanted)
        assert abs(self.index.estimate(start, stop) - len(wanted)) <= 2 * module._LOAD * module._FEW
        assert list(self.index.up(start)) == self.model[bisect_left(self.model, start) :]
        assert list(self.index.down(stop)) == self.model[: bisect_left(self.model, stop)][::-1]

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert list(self.index) == self.model == list(self.index.up()) == list(self.index.down())[::-1]
        assert len(self.index) == len(self.model) == self.index.count()
        for index, model in self.kept:
            assert list(index) == model


TestIndexMachine: Any = IndexMachine.TestCase


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_an_index_of_other_items_keeps_the_order(items: set[Item]) -> None:
    assert list(SortedIndex(identity).of(items)) == sorted(items)


def test_removing_what_is_not_there_is_an_error() -> None:
    index = SortedIndex(identity, [(1, 1), (3, 3)])
    for missing in ((0, 0), (2, 2), (4, 4)):
        with pytest.raises(KeyError):
            index.remove(missing)
    with pytest.raises(KeyError):
        SortedIndex(identity).remove((1, 1))
