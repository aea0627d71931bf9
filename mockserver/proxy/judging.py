"""What the judge's rules for every response, and the contract for accepted requests, say about an exchange.

The only module of the proxy that knows how the judge's rules are called.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from mockserver.conformance import evaluation
from mockserver.conformance.answers import Answers, Place, answers_of
from mockserver.conformance.checks import every_response
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.list_pages import link_of
from mockserver.drift.difference import Difference, Differences
from mockserver.drift.document import Document
from mockserver.drift.har import Message, Recorded
from mockserver.drift.kinds import KINDS, Level, level_of
from mockserver.drift.observe import Observer
from mockserver.drift.record import Recorder
from mockserver.drift.run import contract_document
from mockserver.drift.surface import Surface
from mockserver.proxy.parsing import Passed, decoded

_LEVELS: Final[dict[str, Level]] = {"high": "error", "medium": "warning", "low": "info"}
_LINKS, _SECRETS = "links-preserve-query", "secrets-not-echoed"
_CREDENTIALS: Final = ("client_secret", "refresh_token")
_SHORTEST: Final = 12
"""A shorter text can be in a response by chance."""
_MOST: Final = 500
_REQUESTS: Final = ("accepted-", "parameter-needless", "key-needless")
"""Kinds of drift that are about requests: what is wrong with responses, the rules find."""


class Found(NamedTuple):
    """One broken rule of one exchange; the texts may have secrets in them."""

    level: Level
    rule: str
    operation: str
    field: str
    text: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What counts findings: the same rule at the same place is one."""
        return self.rule, self.operation, self.field


class Judge:
    """Holds exchanges against the contract."""

    def __init__(self, contract: Document | None = None) -> None:
        """`contract` is the contract where it was read already."""
        contract = contract or contract_document()
        self._answers: Answers = answers_of(contract.data)
        self._severities = {rule.id: rule.severity for rule in every_response.RULES}
        self.surface = Surface(contract)
        self._credentials: OrderedDict[str, None] = OrderedDict()

    def place(self, passed: Passed) -> Place:
        """Where the request goes; without a template if the contract does not have its path."""
        return self._answers.place(passed.method, passed.target)

    def judge(self, passed: Passed, number: int) -> list[Found]:
        """Everything that is wrong with an exchange on a path of the contract.

        A body that was not kept as a whole is not judged.
        """
        exchange = _exchange(passed, number)
        place = self.place(passed)
        if exchange is None or place.template is None:
            return []
        found = [
            self._found(verdict.rule, place.operation, verdict.field, verdict.seen)
            for verdict in every_response.judge(self._answers, exchange)
            if verdict.seen
        ]
        found += [self._found(_LINKS, place.operation, name, text) for name, text in _wrong_links(passed, exchange)]
        self._learn(exchange.request)
        found += [self._found(_SECRETS, place.operation, "", text) for text in self._leaks(exchange)]
        return found if exchange.status >= 400 else [*found, *self._accepted(passed, number)]

    def _found(self, rule: str, operation: str, field: str, text: str) -> Found:
        return Found(_LEVELS[self._severities[rule]], rule, operation, field, text)

    def _learn(self, request: Request) -> None:
        """Keeps the credentials that a request has, to look for them in responses."""
        texts = [word for name, value in request.headers if name.lower() == "authorization" for word in value.split()]
        try:
            body = json.loads(request.body or b"")
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            texts += [text for name in _CREDENTIALS if isinstance(text := body.get(name), str)]
        for text in texts:
            if len(text) >= _SHORTEST:
                self._credentials[text] = None
        while len(self._credentials) > _MOST:
            self._credentials.popitem(last=False)

    def _leaks(self, exchange: Exchange) -> Iterator[str]:
        """Credentials of this and earlier requests in a response, and members that are named like one."""
        text = exchange.text
        if any(one in text for one in self._credentials):
            yield "a credential of a request is in the response"
        elif exchange.status < 400:
            named = evaluation.credential_in(exchange.json)
            if named is not None:
                yield f"the response has a member {named}"

    def _accepted(self, passed: Passed, number: int) -> Iterator[Found]:
        """What the contract does not allow in a request that the service accepted."""
        differences = Differences()
        Observer({"contract": self.surface}, Recorder(differences)).observe(_recorded(passed, number))
        for one in differences.finished(recorded=True):
            if one.kind.startswith(_REQUESTS):
                level = level_of(one.kind, one.detail)
                text = f"{one.where} {KINDS[one.kind].sentence}: {_seen(one)}"
                yield Found(level, one.kind, next(iter(one.operations)), one.where, text)


def _seen(difference: Difference) -> str:
    return f"{difference.seen.text} (contract: {difference.says.get('contract', '')})"


def _exchange(passed: Passed, number: int) -> Exchange | None:
    body = decoded(passed.response, passed.header(b"content-encoding").lower())
    if body is None or passed.request.is_cut:
        return None
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in passed.request_headers]
    joined: dict[str, str] = {}
    for raw_name, raw_value in passed.response_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    kept = tuple((name, value) for name, value in headers if name.lower() not in ("host", "content-length"))
    request = Request(passed.method, passed.target, kept, passed.request.data or None, None)
    return Exchange(number, request, passed.status, joined, body, passed.started, passed.seconds, passed.failure)


def _recorded(passed: Passed, number: int) -> Recorded:
    """The exchange as drift reads it, with its real values, since nothing of them is written."""
    url = urlsplit(passed.target)
    sent = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in passed.request_headers}
    data = decoded(passed.request, passed.header(b"content-encoding", response=False).lower())
    text = data.decode("utf-8", "replace") if data is not None else None
    # The response is judged by the rules.
    unread = Message({}, None)
    query = parse_qsl(url.query, keep_blank_values=True)
    return Recorded(number, passed.method, unquote(url.path), query, Message(sent, text), passed.status, unread)


def _wrong_links(passed: Passed, exchange: Exchange) -> Iterator[tuple[str, str]]:
    if exchange.status != 200 or b'"next"' not in exchange.body[:20]:
        return
    host = passed.header(b"host", response=False)
    for name in ("next", "previous"):
        link = link_of(exchange.json, name)
        if link is not None:
            wrong = evaluation.wrong_in_link(link, exchange.request.path, host or None)
            if wrong:
                yield wrong, f"{name}: {link}"
