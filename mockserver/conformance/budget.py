"""How much a run may ask of its target: time, requests, rate, and when it has to stop by itself."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from mockserver.conformance.run import Stopped

_UNSAID = 5
"""Seconds to wait after a 429 that does not say how long."""
_LONGEST_WAIT = 120.0
POSTS = 2400
"""How many POSTs a run sends in a minute: the service lets a project make 3,000, and others use it too."""
_MINUTE = 60.0


class Budget:
    """Lets requests through one after the other until something is used up; then it raises Stopped."""

    def __init__(
        self,
        *,
        seconds: float | None = None,
        requests: int | None = None,
        rate: float | None = None,
        failures: int | None = 3,
        patient: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`failures`: so many failing operations in a row end the run; None, or a `patient` run: never."""
        self.used = 0
        self._requests, self._rate = requests, rate
        self._failures = None if patient else failures
        self._clock, self._sleep = clock, sleep
        self._end = math.inf if seconds is None else clock() + seconds
        self._next = -math.inf
        self._waits: dict[str, float] = {}
        self._posts: deque[float] = deque(maxlen=POSTS)
        self._failing: set[str] = set()
        self._stopped = ""
        self._lock = threading.Lock()

    def admit(self, method: str) -> None:
        """Waits until a request may be sent. Raises Stopped if none may be sent any more."""
        with self._lock:
            now = self._clock()
            self._stop_if_used_up(now)
            wanted = max(now, self._next, self._waits.get(_kind(method), -math.inf))
            start = max(wanted, self._next_post()) if _kind(method) == "POST" else wanted
            if start > now and (start >= self._end or start - now > _LONGEST_WAIT):
                self._stop(_why(start - now, ours=start > wanted))
            if _kind(method) == "POST":
                self._posts.append(start)
            self.used += 1
            if self._rate:
                self._next = start + 1 / self._rate
        if start > now:
            self._sleep(start - now)

    def note(self, method: str, operation: str, status: int, headers: Mapping[str, str]) -> bool:
        """Takes an answer into account. False: operations failed in a row, and `give_up` is due unless it is alive."""
        with self._lock:
            if status == 429:
                self._waits[_kind(method)] = self._clock() + _seconds(headers.get("retry-after", ""))
            if 0 < status < 500:
                self._failing.clear()
                return True
            self._failing.add(operation)
            return self._failures is None or len(self._failing) < self._failures

    def give_up(self, *, alive: bool) -> None:
        """Ends the run with the next request, unless the target answered something plain after all."""
        with self._lock:
            if not alive and not self._stopped:
                self._stopped = f"{len(self._failing)} operations in a row failed, and so did plain requests"
            self._failing.clear()

    def extend(self, seconds: float) -> None:
        """Moves the end of the time box: time that was spent on loading is not charged to it."""
        self._end += seconds

    def stop(self, reason: str) -> None:
        """Ends the run with the next request."""
        self._stopped = self._stopped or reason

    def left(self) -> float:
        """Seconds until the end of the time box."""
        return self._end - self._clock()

    def held(self) -> float:
        """Seconds that a POST would have to wait for those of the last minute."""
        return max(0.0, self._next_post() - self._clock())

    def _next_post(self) -> float:
        """When another POST keeps the run below its share of the service's limit."""
        return self._posts[0] + _MINUTE if len(self._posts) == POSTS else -math.inf

    def _stop_if_used_up(self, now: float) -> None:
        if self._stopped:
            raise Stopped(self._stopped)
        if now >= self._end:
            self._stop("the time budget ran out (raise --time-budget)")
        if self._requests is not None and self.used >= self._requests:
            self._stop(f"all {self._requests} requests were sent (raise --max-requests)")

    def _stop(self, reason: str) -> None:
        self._stopped = reason
        raise Stopped(reason)


def _why(seconds: float, *, ours: bool) -> str:
    if ours:
        return f"a run sends at most {POSTS} POSTs a minute, and the time budget ends first (raise --time-budget)"
    return (
        f"the target asks for a pause of {math.ceil(seconds)} s, and the time budget ends earlier (raise --time-budget)"
    )


def _kind(method: str) -> str:
    """POSTs are counted apart: when they are used up, reading still works."""
    return "POST" if method.upper() == "POST" else "other"


def _seconds(text: str) -> int:
    return min(int(text), 3600) if text.isascii() and text.isdigit() and len(text) < 9 else _UNSAID
