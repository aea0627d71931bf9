"""What a run may use: time, requests, requests a second, and the patience of a service that is failing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.run import Stopped

FAILING = 5
"""So many requests in a row that end in 5xx or not at all, on different operations, end a run on a live service."""


class Budget:
    """Counts what a run uses. Raises Stopped, with the reason, when it is used up."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        seconds: float = math.inf,
        requests: int | None = None,
        rate: float | None = None,
        patient: bool = True,
    ) -> None:
        """`rate` is in requests a second; a `patient` run goes on although every answer is a server error."""
        self._clock, self._sleep = clock, sleep
        self._end = clock() + seconds
        self._requests = math.inf if requests is None else requests
        self._gap = 0.0 if rate is None else 1 / rate
        self._next = 0.0
        self._patient = patient
        self._failing: list[str] = []
        self._lock = threading.Lock()
        self.used = 0

    def take(self) -> None:
        """Before a request; waits where the rate wants it.

        Raises Stopped.
        """
        with self._lock:
            now = self._clock()
            if now >= self._end:
                raise Stopped("the time was used up")
            if self.used >= self._requests:
                raise Stopped(f"all {self.used} requests were used up")
            if len(self._failing) >= FAILING and len(set(self._failing)) > 1 and not self._patient:
                raise Stopped(
                    f"the service is failing: {len(self._failing)} requests in a row ended in an error of its own"
                )
            self.used += 1
            wait = max(self._next - now, 0.0) if self._gap else 0.0
            self._next = max(self._next, now) + self._gap
        if wait:
            self._sleep(wait)

    def look(self, exchange: Exchange, operation: str) -> None:
        """After a request."""
        with self._lock:
            if exchange.status == 0 or exchange.status >= 500:
                self._failing.append(operation)
            else:
                self._failing.clear()

    def hold(self, seconds: float) -> None:
        """Waits as long as a 429 wants.

        Raises Stopped when that is longer than what is left.
        """
        if self._clock() + seconds >= self._end:
            raise Stopped(f"the service wants {seconds:.0f} s without requests, which is longer than what is left")
        self._sleep(seconds)
