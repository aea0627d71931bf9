"""The contract compiled for judging answers: which operation a request meets, and what an answer may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import jsonschema_rs

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import Expectation
from mockserver.contracts import BOTS, load_contract

UNKNOWN_PATH_ALLOW = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
_MOST_PROBLEMS = 5
_DESCRIPTION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "description", "renders", "parses"],
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "renders": {"type": "array", "items": {"type": "string"}},
        "parses": {"type": "array", "items": {"type": "string"}},
        "actions": {"type": "object"},
    },
}
_UNKNOWN_PATH = {"enum": [{"error": "Not found"}, {"detail": "Not found."}]}
_FORBIDDEN = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}


class Place(NamedTuple):
    """Where a request goes: a path of the contract or none, and the operation that its answer is held against."""

    template: str | None
    """None for a path that is not in the contract."""
    operation: str
    """The operationId to blame; where the method is undeclared, that of the path's GET."""
    declared: bool
    """Whether the contract has the method on the path (HEAD goes with GET; OPTIONS is not in the contract)."""
    allow: str


class Problem(NamedTuple):
    """What a body breaks: the field by name, without indexes, and the words of the validator."""

    field: str
    text: str


class Verdict(NamedTuple):
    """One test of a rule on one answer."""

    rule: str
    seen: str
    """What there is instead of what is expected; "" where the rule holds."""
    expectation: Expectation
    field: str = ""
    exchanges: Sequence[Exchange] = ()
    """All that the expectation speaks of, where that is not the one answer alone."""


class Answers:
    """What the contract says of answers, by operation and status."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """`document` is openapi.yaml as it is written."""
        self._document = document
        self._components = {"schemas": _as_json_schema(document["components"]["schemas"])}
        self._places: dict[tuple[str, str], str] = {}
        self._allows: dict[str, str] = {}
        self._schemas: dict[tuple[str, int], Mapping[str, Any] | None] = {}
        self._validators: dict[tuple[str, int], jsonschema_rs.Draft4Validator | None] = {}
        self._headers: dict[str, dict[str, Any]] = {}
        self._carried: dict[tuple[str, bool], Mapping[str, Any]] = {}
        for template, item in document["paths"].items():
            self._read_path(template, item)
        refused = self._schema_of(document["components"]["responses"]["MethodNotAllowed"]) or {}
        self._fixed = {
            ("undeclared", 405): self._compile(refused),
            ("options", 200): self._compile(_DESCRIPTION),
            ("unknown", 404): self._compile(_UNKNOWN_PATH),
            ("unknown", 403): self._compile(_FORBIDDEN),
            ("unknown", 405): self._compile(refused),
            ("unknown", 200): self._compile(_DESCRIPTION),
        }

    def _read_path(self, template: str, item: Mapping[str, Any]) -> None:
        methods = [method for method in ("get", "post", "put", "patch", "delete") if method in item]
        named = [method.upper() for method in methods]
        self._allows[template] = ", ".join([*named, *(["HEAD"] if "get" in methods else []), "OPTIONS"])
        for method in methods:
            operation = item[method]
            self._places[template, method.upper()] = operation["operationId"]
            self._headers[operation["operationId"]] = {
                str(status): self._headers_of(response) for status, response in operation["responses"].items()
            }
            for status, response in operation["responses"].items():
                schema = self._schema_of(response)
                self._schemas[operation["operationId"], int(status)] = schema
                compiled = None if schema is None else self._compile(schema)
                self._validators[operation["operationId"], int(status)] = compiled

    def _schema_of(self, response: Mapping[str, Any]) -> Mapping[str, Any] | None:
        content = self.resolve(response).get("content")
        return content["application/json"]["schema"] if content else None

    def resolve(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part of the contract that this one refers to, or itself."""
        while "$ref" in part:
            found: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    def _compile(self, schema: Mapping[str, Any]) -> jsonschema_rs.Draft4Validator:
        root = {"allOf": [_as_json_schema(schema)], "components": self._components}
        return jsonschema_rs.Draft4Validator(root, validate_formats=True)

    def place(self, method: str, path: str) -> Place:
        """Where a request of this method and path (with or without a query) goes."""
        plain = unquote(path.partition("?")[0])
        template = self._template(plain)
        if template is None:
            nearest = self._template(plain.rstrip("/")) or next(iter(self._allows))
            return Place(None, self._places[nearest, "GET"], False, UNKNOWN_PATH_ALLOW)
        known = self._places.get((template, "GET" if method == "HEAD" else method))
        operation = known or self._places[template, "GET"]
        return Place(template, operation, known is not None, self._allows[template])

    def _template(self, plain: str) -> str | None:
        for template in self._allows:
            prefix, brace, _ = template.partition("{")
            if not brace and plain == template:
                return template
            rest = plain[len(prefix) :]
            if brace and plain.startswith(prefix) and rest and "/" not in rest:
                return template
        return None

    def statuses(self, operation: str) -> frozenset[int]:
        """The statuses that the contract has for an operation, without 405, which none of them answers."""
        return frozenset(status for name, status in self._validators if name == operation and status != 405)

    def schemas(self, shape: str, *, options: bool = False) -> Mapping[str, Any]:
        """The schemas of the bodies of a shape's answers, as expectations carry them; None: there is no body.

        `shape` is an operationId, or "unknown" for a path that the contract does not have; `options`: of its OPTIONS.
        """
        if (shape, options) not in self._carried:
            self._carried[shape, options] = self._collected(shape, options=options)
        return self._carried[shape, options]

    def _collected(self, shape: str, *, options: bool) -> Mapping[str, Any]:
        refused = self._schema_of(self._document["components"]["responses"]["MethodNotAllowed"]) or {}
        if shape == "unknown":
            found: dict[int, Any] = {404: _UNKNOWN_PATH, 403: _FORBIDDEN, 405: refused, 200: _DESCRIPTION}
        else:
            found = {status: schema for (name, status), schema in self._schemas.items() if name == shape}
            found |= {405: refused} | ({200: _DESCRIPTION} if options else {})
        of_status = {str(status): schema and _short(_as_json_schema(schema)) for status, schema in found.items()}
        named: dict[str, Any] = {}
        names = _referred(of_status)
        while names:
            name = names.pop()
            named[name] = _short(self._components["schemas"][name])
            names |= _referred(named[name]) - named.keys()
        return {"of_status": of_status, "named": named}

    def headers(self, operation: str) -> dict[str, Any]:
        """The headers that the contract has for an operation's answers, by status and name."""
        return self._headers[operation]

    def _headers_of(self, response: Mapping[str, Any]) -> dict[str, Any]:
        named = {name: self.resolve(header) for name, header in self.resolve(response).get("headers", {}).items()}
        return {
            name: {
                "required": header.get("required", False),
                "schema": _short(_as_json_schema(self.resolve(header["schema"]))),
            }
            for name, header in named.items()
        }

    def empty(self, operation: str, status: int) -> bool:
        """Whether the answer has no body."""
        return self._schemas.get((operation, status), {}) is None

    def problems(self, shape: str, status: int, body: Any) -> list[Problem]:
        """What a JSON body breaks of its schema, each field once.

        `shape` is an operationId, or "undeclared", "options" or "unknown" for what the contract does not describe.
        """
        validator = self._fixed.get((shape, status)) or self._validators.get((shape, status))
        if validator is None or _is_valid(validator, body):
            return []
        found: dict[str, Problem] = {}
        for problem in _problems(validator, body):
            found.setdefault(problem.field, problem)
            if len(found) == _MOST_PROBLEMS:
                break
        return list(found.values())


