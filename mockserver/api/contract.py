"""Compiles each operation of a contract once, at start: its parameters, its body and its responses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jsonschema_rs

from mockserver.api.bodies import Body, parse_body
from mockserver.api.errors import BrokenRule, Remark
from mockserver.api.response import RenderedPage, RenderedRecord, Response, page_text, to_json
from mockserver.api.validation import BodyRules, ContractError

METHOD_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")
Handler = Callable[..., Response]
_REFERENCE = "#/components/schemas/"
ALWAYS_SENT = frozenset({"Allow", "Vary"})
"""The headers of every response, whatever its status."""
_ONE_BY_ONE = frozenset({"type", "description", "additionalProperties", "required", "properties"})
"""The keywords of an object schema with which each property keeps or breaks it whatever the other properties are."""
_ORDINARY = 16_384
"""So many bytes of a body are held against the contract before anything else; longer ones are refused more often."""
_PLAIN_NAME = re.compile(r"[a-z][a-z_]{0,23}")


class BrokenContract(Exception):
    """A response that the contract does not allow; the text names the rule and never a value."""


@lru_cache(maxsize=8)
def schemas_of(contract: str) -> Schemas:
    """The schemas of a contract that is given as JSON text: always the same, so that each is compiled only once."""
    return Schemas(json.loads(contract))


class Schemas:
    """Validators for the contract's schemas, each compiled once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """`document` is the contract as it is written, references unresolved."""
        self._document = document
        self._components = {"schemas": _as_json_schema(document["components"]["schemas"])}
        self._names: dict[str, jsonschema_rs.Draft4Validator] = {}
        self._compiled: dict[str, jsonschema_rs.Draft4Validator] = {}

    def compile(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft4Validator:
        """The validator of a schema that stands anywhere in the contract, or refers to one."""
        return self._compiled.get(text := json.dumps(schema)) or self._compile(text)

    def _compile(self, text: str) -> jsonschema_rs.Draft4Validator:
        root = {"allOf": [_as_json_schema(json.loads(text))], "components": self._components}
        validator = self._compiled[text] = jsonschema_rs.Draft4Validator(root, validate_formats=True)
        return validator

    def named(self, name: str) -> jsonschema_rs.Draft4Validator:
        """The validator of a schema under components."""
        return self._names.get(name) or self._names.setdefault(name, self.compile({"$ref": _REFERENCE + name}))

    def render(self, name: str, value: Any) -> RenderedRecord:
        """The value as JSON text that is known to keep the named schema.

        Raises BrokenContract.
        """
        validator = self.named(name)
        if not validator.is_valid(value):
            raise BrokenContract(f"{name}: {first_problem(validator, value)}")
        return RenderedRecord(name, to_json(value))

    def part(self, name: str, properties: Collection[str]) -> PartSchema:
        """What the named object schema says of these properties.

        Raises ContractError when it says anything about properties together: then it would not be enough to look at
        those that have changed.
        """
        schema = self.resolve({"$ref": _REFERENCE + name})
        together = schema.keys() - _ONE_BY_ONE
        if together or not schema["properties"].keys() >= set(properties):
            raise ContractError(f"schema {name}: {sorted(together) or sorted(properties)} cannot be checked one by one")
        rules = {each: schema["properties"][each] for each in properties}
        part = {"type": "object", "additionalProperties": False, "required": [*rules], "properties": rules}
        return PartSchema(name, self.compile(part))

    def resolve_fields(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part with each of its fields, and their own fields, instead of references to them."""
        resolved = self.resolve(part)
        if "properties" not in resolved:
            return resolved
        fields = {name: self.resolve_fields(rule) for name, rule in resolved["properties"].items()}
        return {**resolved, "properties": fields}

    def resolve(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part of the contract that this one refers to, or itself."""
        while "$ref" in part:
            found: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part


class PartSchema(NamedTuple):
    """What a schema says of some properties of an object."""

    name: str
    validator: jsonschema_rs.Draft4Validator

    def check(self, properties: Mapping[str, Any]) -> None:
        """Raises BrokenContract when these are not just the properties that it is about, each as it has to be."""
        if not self.validator.is_valid(properties):
            raise BrokenContract(f"{self.name}: {first_problem(self.validator, properties)}")


def first_problem(validator: jsonschema_rs.Draft4Validator, value: Any) -> str:
    """Where a value breaks a schema and which keyword it breaks; the value itself is not told."""
    where, rule = _first_problem(validator, value)
    return f"{'/'.join(where) or 'the whole'} {rule}"


def _first_problem(validator: jsonschema_rs.Draft4Validator, value: Any) -> tuple[list[str], str]:
    """The steps to what breaks a schema, and the rule that it breaks, e.g. "breaks maxLength".

    A name that a client chose is not told unless it looks like one: it may be a secret, and no header could carry it.
    """
    for error in validator.iter_errors(value):
        keywords = [step for step in error.schema_path if isinstance(step, str)]
        return [_shown(step) for step in error.instance_path], f"breaks {keywords[-1] if keywords else 'the schema'}"
    return [], "breaks the schema"


def _shown(step: str | int) -> str:
    return str(step) if isinstance(step, int) or _PLAIN_NAME.fullmatch(step) else "..."


def _as_json_schema(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema draft 4: what is nullable may be null."""
    if isinstance(schema, list):
        return [_as_json_schema(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain = {name: _as_json_schema(part) for name, part in schema.items() if name not in ("nullable", "example")}
    if schema.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


class ResponseContract:
    """What the contract says of one status of one operation."""

    def __init__(self, schemas: Schemas, response: Mapping[str, Any]) -> None:
        content = response.get("content")
        required = {
            name for name, header in response.get("headers", {}).items() if schemas.resolve(header).get("required")
        }
        self.headers = frozenset(required - ALWAYS_SENT)
        """Those that are required of it, beyond what every response has."""
        self._schema: Mapping[str, Any] = content["application/json"]["schema"] if content else {}
        self._validator = schemas.compile(self._schema) if content else None
        page = schemas.resolve(self._schema).get("properties", {})
        self._results = schemas.resolve(page["results"]) if "results" in page else None

    def text(self, body: Any) -> bytes:
        """The response's JSON text.

        Raises BrokenContract when the contract does not allow it.
        """
        if self._validator is None:
            if body is not None:
                raise BrokenContract("a body where there is none")
            return b""
        if type(body) is RenderedRecord:
            if self._schema.get("$ref") != _REFERENCE + body.schema:
                raise BrokenContract(f"a {body.schema} where there is none")
            return body.text
        if type(body) is RenderedPage:
            return self._page_text(body)
        if not self._validator.is_valid(body):
            raise BrokenContract(first_problem(self._validator, body))
        return to_json(body)

    def _page_text(self, page: RenderedPage) -> bytes:
        """A page's text: its records were validated when they were rendered, what surrounds them is validated here."""
        assert self._validator is not None
        if self._results is None:
            raise BrokenContract("a page where there is none")
        frame: dict[str, Any] = {"next": page.next, "previous": page.previous, "results": []}
        if not self._validator.is_valid(frame):
            raise BrokenContract(first_problem(self._validator, frame))
        if len(page.results.texts) > self._results["maxItems"]:
            raise BrokenContract("results breaks maxItems")
        if _REFERENCE + page.results.schema != self._results["items"]["$ref"]:
            raise BrokenContract("results breaks items")
        return page_text(page)


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, with the handler that answers it."""

    operation_id: str
    method: str
    handler: Handler
    parameters: Mapping[str, jsonschema_rs.Draft4Validator]
    """The query parameters' validators by name; of one that may be repeated, the validator of each value."""
    repeatable: frozenset[str]
    body: jsonschema_rs.Draft4Validator | None
    rules: BodyRules | None
    responses: Mapping[int, ResponseContract]

    def query_remarks(self, pairs: Iterable[tuple[str, str]]) -> list[Remark]:
        """What of a query the contract does not allow."""
        remarks: list[Remark] = []
        seen = set()
        for name, value in pairs:
            validator = self.parameters.get(name)
            if validator is None:
                # A name that looks like one is told; anything else might be a secret that slipped into the wrong place.
                told = f" {name}" if _PLAIN_NAME.fullmatch(name) else ""
                remarks.append(Remark(f"unknown query parameter{told}"))
            elif name in seen and name not in self.repeatable:
                remarks.append(_parameter_remark(name, "given twice"))
            elif not validator.is_valid(value):
                _, rule = _first_problem(validator, value)
                remarks.append(_parameter_remark(name, rule))
            seen.add(name)
        return remarks

    def body_remarks(self, data: Any) -> list[Remark]:
        """What of a body the contract does not allow."""
        if self.body is None:
            return []
        try:
            return [] if self.body.is_valid(data) else [_body_remark(*_first_problem(self.body, data))]
        except ValueError:
            # The validator cannot even read it: a lone surrogate, or nesting beyond its own limit.
            return [Remark("body: not plain JSON")]

    def read_fields(
        self,
        content_type: str,
        raw: bytes,
        remarks: list[Remark],
        read: Callable[[BodyRules, Body], Mapping[str, Any]] | None = None,
        parsed: Body | None = None,
    ) -> Mapping[str, Any]:
        """A body's fields as they are stored; `remarks` takes up what of it the contract does not allow.

        `read` makes the fields of a body whose rules need more than the contract; `parsed` is a body that was parsed
        before.

        Raises ApiError for a body that the service refuses.
        """
        assert self.rules is not None
        body = parse_body(content_type, raw) if parsed is None else parsed
        if read is None and not body.is_form and len(raw) <= _ORDINARY and not self.body_remarks(body.data):
            return self.rules.take(body.data)
        if body.is_form:
            remarks.append(Remark("body: a form"))
        fields = self.rules.apply(body) if read is None else read(self.rules, body)
        if not body.is_form:
            remarks += self.body_remarks(body.data)
        return fields

    def text(self, response: Response) -> bytes:
        """The response's JSON text.

        Raises BrokenContract when the contract does not allow its status, its body, or the lack of a header.
        """
        contract = self.responses.get(response.status)
        if contract is None:
            raise BrokenContract(f"status {response.status} is not in the contract")
        if contract.headers and not contract.headers <= response.headers.keys():
            raise BrokenContract(f"the header {min(contract.headers - response.headers.keys())} is missing")
        return contract.text(response.body)


def _parameter_remark(name: str, rule: str) -> Remark:
    return Remark(f"query parameter {name} {rule}", BrokenRule(name, rule))


def _body_remark(where: list[str], rule: str) -> Remark:
    if not where:
        return Remark(f"body: the whole {rule}")
    field, *within = where
    return Remark(
        f"body: {'/'.join(where)} {rule}", BrokenRule(field, f"{'/'.join(within)} {rule}" if within else rule)
    )


class Route(NamedTuple):
    """A path of the contract and the operations on it, by method."""

    template: str
    allow: str
    operations: Mapping[str, Operation]
    created: Mapping[str, Any] = {}
    """The fields of what a POST creates, as the contract lists them; empty without a POST."""

    @property
    def prefix(self) -> str | None:
        """What comes before the path's one parameter; None where there is no parameter."""
        return self.template.partition("{")[0] if "{" in self.template else None


def compile_route(
    schemas: Schemas, template: str, item: Mapping[str, Any], handler_of: Callable[[str], Handler]
) -> Route:
    """The route of a path: `item` is its part of the contract, `handler_of` takes a method in lower case.

    Raises ContractError for what this code does not implement.
    """
    operations = {
        method: _compile_operation(schemas, method, item[method.lower()], handler_of(method.lower()))
        for method in METHOD_ORDER
        if method.lower() in item
    }
    created: Mapping[str, Any] = {}
    if "POST" in operations:
        content = schemas.resolve(item["post"]["responses"]["201"])["content"]
        created = schemas.resolve(content["application/json"]["schema"])["properties"]
    return Route(template, _allow(operations), operations, created)


def missing_route(template: str, methods: Iterable[str]) -> Route:
    """The route of a path that the service has with these methods, and the mock does not imitate."""
    return Route(template, _allow(methods), {})


def _allow(methods: Iterable[str]) -> str:
    named = [method for method in METHOD_ORDER if method in methods]
    return ", ".join([*named, *(["HEAD"] if "GET" in named else []), "OPTIONS"])


def _compile_operation(schemas: Schemas, method: str, written: Mapping[str, Any], handler: Handler) -> Operation:
    parameters = [schemas.resolve(parameter) for parameter in written.get("parameters", ())]
    asked = {parameter["name"]: parameter["schema"] for parameter in parameters if parameter["in"] == "query"}
    content = schemas.resolve(written["requestBody"])["content"] if "requestBody" in written else None
    if content is not None and set(content) != {"application/json"}:
        raise ContractError(f"{written['operationId']}: only application/json bodies are implemented")
    body = content["application/json"]["schema"] if content else None
    rules = None
    if body is not None:
        rules = BodyRules(schemas.resolve_fields(body))
    return Operation(
        operation_id=written["operationId"],
        method=method,
        handler=handler,
        parameters={name: schemas.compile(rule.get("items", rule)) for name, rule in asked.items()},
        repeatable=frozenset(name for name, rule in asked.items() if rule.get("type") == "array"),
        body=schemas.compile(body) if body else None,
        rules=rules,
        responses={
            int(status): ResponseContract(schemas, schemas.resolve(response))
            for status, response in written["responses"].items()
        },
    )
