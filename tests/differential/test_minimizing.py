"""The requests behind a difference are made fewer, and the last one smaller."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from mockserver.differential.comparing import Difference, cause_of
from mockserver.differential.minimizing import shortest
from mockserver.differential.result import Pair, Played
from mockserver.differential.steps import Answer, Step

DIFFERENCE = Difference("/a", "only on A", "1", "null")
ANSWER = Answer(200, {}, b"{}")
FIELDS = {"client_id": "x", "platform": "google", "metadata": {"a": "b"}, "refresh_token": "y"}
LAST = Step("POST", "/x?a=1&b=2&c=3", (("Content-Type", "a/b"), ("Accept", "c/d")), json.dumps(FIELDS).encode())
BEFORE = [Step("GET", f"/{number}") for number in range(5)]
CAUSE = cause_of(LAST, DIFFERENCE)


def player(needed: Callable[[list[Step]], bool], sent: list[int] | None = None) -> Callable[[Sequence[Step]], Played]:
    """Two sides that differ in the last response if the requests are such."""

    def play(steps: Sequence[Step]) -> Played:
        if sent is not None:
            sent.append(len(steps))
        found = DIFFERENCE if needed(list(steps)) else None
        return Played([Pair(step, ANSWER, ANSWER) for step in steps], found, ({}, {}))

    return play


def paths(played: Played | None) -> list[str]:
    assert played is not None
    return [pair.step.path for pair in played.pairs]


def test_requests_that_are_not_needed_are_left_out() -> None:
    play = player(lambda steps: BEFORE[1] in steps)
    assert paths(shortest([*BEFORE, LAST], CAUSE, play))[:-1] == ["/1"]
    assert paths(shortest([*BEFORE, LAST], CAUSE, player(lambda steps: True)))[:-1] == []


def test_parameters_headers_and_fields_that_are_not_needed_are_left_out() -> None:
    def needed(steps: list[Step]) -> bool:
        return "b=2" in steps[-1].path and b"metadata" in (steps[-1].body or b"")

    found = shortest([LAST], CAUSE, player(needed))
    assert found is not None
    last = found.pairs[-1].step
    assert last.path == "/x?b=2"
    assert last.headers == (("Content-Type", "a/b"),)
    assert json.loads(last.body or b"") == {"client_id": "x", "metadata": {"a": "b"}}


def test_a_difference_that_does_not_show_again_is_none() -> None:
    assert shortest([*BEFORE, LAST], CAUSE, player(lambda steps: False)) is None


def test_a_difference_with_another_cause_is_another_one() -> None:
    assert shortest([LAST], (CAUSE[0], "/b", "only on A"), player(lambda steps: True)) is None


def test_the_number_of_tries_is_bounded() -> None:
    sent: list[int] = []
    shortest(
        [Step("GET", f"/{number}") for number in range(200)] + [LAST],
        CAUSE,
        player(lambda steps: len(steps) == 201, sent),
    )
    assert len(sent) <= 61
