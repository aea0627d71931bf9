"""The contract is valid OpenAPI, complete, and its examples keep the rules that they illustrate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker
from openapi_spec_validator import OpenAPIV30SpecValidator

from mockserver.api.validation import KEYWORDS

Part = Mapping[str, Any]
FILE = Path(__file__).parent.parent / "openapi.yaml"
CONTRACT: Part = yaml.safe_load(FILE.read_text("utf-8"))
OPERATIONS: Mapping[str, Part] = {
    operation["operationId"]: operation for item in CONTRACT["paths"].values() for operation in item.values()
}
ALLOW = {
    "/api/v1/calendars": "GET, POST, HEAD, OPTIONS",
    "/api/v1/calendars/{object_id}": "GET, PATCH, DELETE, HEAD, OPTIONS",
    "/api/v1/calendar_events": "GET, HEAD, OPTIONS",
}
STATUSES = {
    "listCalendars": "200 400 401 404 405 406",
    "createCalendar": "201 400 401 404 405 406 413 415 429",
    "getCalendar": "200 400 401 404 405 406",
    "updateCalendar": "200 400 401 404 405 406 413 415",
    "deleteCalendar": "200 400 401 404 405 406",
    "listCalendarEvents": "200 400 401 404 405 406",
}
WHITE_SPACE = [chr(code) for code in range(0x110000) if chr(code).isspace()]


def resolve(part: Part) -> Part:
    """What this part refers to, or itself."""
    while "$ref" in part:
        found: Any = CONTRACT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def problems(schema: Part, value: Any, *, sent: bool) -> list[str]:
    """Why a value, `sent` by a client or by the service, breaks a schema."""
    kind = OAS30WriteValidator if sent else OAS30ReadValidator
    root = {"allOf": [schema], "components": CONTRACT["components"]}
    return [error.message for error in kind(root, format_checker=oas30_format_checker).iter_errors(value)]


def walk(part: Any) -> Iterator[Part]:
    """Every object of the document."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for member in part:
            yield from walk(member)


def examples_of(holder: Part) -> list[Any]:
    """The values of a parameter's, header's or media type's examples."""
    named = [resolve(example)["value"] for example in holder.get("examples", {}).values()]
    return named + [holder["example"]] if "example" in holder else named


def responses() -> list[tuple[str, str, Part]]:
    """Every response with its operation's id and its status."""
    return [
        (name, status, resolve(response))
        for name, operation in OPERATIONS.items()
        for status, response in operation["responses"].items()
    ]


def parameters() -> list[tuple[str, Part]]:
    return [(name, resolve(p)) for name, operation in OPERATIONS.items() for p in operation.get("parameters", [])]


def header_values(response: Part, name: str) -> list[str]:
    """The values that a response's header may have, where they are listed."""
    values: list[str] = resolve(response["headers"][name])["schema"]["enum"]
    return values


every_response = pytest.mark.parametrize(
    ("operation", "status", "response"), responses(), ids=[f"{name}-{status}" for name, status, _ in responses()]
)
every_parameter = pytest.mark.parametrize(
    ("operation", "parameter"), parameters(), ids=[f"{name}-{parameter['name']}" for name, parameter in parameters()]
)


