"""Several checks under way at once: one of them runs at a time, and the requests that they wait for go out together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.guard import SAFE
from mockserver.conformance.run import Forbidden, Stopped, Target
from mockserver.conformance.transport import AT_ONCE

Jobs: TypeAlias = Callable[[], Callable[[], object] | None]
"""Gives the next job; None where there is none now, and none at all if no other is under way."""
_LANES = 2 * AT_ONCE
"""So many jobs, at most, are under way with those that wait to change something."""


class SideBySide:
    """A target for several checks at once; for what does not run in `run` it is the target itself.

    Nothing runs at the same moment but the target: checks share what they know without locks, and come to the same
    outcome with every run.
    """

    def __init__(self, target: Target, spoilt: Callable[[Exchange, Sequence[Exchange]], object]) -> None:
        """`spoilt` is called with what a request gets only beside others, a server error or nothing, and with all."""
        self.target = target
        self.writes, self.other_key = target.writes, target.other_key
        self.disabled_key, self.parallel = target.disabled_key, target.parallel
        self._spoilt = spoilt
        self._here = _Here()
        self._apart = False
        """Whether the checks that are under way look at nothing that others of them change."""

    def send(self, method: str, path: str, **given: Any) -> Exchange:
        """Sends a request, with those of the other checks; what may change something waits until they are done."""
        call = partial(self.target.send, method, path, **given)
        exchange: Exchange = self._asked(call, reads=self._apart or method.upper() in SAFE)
        return exchange

    def send_bytes(self, data: bytes, *, cut: bool = False) -> Exchange:
        """Sends bytes that are no request, when no other check is under way."""
        exchange: Exchange = self._asked(partial(self.target.send_bytes, data, cut=cut), reads=False)
        return exchange

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Starts the calls at one moment, when no other check is under way."""
        exchanges: list[Exchange] = self._asked(partial(self.target.together, requests), reads=False)
        return exchanges

    def tag(self) -> str:
        """A fresh text that marks what the run makes."""
        return self.target.tag()

    def secret(self, kind: str) -> str:
        """A fresh secret."""
        return self.target.secret(kind)

    @property
    def beside(self) -> bool:
        """Whether the last answer of the check that asks came beside others, which may have had to wait."""
        return self._here.lane is not None and self._here.lane.beside

    def run(self, jobs: Jobs, *, apart: bool = False) -> None:
        """Runs jobs to their end, so many at once; `apart`: also while they change something.

        Raises what the first that fails raises, and ends the others.
        """
        lanes: list[_Lane] = []
        self._apart = apart
        with ThreadPoolExecutor(_LANES) as pool:
            try:
                while self._filled(lanes, jobs, pool):
                    reading = [lane for lane in lanes if lane.reads]
                    # Whoever changes something runs on alone: others would see lists change while they read them.
                    due = reading or lanes[:1]
                    for lane, outcome in zip(due, self._answers(due), strict=True):
                        lane.go_on(outcome)
                        if lane.over:
                            lanes.remove(lane)
                            lane.finish()
            finally:
                for lane in lanes:
                    lane.end()

    def _filled(self, lanes: list[_Lane], jobs: Jobs, pool: ThreadPoolExecutor) -> bool:
        """Begins jobs as far as there is room, and says whether any is under way."""
        while sum(lane.reads for lane in lanes) < AT_ONCE and len(lanes) < _LANES:
            if (job := jobs()) is None:
                break
            lane = _Lane()
            lanes.append(lane)
            lane.begin(pool, job, self._here)
            if lane.over:
                lanes.remove(lane)
                lane.finish()
        return bool(lanes)

    def _asked(self, call: Callable[[], Any], *, reads: bool) -> Any:
        lane = self._here.lane
        return call() if lane is None else lane.ask(call, reads=reads)

    def _answers(self, lanes: Sequence[_Lane]) -> list[Any]:
        together = len(lanes) > 1 and getattr(self.target, "at_once", AT_ONCE) > 1
        for lane in lanes:
            lane.beside = together
        if not together:
            return [_outcome(lane.call) for lane in lanes]
        calls = [partial(_outcome, lane.call) for lane in lanes]
        outcomes: list[Any] = list(getattr(self.target, "beside", self.target.together)(calls))
        # Which of them comes first is chance; their numbers are in the order of the checks.
        numbers = iter(sorted(one.number for one in outcomes if isinstance(one, Exchange)))
        outcomes = [replace(one, number=next(numbers)) if isinstance(one, Exchange) else one for one in outcomes]
        wave = [one for one in outcomes if isinstance(one, Exchange)]
        return [self._alone(lane, one, wave) for lane, one in zip(lanes, outcomes, strict=True)]

    def _alone(self, lane: _Lane, outcome: Any, wave: Sequence[Exchange]) -> Any:
        """What fails is asked again alone, for another request may be to blame; not a DELETE, which works only once."""
        if not isinstance(outcome, Exchange) or 0 < outcome.status < 500 or outcome.request.method == "DELETE":
            return outcome
        again, lane.beside = _outcome(lane.call), False
        if isinstance(again, Exchange) and 0 < again.status < 500:
            self._spoilt(outcome, wave)
        return again

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)


def _outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or what it raises that a check has to know of."""
    try:
        return call()
    except (Stopped, Forbidden) as reason:
        return reason


class _Lane:
    """A job in a thread of its own, which goes on only while the thread that began it waits."""

    def __init__(self) -> None:
        self.call: Callable[[], Any] = _nothing
        """What it waits for."""
        self.reads = True
        """Whether that changes nothing."""
        self.over = False
        self.beside = False
        """Whether its last request was under way with others."""
        self._outcome: Any = None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._ended = False
        self._done: Future[object] = Future()

    def begin(self, pool: ThreadPoolExecutor, job: Callable[[], object], here: _Here) -> None:
        """Runs the job until it asks for something, or to its end."""
        self._done = pool.submit(self._work, job, here)
        self._back.acquire()

    def ask(self, call: Callable[[], Any], *, reads: bool) -> Any:
        """In its own thread: the outcome of the call, which another thread makes. Raises what that gives it."""
        if not self._ended:
            self.call, self.reads = call, reads
            self._back.release()
            self._go.acquire()
        outcome, self._outcome, self.reads = self._outcome, None, True
        if self._ended:
            raise Stopped("another check has ended the run")
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def go_on(self, outcome: Any) -> None:
        """Gives it what it waits for, and waits until it asks again or is over."""
        self._outcome = outcome
        self._go.release()
        self._back.acquire()

    def finish(self) -> None:
        """Raises what the job has raised."""
        self._done.result()

    def end(self) -> None:
        """Refuses whatever the job asks for; nobody waits for it here, for Ctrl-C may have come at any place."""
        self._ended = True
        self._go.release()

    def _work(self, job: Callable[[], object], here: _Here) -> None:
        here.lane = self
        try:
            job()
        finally:
            here.lane = None
            self.over = True
            self._back.release()


class _Here(threading.local):
    """What is known of a thread."""

    lane: _Lane | None = None


def _nothing() -> None:
    pass
