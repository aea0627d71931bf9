"""Bodies as a whole: their types, what cannot be read, what is no object, what is not there."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

from mockserver.conformance.calendar_bodies import CLIENT, MARK
from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import Bench, Case, Holding, header
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.rules import WRITE, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "body-type-taken",
        "probes",
        "medium",
        "JSON bodies (with any spelling of their type), form bodies and multipart bodies give the same result.",
        "recordings: ctype-json-variants, ctype-form, ctype-multipart",
        WRITE,
    ),
    Rule(
        "body-type-refused",
        "probes",
        "medium",
        "A body of another type is answered with 415, and the error repeats the type as it was sent.",
        "openapi.yaml: UnsupportedMediaType; recordings: ctype-unsupported",
        WRITE,
    ),
    Rule(
        "body-unreadable",
        "probes",
        "medium",
        "A body that does not match its type is answered with 400, and its detail says why.",
        "openapi.yaml: UnreadableBody; recordings: body-encoding, ctype-multipart",
        WRITE,
    ),
    Rule(
        "body-no-object",
        "probes",
        "medium",
        "JSON that is not an object is rejected, and the error names its type.",
        "openapi.yaml: NotAnObject",
        WRITE,
    ),
    Rule(
        "body-empty",
        "probes",
        "medium",
        "No body counts as an object without fields: POST rejects it, PATCH accepts it.",
        "recordings: create-missing-some, patch-updated-at",
        WRITE,
    ),
    Rule(
        "body-last-wins",
        "probes",
        "low",
        "If a body has a name twice, the last one counts.",
        "recordings: body-duplicate-keys, ctype-form",
        WRITE,
    ),
    Rule("body-of-delete", "probes", "low", "DELETE ignores its body.", "recordings: delete-with-body", WRITE),
    Rule(
        "form-blank",
        "probes",
        "low",
        "In a form, an empty text means that an optional field is absent; for a required field it is an error.",
        "recordings: ctype-form",
        WRITE,
    ),
)

_JSON = header("Content-Type", "application/json")
_FEW = 3
"""So many of a table are tried with PATCH as well."""
_REQUIRED = Holding(client_id=["This field is required."])
_JSON_ERROR = {"detail": re.compile(r"JSON parse error - .+")}
_BOUNDARY = "conformance"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"


_JSON_TYPES = (
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/json;",
    "application/json; foo=bar",
    "application/json; charset=bogus",
    "*/*",
    "application/*",
)
_OTHER_TYPES = (
    "text/plain",
    "application/xml",
    "text/json",
    "application/octet-stream",
    "application/merge-patch+json",
    "application/json, text/plain",
    "application/jsonx",
    "json",
    "text/plain; charset=utf-8",
)
_UNREADABLE = (b"{", b"{'a': 1}", b'{"a": 1,}', b"x", b" ", b'{"a" 1}', b"{} {}", b"NaN", b"\xff\xfe{}", b'{"a": 01}')
_NO_OBJECTS: tuple[tuple[bytes, str], ...] = (
    (b"[]", "Invalid data. Expected a dictionary, but got list."),
    (b"null", "No data provided"),
    (b'"x"', "Invalid data. Expected a dictionary, but got str."),
    (b"1", "Invalid data. Expected a dictionary, but got int."),
    (b"1.5", "Invalid data. Expected a dictionary, but got float."),
    (b"true", "Invalid data. Expected a dictionary, but got bool."),
)
_MORE_NO_OBJECTS: tuple[tuple[bytes, str], ...] = (
    (b'[{"client_secret": "x"}]', "Invalid data. Expected a dictionary, but got list."),
    (b'""', "Invalid data. Expected a dictionary, but got str."),
    (b"0", "Invalid data. Expected a dictionary, but got int."),
    (b"false", "Invalid data. Expected a dictionary, but got bool."),
)
_MORE_TYPES = (
    "text/html",
    "image/png",
    "application/vnd.api+json",
    "TEXT/PLAIN",
    "application/x-yaml; a=b",
    "text/xml",
)


def _writes(bench: Bench) -> list[Case]:
    """The two operations that take a body, as far as there is something to send it to."""
    case = Case("", "createCalendar", "body", "POST", CALENDARS, 400, headers=_JSON)
    if not bench.writes:
        return []
    return [case, case._replace(operation="updateCalendar", method="PATCH", path=bench.ours)]


@check("body-unreadable", context=Bench, cost=2, needs=("write",), apart=True)
def unreadable_bodies(bench: Bench) -> Steps:
    """What does not match its type."""
    for number, text in enumerate(_UNREADABLE):
        for case in _writes(bench):
            if case.method == "POST" or number < _FEW:
                bench.took(bench.ask(case._replace(rule="body-unreadable", raw=text, body=_JSON_ERROR)))
        yield
    for text in _UNREADABLE[_FEW:]:
        for case in _writes(bench)[1:]:
            bench.ask(case._replace(rule="body-unreadable", raw=text, body=_JSON_ERROR))
    yield
    told = {"detail": "Multipart form parse error - Invalid boundary in multipart: None"}
    for case in _writes(bench):
        unbounded = case._replace(rule="body-unreadable", raw=b"--x--\r\n", body=told)
        bench.ask(unbounded._replace(headers=header("Content-Type", "multipart/form-data")))


@check("body-no-object", context=Bench, cost=2, needs=("write",), apart=True)
def bodies_without_object(bench: Bench) -> Steps:
    """JSON that is no object."""
    for number, (text, message) in enumerate(_NO_OBJECTS):
        for case in _writes(bench):
            if case.method == "POST" or number < _FEW:
                bench.ask(case._replace(rule="body-no-object", raw=text, body={"non_field_errors": [message]}))
        yield
    for text, message in (*_NO_OBJECTS[_FEW:], *_MORE_NO_OBJECTS):
        for case in _writes(bench)[0 if (text, message) in _MORE_NO_OBJECTS else 1 :]:
            bench.ask(case._replace(rule="body-no-object", raw=text, body={"non_field_errors": [message]}))
        yield


@check("body-type-refused", context=Bench, cost=2, needs=("write",), apart=True)
def other_types(bench: Bench) -> Steps:
    """Types of bodies that are not taken."""
    for number, kind in enumerate(_OTHER_TYPES):
        told = {"detail": f'Unsupported media type "{kind}" in request.'}
        for case in _writes(bench):
            unsupported = case._replace(rule="body-type-refused", field="Content-Type", status=415, raw=b"{}")
            if case.method == "POST" or number < _FEW:
                bench.ask(unsupported._replace(body=told, headers=header("Content-Type", kind)))
        yield
    for kind in ("", *_OTHER_TYPES[_FEW:], *_MORE_TYPES):
        told = {"detail": f'Unsupported media type "{kind}" in request.'}
        for case in _writes(bench)[1 if kind in _OTHER_TYPES else 0 :]:
            unsupported = case._replace(rule="body-type-refused", field="Content-Type", status=415, raw=b"{}")
            bench.ask(unsupported._replace(body=told, headers=header("Content-Type", kind) if kind else ()))
        yield


@check("body-empty", context=Bench, cost=2, needs=("write",), apart=True)
def empty_bodies(bench: Bench) -> Steps:
    """No body at all."""
    for kind in ("application/json", _FORM, _MULTIPART):
        for case in _writes(bench):
            empty = case._replace(rule="body-empty", raw=b"", headers=header("Content-Type", kind), body=_REQUIRED)
            if case.method == "PATCH":
                empty = empty._replace(status=200, body=Holding())
            bench.ask(empty)
        yield


@check("body-type-taken", context=Bench, cost=1, needs=("write",), apart=True)
def taken_types(bench: Bench) -> Steps:
    """One calendar, written in each way that is taken."""
    if not bench.writes:
        return
    for kind in _JSON_TYPES:
        fields = bench.fields()
        case = Case("body-type-taken", "createCalendar", "Content-Type", "POST", CALENDARS, 201, _echo(fields))
        body = json.dumps(fields).encode()
        bench.took(bench.ask(case._replace(raw=body, headers=header("Content-Type", kind))))
        yield
    tag = {MARK: bench.target.tag()}
    case = Case("body-type-taken", "updateCalendar", "Content-Type", "PATCH", bench.ours, 200, Holding(metadata=tag))
    bench.ask(case._replace(raw=_multipart({"metadata": json.dumps(tag)}), headers=header("Content-Type", _MULTIPART)))
    yield
    for number, kind in enumerate((*_JSON_TYPES, _FORM)):
        tag = {MARK: bench.target.tag(), **({"\u00e9 &=+": "\U0001f600%20"} if kind == _FORM else {})}
        form = urlencode({"metadata": json.dumps(tag)}).encode()
        body = form if kind == _FORM else json.dumps({"metadata": tag}).encode()
        for case in _writes(bench)[1:]:
            shown = case._replace(rule="body-type-taken", field="Content-Type", status=200, body=Holding(metadata=tag))
            bench.ask(shown._replace(raw=body, headers=header("Content-Type", kind)))
        if number % _FEW == 0:
            yield
    for kind in (_FORM, _MULTIPART):
        fields = {**bench.fields(platform_uuid="a b&c", deduplication_key=bench.target.tag())}
        written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        body = urlencode(written).encode() if kind == _FORM else _multipart(written)
        case = Case("body-type-taken", "createCalendar", "Content-Type", "POST", CALENDARS, 201, _echo(fields))
        bench.took(bench.ask(case._replace(raw=body, headers=header("Content-Type", kind))))
        yield


@check("form-blank", context=Bench, cost=3, needs=("write",))
def blank_forms(bench: Bench) -> None:
    """Forms with empty texts."""
    if not bench.writes:
        return
    form = header("Content-Type", _FORM)
    kept = Case("form-blank", "updateCalendar", "client_secret", "PATCH", bench.ours, 200, Holding(), form)
    bench.ask(kept._replace(raw=b"client_secret="))
    blank = {"client_id": ["This field may not be blank."]}
    fields = bench.fields(client_id="")
    raw = urlencode({**fields, "metadata": json.dumps(fields["metadata"])}).encode()
    bench.took(
        bench.ask(Case("form-blank", "createCalendar", "client_id", "POST", CALENDARS, 400, blank, form, raw=raw))
    )
    no_json = {"metadata": ["Value must be valid JSON."]}
    raw = urlencode({**fields, "client_id": CLIENT, "metadata": "{bad"}).encode()
    bench.took(
        bench.ask(Case("form-blank", "createCalendar", "metadata", "POST", CALENDARS, 400, no_json, form, raw=raw))
    )


@check("body-last-wins", context=Bench, cost=2, needs=("write",), apart=True)
def repeated_names(bench: Bench) -> Steps:
    """A body that has a name twice."""
    fields = bench.fields()
    text = json.dumps(fields)
    case = Case("body-last-wins", "createCalendar", "body", "POST", CALENDARS, 201, _echo(fields), _JSON)
    doubled = text.replace('"platform": "google"', '"platform": "outlook", "platform": "google"', 1)
    bench.took(bench.ask(case._replace(raw=doubled.encode())))
    last = text.replace('"platform": "google"', '"platform": "google", "platform": "outlook"', 1)
    bench.took(bench.ask(case._replace(raw=last.encode(), status=400, body=Holding())))
    yield
    if not bench.writes:
        return
    tag = bench.target.tag()
    wins = Case("body-last-wins", "updateCalendar", "metadata", "PATCH", bench.ours, 200, headers=_JSON)
    for raw, shown in (
        (f'{{"metadata": null, "metadata": {{"{MARK}": "{tag}", "k": "1"}}}}', {MARK: tag, "k": "1"}),
        (f'{{"metadata": {{"{MARK}": "{tag}", "k": "1", "k": "2"}}}}', {MARK: tag, "k": "2"}),
    ):
        bench.ask(wins._replace(raw=raw.encode(), body=Holding(metadata=shown)))
    bench.ask(wins._replace(field="client_secret", raw=b'{"client_secret": "x", "client_secret": ""}', status=400))


@check("body-of-delete", context=Bench, cost=2, needs=("write",), apart=True)
def bodies_of_delete(bench: Bench) -> Steps:
    """DELETE with a body."""
    for kind, body in (
        ("application/json", b"{"),
        ("text/plain", b"x"),
        ("application/json", b'{"metadata": null, "foo": 1}'),
        (_MULTIPART, b"--x"),
        ("application/json", b"[]"),
    ):
        made = bench.create()
        if made is None:
            return
        path = f"{CALENDARS}/{made.json['id']}"
        case = Case("body-of-delete", "deleteCalendar", "body", "DELETE", path, 200)
        gone = bench.ask(case._replace(raw=body, headers=header("Content-Type", kind)), [made])
        if gone.status == 200:
            bench.forget(made.json["id"])
        yield


def _echo(fields: dict[str, Any]) -> Holding:
    """The fields as a new calendar shows them."""
    return Holding({name: value for name, value in fields.items() if name not in ("client_secret", "refresh_token")})


def _multipart(fields: dict[str, str]) -> bytes:
    part = '--{}\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    parts = [part.format(_BOUNDARY, name, value) for name, value in fields.items()]
    return "".join([*parts, f"--{_BOUNDARY}--\r\n"]).encode()
