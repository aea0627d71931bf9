"""Sends drawn sequences to both sides and collects the differences by their cause."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from mockserver.differential.bindings import Bindings
from mockserver.differential.comparing import Cause, Comparison, Difference, cause_of
from mockserver.differential.inventory import Inventory, take
from mockserver.differential.minimizing import shortest
from mockserver.differential.reads import Reads
from mockserver.differential.result import Found, Pair, Played, Result, curl_script, recording_of
from mockserver.differential.sides import Forbidden, NotComparable, Place, Side, both
from mockserver.differential.steps import Answer, Step, at
from mockserver.differential.writes import Writes

MOST = 20
"""After so many differences with different causes a run stops, unless it is told another number."""
_SILENT = 5
"""So many requests in a row without a response end a run."""
_READS = (2, 6)
"""How many draws a reading sequence has."""


class Options(NamedTuple):
    """What a run does."""

    steps: int = 1_000
    """How many requests it sends to each side."""
    seed: int = 1
    """The same seed draws the same requests for projects with the same data."""
    write: bool = False
    """Whether it creates, changes and deletes calendars of its own on both sides."""
    shapes: bool = False
    """Whether the projects have different data: of that, only the names of members are compared."""
    rate: float | None = None
    """The most requests per second to each side."""
    most: int = MOST
    """After so many differences with different causes it stops."""
    timeout: float = 10.0
    """Seconds for one request, from the connection to the last byte of the response."""


def run(
    a: Place, b: Place, options: Options | None = None, progress: Callable[[Result], object] | None = None
) -> Result:
    """Sends the same requests to both and compares the responses.

    Raises NotComparable when one of them cannot be compared. Whatever the run created is deleted in any case.
    """
    options = options or Options()
    result = Result(options.seed, options.write)
    problem: NotComparable | None = None
    with both(a, b, write=options.write, rate=options.rate, timeout=options.timeout) as sides:
        try:
            _Run(sides, take(*sides, shapes=options.shapes), result, options).go(progress)
        except KeyboardInterrupt:
            result.interrupted = True
        except NotComparable as reason:
            problem = reason
        finally:
            result.left = [line for side in sides for line in side.clean_up()]
    if problem is not None:
        left = f"; not deleted, use attendee-mock cleanup: {'; '.join(result.left)}" if result.left else ""
        raise NotComparable(f"{problem}{left}")
    return result


class _Run:
    """A run over two sides that are open."""

    def __init__(self, sides: tuple[Side, Side], inventory: Inventory, result: Result, options: Options) -> None:
        self._sides, self._inventory, self._result, self._options = sides, inventory, result, options
        self._silent = 0

    def go(self, progress: Callable[[Result], object] | None) -> None:
        """Draws and plays sequences until so many requests are sent, or there are too many differences."""
        steps = self._options.steps
        result = self._result
        while result.steps < steps and len(result.found) < self._options.most:
            result.sequences += 1
            drawn = self.drawn(result.sequences)[: steps - result.steps]
            played = self._play(drawn)
            result.steps += len(played.pairs)
            if played.difference is not None:
                self._note(played, played.difference)
            if progress is not None:
                progress(result)

    def drawn(self, number: int) -> list[Step]:
        """The steps of a sequence: always the same for a seed, a number and an inventory."""
        random = Random(f"{self._result.seed}/{number}")
        if self._options.write and random.random() < 0.5:
            return Writes(random, self._inventory).draw()
        reads = Reads(random, self._inventory)
        return [step for _ in range(random.randint(*_READS)) for step in reads.draw()]

    def _note(self, played: Played, difference: Difference) -> None:
        cause = cause_of(played.pairs[-1].step, difference)
        for found in self._result.found:
            if found.cause == cause:
                found.times += 1
                return
        shorter = shortest([pair.step for pair in played.pairs], cause, self._play)
        self._result.found.append(self._found(shorter or played, cause, again=shorter is not None))

    def _found(self, played: Played, cause: Cause, *, again: bool) -> Found:
        """The difference with everything that reports need, without secrets."""
        a, b = self._sides
        assert played.difference is not None
        number = len(self._result.found) + 1
        found = Found(cause, "", "", "", {}, self._result.sequences, len(played.pairs), again=again)
        recording = recording_of(f"difference-{number}", found.title, played)
        found.a, found.b = a.mask(played.difference.a), b.mask(played.difference.b)
        found.curl = a.mask(b.mask(curl_script(played)))
        found.recording = json.loads(a.mask(b.mask(json.dumps(recording))))
        return found

    def _play(self, steps: Sequence[Step]) -> Played:
        """Sends steps to both sides up to the first that is answered differently, and deletes what they created."""
        player = _Player(self._sides, self._inventory, shapes=self._options.shapes)
        pairs: list[Pair] = []
        try:
            for step in steps:
                pair = player.send(step)
                if pair is None:
                    self._result.skipped += 1
                    continue
                pairs.append(pair)
                self._watch(pair)
                found = player.comparison.differences(step, pair.a, pair.b)
                if found:
                    return Played(pairs, found[0], player.values)
            return Played(pairs, None, player.values)
        finally:
            player.delete_rest()

    def _watch(self, pair: Pair) -> None:
        """Ends the run when a side has stopped to respond."""
        self._silent = self._silent + 1 if 0 in (pair.a.status, pair.b.status) else 0
        if self._silent >= _SILENT:
            side, answer = ("A", pair.a) if pair.a.status == 0 else ("B", pair.b)
            raise NotComparable(f"{side} no longer responds: {answer.failure}")


class _Player:
    """Sends the steps of one sequence to both sides."""

    def __init__(self, sides: tuple[Side, Side], inventory: Inventory, *, shapes: bool) -> None:
        self._sides = sides
        self.values = (
            {**sides[0].keys, **inventory.values[0]},
            {**sides[1].keys, **inventory.values[1]},
        )
        runs, hosts = (sides[0].run, sides[1].run), (sides[0].host, sides[1].host)
        self.comparison = Comparison(Bindings(runs, hosts, inventory.ids), shapes=shapes)
        self._alive: tuple[set[str], set[str]] = (set(), set())

    def send(self, step: Step) -> Pair | None:
        """The responses of both; None for a request that cannot or must not be sent to both."""
        for name in step.needs:
            if name.startswith("tag") and name not in self.values[0]:
                for side, values in zip(self._sides, self.values, strict=True):
                    values[name] = side.tag()
        try:
            filled = [step.filled(values) for values in self.values]
            answers = [side.send(one) for side, one in zip(self._sides, filled, strict=True)]
        except (KeyError, Forbidden):
            return None
        for answer, values in zip(answers, self.values, strict=True):
            for name, pointer in step.captures:
                value = at(answer.json, pointer)
                if isinstance(value, str):
                    values[name] = value
        self._keep_book(filled, answers)
        return Pair(step, *answers)

    def delete_rest(self) -> None:
        """Deletes what the sequence created and did not delete, so that the next one finds the projects as before."""
        for side, alive in zip(self._sides, self._alive, strict=True):
            for name in sorted(alive & side.made):
                side.send(Step("DELETE", f"/api/v1/calendars/{name}"))

    def _keep_book(self, filled: list[Step], answers: list[Answer]) -> None:
        for step, answer, alive in zip(filled, answers, self._alive, strict=True):
            if step.method == "POST" and 200 <= answer.status < 300:
                made = at(answer.json, "/id")
                if isinstance(made, str):
                    alive.add(made)
            elif step.method == "DELETE" and step.key:
                alive.discard(step.path.rpartition("/")[2])
        self.comparison.written |= self._alive[0]
