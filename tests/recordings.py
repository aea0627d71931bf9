"""The recorded exchanges with the service, with the operation of each, and what in them fits a condition."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mockserver.contracts import BOTS, CALENDARS, METHODS, load_contract

FOLDER = Path(__file__).parent / "recorded"
SCENARIOS = ("scenarios", "scenarios-bots", "scenarios-throttle")


class Recorded(NamedTuple):
    """One recorded request and its response."""

    scenario: str
    operation: str | None
    """The operationId of the request's path and method; None for an unknown path and another method."""
    path: str
    """The path of the contract, e.g. /api/v1/calendars/{object_id}; empty for an unknown path."""
    request: Mapping[str, Any]
    response: Mapping[str, Any]
    asserts: tuple[list[str], ...] = ()
    """What has to hold between values of the response: a pointer, a relation, and a pointer or a captured value."""

    @property
    def text(self) -> str:
        """The response's body as text, with placeholders where values differ each time."""
        found = next((self.response[name] for name in ("body", "text", "results") if name in self.response), "")
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def scenarios() -> dict[str, Path]:
    """The file of each scenario by its name."""
    return {path.stem: path for folder in SCENARIOS for path in sorted((FOLDER / folder).glob("*.json"))}


@lru_cache(maxsize=1)
def exchanges() -> tuple[Recorded, ...]:
    """Every recorded exchange; of a walk, none: only its numbers were recorded."""
    paths = _paths()
    return tuple(
        _recorded(name, step, paths)
        for name, file in scenarios().items()
        for step in load(file)["steps"]
        if "walk" not in step
    )


@lru_cache(maxsize=1)
def by_scenario() -> dict[str, list[Recorded]]:
    """The recorded exchanges of each scenario."""
    found: dict[str, list[Recorded]] = {name: [] for name in scenarios()}
    for one in exchanges():
        found[one.scenario].append(one)
    return found


@cache
def load(path: Path) -> Any:
    """A file of tests/recorded."""
    return json.loads(path.read_text("utf-8"))


def shows(where: Mapping[str, Any]) -> bool:
    """Whether a recording contains what a row of the ledger says. Raises KeyError for a recording that is gone."""
    if "at" in where:
        return _shows_part(where)
    if "walk" in where:
        walks = [step["expect"] for step in load(scenarios()[where["in"]])["steps"] if "walk" in step]
        return any(walk.items() >= where["walk"].items() for walk in walks)
    found = by_scenario()[where["in"]]
    if where.keys() == {"in"}:
        return True
    return any(fits(one, where) for one in found)


def fits(one: Recorded, where: Mapping[str, Any]) -> bool:
    """Whether an exchange has the operation, method, status, text, header and assertion, and its request `sent`.

    It must not have the header that is named in `without`.
    """
    name, _, value = where.get("header", "").partition(": ")
    own = one.response["headers"].get(name)
    return (
        ("operations" not in where or one.operation in where["operations"])
        and where.get("method", one.request["method"]) == one.request["method"]
        and where.get("status", one.response["status"]) == one.response["status"]
        and where.get("text", "") in one.text
        and where.get("sent", "") in json.dumps(one.request, ensure_ascii=False)
        and ("asserts" not in where or where["asserts"] in one.asserts)
        and where.get("without", "") not in one.response["headers"]
        and ("header" not in where or (own is not None and fnmatch.fnmatchcase(own, value)))
    )


def _shows_part(where: Mapping[str, Any]) -> bool:
    name = where["in"] if where["in"].endswith(".json") else f"{where['in']}.json"
    document = load(FOLDER / name)
    if "step" in where:
        document = next(step for step in document["sync"]["steps"] if step["step"] == where["step"])
    part = at(document, where["at"])
    if "has" in where:
        return isinstance(part, str) and where["has"] in part
    return part == where["is"] and isinstance(part, bool) == isinstance(where["is"], bool)


def at(document: Any, pointer: str) -> Any:
    """The part of a document at a JSON pointer. A name may contain slashes; the longest that fits is taken."""
    rest = pointer.removeprefix("/")
    while rest:
        names = [rest] if isinstance(document, list) else sorted(document, key=len, reverse=True)
        name = next((one for one in names if rest == one or rest.startswith(f"{one}/")), rest.split("/")[0])
        if isinstance(document, list):
            name = rest.split("/")[0]
            document = document[int(name)]
        else:
            document = document[name]
        rest = rest[len(name) + 1 :]
    return document


def _paths() -> list[tuple[str, re.Pattern[str], dict[str, str]]]:
    found = []
    for contract in (CALENDARS, BOTS):
        for path, item in load_contract(contract)["paths"].items():
            methods = {method.upper(): item[method]["operationId"] for method in METHODS if method in item}
            found.append((path, re.compile(re.sub(r"{\w+}", "[^/]+", path)), methods))
    return found


def _recorded(name: str, step: Mapping[str, Any], paths: list[tuple[str, re.Pattern[str], dict[str, str]]]) -> Recorded:
    request = step["request"]
    path = urlsplit(request["path"]).path
    # A link that an earlier step captured: it leads to the list that the scenario is about.
    if request["path"].startswith("${"):
        path = "/api/v1/calendar_events" if "event" in name else "/api/v1/calendars"
    for template, pattern, methods in paths:
        if pattern.fullmatch(path):
            operation = methods.get(request["method"])
            return Recorded(name, operation, template, request, step["response"], tuple(step.get("assert") or ()))
    return Recorded(name, None, "", request, step["response"])


def walks() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The recorded walks along links, each with the name of its scenario."""
    for name, file in scenarios().items():
        for step in load(file)["steps"]:
            if "walk" in step:
                yield name, step
