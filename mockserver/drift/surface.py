"""The operations of an OpenAPI document: parameters, bodies and responses, however the document is arranged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from mockserver.contracts import METHODS
from mockserver.drift.document import Document, Pointer, pointer_of
from mockserver.drift.shapes import Schemas, Shape

Contents: TypeAlias = Mapping[str, Shape | None]
"""Shapes by media type in lower case without parameters; None where the document gives no schema."""

_MOST_STEPS: Final = 32
_VARIABLE: Final = re.compile(r"\{[^{}]*\}")
_JSON: Final = re.compile(r"application/(json|[\w.+-]+\+json)")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a request, or a header of a response."""

    place: str
    """query, header, path, cookie; for a header of a response "response header"."""
    name: str
    required: bool
    shape: Shape | None
    pointer: Pointer

    @property
    def where(self) -> str:
        """How reports name it; the same in each operation."""
        return f"{self.place}.{self.name}"

    @property
    def key(self) -> tuple[str, str]:
        """What it is found by: names of headers ignore case."""
        return self.place, self.name.lower() if "header" in self.place else self.name


@dataclass(frozen=True)
class Body:
    """What a request or a response carries."""

    contents: Contents
    required: bool
    pointer: Pointer

    @property
    def shape(self) -> Shape | None:
        """The shape of its JSON, or of its only form."""
        json = [shape for media, shape in self.contents.items() if _JSON.fullmatch(media)]
        return json[0] if json else None

    def takes(self, media_type: str) -> bool:
        """Whether it may be of this media type."""
        return any(_is_in_range(media_type, media) for media in self.contents)


@dataclass(frozen=True)
class Response:
    """What a document says of one status."""

    body: Body
    headers: Mapping[tuple[str, str], Parameter]
    pointer: Pointer
    is_stand_in_only: bool
    """Whether only the mock responds so: the contract's descriptions say it first."""


@dataclass
class Operation:
    """A method on a path."""

    method: str
    path: str
    """With the path of the document's first server in front."""
    name: str
    """The operationId, or method and path."""
    pointer: Pointer
    parameters: Mapping[tuple[str, str], Parameter]
    body: Body | None
    responses: Mapping[str, Response]
    """By status in capitals: 200, 4XX, DEFAULT."""
    needs_key: bool
    key_headers: frozenset[str] = field(default_factory=frozenset)
    """The headers in which credentials go, in lower case."""

    @property
    def key(self) -> tuple[str, str]:
        """What it is found by: names of path variables do not count."""
        return self.method, path_key(self.path)

    def response(self, status: int) -> Response | None:
        """What the document says of a status: by its number, its range, or for all others."""
        for name in (str(status), f"{status // 100}XX", "DEFAULT"):
            if name in self.responses:
                return self.responses[name]
        return None


