"""A request has variables, which are filled in for each side."""

from __future__ import annotations

import pytest

from mockserver.differential.steps import Answer, Step, at

VALUES = {"calendar1": "cal_x", "key": "a b&c", "tag1": "tag", "link1": "https://h/api/v1/calendars?cursor=%3D"}


def test_variables_are_filled_in_everywhere() -> None:
    step = Step("POST", "/x/${calendar1}", (("H", "Token ${tag1}"),), b'{"a": "${tag1}\xff"}')
    filled = step.filled(VALUES)
    assert (filled.path, filled.headers, filled.body) == ("/x/cal_x", (("H", "Token tag"),), b'{"a": "tag\xff"}')
    assert step.needs == {"calendar1", "tag1"}


def test_values_in_a_query_are_escaped() -> None:
    assert Step("GET", "/x?a=${key}&b=%20${tag1}").filled(VALUES).path == "/x?a=a%20b%26c&b=%20tag"


def test_a_link_is_followed_as_it_is() -> None:
    assert Step("GET", "${link1}").filled(VALUES).path == "/api/v1/calendars?cursor=%3D"


def test_a_variable_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Step("GET", "/x/${made1}").filled(VALUES)


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/api/v1/calendars/${made1}", "GET /api/v1/calendars/{id}"),
        ("/api/v1/calendars?x=1", "GET /api/v1/calendars"),
        ("${link1}", "GET a link"),
    ],
)
def test_requests_of_one_kind_have_one_name(path: str, operation: str) -> None:
    assert Step("GET", path).operation == operation


def test_a_pointer_finds_a_value_or_nothing() -> None:
    assert at({"a": [{"b": 1}]}, "/a/0/b") == 1
    assert at({"a": []}, "/a/0/b") is None
    assert at(None, "/a") is None


def test_a_body_that_is_not_json_is_none() -> None:
    assert Answer(200, {}, b"[1]").json == [1]
    assert Answer(200, {}, b"\xff").json is None
    assert Answer(200, {}, b"\xff").text == "\ufffd"
