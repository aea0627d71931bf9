"""Takes the steps of every finding once more when the run is over: one that does not show gets the steps it lacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.findings import Finding
from mockserver.conformance.replay import Replayer

Identity: TypeAlias = tuple[str, str, str]
Recipe: TypeAlias = dict[str, Any]
_WRITES: Final = ("POST", "PATCH", "DELETE")
_BY_CHANCE: Final = ("response-time", "answer-arrives", "still-answers")
"""Rules about what may come and go by itself."""
_TRIES: Final = 48
"""How often steps are taken to find out which of them are needed."""


class Confirmed(NamedTuple):
    """What came of it."""

    recipes: dict[Identity, Recipe]
    once: list[Identity]
    """Findings that do not show by themselves, where others do: they follow from those."""


def confirmed(
    findings: Sequence[Finding], recipe_of: Callable[[Finding], Recipe], replayer: Replayer, *, seconds: float
) -> Confirmed:
    """Recipes that show what was found, as far as that can be seen in so many seconds."""
    end = time.monotonic() + seconds
    recipes: dict[Identity, Recipe] = {}
    once: list[Identity] = []
    shown = False
    for finding in findings:
        recipe = recipes[finding.identity] = recipe_of(finding)
        if finding.rule in _BY_CHANCE or recipe["part"] == "races" or any("together" in one for one in recipe["steps"]):
            shown = True
        elif time.monotonic() < end and not _shows(replayer, recipe):
            longer = _Lengthened(finding, recipe_of, replayer, end).find()
            if longer is not None:
                recipes[finding.identity] = longer
            elif finding.exchanges[-1].status == 429:
                recipes[finding.identity] = recipe_of(with_alike(finding))
            elif time.monotonic() < end:
                once.append(finding.identity)
                continue
        shown = True
    return Confirmed(recipes, once if shown else [])


def with_alike(finding: Finding) -> Finding:
    """The finding with all earlier requests of its kind: what counts requests shows it only when started anew."""
    last = finding.exchanges[-1]
    kind = last.request.method, last.request.path.partition("?")[0]
    alike = [one for one in finding.history if (one.request.method, one.request.path.partition("?")[0]) == kind]
    steps = {one.number: one for one in (*alike, *finding.exchanges) if one.number < last.number}
    return replace(finding, exchanges=(*(steps[number] for number in sorted(steps)), last))


def _shows(replayer: Replayer, recipe: Recipe) -> bool:
    return replayer.replay(recipe).verdict == "shows"


class _Lengthened:
    """The search for the earlier requests that a finding needs."""

    def __init__(
        self, finding: Finding, recipe_of: Callable[[Finding], Recipe], replayer: Replayer, end: float
    ) -> None:
        self._finding, self._recipe_of, self._replayer, self._end = finding, recipe_of, replayer, end
        self._left = _TRIES

    def find(self) -> Recipe | None:
        """The recipe with as few of the earlier requests as were found to be needed."""
        recipe = self._read_before()
        if recipe is not None:
            return recipe
        for history in self._histories():
            recipe = self._tried(history)
            if recipe is not None:
                return self._shortened(history, recipe)
        return None

    def _read_before(self) -> Recipe | None:
        """The recipe in which what is read last is read before the last change, too: a service may have kept that."""
        *before, last = self._finding.exchanges
        if last.request.method != "GET" or not before or before[-1].request.method not in _WRITES:
            return None
        again = replace(last, number=-last.number, body=b"")
        recipe = self._recipe_of(replace(self._finding, exchanges=(*before[:-1], again, before[-1], last)))
        return recipe if _shows(self._replayer, recipe) else None

    def _histories(self) -> Iterator[list[Exchange]]:
        there = {exchange.number for exchange in self._finding.exchanges}
        earlier = [exchange for exchange in self._finding.history if exchange.number not in there]
        names = {exchange.request.path.partition("?")[0] for exchange in self._finding.exchanges}
        own = [exchange for exchange in earlier if exchange.request.path in names]
        changes = [exchange for exchange in own if exchange.request.method in _WRITES]
        writes = [exchange for exchange in earlier if exchange.request.method in _WRITES]
        told: list[list[Exchange]] = []
        for history in (changes[-6:], own[-12:], writes[-25:], earlier[-40:], writes, earlier):
            if history and history not in told:
                told.append(history)
                yield history

    def _tried(self, history: Sequence[Exchange]) -> Recipe | None:
        """The recipe with these requests before or between its own, if that shows the defect."""
        if self._left <= 0 or time.monotonic() >= self._end:
            return None
        self._left -= 1
        *before, last = self._finding.exchanges
        steps = sorted([*history, *before], key=lambda exchange: exchange.number)
        recipe = self._recipe_of(replace(self._finding, exchanges=(*steps, last)))
        return recipe if _shows(self._replayer, recipe) else None

    def _shortened(self, history: Sequence[Exchange], recipe: Recipe) -> Recipe:
        """Leaves out halves, quarters and so on, each for as long as the defect shows all the same; then one by one."""
        size, start = (len(history) + 1) // 2, 0
        while size and history and self._left > 0:
            rest = [*history[:start], *history[start + size :]]
            shorter = self._tried(rest) if start < len(history) else None
            if shorter is not None:
                history, recipe = rest, shorter
            elif start + size < len(history):
                start += size
            else:
                size, start = (size + 1) // 2 if size > 1 else 0, 0
        return recipe
