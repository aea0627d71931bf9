"""Reads openapi.yaml against the recordings: which parts were recorded, which have a row in the ledger, which neither.

`python -m tests.contract_reading` prints every part of the contract with the recording or the row that shows it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mockserver.api.contract import Schemas
from mockserver.contracts import CALENDARS, load_contract
from mockserver.evidence import Ledger, ledger
from tests.recordings import Recorded, at, exchanges, load, scenarios

REFERENCE = "#/components/schemas/"
JSON = "application/json"
PLACEHOLDER = re.compile(r"\$\{(any:)?([a-z0-9_]+)\}")
SAMPLES = {
    "calendar_id": "cal_aaaaaaaaaaaaaaaa",
    "event_id": "evt_aaaaaaaaaaaaaaaa",
    "bot_id": "bot_aaaaaaaaaaaaaaaa",
    "timestamp": "2026-01-01T00:00:00.000001Z",
    "uuid": "4f6f2d0e-5c1b-4a7e-9d3e-2b8c7a1f0e5d",
    "int": "42",
    "text": "text",
    "cursor_url": "http://127.0.0.1:8000/api/v1/calendars?cursor=cD0x",
}
"""A value of each kind of placeholder: in a recording it means any value of that kind."""


class ContractReading:
    """A contract, the recordings of its operations, and the ledger."""

    def __init__(self, contract: Mapping[str, Any], recorded: tuple[Recorded, ...], rows: Ledger) -> None:
        self.contract = contract
        self.schemas = Schemas(contract)
        self.operations = {
            operation["operationId"]: (path, operation)
            for path, item in contract["paths"].items()
            for operation in item.values()
            if isinstance(operation, dict) and "operationId" in operation
        }
        self.recorded = [one for one in recorded if one.path in contract["paths"]]
        self._rows = rows

    @cached_property
    def parts(self) -> list[str]:
        """Every status, header, parameter, field, null and listed value of the contract, each with a name."""
        found: dict[str, None] = {}
        for name, (_, operation) in self.operations.items():
            for parameter in map(self.schemas.resolve, operation.get("parameters", ())):
                if parameter["in"] == "query":
                    found[f"{name} ?{parameter['name']}"] = None
            found |= dict.fromkeys(f"{name} body.{field}" for field in self._fields(operation))
            for status, response in self.responses(operation).items():
                found[f"{name} {status}"] = None
                found |= dict.fromkeys(f"{name} {status} {header}" for header in response.get("headers", {}))
                for schema in self._schemas_of(response):
                    found |= dict.fromkeys(f"{name} {status} {variant}" for variant in self._variants(schema))
                    found |= dict.fromkeys(self._parts_of(schema, set()))
        return list(found)

    @cached_property
    def shown(self) -> dict[str, str]:
        """The parts that a recording shows, each with the name of the first scenario that does."""
        found: dict[str, str] = {}
        for one in self.recorded:
            for part in self._parts_shown(one):
                found.setdefault(part, one.scenario)
        return found

    def row_about(self, part: str) -> str | None:
        """The first row of the ledger that vouches for a part."""
        rows = self._rows.rows.values()
        return next((row.name for row in rows if any(fnmatchcase(part, pattern) for pattern in row.contract)), None)

    @property
    def unknown(self) -> list[str]:
        """The parts that neither a recording nor a row shows."""
        return [part for part in self.parts if part not in self.shown and self.row_about(part) is None]

    @property
    def idle_patterns(self) -> list[str]:
        """The patterns of rows that fit no part which needs them: the part is gone, or a recording shows it now."""
        needed = [part for part in self.parts if part not in self.shown]
        patterns = [pattern for row in self._rows.rows.values() for pattern in row.contract]
        return [pattern for pattern in patterns if not any(fnmatchcase(part, pattern) for part in needed)]

    @property
    def misfits(self) -> list[str]:
        """The recorded responses that the contract does not allow, with the reason."""
        return [f"{one.scenario}: {problem}" for one in self.recorded for problem in self._problems(one)]

    def responses(self, operation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """The responses of an operation by their statuses, references resolved."""
        return {status: self.schemas.resolve(response) for status, response in operation["responses"].items()}

    def _fields(self, operation: Mapping[str, Any]) -> Mapping[str, Any]:
        if "requestBody" not in operation:
            return {}
        schema = self.schemas.resolve(operation["requestBody"])["content"][JSON]["schema"]
        fields: Mapping[str, Any] = self.schemas.resolve(schema)["properties"]
        return fields

    def _schemas_of(self, response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [media["schema"] for media in response.get("content", {}).values()]

    def _variants(self, schema: Mapping[str, Any]) -> list[str]:
        """The names of the schemas of which a body has one; none where there is no choice."""
        kinds = self.schemas.resolve(schema).get("oneOf", ())
        return [kind["$ref"].removeprefix(REFERENCE) for kind in kinds]

    def _parts_of(self, schema: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
        """The fields, nulls and listed values of a schema and of those within it."""
        name = schema.get("$ref", "").removeprefix(REFERENCE)
        if name in seen:
            return
        seen |= {name} - {""}
        rule = self.schemas.resolve(schema)
        yield from (f"{name} {value}" for value in rule.get("enum", ()))
        for field, inner in rule.get("properties", {}).items():
            yield f"{name}.{field}"
            if self.schemas.resolve(inner).get("nullable"):
                yield f"{name}.{field} null"
            yield from self._parts_of(inner, seen)
        for inner in (*rule.get("oneOf", ()), *([rule["items"]] if "items" in rule else ())):
            yield from self._parts_of(inner, seen)

    def _parts_shown(self, one: Recorded) -> Iterator[str]:
        if one.operation is None:
            if one.response["status"] == 405:
                yield from self._parts_of_405(one)
            return
        _, operation = self.operations[one.operation]
        status = str(one.response["status"])
        yield from (f"{one.operation} ?{name}" for name, _ in parse_qsl(urlsplit(one.request["path"]).query, True))
        body = one.request.get("body")
        if isinstance(body, dict) and status < "400":
            yield from (f"{one.operation} body.{name}" for name in body)
        yield f"{one.operation} {status}"
        yield from (f"{one.operation} {status} {_title(name)}" for name in one.response["headers"])
        for schema in self._schemas_of(self.responses(operation).get(status, {})):
            if "results" in one.response:
                yield from self._values_shown(schema, self._links(one))
            if "body" in one.response:
                value = sample(one.response["body"], captured(one.scenario))
                for variant in self._variants(schema):
                    if self.schemas.named(variant).is_valid(value):
                        yield f"{one.operation} {status} {variant}"
                yield from self._values_shown(schema, value)

    def _parts_of_405(self, one: Recorded) -> Iterator[str]:
        """Of a method that the path does not have: the contract has this response at each operation of the path."""
        for name, (path, _) in self.operations.items():
            if path == one.path:
                yield f"{name} 405"
                yield from (f"{name} 405 {_title(header)}" for header in one.response["headers"])
        yield "MethodNotAllowed.detail"

    def _links(self, one: Recorded) -> dict[str, Any]:
        """The links of a page that was recorded in short."""
        links = {
            name: one.response["results"][name] for name in ("next", "previous") if name in one.response["results"]
        }
        found: dict[str, Any] = sample(links, captured(one.scenario))
        return found

    def _values_shown(self, schema: Mapping[str, Any], value: Any) -> Iterator[str]:
        """The fields, nulls and listed values of a schema that a value has."""
        name, rule = schema.get("$ref", "").removeprefix(REFERENCE), self.schemas.resolve(schema)
        if value in rule.get("enum", ()):
            yield f"{name} {value}"
        for kind in rule.get("oneOf", ()):
            if self.schemas.compile(kind).is_valid(value):
                yield from self._values_shown(kind, value)
        if isinstance(value, list) and "items" in rule:
            for item in value:
                yield from self._values_shown(rule["items"], item)
        elif isinstance(value, dict):
            for field, inner in rule.get("properties", {}).items():
                if field in value:
                    yield f"{name}.{field} null" if value[field] is None else f"{name}.{field}"
                    yield from self._values_shown(inner, value[field])

    def _problems(self, one: Recorded) -> Iterator[str]:
        """What the contract does not allow of a recorded response; nothing for a page in another format than JSON."""
        if one.operation is None or one.response["headers"].get("content-type", JSON) != JSON:
            return
        _, operation = self.operations[one.operation]
        status = str(one.response["status"])
        responses, values = self.responses(operation), captured(one.scenario)
        if status not in responses:
            yield f"{one.operation} has no status {status}"
            return
        for name, header in responses[status].get("headers", {}).items():
            value: Any = sample(one.response["headers"].get(name.lower()), values)
            rule = self.schemas.resolve(header)["schema"]
            if rule["type"] == "integer" and value is not None:
                value = int(value)
            if not self.schemas.compile(rule).is_valid(value):
                yield f"{one.operation} {status}: the header {name} is {value}"
        for schema in self._schemas_of(responses[status]):
            if "body" in one.response:
                problems = self.schemas.compile(schema).iter_errors(sample(one.response["body"], values))
                yield from (f"{one.operation} {status}: {problem.message[:200]}" for problem in problems)
            if "results" in one.response:
                links = self._links(one)
                yield from (f"{name} is {links[name]}" for name in links if not self._is_link(links[name]))

    def _is_link(self, value: Any) -> bool:
        return self.schemas.named("PageLink").is_valid(value)


def sample(recorded: Any, values: Mapping[str, str]) -> Any:
    """A recorded value with a value for each placeholder; `values` are those of captured ones."""
    if isinstance(recorded, dict):
        return {name: sample(value, values) for name, value in recorded.items()}
    if isinstance(recorded, list):
        return [sample(value, values) for value in recorded]
    if not isinstance(recorded, str):
        return recorded
    return PLACEHOLDER.sub(lambda match: SAMPLES[match[2]] if match[1] else values[match[2]], recorded)


@cache
def captured(scenario: str) -> Mapping[str, str]:
    """A value for each name under which a scenario captures one, of the kind that was recorded at that place."""
    found: dict[str, str] = {}
    for step in load(scenarios()[scenario])["steps"]:
        for name, pointer in (step.get("capture") or {}).items():
            response = step["response"]
            document = response.get("body", response.get("results"))
            # A page in short has its ids in a list of their own: /results/0/id is its first one.
            short = pointer.replace("/results", "/ids").removesuffix("/id") if "results" in response else pointer
            found[name] = sample(at(document, short), found)
        if step.get("walk", {}).get("capture_last"):
            found[step["walk"]["capture_last"]] = SAMPLES["cursor_url"]
    return found


def _title(header: str) -> str:
    return "WWW-Authenticate" if header == "www-authenticate" else header.title()


def read() -> ContractReading:
    """openapi.yaml, the recordings and the ledger as they are."""
    return ContractReading(load_contract(CALENDARS), exchanges(), ledger())


def main() -> int:
    """Prints every part with what shows it. Exit status 1 if something does not fit or nothing shows a part."""
    reading = read()
    for part in reading.parts:
        row = reading.row_about(part)
        place = reading.shown.get(part) or (f"row {row}" if row else "NOTHING SHOWS IT")
        sys.stdout.write(f"{part:60} {place}\n")
    problems = [*reading.misfits, *(f"no part needs {pattern}" for pattern in reading.idle_patterns)]
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    shown = sum(part in reading.shown for part in reading.parts)
    counts = {"parts": len(reading.parts), "recorded": shown, "unknown": len(reading.unknown), "misfits": len(problems)}
    sys.stdout.write(json.dumps(counts) + "\n")
    return 1 if problems or reading.unknown else 0


if __name__ == "__main__":
    sys.exit(main())
