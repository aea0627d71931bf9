"""Turns a finding into steps that anybody can take again: values made by the server or by the run become variables."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from mockserver.conformance.claims import claims_of
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.findings import Finding
from mockserver.conformance.likeness import signature
from mockserver.conformance.playing import Answer, spelt
from mockserver.conformance.rules import Rule

FORMAT: Final = "attendee-mock/finding/1"
Step: TypeAlias = dict[str, Any]
_HEADER_RULES = {
    "allow": "Allow",
    "www-authenticate": "WWW-Authenticate",
    "vary": "Vary",
    "content-type": "Content-Type",
}
_STATUSES = re.compile(r"(?:one of \[)?(\d{3})(?:, *\d{3}| or \d{3})*\b")
_SHORTEST_ID = 8
_SHOWN = 2000
_BREAKS = re.compile(r"breaks (anyOf|type|pattern|format|enum|const): (.*)", re.DOTALL)
_TYPES = re.compile(r'is not of types? ("\w+"(?:, "\w+")*)$')
_PATTERN = re.compile(r'does not match "(.*)"$')
_DECODER = json.JSONDecoder()


class Origins(NamedTuple):
    """What of a run's requests is only the run's: its mark, its keys and its secrets."""

    run: str
    """A text within every tag of the run."""
    keys: Mapping[str, str] = {}
    """By whose they are: main, other, disabled."""
    secrets: Sequence[str] = ()

    def values(self) -> dict[str, str]:
        """All of them by the names that they have in recipes."""
        values = spelt(self.keys)
        values |= {f"secret_{number}": secret for number, secret in enumerate(self.secrets, 1)}
        if self.run:
            values |= {"run": self.run, "RUN": self.run.upper()}
        return values


def recipe_of(
    finding: Finding,
    rule: Rule,
    origins: Origins,
    mask: Callable[[str], str] = str,
    groups: Sequence[Sequence[Exchange]] = (),
) -> dict[str, Any]:
    """The finding as data that `attendee-mock replay` takes.

    `mask` hides secrets in what was seen; `groups` are the exchanges that were started at one moment.
    """
    exchanges = finding.exchanges
    values = _used(origins.values(), exchanges)
    captures = [_captures(exchanges, number) for number in range(len(exchanges))]
    steps = [_step(exchanges, number, captures, values) for number in range(len(exchanges))]
    for step, exchange in zip(steps, exchanges, strict=True):
        step["seen"] = {"status": exchange.status, "body": mask(exchange.text[:_SHOWN])}
    return {
        "format": FORMAT,
        "rule": rule.id,
        "part": rule.part,
        "severity": rule.severity,
        "sentence": rule.sentence,
        "operation": finding.operation,
        "field": finding.field,
        "expected": mask(finding.expected),
        "actual": mask(finding.actual),
        "hits": finding.hits,
        "steps": _grouped(steps, exchanges, groups),
        "assertions": _templated_claims(assertions(finding, values), captures, values) if exchanges else [],
    }


def _templated_claims(
    claims: list[list[Any]], captures: Sequence[Mapping[str, Mapping[str, Any]]], values: Mapping[str, str]
) -> list[list[Any]]:
    """The assertions, with what the answers and the run give as variables."""
    known = {name: what["text"] for found in captures for name, what in found.items()}
    known |= {name: text for name, text in values.items() if len(text) >= _SHORTEST_ID // 2}
    return [
        [what, name, operator, _templated(wanted, known) if isinstance(wanted, str) else wanted]
        for what, name, operator, wanted in claims
    ]


def _used(values: dict[str, str], exchanges: Sequence[Exchange]) -> dict[str, str]:
    """Of the run's secrets only those that the steps hold, numbered anew."""
    hay = b"\n".join(_sent(exchange) + exchange.body for exchange in exchanges)
    secrets = [text for name, text in values.items() if name.startswith("secret_") and text.encode() in hay]
    kept = {name: text for name, text in values.items() if not name.startswith("secret_")}
    return kept | {f"secret_{number}": text for number, text in enumerate(secrets, 1)}


def assertions(finding: Finding, values: Mapping[str, str]) -> list[list[Any]]:
    """What holds on the last answer of a right service: [what, name, operator, value] each."""
    of_rule = _by_rule(finding, values) or claims_of(finding)
    if of_rule:
        return of_rule
    last = finding.exchanges[-1]
    statuses = _statuses(finding.expected)
    if last.status == 429 and statuses:
        return [["answers", "", "never", 429]]
    if statuses and last.status not in statuses and finding.actual.startswith(str(last.status)):
        return [["status", "", "in", statuses]]
    answers = [answer_of(exchange) for exchange in finding.exchanges]
    member = finding.field.rpartition(".")[2].rpartition("/")[2]
    return [["answer", member, "unlike", json.loads(json.dumps(signature(answers, values, member)))]]


def _by_rule(finding: Finding, values: Mapping[str, str]) -> list[list[Any]]:
    """What a rule of its own says of the last answer; nothing for most rules."""
    rule, last, expected = finding.rule, finding.exchanges[-1], finding.expected
    if rule == "answer-arrives":
        return [["status", "", "in", list(range(100, 600))]]
    if rule == "no-server-error" or last.status >= 500:
        return [["status", "", "<", 500]]
    if rule in _HEADER_RULES:
        operator = "has" if rule == "vary" else "=="
        return [["header", _HEADER_RULES[rule].lower(), operator, None if expected == "None" else expected]]
    if rule == "answer-schema":
        return _of_schema(finding)
    if rule == "secret-unanswered":
        names = [name for name in values if name.startswith("secret_") or name.count("_") == 1]
        text = f"{' '.join(last.headers.values())} {last.text}"
        if any(values[name] in text for name in names):
            return [["anywhere", "", "lacks", f"${{{name}}}"] for name in names]
    return []


