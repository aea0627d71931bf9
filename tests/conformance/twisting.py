"""Answers turned wrong in many ways, and a player that takes the steps of a finding on a service that answers so."""

from __future__ import annotations

import json as jsons
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import pytest

from mockserver.conformance.calendar_bodies import created_id
from mockserver.conformance.checks import every_response
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import LAST, Expectation, answer_of
from mockserver.conformance.guard import path_of
from mockserver.conformance.listed import Facts
from mockserver.conformance.player import Answer
from mockserver.conformance.registry import PARTS
from mockserver.conformance.replay import Replayer
from mockserver.conformance.reports.pytest_file import pytest_file
from mockserver.conformance.run import Forbidden
from mockserver.conformance.targets import AsgiTarget
from mockserver.contracts import load_contract
from tests.clients import ACME, GLOBEX
from tests.mutants.table import DISABLED

CALENDARS = "/api/v1/calendars"
KEYS = {"main": ACME, "other": GLOBEX, "disabled": DISABLED}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
_STRANGERS = ("evt_stranger00000001", "evt_stranger00000002")


class Asked(NamedTuple):
    """What a twist may look at besides the answer: the path that was asked, what was sent, and the answers before."""

    path: str
    body: bytes | None
    earlier: Sequence[Answer]


Twist: TypeAlias = Callable[[Answer, Asked], Answer]


def _json(change: Callable[[Any, Asked], Any]) -> Twist:
    def twist(answer: Answer, asked: Asked) -> Answer:
        return answer._replace(body=jsons.dumps(change(answer.json, asked)).encode())

    return twist


def _texts(change: Callable[[str], str]) -> Twist:
    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(item) for item in value]
        if isinstance(value, dict):
            return {name: changed(item) for name, item in value.items()}
        return change(value) if isinstance(value, str) else value

    return _json(lambda body, _: changed(body))


def _words(number: int) -> Twist:
    return _texts(lambda text: f"wrong {number}")


def _times(text: str) -> Twist:
    return _texts(lambda old: text if _TIME.fullmatch(old) else old)


def _rows(change: Callable[[list[Any], Asked], list[Any]]) -> Twist:
    def changed(body: Any, asked: Asked) -> Any:
        if not isinstance(body, dict) or not isinstance(body.get("results"), list):
            return body
        return {**body, "results": change(body["results"], asked)}

    return _json(changed)


def _earlier(asked: Asked) -> list[Any]:
    """All that the answers before have shown, each thing once."""
    facts = Facts(dict(enumerate(asked.earlier)), {})
    return list({name: row for step in facts.answers for name, row in facts.documents(step).items()}.values())


