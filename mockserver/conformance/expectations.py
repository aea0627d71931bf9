"""What a check expects, as a value: it is evaluated, shown to people and written into the files of findings.

An expectation is a JSON object whose `what` names its kind; `evaluation` says what each kind demands. It speaks of
answers by the numbers of their exchanges; `recipe` turns these into the numbers of steps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.listed import Facts
from mockserver.conformance.player import Answer

Expectation: TypeAlias = dict[str, Any]
Statuses: TypeAlias = Iterable[int | tuple[int, int]]
Condition: TypeAlias = Sequence[Any]
"""[member, operator, value], with one of the operators =, at least, at most, beyond, key."""
LAST: Final = 0
"""The answer that the check is about: the last of its exchanges."""
_STEPS: Final = ("step", "steps", "sources")
_PARTS: Final = ("of", "met", "then", "else")
_AS_IT_IS: Final = ("what", "schema")


def answer_of(exchange: Exchange) -> Answer:
    """An exchange as an expectation and the player see it."""
    return Answer(exchange.status, exchange.headers, exchange.body, exchange.started, exchange.seconds)


def facts_of(exchanges: Sequence[Exchange]) -> Facts:
    """The answers of exchanges by their numbers, the last also as LAST."""
    answers = {exchange.number: answer_of(exchange) for exchange in exchanges}
    return Facts({**answers, LAST: answers[exchanges[-1].number]} if exchanges else {}, {})


def _step(exchange: Exchange | None) -> int:
    return LAST if exchange is None else exchange.number


def _steps(exchanges: Iterable[Exchange | None]) -> list[int]:
    return [_step(exchange) for exchange in exchanges]


# --- of one answer ---


def status(*among: int | tuple[int, int], of: Exchange | None = None) -> Expectation:
    """The status is one of these; a pair stands for all from its first to its last."""
    return {"what": "status", "step": _step(of), "among": [one if isinstance(one, int) else list(one) for one in among]}


def answered() -> Expectation:
    """There is an answer."""
    return status((100, 599))


def never(code: int) -> Expectation:
    """None of the answers has this status."""
    return {"what": "never", "status": code}


def body(like: Any, *, of: Exchange | None = None) -> Expectation:
    """The body's JSON is like this; see `is_like` for what is left open."""
    return {"what": "body", "step": _step(of), "like": like}


def has(members: Mapping[str, Any]) -> dict[str, Any]:
    """For `body`: an object with at least these members."""
    return {"$has": dict(members)}


def may_have(members: Mapping[str, Any]) -> dict[str, Any]:
    """For `body`: an object whose members of these names, as far as it has them, have these values."""
    return {"$may": dict(members)}


def matches(pattern: str) -> dict[str, Any]:
    """For `body`: a text that a regular expression matches as a whole."""
    return {"$matches": pattern}


ANY: Final[dict[str, Any]] = {"$any": True}
"""For `body`: anything."""


def member(pointer: str, *among: Any, of: Exchange | None = None) -> Expectation:
    """What a JSON pointer leads to is one of these values; None also stands for nothing."""
    return {"what": "member", "step": _step(of), "pointer": pointer, "among": list(among)}


def header(name: str, value: str | None, *, item: bool = False, begins: bool = False) -> Expectation:
    """A header is this text, or absent for None; `item`: it is a list with this in it; `begins`: it begins so."""
    return {"what": "header", "step": LAST, "name": name, "is": value, "item": item, "begins": begins}


def headers(of_status: Mapping[str, Any]) -> Expectation:
    """The headers are as the contract has them: {"200": {"Vary": {"required": true, "schema": …}}}."""
    return {"what": "headers", "step": LAST, "schema": of_status}


def no_body() -> Expectation:
    """The body is empty."""
    return {"what": "empty", "step": LAST}


def is_json() -> Expectation:
    """The body is JSON."""
    return {"what": "json", "step": LAST}


def schema(of_status: Mapping[str, Any]) -> Expectation:
    """The body keeps the schema of its status: {"of_status": {"200": …}, "named": those that are referred to}."""
    return {"what": "schema", "step": LAST, "schema": of_status}


def refusal(of_status: Mapping[str, Sequence[str]], other: Sequence[str]) -> Expectation:
    """A refusal has one of the shapes for its status, or of the `other` ones."""
    return {"what": "family", "step": LAST, "of_status": of_status, "other": other}


