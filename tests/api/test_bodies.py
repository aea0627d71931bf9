"""Bodies: JSON and forms, taken and refused in the service's words."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.api import bodies, errors
from mockserver.api.bodies import _wording as said_in_old_words
from mockserver.api.bodies import parse_body, parse_json
from mockserver.api.errors import ApiError, BadRequestPage
from tests.api.test_multipart import MULTIPART, NAMED, part, parts

FORM = "application/x-www-form-urlencoded"

MALFORMED = {
    "": "Expecting value: line 1 column 1 (char 0)",
    " ": "Expecting value: line 1 column 2 (char 1)",
    "{": "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    '{"a":1,}': "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)",
    '{"a":1,\n }': "Expecting property name enclosed in double quotes: line 2 column 2 (char 9)",
    "[1,]": "Expecting value: line 1 column 4 (char 3)",
    "{} {}": "Extra data: line 1 column 4 (char 3)",
    "01": "Extra data: line 1 column 2 (char 1)",
    '{"a":01}': "Expecting ',' delimiter: line 1 column 7 (char 6)",
    '{"a" 1}': "Expecting ':' delimiter: line 1 column 6 (char 5)",
    "{'a':1}": "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    '"a': "Unterminated string starting at: line 1 column 1 (char 0)",
    '"\\x"': "Invalid \\escape: line 1 column 2 (char 1)",
    '"\\u12"': "Invalid \\uXXXX escape: line 1 column 3 (char 2)",
    '"\x01"': "Invalid control character at: line 1 column 2 (char 1)",
    "nul": "Expecting value: line 1 column 1 (char 0)",
    "+1": "Expecting value: line 1 column 1 (char 0)",
    "[NaN": "Out of range float values are not JSON compliant: 'NaN'",
    "-Infinity": "Out of range float values are not JSON compliant: '-Infinity'",
    "9" * 4301: "Exceeds the limit (4300) for integer string conversion: value has 4301 digits; "
    "use sys.set_int_max_str_digits() to increase the limit",
    "[" * 2000: "nested too deeply",
    '["\\"[", ' + "[" * 941 + "]" * 942: "nested too deeply",
}


def refusal(content_type: str, raw: bytes) -> dict[str, Any]:
    with pytest.raises(ApiError) as raised:
        parse_body(content_type, raw)
    return {"status": raised.value.status, **raised.value.body}


@pytest.mark.parametrize(("text", "problem"), MALFORMED.items(), ids=lambda text: ascii(text[:20]))
def test_malformed_json_is_refused_in_the_services_words(text: str, problem: str) -> None:
    with pytest.raises(ApiError) as raised:
        parse_json(text.encode())
    assert raised.value.body == {"detail": f"JSON parse error - {problem}"}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_body("*/*", json.dumps(value, ensure_ascii=False).encode()).data == value


def test_deep_json_is_read_to_the_depth_that_the_service_reads() -> None:
    parse_json(b"[" * 500 + b"]" * 500)
    parse_json(b'"' + b"[" * 2000 + b'"')


def test_a_character_cut_off_by_the_end_is_passed_over() -> None:
    assert parse_json(b"{}\xc3") == {}
    assert refusal("application/json", b"{}\xc3{")["status"] == 400


@pytest.mark.parametrize("kind", ["application/json", FORM, MULTIPART, "multipart/form-data", "text/plain", ""])
def test_no_body_is_an_empty_object_whatever_its_type(kind: str) -> None:
    assert parse_body(kind, b"").data == {}


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/jsonx", "application/json, text/plain", "application /json"]
)
def test_other_types_are_refused_with_their_name(kind: str) -> None:
    assert refusal(kind, b"{}") == {"status": 415, "detail": f'Unsupported media type "{kind}" in request.'}


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"a=1&b=x+y&a=2", {"a": "2", "b": "x y"}),
        (b"a=%FF", {"a": "\ufffd"}),
        (b"a=\xe9", {"a": "é"}),
        (b"a&&=b&c=%zz;d", {"a": "", "": "b", "c": "%zz;d"}),
    ],
)
def test_forms_are_read_leniently(raw: bytes, fields: dict[str, str]) -> None:
    assert parse_body(FORM, raw) == (fields, True)


@pytest.mark.parametrize("kind", [f"{FORM}; charset=punycode", f"{MULTIPART}; charset=idna"])
def test_a_form_that_is_not_in_its_charset_is_refused(kind: str) -> None:
    raw = b"{a=b" if FORM in kind else part(NAMED + '"a"', b"xn--\xff.x" + b"y" * 80)
    assert refusal(kind, raw) == {"status": 400, "detail": "Malformed request."}


@pytest.mark.parametrize("charset", ["utf-16", "UTF-16", '"utf-16"', "utf_16"])
@pytest.mark.parametrize("raw", [b"{}", b'{"a": "b"}', "{}".encode("utf-16-le") * 2, b"xxxx"])
def test_json_in_utf_16_begins_with_a_mark(charset: str, raw: bytes) -> None:
    told = "JSON parse error - UTF-16 stream does not start with BOM"
    assert refusal(f"application/json; charset={charset}", raw) == {"status": 400, "detail": told}
    encoded = '{"a": "é"}'.encode(charset.strip('"'))
    assert parse_body(f"application/json; charset={charset}", encoded) == ({"a": "é"}, False)


def test_too_many_fields_are_refused_with_a_page() -> None:
    parse_body(FORM, b"&".join([b"a=1"] * 1000))
    for kind, raw in ((FORM, b"&".join([b"a=1"] * 1001)), (MULTIPART, parts(*(f"a{n}" for n in range(1001))))):
        with pytest.raises(BadRequestPage):
            parse_body(kind, raw)


@given(
    st.binary(max_size=60), st.sampled_from(["application/json", FORM, MULTIPART, "application/json; charset=utf-16"])
)
def test_no_bytes_are_an_error_of_another_kind(raw: bytes, kind: str) -> None:
    try:
        parse_body(kind, b"--B\r\n" + raw if kind == MULTIPART else raw)
    except ApiError as error:
        assert error.status == 400


@pytest.mark.parametrize(
    ("text", "comma", "wording"),
    [
        ('{"a":1, }', 6, "Expecting property name enclosed in double quotes: line 1 column 9 (char 8)"),
        ("[1,\n]", 2, "Expecting value: line 2 column 1 (char 4)"),
    ],
)
def test_what_newer_pythons_call_a_trailing_comma_is_said_as_the_service_says_it(
    text: str, comma: int, wording: str
) -> None:
    assert said_in_old_words(json.JSONDecodeError("Illegal trailing comma before end", text, comma)) == wording


@given(
    text=st.text(st.sampled_from("a%4Z1+=&€é;\0 "), max_size=400),
    times=st.integers(1, 40),
    charset=st.sampled_from(["utf-8", "latin-1"]),
)
def test_a_long_form_is_read_as_a_short_one(text: str, times: int, charset: str) -> None:
    raw = (text * times).encode()
    expected = dict(parse_qsl(raw.decode(charset), keep_blank_values=True, encoding=charset, errors="replace"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "_SLICE", 7)
        patch.setattr(errors, "MOST_PARAMETERS", 10**6)
        assert bodies._parse_form(raw, charset) == expected


@given(
    value=st.recursive(
        st.none() | st.text('a,[]{}"\\', max_size=9),
        lambda part: st.lists(part) | st.dictionaries(st.text('a,"\\'), part),
    ),
    most=st.integers(0, 30),
)
def test_tokens_of_json_are_counted_outside_its_texts(value: Any, most: int) -> None:
    def tokens(part: Any) -> int:
        if isinstance(part, str):
            return 1
        if isinstance(part, dict):
            return 1 + max(len(part) - 1, 0) + sum(1 + tokens(one) for one in part.values())
        return 1 + max(len(part) - 1, 0) + sum(map(tokens, part)) if isinstance(part, list) else 0

    count = tokens(value)
    # The last stretch counts as one, whether a text ends it or not.
    assert bodies.has_many_tokens(json.dumps(value), most) in {count > most, count + 1 > most}


@pytest.mark.parametrize(
    "body", [b"[" + b"[]," * 200_000 + b"[]]", b'{"a": [' + b'"",' * 200_000 + b"1]}", b"[1," * 20_000]
)
def test_json_of_too_many_values_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        parse_json(body)
    assert refused.value.status == 400


def test_long_texts_in_json_are_no_values() -> None:
    text = ",[{" * 100_000 + '"\\'
    assert parse_json(json.dumps({"a": text}).encode()) == {"a": text}
