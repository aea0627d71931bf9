"""The four contracts are written so that code generators and people understand them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.contracts import BOTS, CALENDARS, CONTROL, WEBHOOKS, data_path, load_contract
from tests.test_openapi import walk

FILES = (CALENDARS, BOTS, CONTROL, WEBHOOKS)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

every_contract = pytest.mark.parametrize("file", FILES)


def schemas(file: str) -> dict[str, Any]:
    """The schemas of a contract by their names."""
    found: dict[str, Any] = load_contract(file)["components"]["schemas"]
    return found


def inner(file: str) -> Iterator[Any]:
    """The schemas that stand inside others or in operations, parameters and responses."""
    document = load_contract(file)
    named = document["components"].pop("schemas").values()
    yield from walk(document)
    for schema in named:
        for name, part in schema.items():
            if name != "not":
                yield from walk(part)


@every_contract
def test_it_has_no_merge_keys(file: str) -> None:
    assert "<<:" not in re.sub(r"#.*", "", data_path(file).read_text("utf-8"))


@every_contract
def test_every_object_says_whether_it_may_have_other_members(file: str) -> None:
    for name, schema in schemas(file).items():
        if schema.get("type") == "object":
            assert "additionalProperties" in schema, name


@every_contract
def test_every_object_and_every_choice_of_schemas_that_generators_name_is_a_component(file: str) -> None:
    for part in inner(file):
        assert part.get("type") != "object" or "properties" not in part, part


@every_contract
def test_every_member_that_generators_name_is_a_component(file: str) -> None:
    # For the others they invent names, such as Type and Kind.
    for name, schema in schemas(file).items():
        more = schema.get("additionalProperties")
        for part in [*schema.get("properties", {}).values(), *([more] if isinstance(more, dict) else [])]:
            for one in (part, part.get("items", {}), *part.get("oneOf", [])):
                assert "enum" not in one, name
                assert part is one or one.get("type") != "object", name


@every_contract
def test_every_value_of_an_enum_has_a_name_that_no_other_has(file: str) -> None:
    for name, schema in schemas(file).items():
        if "enum" in schema:
            names = schema.get("x-enum-varnames", schema["enum"])
            assert len(names) == len(schema["enum"]) == len({re.sub(r"[^a-z0-9]", "", one.lower()) for one in names})
            assert all(NAME.match(one) for one in names), name


@every_contract
def test_every_nullable_object_has_its_name_as_title(file: str) -> None:
    for name, schema in schemas(file).items():
        if schema.get("type") == "object" and schema.get("nullable"):
            assert schema.get("title") == name


@every_contract
def test_an_object_of_any_members_is_the_last_alternative(file: str) -> None:
    # A generator tries one after the other, and this one fits every object.
    for schema in schemas(file).values():
        for part in schema.get("oneOf", [])[:-1]:
            named = schemas(file)[part["$ref"].rpartition("/")[2]]
            assert "properties" in named, part


def test_operation_ids_are_unique_over_the_contracts() -> None:
    documents = [load_contract(file) for file in FILES]
    ids = [
        part["operationId"]
        for document in documents
        for part in walk(document.get("paths", document.get("webhooks")))
        if "operationId" in part
    ]
    links = [link["operationId"] for document in documents for link in document["components"].get("links", {}).values()]
    assert len(ids) == len({*ids})
    assert {*links} <= {*ids}