def links(asked: str, host: str | None) -> Expectation:
    """Links lead to the host and path that were asked, and keep the other parameters."""
    return {"what": "links", "step": LAST, "asked": asked, "host": host}


def waits() -> Expectation:
    """Every 429 has Retry-After with the seconds of its text."""
    return {"what": "waits"}


def no_secrets() -> Expectation:
    """The answer holds no key, no secret that was sent, and no member that is named like one."""
    return {"what": "no secrets", "step": LAST}


def prompt(exchanges: Sequence[Exchange], seconds: float) -> Expectation:
    """The answers take no longer than this as a rule."""
    return {"what": "prompt", "steps": _steps(exchanges), "seconds": seconds}


def about_now(*pointers: str, near: int) -> Expectation:
    """Times are within `near` seconds of that of the request."""
    return {"what": "about now", "step": LAST, "pointers": list(pointers), "near": near}


def lacks(text: str, *, of: Exchange | None = None) -> Expectation:
    """A JSON string is nowhere in the body."""
    return {"what": "lacks", "step": _step(of), "text": text}


def names(pointer: str, wanted: Sequence[str], *, of: Exchange | None = None) -> Expectation:
    """What a JSON pointer leads to is an object with members of these names, in this order."""
    return {"what": "names", "step": _step(of), "pointer": pointer, "names": list(wanted)}


def no_zero_fraction(*, of: Exchange | None = None) -> Expectation:
    """No time of a row or document has a fraction that is zero."""
    return {"what": "no zero fraction", "step": _step(of)}


# --- of several answers ---


def statuses(exchanges: Sequence[Exchange], *found: int) -> Expectation:
    """The answers have these statuses, whichever has which."""
    return {"what": "statuses", "steps": _steps(exchanges), "sorted": sorted(found)}


def same_headers(one: Exchange, other: Exchange, names: Sequence[str]) -> Expectation:
    """Two answers have the same status, and the same in these headers."""
    return {"what": "same headers", "steps": _steps([one, other]), "names": list(names)}


def same_rows(one: Exchange, other: Exchange | None = None) -> Expectation:
    """Two pages show the same rows in the same order."""
    return {"what": "same rows", "steps": _steps([one, other])}


def same_document(
    one: Exchange,
    other: Exchange | None = None,
    *,
    but: Sequence[str] = (),
    synced: Sequence[str] = (),
    both: bool = False,
    instead: Mapping[str, Any] | None = None,
) -> Expectation:
    """What both answers show has the same members in both.

    `but` are members that may differ, `synced` those that may where a sync came between; `both`: the second has no
    member that the first has not; `instead`: what members should have been in the first.
    """
    names = {"but": list(but), "synced": list(synced), "instead": dict(instead or {})}
    return {"what": "same document", "steps": _steps([one, other]), **names, "both": both}


def same_member(pointer: str, one: Exchange) -> Expectation:
    """What a JSON pointer leads to in an earlier answer, it leads to in this one."""
    return {"what": "same member", "steps": [_step(one), LAST], "pointer": pointer}


def later(early: str, late: str, one: Exchange | None = None, *, or_same: bool = False) -> Expectation:
    """A time in the answer is later than one in it, or in an earlier answer."""
    return {"what": "later", "steps": [_step(one), LAST], "pointers": [early, late], "or_same": or_same}


def distinct(pointer: str, exchanges: Sequence[Exchange]) -> Expectation:
    """The answers differ in what the pointer leads to."""
    return {"what": "distinct", "pointer": pointer, "steps": _steps(exchanges)}


# --- of rows ---


def in_order(pages: Sequence[Exchange], ordering: str) -> Expectation:
    """The rows of the pages, given in the listing's order, are sorted."""
    return {"what": "in order", "steps": _steps(pages), "ordering": ordering}


def each_once(pages: Sequence[Exchange], ordering: str) -> Expectation:
    """No row is shown twice."""
    return {"what": "each once", "steps": _steps(pages), "ordering": ordering}


def complete(
    pages: Sequence[Exchange],
    ordering: str,
    sources: Sequence[Exchange],
    *,
    where: Sequence[Condition] = (),
    calendars: Mapping[str, Exchange] | None = None,
    size: int | None = None,
) -> Expectation:
    """The pages show every row that the sources show and the conditions leave, as far as its place is on them."""
    found = {"what": "complete", "steps": _steps(pages), "ordering": ordering, "sources": _steps(sources)}
    return {**found, **_where(where, calendars), **({} if size is None else {"size": size})}


