"""Whether the target still answers: one that does not, three times in a row, ends the run, and no rule is blamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mockserver.conformance.exchange import Exchange

PROBES: Final = ("/api/v1/calendars", "/api/v1/calendars/cal_0000000000000000")
"""Plain requests that every deployment answers."""
PATIENCE: Final = 5.0
"""Seconds for the answer to a probe."""
_ONCE_MORE: Final = 2.0
"""Seconds for the answer of a target that was found dead: nobody waits for it any more."""
_GATEWAY: Final = frozenset({0, 502, 503, 504})
"""No answer, or the answer of a gateway that gets none."""


class Liveness:
    """Asks for something plain whenever nothing came back, and remembers a target that answers nothing at all."""

    def __init__(self, probe: Callable[[str, float], int]) -> None:
        """`probe` requests a path, waits at most as many seconds, and gives the status, 0 for no answer."""
        self._probe = probe
        self._answered = False
        self.died = ""
        """What happened, in one sentence; empty while the target answers."""

    def note(self, exchange: Exchange) -> bool:
        """Takes an exchange into account. False: it and the plain requests after it all failed.

        A target that never answered has not stopped, so of the first requests whoever sends them makes what they want.
        """
        failed = exchange.status in _GATEWAY
        self._answered = self._answered or not failed
        if failed and self._answered and not any(0 < self._probe(path, PATIENCE) < 500 for path in PROBES):
            request = exchange.request
            why = exchange.failure or f"answered {exchange.status}"
            self.died = (
                f"the target stopped answering at request {exchange.number} "
                f"({request.method} {request.path[:100]!a}: {why}); {len(PROBES)} plain requests after it failed, too"
            )
        return not self.died

    def has_come_back(self) -> bool:
        """Whether a target that died answers now; then it has not died any more."""
        if 0 < self._probe(PROBES[0], _ONCE_MORE) < 500:
            self.died = ""
        return not self.died
