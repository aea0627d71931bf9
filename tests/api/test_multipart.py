"""Multipart forms are parsed and refused as the service does."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.api.errors import ApiError, BadRequestPage
from mockserver.api.multipart import Upload, parse_multipart

MULTIPART = "multipart/form-data; boundary=B"


def parts(*names: str) -> bytes:
    return "".join(f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nv\r\n' for name in names).encode()


def part(head: str, content: bytes = b"v") -> bytes:
    return b"--B\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n--B--\r\n"


NAMED = "Content-Disposition: form-data; name="


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (parts("a", "b") + b"--B--\r\n", {"a": "v", "b": "v"}),
        (parts("a"), {"a": "v\r\n"}),
        (b"before" + parts("a") + b"--B--\r\n" + parts("b"), {"a": "v", "b": "v\r\n"}),
        (NAMED.encode() + b"z\r\n\r\nbefore\r\n" + parts("a") + b"--B--", {"z": "before", "a": "v"}),
        (parts("a").replace(b"--B", b"--WRONG") + b"--WRONG--", {"a": "v\r\n--WRONG--"}),
        (parts("a", "b").replace(b"--B", b"--x"), {"a": "v\r\n" + parts("b").decode().replace("--B", "--x")}),
        (b'{"a": "b"}' + b" " * 1014, {}),
        (part(NAMED + '" a "'), {"a": "v"}),
        (part(NAMED + '"\ta\xa0"'), {"a": "v"}),
        (part("Content-Disposition: form-data; name =  a  ;x"), {"a": "v"}),
        (part(NAMED + '" "'), {"": "v"}),
        (part(NAMED + '"a"').replace(b"\r\n--B--\r\n", b""), {"a": "v"}),
        (part(NAMED + '"a"; filename="f"').replace(b"--B--\r\n", b""), {}),
        (part(NAMED + '"a"; filename="f"').replace(b"--B--\r\n", b"--B"), {}),
        (part(NAMED + '"a"; filename="f"').replace(b"--B--\r\n", b"--B-"), {"a": Upload("f")}),
        (parts("a") + part(NAMED + '"b"; filename="f"')[:-2], {"a": "v", "b": Upload("f")}),
        (part(NAMED + '" "; filename="f"'), {}),
        (part(NAMED + '"a"; filename=".."'), {}),
        (part(NAMED + '"a"; filename="x/&lt;y\x07"'), {"a": Upload("<y")}),
        (part("X\r\n" + NAMED + '"a"'), {"a": "v"}),
        (part("Content-Disposition : form-data; name=a"), {"a": "v"}),
        (part("Content-Disposition: form-data; nam=a"), {}),
        (b"garbage", {}),
        (b"--B--\r\n", {}),
        (parts("a").replace(b"\r\n", b"\n"), {}),
        (part(NAMED + "a"), {"a": "v"}),
        (part("content-disposition: attachment; NAME*=utf-8''%C3%A9"), {"é": "v"}),
        (part(NAMED + '"a\\"b;c"'), {'a"b;c': "v"}),
        (part("Content-Disposition: form-data"), {}),
        (part("Content-Type: text/plain"), {}),
        (part(NAMED + '"a"', b"\xff"), {"a": "\ufffd"}),
        (part(NAMED + '"a"', b"x\r\ny\r\n"), {"a": "x\r\ny\r\n"}),
        (part(NAMED + '"a"\r\n folded: x'), {"a": "v"}),
        (part(NAMED + '"a"\r\nContent-Transfer-Encoding: BASE64', b"w6k="), {"a": "é"}),
        (part(NAMED + '"a"\r\nContent-Transfer-Encoding: base64', b"w"), {"a": "w"}),
        (part(NAMED + '"a"\r\nContent-Transfer-Encoding: base64', b"!!!"), {"a": ""}),
        (part(NAMED + '"a"; filename=""'), {"a": "v"}),
        (part(NAMED + '"a"; filename="C:\\\\x\\\\y.txt"'), {"a": Upload("y.txt")}),
        (part(NAMED + '"a"; filename="f"') + parts("a"), {"a": Upload("f")}),
        (b"--B\r\n" + NAMED.encode() + b'"\xff"\r\n\r\nv\r\n--B--', {}),
    ],
)
def test_multipart_forms_are_taken_apart_as_the_service_does(raw: bytes, fields: dict[str, Any]) -> None:
    assert parse_multipart(MULTIPART, raw, "utf-8") == fields


@pytest.mark.parametrize(
    ("kind", "raw", "problem"),
    [
        ("multipart/form-data", b"x", "Invalid boundary in multipart: None"),
        ("multipart/form-data; boundary=", b"x", "Invalid boundary in multipart: "),
        ("MULTIPART/form-data; boundary=B", b"x", "Invalid Content-Type: MULTIPART/form-data; boundary=B"),
        (
            "multipart/form-data; boundary=é",
            b"x",
            "Invalid non-ASCII Content-Type in multipart: multipart/form-data; boundary=é",
        ),
        (MULTIPART, part("X: " + "x" * 1100), "Request max total header size exceeded."),
        (MULTIPART, b'{"a": "b"}' + b" " * 1015, "Request max total header size exceeded."),
        (MULTIPART, parts("a") + b"--B\r\n" + b"x" * 1100, "Request max total header size exceeded."),
        ("multipart/form-data; boundary=" + "B" * 202, b"x", "Invalid boundary in multipart: " + "B" * 202),
        (
            MULTIPART,
            part(NAMED + '"a"; filename="f"\r\nContent-Transfer-Encoding: base64', b"w"),
            "Could not decode base64 data.",
        ),
    ],
)
def test_broken_multipart_forms_are_refused_in_the_services_words(kind: str, raw: bytes, problem: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_multipart(kind, raw, "utf-8")
    assert refused.value.status == 400
    assert refused.value.body == {"detail": f"Multipart form parse error - {problem}"}


def test_a_thousand_fields_or_a_hundred_files_are_the_most() -> None:
    file = NAMED + '"a"; filename="f"'
    parse_multipart(MULTIPART, parts(*(f"a{n}" for n in range(1000))), "utf-8")
    parse_multipart(MULTIPART, part(file) * 50 + part(NAMED + '"b"'), "utf-8")
    for raw in (parts(*(f"a{n}" for n in range(1001))), (b"--B\r\n" + file.encode() + b"\r\n\r\nv\r\n") * 101):
        with pytest.raises(BadRequestPage):
            parse_multipart(MULTIPART, raw, "utf-8")


def test_names_and_texts_are_read_in_the_encoding_of_the_form() -> None:
    raw = part(NAMED + '"a"', "é".encode("latin-1"))
    assert parse_multipart(MULTIPART, raw, "latin-1") == {"a": "é"}
    assert parse_multipart(MULTIPART, part(NAMED + '"é"'), "latin-1") == {"é".encode().decode("latin-1"): "v"}