def each_row(
    pages: Sequence[Exchange | None],
    where: Sequence[Condition],
    *,
    calendars: Mapping[str, Exchange] | None = None,
    ordering: str = "",
    most: int | None = None,
) -> Expectation:
    """Every row of the pages meets the conditions; there are no more than `most`."""
    found = {"what": "each row", "steps": _steps(pages), "ordering": ordering, **_where(where, calendars)}
    return found if most is None else {**found, "most": most}


def _where(where: Sequence[Condition], calendars: Mapping[str, Exchange] | None) -> Expectation:
    steps = {name: _step(exchange) for name, exchange in (calendars or {}).items()}
    return {"where": [list(condition) for condition in where], "calendars": steps}


def no_row(members: Mapping[str, Any], *, of: Exchange | None = None) -> Expectation:
    """No row has these members."""
    return {"what": "no row", "step": _step(of), "members": dict(members)}


def shows(calendar_id: str) -> Expectation:
    """A row of this id is shown."""
    return {"what": "shows", "step": LAST, "id": calendar_id}


def apart(sources: Sequence[Exchange]) -> Expectation:
    """Nothing is shown that the sources show, and nothing of a calendar that they show."""
    return {"what": "apart", "step": LAST, "sources": _steps(sources)}


def no_ids_of(sources: Sequence[Exchange]) -> Expectation:
    """No id of the sources' rows is in the answer, in its headers neither."""
    return {"what": "no ids of", "step": LAST, "sources": _steps(sources)}


def same_end(one: Exchange, other: Exchange) -> Expectation:
    """Either both pages are followed by another one, or none is."""
    return {"what": "same end", "steps": _steps([one, other])}


def some_rows(*, of: Exchange | None = None) -> Expectation:
    """The page has rows."""
    return {"what": "some rows", "step": _step(of)}


def full(size: int, *names: str) -> Expectation:
    """The page has `size` rows where the links of these names are there, and never more."""
    return {"what": "full", "step": LAST, "size": size, "links": list(names)}


def count(number: int, *, of: Exchange | None = None) -> Expectation:
    """The page has `number` rows."""
    return {"what": "count", "step": _step(of), "count": number}


# --- of expectations ---


def every(*parts: Expectation) -> Expectation:
    """All of these."""
    return parts[0] if len(parts) == 1 else {"what": "all", "of": list(parts)}


def either(*parts: Expectation) -> Expectation:
    """Any of these."""
    return parts[0] if len(parts) == 1 else {"what": "any", "of": list(parts)}


def never_so(part: Expectation) -> Expectation:
    """The contrary of what is expected of one answer."""
    return {"what": "not", "of": part}


def unless_throttled(part: Expectation) -> Expectation:
    """Something that is expected of an answer unless it is a 429: a project that has used up its POSTs is no fault."""
    return {"what": "unless throttled", "step": LAST, "of": part}


def where(met: Expectation, then: Expectation, otherwise: Expectation | None = None) -> Expectation:
    """Something that is expected only where something else holds."""
    return {"what": "if", "met": met, "then": then, **({} if otherwise is None else {"else": otherwise})}


# --- carried over into files ---


def renumbered(expectation: Expectation, number: Callable[[int], int]) -> Expectation:
    """The expectation with other numbers for its answers."""

    def changed(name: str, value: Any) -> Any:
        if name in _STEPS:
            return [number(one) for one in value] if isinstance(value, list) else number(value)
        if name == "calendars":
            return {calendar: number(step) for calendar, step in value.items()}
        if name in _PARTS:
            return (
                [renumbered(part, number) for part in value] if isinstance(value, list) else renumbered(value, number)
            )
        return value

    return {name: changed(name, value) for name, value in expectation.items()}


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The expectation with its texts changed, but for the names that it is made of and the contract's own schemas."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [with_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {change(name): item if name in _AS_IT_IS else with_texts(item, change) for name, item in value.items()}
    return value


# --- for people ---


def in_words(expectation: Expectation) -> str:
    """What is expected, in words."""
    return WORDS[expectation["what"]](expectation)


def _among(node: Expectation) -> str:
    texts = [str(one) if isinstance(one, int) else f"{one[0]} to {one[1]}" for one in node["among"]]
    return f"a status of {_or(texts)}"


