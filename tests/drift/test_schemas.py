"""Schemas that allow other values are different, and schemas that are only written differently are not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.drift.documents import compared, data, document, levels

PAIRS = data("schema_pairs.yaml")
CONTRADICTIONS = data("schema_contradictions.yaml")
BODIES = ("request", "response")


def test_there_are_as_many_cases_as_the_documents_of_services_have_ways_to_differ() -> None:
    assert len(PAIRS) >= 20
    assert len(CONTRADICTIONS) >= 22


@pytest.mark.parametrize("where", BODIES)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["name"])
def test_what_is_only_written_differently_is_no_difference(pair: dict[str, Any], where: str) -> None:
    if pair.get("only", where) != where:
        return
    one_version, other_version = pair.get("version", ("3.0.3", "3.0.3"))
    one = document(pair["one"], where, version=one_version, components=pair.get("components"))
    other = document(pair["other"], where, version=other_version, components=pair.get("components"))
    assert not levels(compared(one, other))
    assert not levels(compared(other, one))


@pytest.mark.parametrize("where", BODIES)
@pytest.mark.parametrize("case", CONTRADICTIONS, ids=lambda case: case["name"])
def test_a_contradiction_is_found_once_in_the_direction_in_which_it_matters(case: dict[str, Any], where: str) -> None:
    published, ours = document(case["published"], where), document(case["ours"], where)
    assert levels(compared(published, ours)) == case.get(where, {})


def test_schemas_that_refer_to_each_other_in_circles_are_compared_once() -> None:
    names = [f"S{number}" for number in range(12)]

    def components(last: dict[str, Any]) -> dict[str, Any]:
        everyone = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
        return {name: {"type": "object", "properties": {**everyone, "value": last}} for name in names}

    root = {"$ref": "#/components/schemas/S0"}
    published = document(root, "response", components=components({"type": "string"}))
    ours = document(root, "response", components=components({"type": "string", "nullable": True}))
    found = levels(compared(published, ours))
    assert found == {f"response-null:{name}.value": "error" for name in names}


@pytest.mark.parametrize("where", BODIES)
@pytest.mark.parametrize("schema", [case["published"] for case in CONTRADICTIONS])
def test_a_schema_is_not_different_from_itself(schema: Any, where: str) -> None:
    assert not levels(compared(document(schema, where), document(schema, where)))
