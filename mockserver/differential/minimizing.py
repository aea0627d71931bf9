"""Makes a sequence of requests that shows a difference shorter: fewer requests, parameters, headers and fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from mockserver.differential.comparing import Cause, cause_of
from mockserver.differential.result import Played
from mockserver.differential.steps import Step

_TRIES = 60
"""How often parts are left out to find those that are needed."""
_Play: TypeAlias = Callable[[Sequence[Step]], Played]


class _End(Exception):
    """There is no part with this number."""


def shortest(steps: list[Step], cause: Cause, play: _Play) -> Played | None:
    """The sequence without what the difference does not need; `play` sends a sequence to both sides.

    None if the difference does not show again.
    """
    best = _shown(steps, cause, play)
    tries = _TRIES
    for way in (_without_step, _without_parameter, _without_header, _without_field) if best is not None else ():
        number = 0
        while tries > 0:
            assert best is not None
            try:
                simpler = way([pair.step for pair in best.pairs], number)
            except _End:
                break
            shorter = None
            if simpler is not None:
                tries -= 1
                shorter = _shown(simpler, cause, play)
            # What was left out has made room: the next part now has the same number.
            best, number = (shorter, number) if shorter is not None else (best, number + 1)
    return best


def _shown(steps: Sequence[Step], cause: Cause, play: _Play) -> Played | None:
    played = play(steps)
    if played.difference is None or cause_of(played.pairs[-1].step, played.difference) != cause:
        return None
    return played


def _without_step(steps: list[Step], number: int) -> list[Step] | None:
    """Without a request, counted from the last, which shows the difference and stays."""
    place = len(steps) - 2 - number
    if place < 0:
        raise _End
    return [*steps[:place], *steps[place + 1 :]]


def _without_parameter(steps: list[Step], number: int) -> list[Step] | None:
    """Without a parameter of the last request."""
    plain, mark, query = steps[-1].path.partition("?")
    pairs = query.split("&")
    if not mark or number >= len(pairs):
        raise _End
    kept = "&".join(pairs[:number] + pairs[number + 1 :])
    return [*steps[:-1], steps[-1]._replace(path=f"{plain}?{kept}" if kept else plain)]


def _without_header(steps: list[Step], number: int) -> list[Step] | None:
    """Without a header of the last request; None for the one that says what its body is."""
    headers = steps[-1].headers
    if number >= len(headers):
        raise _End
    if headers[number][0] == "Content-Type":
        return None
    return [*steps[:-1], steps[-1]._replace(headers=headers[:number] + headers[number + 1 :])]


def _without_field(steps: list[Step], number: int) -> list[Step] | None:
    """Without a field of the last request's body; None for the one that may have the mark of the run."""
    fields = _fields(steps[-1])
    if number >= len(fields):
        raise _End
    if list(fields)[number] == "client_id":
        return None
    kept = {name: value for place, (name, value) in enumerate(fields.items()) if place != number}
    return [*steps[:-1], steps[-1]._replace(body=json.dumps(kept).encode())]


def _fields(step: Step) -> dict[str, Any]:
    try:
        found = json.loads(step.body or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