def _or(texts: Sequence[str]) -> str:
    return " or ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _like(value: Any) -> str:
    if value == ANY:
        return "any JSON"
    if value == {"$has": {}}:
        return "an object"
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r'\{"\$(?:has|may|matches)": ', "{… ", text) if '"$' in text else text


def _header(node: Expectation) -> str:
    if node["is"] is None:
        return f"no {node['name']}"
    return (
        f"{node['name']} {'with' if node['item'] else 'beginning with' if node['begins'] else ''} {node['is']}".replace(
            "  ", " "
        )
    )


def _conditions(node: Expectation) -> str:
    names = {"=": "", "key": "that of the calendar with the deduplication key"}
    return " and ".join(
        " ".join(filter(None, [member, "is", names.get(operator, operator), _value(value)]))
        for member, operator, value in node["where"]
    )


def _value(value: Any) -> str:
    if not isinstance(value, int):
        return repr(value)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def _most(node: Expectation) -> str:
    return f", {node['most']} at most" if "most" in node else ""


def _if(node: Expectation) -> str:
    text = f"{in_words(node['then'])}, after {in_words(node['met'])}"
    return f"{text}; otherwise {in_words(node['else'])}" if "else" in node else text


def _later(node: Expectation) -> str:
    early, late = (pointer[1:] for pointer in node["pointers"])
    than = early if node["steps"][0] == node["steps"][1] else f"the earlier {early}"
    return f"{late} not before {than}" if node["or_same"] else f"{late} later than {than}"


def _family(node: Expectation) -> str:
    shapes = {name for names in (*node["of_status"].values(), node["other"]) for name in names}
    return f"a refusal of the shape {_or(sorted(shapes))}"


WORDS: Final[dict[str, Callable[[Expectation], str]]] = {
    "all": lambda node: ", and ".join(dict.fromkeys(in_words(part) for part in node["of"])),
    "any": lambda node: ", or ".join(dict.fromkeys(in_words(part) for part in node["of"])),
    "unless throttled": lambda node: in_words(node["of"]),
    "not": lambda node: f"anything but {in_words(node['of'])}",
    "if": _if,
    "status": _among,
    "never": lambda node: f"no {node['status']}",
    "statuses": lambda node: f"the statuses {', '.join(map(str, node['sorted']))}",
    "body": lambda node: _like(node["like"]),
    "member": lambda node: (
        f"{node['pointer'][1:]} {_or([json.dumps(one, ensure_ascii=False) for one in node['among']])}"
    ),
    "header": _header,
    "headers": lambda node: "the headers of openapi.yaml",
    "same headers": lambda node: f"the same status and {', '.join(node['names'])}",
    "empty": lambda node: "no body",
    "json": lambda node: "JSON",
    "schema": lambda node: "the schema of openapi.yaml",
    "family": _family,
    "links": lambda node: f"{node['host'] or ''}{node['asked']} with another cursor",
    "waits": lambda node: "the seconds of the text in Retry-After",
    "no secrets": lambda node: "no credential",
    "prompt": lambda node: f"no more than {node['seconds']:.0f} s as a rule",
    "about now": lambda node: f"{_or([one[1:] for one in node['pointers']])} about the time of the request",
    "lacks": lambda node: f"nothing of {node['text']}",
    "same rows": lambda node: "the same rows in the same order as before",
    "in order": lambda node: f"rows sorted by {node['ordering']}",
    "each once": lambda node: "no row twice",
    "complete": lambda node: "every row on one page" if not node["where"] else f"every row whose {_conditions(node)}",
    "each row": lambda node: f"only rows whose {_conditions(node)}" + _most(node),
    "no row": lambda node: f"no row with {json.dumps(node['members'], ensure_ascii=False)}",
    "shows": lambda node: f"{node['id']} among the rows",
    "no ids of": lambda node: "no id of another project",
    "no zero fraction": lambda node: "times without a fraction of zero",
    "same end": lambda node: "a next page where there was one before, and none where there was none",
    "names": lambda node: f"names in the order {', '.join(map(repr, node['names']))}",
    "apart": lambda node: "nothing of another project",
    "some rows": lambda node: "null for a link where nothing follows",
    "full": lambda node: f"{node['size']} rows a page where more follow",
    "count": lambda node: f"{node['count']} rows",
    "same document": lambda node: "the same as before",
    "same member": lambda node: f"the same {node['pointer'][1:]} as before",
    "later": _later,
    "distinct": lambda node: f"{node['pointer'][1:]} different each time",
}
