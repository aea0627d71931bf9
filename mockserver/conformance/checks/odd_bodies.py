"""Odd bodies: what parsers and databases choke on, and what they have to keep as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest
from typing import Any

from mockserver.conformance.checks.cases import OURS, Bench, Case, Holding, header, odd_check
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.rules import WRITE, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "body-odd",
        "hostile",
        "medium",
        "A body that cannot be parsed is answered with 400.",
        "recordings: body-*",
        WRITE,
    ),
    Rule(
        "text-unholdable",
        "hostile",
        "medium",
        "A NUL or a lone surrogate is rejected wherever the request contains it.",
        "recordings: create-nul-characters, create-surrogates",
        WRITE,
    ),
    Rule(
        "number-odd",
        "hostile",
        "medium",
        "A number that is too large is rejected, or stored as its text.",
        "recordings: create-huge-integer, create-number-text",
        WRITE,
    ),
    Rule(
        "size-odd",
        "hostile",
        "medium",
        "A value that is far too long is rejected.",
        "recordings: create-*-length",
        WRITE,
    ),
    Rule(
        "type-odd",
        "hostile",
        "medium",
        "An invalid Content-Type is rejected, with or without a body.",
        "recordings: ctype-*",
        WRITE,
    ),
    Rule(
        "text-kept",
        "hostile",
        "medium",
        "Unusual but valid text is stored and returned unchanged.",
        "recordings: create-control-characters, patch-metadata-accepted",
        WRITE,
    ),
)

_JSON = header("Content-Type", "application/json")
_REFUSED = frozenset({400})
_TAKEN = frozenset({201, 200})
_EITHER = frozenset({200, 201, 400})
_LARGE = frozenset({400, 413})
_CREATE = Case("", "createCalendar", "body", "POST", CALENDARS, _TAKEN, headers=_JSON, odd=True)
_MARK = "@odd@"


def _with_each(bench: Bench, odds: Callable[[Bench, str, str, str], Iterator[Case]]) -> Iterator[Case]:
    """For the two operations that take a body, in turn, as far as there is something to send it to."""
    if not bench.writes:
        return
    creates = odds(bench, "createCalendar", "POST", CALENDARS)
    updates = odds(bench, "updateCalendar", "PATCH", OURS)
    for row in zip_longest(creates, updates):
        yield from (odd for odd in row if odd is not None)


def _unreadable(bench: Bench, operation: str, method: str, path: str) -> Iterator[Case]:
    bodies = (
        b"[" * 1_500 + b"]" * 1_500,
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"metadata":{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
        b"\xff\xfe{\x00}\x00",
        b'{"client_id":"\xe9"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":1e}',
        b'{"a":"\x01"}',
        b'{"a":"\\x"}',
        b'{"a":"\\u12"}',
        b"\x00",
        b"\x80",
        b"{",
        b'"' + b"x" * 10_000,
    )
    for body in bodies:
        yield Case("body-odd", operation, "body", method, path, _REFUSED, headers=_JSON, raw=body, odd=True)


def _unholdable(bench: Bench, operation: str, method: str, path: str) -> Iterator[Case]:
    """Texts that no PostgreSQL holds, in every place for a text; written as escapes, so that JSON carries them."""
    unholdable = Case("text-unholdable", operation, "body", method, path, _REFUSED, headers=_JSON, odd=True)
    for escape in (r"\u0000", r"\ud800", r"\udc00x", r"\ud83d\ud83d"):
        for name in ("client_secret", "refresh_token") if method == "PATCH" else _TEXTS:
            yield unholdable._replace(field=name, raw=_body(bench, method, name, escape))
        for text in (f'{{"k":"{escape}"}}', f'{{"{escape}":"v"}}', f'{{"ok":"v","k":["{escape}"]}}'):
            body = _written(bench, method, {"metadata": _MARK}).replace(f'"{_MARK}"', text)
            yield unholdable._replace(field="metadata", raw=body.encode())
        unknown = _written(bench, method, {_MARK: 1}).replace(_MARK, escape)
        yield unholdable._replace(raw=unknown.encode())


_TEXTS = ("client_id", "client_secret", "refresh_token", "platform_uuid", "deduplication_key", "platform")


def _body(bench: Bench, method: str, name: str, escape: str) -> bytes:
    return _written(bench, method, {name: f"conformance {_MARK}"}).replace(_MARK, escape).encode()


def _written(bench: Bench, method: str, fields: dict[str, Any]) -> str:
    usual = bench.fields() if method == "POST" else {}
    return json.dumps({**usual, **fields})


def _numbers(bench: Bench) -> Iterator[Case]:
    for name, text, statuses in (
        ("platform_uuid", "1E400", _EITHER),
        ("platform_uuid", "-1E400", _EITHER),
        ("platform_uuid", "1e-400", _EITHER),
        ("platform_uuid", "-0", _TAKEN),
        ("platform_uuid", "9" * 400, _TAKEN),
        ("platform_uuid", "9" * 4300, _REFUSED),
        ("metadata", "1E400", _REFUSED),
        ("metadata", '{"a":1E400}', _REFUSED),
        ("metadata", '{"a":' + "9" * 4000 + "}", _REFUSED),
        ("platform", "1E400", _REFUSED),
        ("platform", "[[[]]]", _REFUSED),
        ("platform", '{"a":"it\'s"}', _REFUSED),
    ):
        body = _written(bench, "POST", {name: _MARK}).replace(f'"{_MARK}"', text)
        yield _CREATE._replace(rule="number-odd", field=name, status=statuses, raw=body.encode())


def _oversized(bench: Bench) -> Iterator[Case]:
    for name, fields in (
        ("client_id", {"client_id": "x" * 100_000}),
        ("metadata", {"metadata": {"k": "x" * 100_000}}),
        ("metadata", {"metadata": {f"k{number}": "v" for number in range(5_000)}}),
        ("metadata", {"metadata": {"k" * 100_000: "v"}}),
        ("body", {f"k{number}": number for number in range(2_000)}),
        ("body", {"x" * 100_000: 1}),
        ("platform", {"platform": "g" * 100_000}),
    ):
        body = _written(bench, "POST", fields).encode()
        yield _CREATE._replace(rule="size-odd", field=name, status=_LARGE, raw=body)
    form = "&".join(f"a{number}=1" for number in range(1_100)).encode()
    headers = header("Content-Type", "application/x-www-form-urlencoded")
    yield _CREATE._replace(rule="size-odd", status=_LARGE, headers=headers, raw=form)


def _types(bench: Bench, operation: str, method: str, path: str) -> Iterator[Case]:
    """Content-Types that make no sense; an update may take what holds no field."""
    refused, either = _REFUSED, _REFUSED if method == "POST" else frozenset({200, 400})
    part = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\nv\r\n'
    multipart = "multipart/form-data; boundary=b"
    for kind, body, statuses in (
        ("application/json; charset=utf-16", b"{}", refused),
        ("application/json; charset=ascii", b'{"a":"\xc3\xa9"}', refused),
        ("application/json; charset=latin-1", b'{"a":"\xe9"}', refused),
        ("application/json; charset=utf-7", b'{"a":1}', refused),
        ("application/json; charset=rot13", b'{"a":1}', refused),
        ("application/json; charset=idna", b'{"a":1}', refused),
        ("application/json; charset=\x7f", b'{"a":1}', refused),
        ("application/json; charset=" + "x" * 500, b'{"a":1}', refused),
        ("multipart/form-data", b"--b--", refused),
        ("multipart/form-data; boundary=", b"----", refused),
        ("multipart/form-data; boundary=\xe9", b"--b--", refused),
        (multipart, b"", either),
        (multipart, b"--b", either),
        (multipart, b"garbage", either),
        (multipart, part % b"a", refused),
        (multipart, part % b"a" + b"--b\r\nX: " + b"y" * 5_000, refused),
        (multipart, b'--b\r\nContent-Disposition: form-data; name="a"; filename="\xff"\r\n\r\nv\r\n--b--', either),
        (multipart, b'--b\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n\x00\r\n--b--', refused),
        ("application/x-www-form-urlencoded", b"%ff=%00&&&=;", refused),
        ("application/x-www-form-urlencoded", b"client_secret=%00", refused),
        ("application/x-www-form-urlencoded", b"metadata=%7B%22a%22%3A" + b"%5B" * 2_000, refused),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=b", refused),
        ("\xff/\xfe", b"{}", frozenset({415})),
        ("/", b"{}", frozenset({415})),
        (";;;", b"{}", frozenset({415})),
        ("application/json" + "; a=b" * 300, b"[]", refused),
    ):
        headers = header("Content-Type", kind)
        yield Case("type-odd", operation, "Content-Type", method, path, statuses, headers=headers, raw=body, odd=True)


def _kept(bench: Bench) -> Iterator[Case]:
    """Texts that are odd and good: taken, and given back as they are."""
    for text in ("a\x01\x1f\x7fb", "a\u2028\u2029b", "\U0001f468\u200d\U0001f469", "e\u0301\ufb01", "a\ufffe\uffffb"):
        fields = bench.fields(client_id=f"conformance {text}", metadata={"k": text, text: "v"})
        shown = Holding(client_id=fields["client_id"], metadata=fields["metadata"])
        body = json.dumps(fields).encode()
        yield _CREATE._replace(rule="text-kept", field="client_id", status=_TAKEN, raw=body, body=shown)
    for text in (
        "</script><b>",
        "'; DROP TABLE calendars; --",
        "${7*7}{{7*7}}",
        "../../etc/passwd",
        "%s%n%00",
        "\\u0000",
    ):
        fields = bench.fields(client_id=text, metadata={"__proto__": text, "$where": text})
        shown = Holding(client_id=text, metadata=fields["metadata"])
        body = json.dumps(fields).encode()
        yield _CREATE._replace(rule="text-kept", field="client_id", status=_TAKEN, raw=body, body=shown)


CHECKS = (
    odd_check("body-odd", partial(_with_each, odds=_unreadable), needs=("write",)),
    odd_check("text-unholdable", partial(_with_each, odds=_unholdable), needs=("write",)),
    odd_check("number-odd", _numbers, needs=("write",)),
    odd_check("size-odd", _oversized, needs=("write",)),
    odd_check("type-odd", partial(_with_each, odds=_types), needs=("write",)),
    odd_check("text-kept", _kept, needs=("write",)),
)
