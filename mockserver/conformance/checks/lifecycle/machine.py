"""Steps in an order that Hypothesis draws: indexes and shapes only, never what the service made."""

from __future__ import annotations

import math
from contextlib import suppress
from functools import partial
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from mockserver.conformance.checks import check, the_run
from mockserver.conformance.checks.lifecycle import keys, listing, writing
from mockserver.conformance.checks.lifecycle.opening import RULES
from mockserver.conformance.checks.lifecycle.stage import Broken, Stage, Throttled
from mockserver.conformance.run import Forbidden, Run, Stopped

_EXAMPLES, _STEPS = 6, 12
_LONG = 4
"""Sequences up to so many requests are as good as minimal."""
_SHRINKING = 1500
"""Steps for making one finding shorter."""
_POSTS = 1000
"""A project may POST 3000 times a minute, and the other parts of the judge want to as well."""
_NUMBERS = st.integers(0, 11)


class Play:
    """What all examples of one exploration share: how it ended, and how many more steps it may take."""

    def __init__(
        self, run: Run, *, posts: int = 0, stop_at: tuple[str, str, str] | None = None, steps: float = math.inf
    ) -> None:
        self.run = run
        self.stop_at = stop_at
        self.steps = steps
        self.over: Stopped | Forbidden | None = None
        self.posts = posts

    @property
    def goes_on(self) -> bool:
        """Whether further steps may be taken."""
        return self.over is None and self.posts < _POSTS and self.steps > 0 and self.run.share() > 0


class Journey(RuleBasedStateMachine):
    """Any order of the steps; the checks are in the steps."""

    def __init__(self, play: Play) -> None:
        super().__init__()
        self.play = play
        self.stage = Stage(play.run, stop_at=play.stop_at)

    def _do(self, step: Any, *drawn: int) -> None:
        if not self.play.goes_on:
            return
        self.play.steps -= 1
        try:
            step(self.stage, *drawn)
        except Throttled:
            self.play.posts = _POSTS
        except (Stopped, Forbidden) as end:
            # Hypothesis would take it for a failure of its own and try the same again.
            self.play.over = end

    @initialize(first=_NUMBERS, second=_NUMBERS)
    def begin(self, first: int, second: int) -> None:
        """Two calendars to begin with, one of them with a key."""
        self._do(writing.create, 1 + first % 5)
        self._do(writing.create, second)

    @rule(shape=_NUMBERS)
    def create(self, shape: int) -> None:
        """A good calendar."""
        self._do(writing.create, shape)

    @rule(number=_NUMBERS, shape=_NUMBERS)
    def change(self, number: int, shape: int) -> None:
        """A good change."""
        self._do(writing.change, number, shape)

    @rule(number=_NUMBERS, shape=_NUMBERS)
    def change_again(self, number: int, shape: int) -> None:
        """Two changes of one calendar in a row."""
        self._do(writing.change, number, shape)
        self._do(writing.change, number, shape + 1)

    @rule(number=_NUMBERS)
    def delete(self, number: int) -> None:
        """A calendar goes."""
        self._do(writing.delete, number)

    @rule(number=_NUMBERS, padding=_NUMBERS)
    def duplicate(self, number: int, padding: int) -> None:
        """A key that is taken."""
        self._do(keys.duplicate, number, padding)

    @rule(number=_NUMBERS, how=_NUMBERS)
    def spell(self, number: int, how: int) -> None:
        """A key that only looks taken."""
        self._do(keys.spelling, number, how)

    @rule(kind=_NUMBERS)
    def refused_create(self, kind: int) -> None:
        """A bad calendar."""
        self._do(writing.refused_create, kind)

    @rule(number=_NUMBERS, kind=_NUMBERS)
    def refused_change(self, number: int, kind: int) -> None:
        """A bad change."""
        self._do(writing.refused_change, number, kind)

    @rule(number=_NUMBERS, kind=_NUMBERS)
    def read_only(self, number: int, kind: int) -> None:
        """A change of what cannot be changed."""
        self._do(writing.read_only, number, kind)

    @precondition(lambda self: self.play.run.target.other_key)
    @rule(number=_NUMBERS, what=_NUMBERS)
    def stranger(self, number: int, what: int) -> None:
        """The other project's key."""
        self._do(keys.stranger, number, what)

    @rule(number=_NUMBERS)
    def listed(self, number: int) -> None:
        """The list, and one calendar by its key."""
        self._do(listing.listed)
        self._do(listing.found_by_key, number)

    @rule(inserting=st.booleans())
    def walk(self, inserting: bool) -> None:
        """A walk that is disturbed."""
        self._do(listing.walk_while_inserting if inserting else listing.walk_while_deleting)

    @rule(number=_NUMBERS)
    def stays(self, number: int) -> None:
        """Nothing is done, and nothing is different."""
        calendar = self.stage.pick(number)
        if calendar is not None:
            self._do(lambda stage: stage.as_written(calendar, "stays-as-written", "getCalendar"))

    def teardown(self) -> None:
        """Everything that was made goes, also when the time is up."""
        self.play.posts += self.stage.posts
        try:
            self.stage.clear()
        except Stopped as end:
            self.play.over = end


@check(*(rule.id for rule in RULES), context=the_run, cost=_STEPS, needs=("write",), draws=True)
def explored(run: Run) -> None:
    """Plays drawn sequences until POSTs or time are used up; shortens new, long findings where that is cheap."""
    short: set[tuple[str, str, str]] = set()
    posts = 0
    while posts < _POSTS and run.share() > 0:
        number = run.random.getrandbits(32)
        play = Play(run, posts=posts)
        _play(play, number, _phases(shrink=False))
        posts = max(play.posts, posts + 1)
        for identity in _long_findings(run) - short:
            short.add(identity)
            if not getattr(run.target, "live", False):
                play = Play(run, stop_at=identity, steps=_SHRINKING)
                _play(play, number, _phases(shrink=True))


def _phases(*, shrink: bool) -> tuple[Phase, ...]:
    return (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)


def _long_findings(run: Run) -> set[tuple[str, str, str]]:
    own = {rule.id for rule in RULES}
    broken = run.findings.broken
    return {name for name, found in broken.items() if name[0] in own and len(found.exchanges) > _LONG}


def _play(play: Play, number: int, phases: tuple[Phase, ...]) -> None:
    """One exploration with the seed given. Raises Stopped and Forbidden once everything made is taken down."""
    chosen = settings(
        max_examples=_EXAMPLES,
        stateful_step_count=_STEPS,
        derandomize=False,
        database=None,
        deadline=None,
        print_blob=False,
        verbosity=Verbosity.quiet,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    # What was found is recorded already; Flaky says that the steps for shortening it were used up.
    with suppress(Broken, Flaky):
        run_state_machine_as_test(seed(number)(partial(Journey, play)), settings=chosen)  # type: ignore[arg-type]
    if play.over is not None:
        raise play.over
