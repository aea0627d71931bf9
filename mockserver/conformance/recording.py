"""Turns a finding into steps that anybody can take again: values made by the server or by the run become variables."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import Expectation, renumbered, with_texts
from mockserver.conformance.findings import Finding
from mockserver.conformance.list_pages import link_of
from mockserver.conformance.listed import results_of
from mockserver.conformance.player import spelt
from mockserver.conformance.rules import Rule

FORMAT: Final = "attendee-mock/finding/2"
Step: TypeAlias = dict[str, Any]
_SHORTEST_ID = 8
_VARIABLE = re.compile(rb"\$\{(\w+)\}")
_SHOWN = 2000


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
    expectation = _carried(finding, captures, values, mask)
    _drop_unused(steps, expectation)
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
        "expectation": expectation,
    }


def _carried(
    finding: Finding,
    captures: Sequence[Mapping[str, Mapping[str, Any]]],
    values: Mapping[str, str],
    mask: Callable[[str], str],
) -> Expectation:
    """The expectation with the numbers of steps, and with what the answers and the run give as variables."""
    steps = {exchange.number: number for number, exchange in enumerate(finding.exchanges, 1)}
    known = {name: what["text"] for found in captures for name, what in found.items()}
    known |= {name: text for name, text in values.items() if len(text) >= _SHORTEST_ID // 2}
    numbered = renumbered(_on_any_host(finding.expectation), steps.__getitem__)
    carried: Expectation = with_texts(numbered, lambda text: mask(_templated(text, known)))
    return carried


def _on_any_host(expectation: Expectation) -> Expectation:
    """Links lead to the host that is asked, whichever that is."""
    if expectation["what"] == "links":
        return {**expectation, "host": "${host}"}
    if expectation["what"] != "any":
        return expectation
    return {**expectation, "of": [_on_any_host(part) for part in expectation["of"]]}


def _used(values: dict[str, str], exchanges: Sequence[Exchange]) -> dict[str, str]:
    """Of the run's secrets only those that the steps hold, numbered anew."""
    hay = b"\n".join(_sent(exchange) + exchange.body for exchange in exchanges)
    secrets = [text for name, text in values.items() if name.startswith("secret_") and text.encode() in hay]
    kept = {name: text for name, text in values.items() if not name.startswith("secret_")}
    return kept | {f"secret_{number}": text for number, text in enumerate(secrets, 1)}


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


def _split(link: str | None) -> SplitResult | None:
    """The parts of a link; None for one that is no URL."""
    try:
        return None if link is None else urlsplit(link)
    except ValueError:
        return None


def _offers(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The values of an answer that requests may use: made ids, rows' ids, links and their cursors."""
    body = exchange.json
    if not isinstance(body, dict):
        return
    made = body.get("id")
    if isinstance(made, str) and exchange.status == 201:
        yield "id", {"pointer": "/id", "optional": True}, made
    for index, row in enumerate(results_of(body) or []):
        text = row.get("id") if isinstance(row, dict) else None
        if isinstance(text, str) and len(text) >= _SHORTEST_ID:
            yield "row", {"pointer": f"/results/{index}/id", "was": text}, text
    for name in ("next", "previous"):
        parts = _split(link_of(body, name))
        if parts is not None and parts.query:
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
    known: dict[str, str] = {}
    for name, what in (pair for earlier in captures[:number] for pair in earlier.items()):
        if what.get("part"):
            # A link is followed from the page that was read last.
            known = {older: text for older, text in known.items() if text != what["text"]}
        known[name] = what["text"]
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


def _drop_unused(steps: Sequence[Step], expectation: Expectation) -> None:
    """Takes out what no later step and no expectation uses: another run may not have it."""
    raw = b"".join(base64.b64decode(step.get("body_base64", "")) for step in steps)
    told = json.dumps([[{**step, "capture": None} for step in steps], expectation]).encode() + raw
    used = {name.decode() for name in _VARIABLE.findall(told)}
    for step in steps:
        kept = {name: what for name, what in step.get("capture", {}).items() if name in used or what.get("optional")}
        if kept:
            step["capture"] = kept
        else:
            step.pop("capture", None)


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
