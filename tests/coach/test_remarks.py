"""The coach finds the one mistake of each client, and nothing in a client without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mockserver.app import Mock
from mockserver.coach import RULES, remarks
from mockserver.domain import calendar_service
from mockserver.server import RunningServer, running
from mockserver.settings import Settings
from tests.coach.clients import MISTAKES, GoodClient
from tests.coach.season import PAGE, Season, TickingClock, live, receiving
from tests.conftest import NOW

Begin = Callable[[type[GoodClient]], Season]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[RunningServer, TickingClock]]:
    clock = TickingClock(NOW)
    with pytest.MonkeyPatch.context() as patch, running(mock=Mock(Settings(), clock=clock)) as server:
        patch.setattr(calendar_service, "EVENTS_A_PAGE", PAGE)
        yield server, clock


@pytest.fixture
def begin(served: tuple[RunningServer, TickingClock]) -> Iterator[Begin]:
    with receiving() as inbox:
        yield lambda kind: Season(*served, inbox, kind)


def test_a_client_without_a_mistake_gets_no_remark(begin: Begin) -> None:
    season = begin(GoodClient)
    assert not remarks(live(season))


@pytest.mark.parametrize("rule", MISTAKES)
def test_each_mistake_gets_exactly_its_remark(begin: Begin, rule: str) -> None:
    entries = live(begin(MISTAKES[rule]))
    found = remarks(entries)
    assert [one.rule for one in found] == [rule], "\n".join(map(str, found))
    numbers = {entry["id"] for entry in entries}
    assert set(found[0].exchanges) <= numbers


def test_every_rule_has_a_client_that_breaks_it() -> None:
    assert MISTAKES.keys() == RULES.keys()
