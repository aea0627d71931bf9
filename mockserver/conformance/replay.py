"""Takes the steps of a finding again on a target and says whether the defect shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from mockserver.conformance.calendar_bodies import created_id
from mockserver.conformance.evaluation import replayed
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import answer_of
from mockserver.conformance.guard import path_of
from mockserver.conformance.player import RACING_TRIES, TRIES, Answer, Ended, Sent, Unplayable, play, spelt
from mockserver.conformance.recorder import Look, Watched
from mockserver.conformance.recording import FORMAT
from mockserver.conformance.rules import FORMER_IDS
from mockserver.conformance.run import Forbidden, Stopped, Target
from mockserver.conformance.runner import JudgeRun, Part, take

Verdict: TypeAlias = Literal["shows", "gone", "cannot be run"]
STATUSES: Mapping[Verdict, int] = {"gone": 0, "shows": 1, "cannot be run": 2}
_MOST_SECRETS = 20
_FORMATS = FORMAT.rpartition("/")[0]


class Replayed(NamedTuple):
    """What came of it; `told` says why."""

    verdict: Verdict
    told: str
    exchanges: Sequence[Exchange] = ()


class RecipeError(Exception):
    """The file is no finding."""


def read_recipes(path: Path) -> list[dict[str, Any]]:
    """The findings of a file: one of them, or a whole JSON report. Raises RecipeError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise RecipeError(f"{path}: not JSON: {error}") from error
    if isinstance(document, dict) and "findings" in document:
        found = [*document["findings"], *document.get("known", [])]
        recipes = [finding["recipe"] for finding in found if finding.get("recipe")]
    elif isinstance(document, dict) and str(document.get("format")).startswith(_FORMATS):
        recipes = [document]
    else:
        raise RecipeError(f"{path}: neither a finding ({FORMAT}) nor a JSON report")
    if any(recipe.get("format") != FORMAT for recipe in recipes):
        raise RecipeError(f"{path}: written by another version of attendee-mock; run `attendee-mock check` again")
    return recipes


class Replayer:
    """Replays on one target."""

    def __init__(
        self,
        target: Target,
        contract: Mapping[str, Any],
        parts: Mapping[str, Part],
        *,
        look: Look,
        keys: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        """`look` holds an exchange against the rules on all answers; `keys` are those that must be in no answer."""
        self._target, self._contract, self._parts = target, contract, parts
        self._look, self._keys, self._clock = look, keys, clock

    def replay(self, recipe: Mapping[str, Any]) -> Replayed:
        """Takes the steps, again if the defect does not show at once."""
        raced = recipe["part"] == "races" or any("together" in step for step in recipe["steps"])
        races = raced and self._target.parallel
        tries = RACING_TRIES if races else TRIES
        last = Replayed("gone", "the answers are right")
        try:
            for _ in range(tries):
                last = self._race(recipe) if races else self._once(recipe)
                if last.verdict != "gone":
                    break
        except Ended as reason:
            return Replayed("gone", str(reason))
        except (Stopped, Forbidden, Unplayable) as reason:
            return Replayed("cannot be run", str(reason))
        return last

    def _once(self, recipe: Mapping[str, Any]) -> Replayed:
        run = JudgeRun(self._target, self._contract, seed=0, clock=self._clock)
        watched = Watched(self._target, run, self._look, lambda: None)
        run.target = watched
        exchanges: list[Exchange] = []
        made: list[tuple[str, Any]] = []

        def send(sent: Sent) -> Answer:
            if sent.method in ("RAW", "CUT"):
                return answer_of(self._target.send_bytes(sent.body or b"", cut=sent.method == "CUT"))
            exchange = watched.send(sent.method, sent.path, body=sent.body, headers=sent.headers, key=_key(sent))
            exchanges.append(exchange)
            calendar_id = created_id(exchange)
            if calendar_id is not None:
                made.append((calendar_id, _key(sent)))
            return answer_of(exchange)

        values = self._values()
        try:
            answers = play(recipe["steps"], values, send, partial(self._together, send))
        finally:
            for calendar_id, key in made:
                with suppress(Forbidden):  # an id that was there before is none that these steps made
                    self._target.send("DELETE", path_of(calendar_id), key=key)
        seen = replayed(recipe["expectation"], answers, values)
        if not seen:
            return Replayed("gone", "the answers are right", exchanges)
        return Replayed("shows", f"expected {recipe['expected']}; was {seen}", exchanges)

    def _looked(self, run: JudgeRun, rule: str, operation: str) -> list[str]:
        """What the rule itself says of the new answers."""
        return [
            f"expected {finding.expected}; was {finding.actual}"
            for finding in run.findings.broken.values()
            if (finding.rule, finding.operation) == (rule, operation)
        ]

    def _race(self, recipe: Mapping[str, Any]) -> Replayed:
        """A race has many right ends: what judges it is the check that ran it."""
        races = self._parts["races"]
        rule = FORMER_IDS.get(recipe["rule"], recipe["rule"])
        run = JudgeRun(self._target, self._contract, seed=0, clock=self._clock)
        run.target = Watched(self._target, run, self._look, lambda: None)
        # A rule on every answer may be broken in any of them.
        take(run, races, [check for check in races.CHECKS if rule in check.rules])
        told = self._looked(run, rule, recipe["operation"])
        return Replayed("shows" if told else "gone", "; ".join(told) or "the races end as they should")

    def _together(self, send: Callable[[Sent], Answer], batch: list[Sent]) -> list[Answer]:
        if not self._target.parallel:
            return [send(sent) for sent in batch]
        calls = [
            partial(self._target.send, sent.method, sent.path, body=sent.body, headers=sent.headers, key=_key(sent))
            for sent in batch
        ]
        return [answer_of(exchange) for exchange in self._target.together(calls)]

    def _values(self) -> dict[str, str]:
        mark = getattr(self._target, "run_id", "") or self._target.tag()
        values = spelt(self._keys)
        values |= {"run": mark, "RUN": mark.upper()}
        host = getattr(self._target, "host", None)
        values |= {} if host is None else {"host": host}
        kinds = ("client_secret", "refresh_token")
        return values | {
            f"secret_{number}": self._target.secret(kinds[(number - 1) % 2]) for number in range(1, _MOST_SECRETS)
        }


def _key(sent: Sent) -> Any:
    return sent.key if sent.key in ("main", "other", "disabled") else None
