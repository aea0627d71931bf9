"""bots.yaml is valid OpenAPI, complete, and its examples keep the rules that they illustrate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker
from openapi_spec_validator import OpenAPIV30SpecValidator

from mockserver.api.validation import KEYWORDS
from tests.test_openapi import walk

Part = Mapping[str, Any]
CONTRACT: Part = yaml.safe_load((Path(__file__).parent.parent / "contracts" / "bots.yaml").read_text("utf-8"))
OPERATIONS: Mapping[str, Part] = {o["operationId"]: o for item in CONTRACT["paths"].values() for o in item.values()}
ALLOW = {
    "/api/v1/bots": "GET, POST, HEAD, OPTIONS",
    "/api/v1/bots/{object_id}": "GET, PATCH, DELETE, HEAD, OPTIONS",
}
STATUSES = {
    "listBots": "200 400 401 404 406",
    "createBot": "201 400 401 404 406 413 415 429 501",
    "getBot": "200 400 401 404 406",
    "updateBot": "200 400 401 404 406 413 415",
    "deleteBot": "200 400 401 404 406",
}


def resolve(part: Part) -> Part:
    while "$ref" in part:
        _, kind, name = part["$ref"].removeprefix("#/").split("/")
        part = CONTRACT["components"][kind][name]
    return part


def check(schema: Part, value: Any, *, sent: bool) -> None:
    """Asserts that a value, `sent` by a client or by the service, keeps a schema."""
    kind = OAS30WriteValidator if sent else OAS30ReadValidator
    root = {"allOf": [schema], "components": CONTRACT["components"]}
    assert not [error.message for error in kind(root, format_checker=oas30_format_checker).iter_errors(value)]


def examples_of(media: Part) -> list[Any]:
    return [resolve(example)["value"] for example in media["examples"].values()]


def test_it_is_valid_openapi_3_0_3() -> None:
    assert CONTRACT["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(dict(CONTRACT)).iter_errors()) == []


def test_it_has_the_five_operations_and_no_other() -> None:
    assert {name: " ".join(sorted(o["responses"])) for name, o in OPERATIONS.items()} == STATUSES


def test_its_own_keywords_are_those_that_the_code_knows() -> None:
    used = {name for part in walk(CONTRACT) for name in part if str(name).startswith("x-")}
    assert used == KEYWORDS | {"x-not-imitated", "x-enum-varnames"}


def test_everything_that_is_defined_is_used() -> None:
    used = {part["$ref"] for part in walk(CONTRACT) if isinstance(part.get("$ref"), str)}
    kinds = CONTRACT["components"].keys() - {"securitySchemes"}
    assert used == {f"#/components/{kind}/{name}" for kind in kinds for name in CONTRACT["components"][kind]}


@pytest.mark.parametrize("path", ALLOW)
def test_every_response_has_the_headers_of_its_path_and_examples_that_are_true(path: str) -> None:
    special = {"401": {"WWW-Authenticate"}, "429": {"Retry-After"}}
    for operation in CONTRACT["paths"][path].values():
        for status, response in operation["responses"].items():
            headers = resolve(response)["headers"]
            assert headers.keys() == {"Allow", "Vary"} | special.get(status, set())
            assert all(resolve(header)["required"] for header in headers.values())
            assert resolve(headers["Allow"])["schema"]["enum"] == [ALLOW[path]]
            content = resolve(response).get("content", {})
            empty = (operation["operationId"], status) == ("deleteBot", "200")
            assert list(content) == ([] if empty else ["application/json"])
            for media in content.values():
                assert examples_of(media)
                for value in examples_of(media):
                    check(media["schema"], value, sent=False)


@pytest.mark.parametrize("name", ["createBot", "updateBot"])
def test_every_request_body_has_examples_that_are_true(name: str) -> None:
    (media,) = OPERATIONS[name]["requestBody"]["content"].values()
    assert len(examples_of(media)) > 1
    for value in examples_of(media):
        check(media["schema"], value, sent=True)


def test_every_parameter_has_an_example_that_is_true() -> None:
    for parameter in CONTRACT["components"]["parameters"].values():
        check(parameter["schema"], parameter["example"], sent=True)


@pytest.mark.parametrize(
    "body",
    [
        {"bot_name": "Notes"},
        {"calendar_event_id": "evt_abcdef1234567890"},
        {"bot_name": "Notes", "calendar_event_id": "evt_abcdef1234567890", "meeting_url": "https://meet.google.com/a"},
        {"bot_name": "Notes", "calendar_event_id": "evt_abcdef1234567890", "join_at": "2028-01-01T10:00:00Z"},
    ],
)
def test_a_new_bot_names_an_event_or_a_link_and_not_both(body: Any) -> None:
    with pytest.raises(AssertionError):
        check(CONTRACT["components"]["schemas"]["BotCreate"], body, sent=True)


def test_the_fields_are_in_the_order_in_which_errors_are_reported() -> None:
    schemas = CONTRACT["components"]["schemas"]
    assert list(schemas["BotCreate"]["properties"])[:8] == [
        "meeting_url",
        "bot_name",
        "bot_image",
        "metadata",
        "bot_chat_message",
        "join_at",
        "calendar_event_id",
        "deduplication_key",
    ]
    assert list(schemas["BotUpdate"]["properties"])[:4] == ["join_at", "meeting_url", "metadata", "bot_name"]
