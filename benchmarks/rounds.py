"""Measuring by turns until the spread is known."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LEAST, MOST = 5, 7
STEADY = 0.05
"""Rounds end when half of the shares lie within so much of their median (and after MOST in any case)."""


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The median, and what lies outermost."""
        return cls(statistics.median(values), min(values), max(values))


def shares(rates: Mapping[str, Sequence[float]], one: str, other: str) -> list[float]:
    """What `one` reaches of `other`, round by round: both met the same machine in a round."""
    return [mine / theirs for mine, theirs in zip(rates[one], rates[other], strict=True)]


def is_steady(values: Sequence[float]) -> bool:
    """Whether the middle half of the values is narrow."""
    if len(values) < LEAST:
        return False
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low <= STEADY * median


def by_turns(
    measures: Mapping[str, Callable[[], float]],
    is_known: Callable[[Mapping[str, Sequence[float]]], bool],
    *,
    least: int = LEAST,
    most: int = MOST,
) -> dict[str, list[float]]:
    """Each measure once a round, every other round in reverse, so that none always comes after the same one."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(most):
        names = list(measures)
        for name in reversed(names) if number % 2 else names:
            found[name].append(measures[name]())
        if number + 1 >= least and is_known(found):
            break
    return found