def test_it_is_valid_openapi_3_0_3() -> None:
    assert CONTRACT["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(dict(CONTRACT)).iter_errors()) == []


def test_it_has_the_six_operations_and_no_other() -> None:
    assert {name: " ".join(sorted(operation["responses"])) for name, operation in OPERATIONS.items()} == STATUSES


def test_its_own_keywords_are_those_that_the_code_knows() -> None:
    used = {name for part in walk(CONTRACT) for name in part if str(name).startswith("x-")}
    assert used == KEYWORDS | {"x-enum-varnames"}


def test_everything_that_is_defined_is_used() -> None:
    used = {part["$ref"] for part in walk(CONTRACT) if isinstance(part.get("$ref"), str)}
    kinds = CONTRACT["components"].keys() - {"securitySchemes"}
    defined = {f"#/components/{kind}/{name}" for kind in kinds for name in CONTRACT["components"][kind]}
    assert used == defined


@every_response
def test_every_response_with_content_has_examples_that_are_true(operation: str, status: str, response: Part) -> None:
    for media in response.get("content", {}).values():
        assert examples_of(media)
        for value in examples_of(media):
            assert problems(media["schema"], value, sent=False) == []


@every_response
def test_every_response_is_json_but_that_of_a_delete(operation: str, status: str, response: Part) -> None:
    empty = (operation, status) == ("deleteCalendar", "200")
    assert list(response.get("content", {})) == ([] if empty else ["application/json"])


@every_response
def test_every_response_has_the_headers_of_its_kind(operation: str, status: str, response: Part) -> None:
    special = {"401": {"WWW-Authenticate"}, "429": {"Retry-After"}}
    assert response["headers"].keys() == {"Allow", "Vary"} | special.get(status, set())
    assert all(resolve(header)["required"] for header in response["headers"].values())


@pytest.mark.parametrize("path", ALLOW)
def test_allow_names_the_methods_of_the_path(path: str) -> None:
    for operation in CONTRACT["paths"][path].values():
        for status, response in operation["responses"].items():
            expected = [*ALLOW.values()] if status == "405" else [ALLOW[path]]
            assert header_values(resolve(response), "Allow") == expected


@every_parameter
def test_every_parameter_has_an_example_that_is_true(operation: str, parameter: Part) -> None:
    assert examples_of(parameter)
    for value in examples_of(parameter):
        assert problems(parameter["schema"], value, sent=True) == []


def test_every_header_example_is_true() -> None:
    for header in CONTRACT["components"]["headers"].values():
        for value in examples_of(header):
            assert problems(header["schema"], value, sent=False) == []


@pytest.mark.parametrize("operation", ["createCalendar", "updateCalendar"])
def test_every_request_body_is_json_with_examples_that_are_true(operation: str) -> None:
    content = resolve(OPERATIONS[operation]["requestBody"])["content"]
    assert list(content) == ["application/json"]
    media = content["application/json"]
    assert len(examples_of(media)) > 1
    for value in examples_of(media):
        assert problems(media["schema"], value, sent=True) == []


@pytest.mark.parametrize("name", CONTRACT["components"]["schemas"])
def test_examples_inside_schemas_are_true(name: str) -> None:
    for part in walk(CONTRACT["components"]["schemas"][name]):
        if "example" in part and "type" in part:
            assert problems(part, part["example"], sent=False) == []


def test_links_lead_to_operations_that_take_their_parameters() -> None:
    for link in CONTRACT["components"]["links"].values():
        names = {resolve(parameter)["name"] for parameter in OPERATIONS[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= names


def test_a_body_may_be_left_out_of_an_update_only() -> None:
    required = {name: resolve(o["requestBody"])["required"] for name, o in OPERATIONS.items() if "requestBody" in o}
    assert required == {"createCalendar": True, "updateCalendar": False}


def test_the_fields_are_in_the_order_in_which_errors_are_reported() -> None:
    schemas = CONTRACT["components"]["schemas"]
    assert list(schemas["CalendarCreate"]["properties"]) == [
        "platform_uuid",
        "client_id",
        "client_secret",
        "refresh_token",
        "platform",
        "metadata",
        "deduplication_key",
    ]
    assert list(schemas["CalendarUpdate"]["properties"]) == ["client_secret", "refresh_token", "metadata"]


@pytest.mark.parametrize("field", ["platform_uuid", "client_id", "client_secret", "refresh_token", "deduplication_key"])
def test_a_string_needs_a_character_that_is_not_stripped_and_holds_no_nul(field: str) -> None:
    rule = resolve(CONTRACT["components"]["schemas"]["CalendarCreate"]["properties"][field])
    assert rule["x-strip"] is True
    assert "nullable" not in rule
    in_rust = jsonschema_rs.Draft4Validator({"pattern": rule["pattern"]})
    refused = ["", *WHITE_SPACE, "".join(WHITE_SPACE), "\0", "a\0", "\0a", "a\0\n"]
    taken = ["a", " a ", "\n\u3000é\n", "\u200b", "\ufeff", "\x01", "a" * 1_000_000]
    for text in refused + taken:
        assert (re.search(rule["pattern"], text) is not None) == in_rust.is_valid(text) == (text in taken)


@pytest.mark.parametrize("text", [" " * 100_000, " " * 100_000 + "\0", "a" * 100_000 + "\0", "a " * 50_000 + "\0"])
def test_no_text_takes_long_to_refuse(text: str) -> None:
    rule = resolve(CONTRACT["components"]["schemas"]["ClientSecret"])
    assert not re.search(rule["pattern"], text)
