"""Tables: a shared base and the changes made since."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockserver.domain.cow_table import Table

NAMES = st.sampled_from("abcdef")


class TableMachine(RuleBasedStateMachine):
    """Puts, drops and copies; a copy and its original go their own ways, and the base is never written."""

    @initialize(base=st.dictionaries(NAMES, st.integers()))
    def start(self, base: dict[str, int]) -> None:
        self.base, self.before = base, dict(base)
        self.table, self.model = Table(base), dict(base)
        self.kept: list[tuple[Table[int], dict[str, int]]] = []

    @rule(name=NAMES, value=st.integers())
    def put(self, name: str, value: int) -> None:
        self.table.put(name, value)
        self.model[name] = value

    @rule(name=NAMES)
    def drop(self, name: str) -> None:
        if name in self.model:
            self.table.drop(name)
            del self.model[name]
        else:
            with pytest.raises(KeyError):
                self.table.drop(name)

    @rule()
    def copy(self) -> None:
        self.kept.append((self.table, dict(self.model)))
        self.table = self.table.copy()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert self.base == self.before
        for table, model in [*self.kept, (self.table, self.model)]:
            assert sorted(table) == sorted(model.values())
            assert len(table) == len(model)
            assert {name: table.get(name) for name in "abcdef" if name in table} == model


TestTableMachine: Any = TableMachine.TestCase


def test_several_are_picked_in_the_order_asked_for_and_those_that_are_gone_are_left_out() -> None:
    table = Table({"a": (1,), "b": (2,), "c": (3,)})
    assert table.pick(["c", "x", "a"]) == [(3,), (1,)]
    table.put("d", (4,))
    table.drop("a")
    table.drop("d")
    table.put("c", (5,))
    assert table.pick(["a", "c", "d", "b"]) == [(5,), (2,)]