def _as_asked(row: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """A row that has what the query asks for, though its id is that of nothing."""
    return {**row, **dict(parse_qsl(urlsplit(asked.path).query)), "id": _STRANGERS[0]}


def _as_sent(body: Any, asked: Asked) -> Any:
    """The answer with the members that were sent last, as if they had all been taken."""
    sent = jsons.loads(asked.body) if asked.body and asked.body[:1] == b"{" else {}
    return {**body, **sent} if isinstance(body, dict) else body


def _status(status: int) -> Twist:
    return lambda answer, _: answer._replace(status=status)


def _headers(value: str | None) -> Twist:
    return lambda answer, _: answer._replace(headers={} if value is None else dict.fromkeys(answer.headers, value))


def _nulled(body: Any, asked: Asked) -> Any:
    return dict.fromkeys(body, None) if isinstance(body, dict) else body


def _refused_otherwise(answer: Answer, asked: Asked) -> Answer:
    if answer.status < 400:
        return answer
    if answer.json is None:
        return answer._replace(body=answer.body + b" (in other words)")
    return _texts(lambda text: f"{text} (in other words)")(answer, asked)


def _taking(seconds: float) -> Twist:
    return lambda answer, _: answer._replace(seconds=seconds)


OTHER_WORDS = "refusals in other words"
TWISTS: dict[str, Twist] = {
    "other words": _words(1),
    "again other words": _words(2),
    "null for everything": _json(_nulled),
    "an early time": _times("2001-01-01T00:00:00Z"),
    "another early time": _times("2002-02-02T00:00:00Z"),
    "a time with six zeros": _times("2026-01-01T00:00:00.000000Z"),
    "a later time with six zeros": _times("2027-01-01T00:00:00.000000Z"),
    "a late time": _times("2101-01-01T00:00:00Z"),
    "no rows": _rows(lambda rows, _: []),
    "not the first row": _rows(lambda rows, _: rows[1:]),
    "a row twice": _rows(lambda rows, _: [*rows, *rows[:1]]),
    "rows the other way round": _rows(lambda rows, _: rows[::-1]),
    "a stranger": _rows(lambda rows, _: [*rows, *({**row, "id": _STRANGERS[0]} for row in rows[:1])]),
    "other strangers": _rows(lambda rows, _: [{**row, "id": name} for name in _STRANGERS for row in rows[:1]]),
    "what was shown before": _rows(lambda rows, asked: _earlier(asked)),
    "the first that was shown before": _rows(lambda rows, asked: _earlier(asked)[:1]),
    "the last that was shown before": _rows(lambda rows, asked: _earlier(asked)[-1:]),
    "what was asked for": _rows(lambda rows, asked: [_as_asked({}, asked)]),
    "what was asked for, and more": _rows(lambda rows, asked: [_as_asked({"state": "x"}, asked), *_earlier(asked)[:1]]),
    "what was sent": _json(_as_sent),
    "another status": _status(418),
    "yet another status": _status(444),
    "no status that there is": _status(999),
    "slow": _taking(9.0),
    "slower": _taking(60.0),
    "success": _status(200),
    "made": _status(201),
    "not found": _status(404),
    "bad": _status(400),
    "crashed": _status(500),
    "crashed otherwise": _status(503),
    "no answer": lambda answer, _: Answer(0, {}, b"", answer.at),
    "success in other words": lambda answer, _: answer._replace(status=200, body=b'{"id": "wrong"}'),
    "what was sent, and more": _json(lambda body, asked: {**_as_sent(body, asked), "more": 1}),
    "changed before it was made": _json(lambda body, _: {**body, "updated_at": "2001-01-01T00:00:00Z"}),
    "changed long before it was made": _json(lambda body, _: {**body, "updated_at": "1971-01-01T00:00:00Z"}),
    "no headers": _headers(None),
    "other headers": _headers("wrong"),
    "again other headers": _headers("wrong, too"),
    "a page": lambda answer, _: answer._replace(body=b"<h1>1</h1>"),
    "another page": lambda answer, _: answer._replace(body=b"<h1>2</h1>"),
    "a credential": _json(lambda body, _: {**(body if isinstance(body, dict) else {}), "client_secret": "x"}),
    "another credential": _json(lambda body, _: {**(body if isinstance(body, dict) else {}), "refresh_token": "y"}),
    "somebody else's links": _texts(lambda old: old.replace("http", "http://elsewhere/?") if "cursor=" in old else old),
    "links without parameters": _texts(lambda old: old.partition("?")[0] + "?x=y" if "cursor=" in old else old),
    "a link to where one is": _json(lambda body, _: {**body, "previous": "http://a/?cursor=x", "next": None}),
    "another link": _json(lambda body, _: {**body, "previous": "http://b/?cursor=y", "next": None}),
}
_EVERY = frozenset({"slow", "slower"})
"""Twists of every answer, not of the last alone: a rule may be about most of them."""


class Sample(NamedTuple):
    """A test of a rule that it passed."""

    rule: str
    operation: str
    field: str
    expectation: Expectation
    exchanges: tuple[Exchange, ...]


def two_ways(sample: Sample) -> list[str]:
    """Two twists that break the rule of a sample, as unlike as there are; fewer where there are no two."""
    # A sync may move a time, in whichever test but that of one time with another.
    names = [name for name in TWISTS if sample.rule == "time-ordered" or "before it was made" not in name]
    first, last = next(breaking(sample, names), None), next(breaking(sample, names[::-1]), None)
    return [] if first is None or last in (None, first) else [first, str(last)]


def breaking(sample: Sample, names: Sequence[str]) -> Iterator[str]:
    """Those of the twists that make the last answer of a sample wrong by its rule."""
    *before, last = sample.exchanges
    answers = {exchange.number: answer_of(exchange) for exchange in sample.exchanges}
    asked = Asked(last.request.path, _last_sent(sample), [answer_of(exchange) for exchange in before])
    for name in names:
        try:
            twisted = TWISTS[name](answer_of(last), asked)
        except (TypeError, ValueError, RecursionError):
            continue
        others = (
            {number: TWISTS[name](answer, asked) for number, answer in answers.items()} if name in _EVERY else answers
        )
        if twisted != answer_of(last) and broken(
            sample.expectation, Facts({**others, last.number: twisted, LAST: twisted}, {"secret_1": "wrong"})
        ):
            yield name


def _last_sent(sample: Sample) -> bytes | None:
    return next((one.request.body for one in reversed(sample.exchanges) if one.request.body), None)


def replayer_of(target: Any, keys: Mapping[str, str]) -> Replayer:
    """What `attendee-mock replay` replays with."""
    return Replayer(target, load_contract(), PARTS, look=every_response.look, keys=keys, clock=time.monotonic)


def space_of(recipe: Mapping[str, Any], base: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """The names of the pytest file of a finding."""
    space: dict[str, Any] = {"__name__": "finding"}
    exec(compile(pytest_file(recipe, base=base, file="x.py"), "x.py", "exec"), space)
    space["KEYS"].update(keys)
    return space


def verdict_of(test: Callable[[], None]) -> str:
    """What a test of a pytest file says, in the words of a replay."""
    try:
        test()
    except AssertionError:
        return "shows"
    except pytest.skip.Exception:
        return "cannot be run"
    return "gone"


def file_test(recipe: Mapping[str, Any], base: str, keys: Mapping[str, str]) -> Callable[[], None]:
    """The test of the pytest file of a finding."""
    return _test_in(space_of(recipe, base, keys))


def _test_in(space: Mapping[str, Any]) -> Callable[[], None]:
    test: Callable[[], None] = next(value for name, value in space.items() if name.startswith("test_"))
    return test


class Player:
    """Takes the steps of a finding on an application, whose last answer may be twisted."""

    def __init__(self, target: AsgiTarget, recipe: Mapping[str, Any], *, parallel: bool = False) -> None:
        """`parallel`: races are raced; else one request is sent at a time."""
        self.target, self.recipe, self.parallel = target, recipe, parallel
        self.steps = len(recipe["steps"])
        self._twist: Twist | None = None
        self._every = False
        self._answers: list[Answer] = []
        self._bodies: list[bytes] = []
        self._made: list[str] = []
        """What was really made, whatever its answer was twisted into."""
        self._space: dict[str, Any] = {}

    def replay(self, twist: str | None = None) -> str:
        """What `attendee-mock replay` says."""
        self._begin(twist)
        return replayer_of(_Twisted(self), KEYS).replay(self.recipe).verdict

    def test(self, twist: str | None = None) -> str:
        """What the pytest file says, in the same words."""
        self._begin(twist)
        return verdict_of(self._file())

    def _begin(self, twist: str | None) -> None:
        self._twist = None if twist is None else _refused_otherwise if twist == OTHER_WORDS else TWISTS[twist]
        self._every = twist in _EVERY
        self._answers.clear()
        while self._made:
            self.target.send("DELETE", path_of(self._made.pop()))

    def _file(self) -> Callable[[], None]:
        if not self._space:
            space = self._space = space_of(self.recipe, f"http://{self.target.host}", KEYS)
            space["_answer"] = lambda sent: space["Answer"](*self._asked(sent))
            space["_together"] = lambda batch, turn: [space["_answer"](sent) for sent in batch]
        return _test_in(self._space)

    def _asked(self, sent: Any) -> Answer:
        try:
            exchange = self.target.send(sent.method, sent.path, body=sent.body, headers=sent.headers, key=sent.key)
        except Forbidden:  # what a twisted answer called its calendar is none of ours
            return Answer(404, {}, b"", 0.0)
        return self.answered(exchange)

    def answered(self, exchange: Exchange) -> Answer:
        """The answer as it is, or twisted where it is that to the last step."""
        path, body, answer = exchange.request.path, exchange.request.body, answer_of(exchange)
        made = created_id(exchange)
        if made is not None and exchange.request.key == "main":
            self._made.append(made)
        self._bodies = [*self._bodies, body] if body else self._bodies
        if self._twist is not None and (self._every or len(self._answers) == self.steps - 1):
            asked = Asked(path, self._bodies[-1] if self._bodies else None, self._answers)
            answer = self._twist(answer, asked)
        self._answers.append(answer)
        return answer


class _Twisted:
    """A player's target, but for the last answer."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self.parallel = player.parallel

    def send(self, method: str, path: str, **more: Any) -> Exchange:
        """Sends a request."""
        exchange = self._player.target.send(method, path, **more)
        answer = self._player.answered(exchange)
        exchange = replace(exchange, status=answer.status, headers=answer.headers, body=answer.body)
        return replace(exchange, seconds=answer.seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._player.target, name)
