"""control.yaml is valid OpenAPI, and says what the control routes are: no more and no less."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from mockserver.app import Mock
from mockserver.control.routing import Route
from mockserver.spec import CONTROL, load_contract

CONTRACT = load_contract(CONTROL)
OPERATIONS = {
    (method.upper(), path): (item, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
PAGES = "/__mock__/docs"
ROUTES = [route for route in Mock().routes if not route.template.startswith(PAGES)]


def group(path: str) -> str:
    """What a path is about, e.g. clock."""
    return path.split("/")[2]


def resolve(part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        _, kind, name = part["$ref"].removeprefix("#/").split("/")
        part = CONTRACT["components"][kind][name]
    return part


def test_it_is_valid() -> None:
    OpenAPIV30SpecValidator(CONTRACT).validate()


def test_every_route_of_a_group_that_is_served_is_there_and_is_served() -> None:
    served = {group(route.template) for route in ROUTES}
    written = {operation for operation in OPERATIONS if group(operation[1]) in served}
    assert {(route.method, route.template) for route in ROUTES} == written


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS.values()]
    assert len(names) == len({*names})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_parameters_and_members_are_those_that_are_taken(route: Route) -> None:
    item, operation = OPERATIONS[route.method, route.template]
    parameters = [resolve(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    places = {one["name"] for one in parameters if one["in"] == "path"}
    query = {one["name"] for one in parameters if one["in"] == "query"}
    assert places == {*re.findall(r"{(\w+)}", route.template)}
    assert query == route.query | ({"project"} if route.of_project else set())
    if "requestBody" not in operation:
        assert not route.fields
        return
    schema = resolve(operation["requestBody"]["content"]["application/json"]["schema"])
    assert {*schema.get("required", ())} == route.required
    if route.fields is not None:
        assert {*schema["properties"]} == route.fields


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda found: str(found[1]["operationId"]))
def test_every_operation_says_what_it_does_and_how_it_is_refused(operation: tuple[Any, Mapping[str, Any]]) -> None:
    _, said = operation
    assert said["summary"]
    assert {tag["name"] for tag in CONTRACT["tags"]} >= {*said["tags"]}
    assert "400" in said["responses"]
