"""Parameters, statuses, media types, headers, keys and paths are compared as clients use them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.drift.documents import compared, data, levels, of_operation

CASES = data("operations.yaml")


def operation(given: dict[str, Any] | None) -> dict[str, Any]:
    return {"operationId": "op", "responses": {"200": {"description": ""}}, **(given or {})}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_operations_differ_where_a_client_can_notice(case: dict[str, Any]) -> None:
    path, method = case.get("path", "/books"), case.get("method", "post")
    published = of_operation(operation(case.get("published")), path=path, method=method, **case.get("document", {}))
    ours_path, more = case.get("ours_path", path), case.get("ours_document", {})
    ours = of_operation(operation(case.get("ours")), path=ours_path, name="ours.yaml", **more)
    assert levels(compared(published, ours)) == case.get("finds", {})


def test_one_cause_in_several_operations_is_one_difference() -> None:
    parameters = [{"name": "page_size", "in": "query", "schema": {"type": "integer"}}]
    published = of_operation(operation({"parameters": parameters}))
    published.data["paths"]["/books"]["get"] = operation({"operationId": "list", "parameters": parameters})
    ours = of_operation(operation(None))
    ours.data["paths"]["/books"]["get"] = operation({"operationId": "list"})
    (difference,) = compared(published, ours).new
    assert difference.operations == {"op", "list"}


def test_operations_on_paths_that_the_contract_does_not_have_are_counted_and_not_judged() -> None:
    published = of_operation(operation(None))
    published.data["paths"]["/authors"] = {"get": operation({"operationId": "authors"})}
    report = compared(published, of_operation(operation(None)))
    assert not report.new
    assert report.not_compared == 1