def _is_valid(validator: jsonschema_rs.Draft4Validator, body: Any) -> bool:
    try:
        return validator.is_valid(body)
    except ValueError:
        # The validator cannot read a lone surrogate, which an error may echo.
        return validator.is_valid(_without_surrogates(body))


def _problems(validator: jsonschema_rs.Draft4Validator, body: Any) -> Iterator[Problem]:
    for error in validator.iter_errors(_without_surrogates(body)):
        steps = [step for step in error.instance_path if isinstance(step, str)]
        steps += _missing_or_unknown(error.kind.as_dict())
        if not steps and isinstance(body, dict):
            steps = [str(name) for name in list(body)[:1]]
        keywords = [step for step in error.schema_path if isinstance(step, str)]
        yield Problem(".".join(steps), f"breaks {keywords[-1] if keywords else 'the schema'}: {error.message[:200]}")


def _missing_or_unknown(kind: Mapping[str, Any]) -> list[str]:
    """The member that a `required` or `additionalProperties` problem is about."""
    if "property" in kind:
        return [str(kind["property"])]
    unexpected = kind.get("unexpected")
    return [str(unexpected[0])] if unexpected else []


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
    return value


def _referred(schema: Any) -> set[str]:
    """The names of the schemas that a schema refers to."""
    if isinstance(schema, list):
        return {name for part in schema for name in _referred(part)}
    if not isinstance(schema, Mapping):
        return set()
    own = {schema["$ref"].rpartition("/")[2]} if isinstance(schema.get("$ref"), str) else set()
    return own | {name for part in schema.values() for name in _referred(part)}


def _short(schema: Any) -> Any:
    """A schema without what is only for people."""
    if isinstance(schema, list):
        return [_short(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {n: _short(part) for n, part in schema.items() if n != "description" or not isinstance(part, str)}


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


class _Same:
    """A document that is equal only to itself, so that it can be a key."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.document is self.document

    def __hash__(self) -> int:
        return id(self.document)


@lru_cache(maxsize=4)
def _compiled(same: _Same) -> Answers:
    return Answers(with_bots(same.document))


def answers_of(document: Mapping[str, Any]) -> Answers:
    """The contract of calendars compiled with that of bots; the same document is compiled once."""
    return _compiled(_Same(document))


_OF_BOTS: Final = "Bots."
"""Stands before the names of the parts of the contract of bots: both contracts have a Detail, for example."""


def with_bots(calendars: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the paths of bots.yaml, and with the parts that they refer to."""
    bots = _renamed(load_contract(BOTS))
    parts = {
        section: {**named, **{f"{_OF_BOTS}{name}": part for name, part in bots["components"].get(section, {}).items()}}
        for section, named in calendars["components"].items()
    }
    return {**calendars, "paths": {**calendars["paths"], **bots["paths"]}, "components": parts}


def _renamed(value: Any) -> Any:
    """The same with its references led to the marked names."""
    if isinstance(value, list):
        return [_renamed(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _reference_marked(part) if name == "$ref" and isinstance(part, str) else _renamed(part)
        for name, part in value.items()
    }


def _reference_marked(reference: str) -> str:
    place, slash, name = reference.rpartition("/")
    return f"{place}{slash}{_OF_BOTS}{name}"
