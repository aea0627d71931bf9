"""The operations of the contracts by their ids, with JSON pointers to their parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockserver.api.contract import Schemas


class Place(NamedTuple):
    """An operation, and the file and path where it is written."""

    file: str
    template: str
    method: str
    written: Mapping[str, Any]
    schemas: Schemas

    @property
    def pointer(self) -> str:
        """Where the operation is, e.g. openapi.yaml#/paths/~1api~1v1~1calendars/post."""
        return f"{self.file}#/paths/{self.template.replace('~', '~0').replace('/', '~1')}/{self.method.lower()}"

    def response_pointer(self, status: int) -> str | None:
        """Where a status of the operation is; None where the contract does not have it."""
        if str(status) not in self.written["responses"]:
            return None
        return f"{self.pointer}/responses/{status}"

    def parameters(self) -> list[Mapping[str, Any]]:
        """The parameters in the order of the contract."""
        return [self.schemas.resolve(parameter) for parameter in self.written.get("parameters", ())]

    def parameter_pointer(self, name: str) -> str | None:
        """Where a query parameter is."""
        for place, parameter in enumerate(self.written.get("parameters", ())):
            if self.schemas.resolve(parameter)["name"] == name:
                own = f"{self.pointer}/parameters/{place}"
                return f"{self.file}{parameter['$ref']}" if "$ref" in parameter else own
        return None

    def fields(self) -> Mapping[str, Mapping[str, Any]]:
        """The fields of the body by name, as the contract has them; none where there is no body."""
        schema, _ = self._body()
        return {name: self.schemas.resolve(rule) for name, rule in schema.get("properties", {}).items()}

    def required(self) -> tuple[str, ...]:
        """The fields that a body must have."""
        return tuple(self._body()[0].get("required", ()))

    def field_pointer(self, name: str) -> str | None:
        """Where a field of the body is."""
        schema, pointer = self._body()
        return f"{pointer}/properties/{name}" if name in schema.get("properties", {}) else None

    def examples(self) -> Mapping[str, Any]:
        """The fields of every example of a body, those of the first before the others."""
        found: dict[str, Any] = {}
        for example in self._media().get("examples", {}).values():
            value = self.schemas.resolve(example).get("value")
            found = {**value, **found} if isinstance(value, dict) else found
        return found

    def _body(self) -> tuple[Mapping[str, Any], str]:
        written = self._media().get("schema", {})
        pointer = f"{self.pointer}/requestBody/content/application~1json/schema"
        return self.schemas.resolve(written), f"{self.file}{written['$ref']}" if "$ref" in written else pointer

    def _media(self) -> Mapping[str, Any]:
        body = self.schemas.resolve(self.written.get("requestBody", {}))
        media: Mapping[str, Any] = body.get("content", {}).get("application/json", {})
        return media


def operations(contracts: Mapping[str, Mapping[str, Any]]) -> dict[str, Place]:
    """Every operation by its operationId; `contracts` are documents by the names of their files."""
    found = {}
    for file, document in contracts.items():
        schemas = Schemas(document)
        for template, item in document["paths"].items():
            for method, written in item.items():
                if isinstance(written, Mapping) and "operationId" in written:
                    found[written["operationId"]] = Place(file, template, method.upper(), written, schemas)
    return found


def at(path: str, places: Mapping[str, Place]) -> list[Place]:
    """The operations on a path, whatever the method."""
    steps = path.split("/")
    return [place for place in places.values() if _fits(steps, place.template.split("/"))]


def _fits(steps: list[str], template: list[str]) -> bool:
    return len(steps) == len(template) and all(
        want == have or (want.startswith("{") and have) for have, want in zip(steps, template, strict=True)
    )