def _of_schema(finding: Finding) -> list[list[Any]]:
    """What the schema says of a member, as far as the words tell; else that a list does not have the wrong value."""
    wrong = _BREAKS.match(finding.actual)
    if wrong is None:
        return []
    keyword, told = wrong.groups()
    types, pattern = _TYPES.search(told), _PATTERN.search(told)
    if keyword == "type" and types is not None:
        return [["values", finding.field, "of type", json.loads(f"[{types[1]}]")]]
    if keyword == "pattern" and pattern is not None:
        return [["values", finding.field, "matching", pattern[1].replace("\\\\", "\\")]]
    if "results." in finding.field:
        with suppress(ValueError):
            # A value that the contract does not allow in this member is there in no right answer.
            return [["values", finding.field, "without", _DECODER.raw_decode(told)[0]]]
    return []


def _statuses(expected: str) -> list[int]:
    match = _STATUSES.match(expected)
    return [int(text) for text in re.findall(r"\b\d{3}\b", match[0])] if match else []


def answer_of(exchange: Exchange) -> Answer:
    """An exchange as the player sees it."""
    return Answer(exchange.status, exchange.headers, exchange.body, exchange.started)


def _sent(exchange: Exchange) -> bytes:
    request = exchange.request
    head = "\n".join([request.path, *(value for _, value in request.headers)])
    return head.encode("utf-8", "replace") + b"\n" + (request.body or b"")


def _captures(exchanges: Sequence[Exchange], number: int) -> dict[str, dict[str, Any]]:
    """What later steps need of an answer: name, where it stands and the text that it was."""
    later = b"\n".join(_sent(exchange) for exchange in exchanges[number + 1 :])
    found: dict[str, dict[str, Any]] = {}
    for kind, what, text in _offers(exchanges[number]):
        used = text.encode() in later
        if used or what.get("optional"):
            name = f"{kind}_{number + 1}" + (f"_{len(found)}" if found else "")
            found[name] = {**what, "text": text}
            if used:
                found[name].pop("optional", None)
    return found


def _offers(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The values of an answer that requests may use: made ids, rows' ids, links and their cursors."""
    body = exchange.json
    if not isinstance(body, dict):
        return
    made = body.get("id")
    if isinstance(made, str) and exchange.status == 201:
        yield "id", {"pointer": "/id", "optional": True}, made
    rows = body.get("results")
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        text = row.get("id") if isinstance(row, dict) else None
        if isinstance(text, str) and len(text) >= _SHORTEST_ID:
            yield "row", {"pointer": f"/results/{index}/id", "was": text}, text
    for name in ("next", "previous"):
        link = body.get(name)
        if isinstance(link, str) and "?" in link:
            parts = urlsplit(link)
            yield "link", {"pointer": f"/{name}", "part": "path"}, f"{parts.path}?{parts.query}"
            cursor = re.search(r"(?:^|&)cursor=([^&]+)", parts.query)
            if cursor is not None:
                yield "cursor", {"pointer": f"/{name}", "part": "cursor"}, cursor[1]


def _step(
    exchanges: Sequence[Exchange],
    number: int,
    captures: Sequence[Mapping[str, Mapping[str, Any]]],
    values: Mapping[str, str],
) -> Step:
    request = exchanges[number].request
    known = {name: what["text"] for earlier in captures[:number] for name, what in earlier.items()}
    known |= {name: text for name, text in values.items() if len(text) >= _SHORTEST_ID // 2}
    step: Step = {"method": request.method, "path": _templated(request.path, known)}
    if request.headers:
        step["headers"] = [[name, _templated(value, known)] for name, value in request.headers]
    if request.body is not None:
        step |= _body(_templated_bytes(request.body, known))
    step["key"] = request.key
    if captures[number]:
        step["capture"] = {
            name: {key: value for key, value in what.items() if key != "text"}
            for name, what in captures[number].items()
        }
    return step


def _templated(text: str, known: Mapping[str, str]) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    return _templated_bytes(raw, known).decode("utf-8", "surrogatepass")


def _templated_bytes(raw: bytes, known: Mapping[str, str]) -> bytes:
    for name, text in sorted(known.items(), key=lambda pair: -len(pair[1])):
        raw = raw.replace(text.encode(), f"${{{name}}}".encode())
    return raw


def _body(raw: bytes) -> Step:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable() or text.replace("\n", "").isprintable():
        return {"body": text}
    return {"body_base64": base64.b64encode(raw).decode()}


def _grouped(steps: list[Step], exchanges: Sequence[Exchange], groups: Sequence[Sequence[Exchange]]) -> list[Step]:
    """The steps, with those that ran at one moment marked as a group."""
    of = {exchange.number: number for number, group in enumerate(groups, 1) for exchange in group}
    for step, exchange in zip(steps, exchanges, strict=True):
        if exchange.number in of:
            step["together"] = of[exchange.number]
    return steps