class Surface:
    """The operations of a document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._requests = Schemas(document, "request")
        self._responses = Schemas(document, "response")

    @cached_property
    def operations(self) -> Mapping[tuple[str, str], Operation]:
        """Every operation, by method and path key."""
        found = list(self._operations())
        return {operation.key: operation for operation in found}

    @cached_property
    def paths(self) -> frozenset[str]:
        """The keys of all paths."""
        return frozenset(path for _, path in self.operations)

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that a request meets; a path without variables goes before one with."""
        matching = [key for key in self.paths if _pattern(key).fullmatch(path)]
        for key in sorted(matching, key=lambda key: key.count("{}")):
            if (method, key) in self.operations:
                return self.operations[method, key]
        return None

    def has_path(self, path: str) -> bool:
        """Whether a request to this path meets any operation, whatever its method."""
        return any(_pattern(key).fullmatch(path) for key in self.paths)

    def resolve(self, pointer: Pointer) -> tuple[Pointer, Any]:
        """The part at a pointer, after all references."""
        part = self.document.part(pointer)
        for _ in range(_MOST_STEPS):
            if not isinstance(part, Mapping) or not isinstance(part.get("$ref"), str):
                break
            pointer = pointer_of(part["$ref"])
            part = self.document.part(pointer)
        return pointer, part if isinstance(part, Mapping) else {}

    def _operations(self) -> Iterator[Operation]:
        data = self.document.data
        for template in data.get("paths") or {}:
            pointer, item = self.resolve(("paths", template))
            for method in METHODS:
                if isinstance(item.get(method), Mapping):
                    prefix = _prefix(item[method], item, data)
                    yield self._operation(method, prefix + template, pointer, item)

    def _operation(self, method: str, path: str, pointer: Pointer, item: Mapping[str, Any]) -> Operation:
        raw = item[method]
        place = (*pointer, method)
        schemes = list(self._schemes(raw))
        return Operation(
            method.upper(),
            path,
            str(raw.get("operationId") or f"{method.upper()} {path}"),
            place,
            {**self._parameters(pointer), **self._parameters(place)},
            self._body((*place, "requestBody"), self._requests) if "requestBody" in raw else None,
            {str(s).upper(): self._response((*place, "responses", s)) for s in raw.get("responses") or {}},
            bool(schemes) and all(schemes),
            frozenset(name for names in schemes for name in names),
        )

    def _parameters(self, pointer: Pointer) -> dict[tuple[str, str], Parameter]:
        found = {}
        for index, _ in enumerate((self.document.part(pointer) or {}).get("parameters") or ()):
            place, raw = self.resolve((*pointer, "parameters", str(index)))
            if raw:
                shape = self._shape(place, raw, self._requests)
                name, where = str(raw.get("name")), str(raw.get("in"))
                parameter = Parameter(where, name, raw.get("required") is True, shape, place)
                found[parameter.key] = parameter
        return found

    def _shape(self, pointer: Pointer, raw: Mapping[str, Any], schemas: Schemas) -> Shape | None:
        if "schema" in raw:
            return schemas.shape((*pointer, "schema"))
        for media, content in (raw.get("content") or {}).items():
            if isinstance(content, Mapping) and "schema" in content:
                return schemas.shape((*pointer, "content", media, "schema"))
        return None

    def _body(self, pointer: Pointer, schemas: Schemas) -> Body:
        place, raw = self.resolve(pointer)
        contents = {
            media_type_of(media): self._shape((*place, "content", media), content or {}, schemas)
            for media, content in (raw.get("content") or {}).items()
        }
        return Body(contents, raw.get("required") is True, place)

    def _response(self, pointer: Pointer) -> Response:
        place, raw = self.resolve(pointer)
        headers = {}
        for name in raw.get("headers") or {}:
            at, header = self.resolve((*place, "headers", name))
            shape = self._shape(at, header, self._responses)
            one = Parameter("response header", name, header.get("required") is True, shape, at)
            headers[one.key] = one
        only = str(raw.get("description", "")).lstrip().startswith("Stand-in only")
        return Response(self._body(place, self._responses), headers, place, only)

    def _schemes(self, raw: Mapping[str, Any]) -> Iterator[list[str]]:
        """For each way to be let in, the headers that it needs; none for a request without credentials."""
        for way in raw.get("security", self.document.data.get("security")) or ():
            names = []
            for name in way:
                _, scheme = self.resolve(("components", "securitySchemes", name))
                is_key = scheme.get("type") == "apiKey"
                names.append(str(scheme.get("name")).lower() if is_key else "authorization")
            yield names


def _prefix(operation: Mapping[str, Any], item: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The path of the first server."""
    for holder in (operation, item, data):
        servers = holder.get("servers")
        if servers:
            return urlsplit(_VARIABLE.sub("x", str(servers[0].get("url", "")))).path.rstrip("/")
    return ""


def path_key(path: str) -> str:
    """A path template without the names of its variables."""
    return _VARIABLE.sub("{}", path)


@lru_cache(maxsize=4096)
def _pattern(key: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in key.split("{}")))


def media_type_of(content_type: str) -> str:
    """The media type without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether it is JSON, under its own name or another."""
    return _JSON.fullmatch(media_type) is not None


def _is_in_range(media_type: str, allowed: str) -> bool:
    main, _, _ = media_type.partition("/")
    return allowed in (media_type, f"{main}/*", "*/*")
