"""Fields of a body: what is refused with which words, and what is stored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.api.bodies import Body
from mockserver.api.contract import Schemas
from mockserver.api.errors import ApiError
from mockserver.api.multipart import Upload
from mockserver.api.validation import BodyRules
from mockserver.contracts import load_contract

CONTRACT = load_contract()


def rules(name: str) -> BodyRules:
    schema = CONTRACT["components"]["schemas"][name]
    resolve = Schemas(CONTRACT).resolve
    return BodyRules({**schema, "properties": {n: resolve(rule) for n, rule in schema["properties"].items()}})


CREATE, UPDATE = rules("CalendarCreate"), rules("CalendarUpdate")
GOOD = {"platform": "google", "client_id": "a", "client_secret": "b", "refresh_token": "c"}


def problems(data: Any, *, is_form: bool = False, rules: BodyRules = CREATE) -> Any:
    with pytest.raises(ApiError) as raised:
        rules.apply(Body(data, is_form))
    assert raised.value.status == 400
    return raised.value.body


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (None, ["This field may not be null."]),
        ("\t\u2003", ["This field may not be blank."]),
        (True, ["Not a valid string."]),
        ([], ["Not a valid string."]),
        ("a\0", ["Null characters are not allowed."]),
        ("\ud800", ["Surrogate characters are not allowed: U+D800."]),
        ("\0\udfff\ud800", ["Null characters are not allowed.", "Surrogate characters are not allowed: U+DFFF."]),
    ],
)
def test_a_text_is_refused_in_the_services_words(value: Any, messages: list[str]) -> None:
    assert problems({**GOOD, "client_id": value}) == {"client_id": messages}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Google", "Google"),
        (" google", " google"),
        (1.5, "1.5"),
        (True, "True"),
        (["google"], "['google']"),
        ({"a": None}, "{'a': None}"),
        (Upload("x.txt"), "x.txt"),
    ],
)
def test_a_choice_that_is_none_is_shown_as_python_writes_it(value: Any, shown: str) -> None:
    assert problems({**GOOD, "platform": value}) == {"platform": [f'"{shown}" is not a valid choice.']}


def test_a_choice_nested_too_deeply_to_be_shown_is_refused_all_the_same() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert list(problems({**GOOD, "platform": deep})) == ["platform"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "Metadata must be an object not an array or other type"),
        ({}, "Metadata must have at least one key"),
        ({"a'\"": 1}, "Value for key 'a'\"' must be a string"),
        ({"a": [float("inf")]}, "Value must be valid JSON."),
        ({"a": "x" * 992}, None),
        ({"a": "x" * 991}, ""),
        ({"é": "é" * 164}, ""),
        ({"é": "é" * 165}, None),
    ],
)
def test_metadata_is_a_small_object_of_texts(value: Any, message: str | None) -> None:
    if message == "":
        assert CREATE.apply(Body({**GOOD, "metadata": value}))["metadata"] == value
    else:
        wanted = "Metadata must be less than 1000 characters" if message is None else message
        assert problems({**GOOD, "metadata": value}) == {"metadata": [wanted]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Value must be valid JSON."),
        ("NaN", "Value must be valid JSON."),
        ("x", "Value must be valid JSON."),
        ("[" * 100_000, "Value must be valid JSON."),
        ("1", "Metadata must be an object not an array or other type"),
        ('{"a": 1E400}', "Value for key 'a' must be a string"),
    ],
)
def test_metadata_in_a_form_is_json(text: str, message: str) -> None:
    assert problems({**GOOD, "metadata": text}, is_form=True) == {"metadata": [message]}


def test_a_form_may_say_null_and_name_a_file_that_is_json() -> None:
    assert CREATE.apply(Body({**GOOD, "metadata": "null"}, True))["metadata"] is None
    assert CREATE.apply(Body({**GOOD, "metadata": Upload('{"a": "b"}')}, True))["metadata"] == {"a": "b"}
    assert problems({**GOOD, "client_id": Upload("f")}, is_form=True) == {"client_id": ["Not a valid string."]}


def test_an_empty_text_in_a_form_is_nothing_where_nothing_is_allowed() -> None:
    assert CREATE.apply(Body({**GOOD, "platform_uuid": "", "deduplication_key": ""}, True)) == GOOD
    assert UPDATE.apply(Body({"client_secret": ""}, True)) == {}
    assert problems({**GOOD, "client_id": ""}, is_form=True) == {"client_id": ["This field may not be blank."]}


def test_errors_come_in_the_order_of_the_contract_and_unknown_fields_last() -> None:
    required = ["This field is required."]
    assert list(problems({"foo": 1})) == ["client_id", "client_secret", "refresh_token", "platform"]
    assert problems({"foo": 1})["platform"] == required
    allowed = "client_secret, metadata, refresh_token"
    text = f"Unexpected field(s): B, a, é. Allowed fields are: {allowed}"
    assert problems({"é": 1, "a": 2, "B": 3}, rules=UPDATE) == {"non_field_errors": [text]}


@pytest.mark.parametrize(("data", "kind"), [([], "list"), ("x", "str"), (1, "int"), (1.5, "float"), (True, "bool")])
def test_a_body_that_is_no_object_is_told_what_it_is(data: Any, kind: str) -> None:
    text = f"Invalid data. Expected a dictionary, but got {kind}."
    assert problems(data) == {"non_field_errors": [text]}


def test_a_body_of_null_is_no_data() -> None:
    assert problems(None) == {"non_field_errors": ["No data provided"]}


@given(st.integers() | st.floats(allow_nan=False), st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_numbers_become_their_text_and_texts_are_stripped(number: float, text: str) -> None:
    assert UPDATE.apply(Body({"client_secret": number})) == {"client_secret": str(number)}
    if text.strip():
        assert UPDATE.apply(Body({"refresh_token": text})) == {"refresh_token": text.strip()}
