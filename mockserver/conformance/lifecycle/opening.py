"""Every step once, in an order written down: what is wrong in a simple way shows here, within few requests."""

from __future__ import annotations

from contextlib import suppress

from mockserver.conformance.lifecycle import keys, listing, writing
from mockserver.conformance.lifecycle.shapes import BAD_CHANGES, BAD_CREATES, CHANGES, CREATES, READ_ONLY
from mockserver.conformance.lifecycle.stage import Stage, Throttled


def play(stage: Stage) -> None:
    """Plays the opening and takes everything down again."""
    for act in (_one, _keys, _many, _bad):
        if stage.run.share() <= 0:
            break
        with suppress(Throttled):
            act(stage)
        stage.clear()


def _one(stage: Stage) -> None:
    """One calendar's life, and a second one beside it."""
    writing.create(stage, 2)
    listing.listed(stage)
    listing.found_by_key(stage, 0)
    writing.create(stage, 7)
    for shape in (1, 2, 0, 3, 0):
        writing.change(stage, 0, shape)
    listing.listed(stage)
    listing.found_by_key(stage, 0)
    for what in (0, 1):
        keys.stranger(stage, 0, what)
    writing.delete(stage, 0)
    listing.listed(stage)


def _keys(stage: Stage) -> None:
    """Keys: taken, spelt otherwise, in another project, freed."""
    writing.create(stage, 3)
    for padding in (0, 1, 3):
        keys.duplicate(stage, 0, padding)
    for how in range(7):
        keys.spelling(stage, 0, how)
    keys.same_key_elsewhere(stage, 0)
    listing.walk_while_inserting(stage)
    listing.walk_while_deleting(stage)
    writing.delete(stage, 0)


def _many(stage: Stage) -> None:
    """All shapes of calendars and of changes."""
    for shape in range(len(CREATES)):
        writing.create(stage, shape)
    for shape in range(len(CHANGES)):
        writing.change(stage, shape, shape)
    listing.listed(stage)


def _bad(stage: Stage) -> None:
    """All that is refused."""
    writing.create(stage, 8)
    for kind in range(len(BAD_CREATES)):
        writing.refused_create(stage, kind)
    for kind in range(len(BAD_CHANGES)):
        writing.refused_change(stage, 0, kind)
    for kind in range(len(READ_ONLY)):
        writing.read_only(stage, 0, kind)
    listing.listed(stage)
