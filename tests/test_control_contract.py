"""control.yaml is valid OpenAPI, and says what the control routes are: no more and no less."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from mockserver.app import Mock
from mockserver.contracts import BOTS, CALENDARS, CONTROL, load_contract
from mockserver.control.faults import KINDS
from mockserver.control.routes import Route
from mockserver.domain.upstream_failures import names

CONTRACT = load_contract(CONTROL)
OPERATIONS = {
    (method.upper(), path): (item, operation)
    for path, item in CONTRACT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
PAGES = ("/__mock__/docs", "/__mock__/page/")
ROUTES = [route for route in Mock().routes if not route.template.startswith(PAGES) and route.template != "/__mock__/"]


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
    kinds = [resolve(kind) for kind in schema.get("oneOf", [schema])]
    assert all({*kind.get("required", ())} >= route.required for kind in kinds)
    if route.fields is not None:
        assert {*schema.get("required", ())} == route.required
        assert {*schema["properties"]} == route.fields


def test_every_kind_of_fault_has_its_members() -> None:
    written: dict[str, Any] = {}
    for kind in map(resolve, CONTRACT["components"]["schemas"]["Fault"]["oneOf"]):
        members = kind["properties"].keys() - {"kind", "name", "first", "from"}
        written |= dict.fromkeys(resolve(kind["properties"]["kind"])["enum"], members)
    assert written == {name: kind.fields.keys() for name, kind in KINDS.items()}
    assert written.keys() == CONTRACT["components"]["schemas"]["Fault"]["discriminator"]["mapping"].keys()


def test_operations_and_failures_are_those_that_there_are() -> None:
    schemas = CONTRACT["components"]["schemas"]
    paths = [item for name in (CALENDARS, BOTS) for item in load_contract(name)["paths"].values()]
    operations = {operation["operationId"] for item in paths for operation in item.values()}
    assert {*schemas["OperationId"]["enum"]} == operations
    assert {*schemas["OperationOrAny"]["enum"]} == operations | {"*"}
    assert {*schemas["FailureName"]["enum"]} == {*names("google"), *names("microsoft")}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda found: str(found[1]["operationId"]))
def test_every_operation_says_what_it_does_and_how_it_is_refused(operation: tuple[Any, Mapping[str, Any]]) -> None:
    _, said = operation
    assert said["summary"]
    assert {tag["name"] for tag in CONTRACT["tags"]} >= {*said["tags"]}
    assert "400" in said["responses"]
