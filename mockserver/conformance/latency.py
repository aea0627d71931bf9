"""The rule on time: no operation keeps its callers waiting as a rule."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from mockserver.conformance.answers import Verdict
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import facts_of, prompt

_SLOW, _SLOW_ELSEWHERE = 1.0, 5.0
"""Seconds; a shared staging server is busy at times."""
_ENOUGH = 10


class Patience:
    """How long the operations of one run took."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, deque[Exchange]] = defaultdict(lambda: deque(maxlen=_ENOUGH))

    def judge(self, operation: str, exchange: Exchange, *, live: bool) -> Iterator[Verdict]:
        """The test of one answer, once there are enough of its operation."""
        if not operation or not 200 <= exchange.status < 300:
            return
        taken = self._taken[operation]
        taken.append(exchange)
        if len(taken) < _ENOUGH:
            return
        expectation = prompt(taken, _SLOW_ELSEWHERE if live else _SLOW)
        yield Verdict("response-time", broken(expectation, facts_of(taken)), expectation, exchanges=tuple(taken))
