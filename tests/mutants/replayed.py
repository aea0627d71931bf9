"""Takes the steps of each mutant's finding again: on the mutant, on it in other words, and on the unchanged mock.

python -m tests.mutants.replayed [ID or area]...
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from mockserver.api.request import App
from mockserver.conformance import check
from mockserver.conformance.targets import AsgiTarget
from mockserver.conformance.transport import Keys
from tests.clients import ACME, GLOBEX
from tests.conformance.twisting import OTHER_WORDS, Player
from tests.mutants.table import DISABLED, chosen, mutants, new_mock

WANTED = ("shows", "shows", "gone")


class Replayed(NamedTuple):
    """What came of one mutant."""

    mutant: str
    rule: str
    """"" where nothing was found."""
    verdicts: tuple[str, ...]
    """On the mutant, on the mutant with its refusals in other wrong words, and on the unchanged mock."""


def replayed(name: str) -> Replayed:
    """Judges a mutant until its first finding, and takes that finding's steps again."""
    recipe = recipe_of(name)
    if recipe is None:
        return Replayed(name, "", ())
    verdicts = []
    for app, twist in (
        (mutants()[name].apply(new_mock()), None),
        (mutants()[name].apply(new_mock()), OTHER_WORDS),
        (new_mock().asgi, None),
    ):
        with _player(app, recipe) as player:
            verdicts.append(player.replay(twist))
    gc.collect()
    return Replayed(name, recipe["rule"], tuple(verdicts))


def verdict_on(name: str, recipe: dict[str, Any]) -> str:
    """What a finding's steps show on a mutant."""
    with _player(mutants()[name].apply(new_mock()), recipe) as player:
        return player.replay()


def recipe_of(name: str) -> dict[str, Any] | None:
    """The first finding of a mutant; one that does not show alone is given the requests that it needs."""
    recipe = _first(name)
    if recipe is None or recipe["part"] == "races":
        return recipe
    return recipe if verdict_on(name, recipe) == "shows" else _first(name, only=(recipe["rule"],)) or recipe


def _first(name: str, only: tuple[str, ...] = ()) -> dict[str, Any] | None:
    report = check(
        mutants()[name].apply(new_mock()),
        key=ACME,
        other_key=GLOBEX,
        disabled_key=DISABLED,
        time_budget=None,
        seed=1,
        only=only,
        first_only=not only,
    )
    recipes = [report.recipes[finding.identity] for finding in report.findings]
    written: list[dict[str, Any]] = json.loads(json.dumps(recipes))
    return written[0] if written else None


@contextmanager
def _player(app: App, recipe: dict[str, Any]) -> Iterator[Player]:
    with AsgiTarget(app, Keys(ACME, GLOBEX, DISABLED)) as target:
        target.timeout = 1.0
        yield Player(target, recipe, parallel=True)


def main() -> int:
    """Takes the findings of the mutants that were asked for again; 1 if one is not as it should be."""
    names = chosen(sys.argv[1:])
    wrong = 0
    with ProcessPoolExecutor(2) as pool:
        for found in pool.map(replayed, names):
            right = not found.rule or found.verdicts == WANTED
            wrong += not right
            print(f"{found.mutant:44} {found.rule or 'NOT FOUND'}: {', '.join(found.verdicts)}", flush=True)
    print(f"{len(names) - wrong} of {len(names)} as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
