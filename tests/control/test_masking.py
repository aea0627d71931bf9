"""No secret that comes in with a request is ever seen again, wherever it was put and however it was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mockserver.app import Mock
from mockserver.control.har import har
from mockserver.control.journal import Filter
from mockserver.control.masking import Masker
from mockserver.control.near_misses import near_misses
from tests.clients import ACME, MAIN_CALENDAR, in_process

DISABLED = "acmeNBynNioY6eKvKFo7AcioMD3GRD96"
SIGNING = "5iXV378/KoYsH0Zs0PSAwpkBxdHfo0WP+Tou6T4M0J0="
FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
LETTERS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", min_size=12, max_size=30).map(
    lambda text: f"7q{text}Z9"
)
SECRET = LETTERS | st.builds("{}-{}/{}_{}".format, LETTERS, LETTERS, LETTERS, LETTERS)


def shown(mock: Mock) -> str:
    """Everything that can be read of the journal, as one text."""
    texts: list[Any] = []
    for project in (None, *(project.name for project in mock.store.projects)):
        entries = mock.journals.find(project, Filter()).entries
        texts += [entries, har(entries), near_misses(entries, Filter(operation="createCalendar", status="201"))]
        texts += [mock.explainer.explain(entry["id"]) for entry in entries]
        texts += [repr(mock.journals), *map(repr, mock.journals._journals[project].entries)] if entries else []
    return json.dumps(texts, ensure_ascii=False) + json.dumps(texts)


def bodies(secret: str) -> Iterator[tuple[str, bytes]]:
    """Bodies with a secret in the fields that secrets have, in every form that a body can have."""
    fields = {"platform": "google", "client_id": "a", "client_secret": secret, "refresh_token": secret}
    yield JSON_TYPE, json.dumps(fields).encode()
    yield JSON_TYPE, json.dumps({"metadata": {"refresh_token": secret, "a": [secret]}, "access_token": secret}).encode()
    yield JSON_TYPE, json.dumps({**fields, "platform": secret, secret: 1, "metadata": {"a": secret}}).encode()
    yield JSON_TYPE, f'{{"client_secret": "{secret}", "client_secret": "b", "x": "{secret}"}}'.encode()
    yield JSON_TYPE, f'{{"client\\u005fsecret": "{secret}"}}'.encode()
    yield JSON_TYPE, f'{{"client_secret": ["{secret}", {{"a": "{secret}"}}]}}'.encode()
    yield JSON_TYPE, json.dumps(fields)[:-2].encode()
    yield JSON_TYPE, json.dumps(fields).replace(secret, f'{secret[:3]}"{secret}').encode()
    yield JSON_TYPE, f"{{'client_secret': '{secret}'}}".encode()
    yield JSON_TYPE, f'{{"client\\u005fsecret": "{secret}", }}'.encode()
    yield JSON_TYPE, b"[" * 2000 + json.dumps(fields).encode()
    yield JSON_TYPE, f'{{"a": 1E999, "client_secret": "{secret}"}}'.encode()
    yield JSON_TYPE, f"client_secret={secret}".encode()
    yield f"{JSON_TYPE}; charset=utf-16", json.dumps(fields).encode("utf-16")
    yield JSON_TYPE, json.dumps(fields).encode("utf-16-le")
    yield JSON_TYPE, json.dumps({"note": f"client_secret={secret}"}).encode()
    yield JSON_TYPE, json.dumps({"note": json.dumps({"refresh_token": secret})}).encode()
    yield FORM, f"client_secret={quote(secret, safe='')}&platform={quote(secret, safe='')}".encode()
    yield FORM, f"platform=google&client%5Fsecret={secret}&{secret}".encode()
    yield FORM, f"metadata={quote(json.dumps({'client_secret': secret}))}".encode()
    yield FORM, f"a=1;client_secret={secret}".encode()
    yield FORM, json.dumps(fields).encode()
    yield "text/plain", json.dumps(fields).encode()
    yield "", f"client_secret: {secret}".encode()
    for boundary in ("B", "other"):
        part = f'--B\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n{secret}\r\n'
        named = '--B\r\nContent-Disposition: form-data; name="platform"\r\n\r\ngoogle\r\n'
        yield f"multipart/form-data; boundary={boundary}", f"{named}{part}{named}--B--".encode()
    yield "multipart/form-data", f'--B\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n{secret}'.encode()


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(secret=SECRET)
def test_a_secret_in_its_own_field_is_never_shown(secret: str, make_mock: Callable[..., Mock]) -> None:
    mock = make_mock()
    send = in_process(mock)
    for content_type, body in bodies(secret):
        for method, path in (("POST", "/api/v1/calendars"), ("PATCH", f"/api/v1/calendars/{MAIN_CALENDAR}")):
            headers = {"authorization": f"Token {ACME}", "content-type": content_type}
            send(method, path, headers, body)
    assert secret not in shown(mock)


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@settings(max_examples=200)
@given(
    secret=SECRET,
    place=st.integers(min_value=0),
    breaker=st.sampled_from(
        ['"', "'", "{", "}", "\\", ",", ":", "&", "=", "\0", "\r\n\r\n", "--B", " ", "]", ";", "%"]
    ),
    cut=st.booleans(),
    content_type=st.sampled_from([JSON_TYPE, FORM, "multipart/form-data; boundary=B", "text/plain", ""]),
)
def test_a_secret_in_a_body_that_is_broken_anywhere_after_its_name_is_never_shown(
    secret: str, place: int, breaker: str, cut: bool, content_type: str
) -> None:
    head = '{"platform": "google", "client_secret'
    rest = f'": "{secret}", "metadata": {{"a": "{secret}"}}, "x": 1}}'
    at = place % len(rest)
    broken = head + rest[:at] + breaker + ("" if cut else rest[at:])
    assume(content_type in (FORM, "multipart/form-data; boundary=B") or not is_json(broken))
    shown = Masker().body(broken.encode(), content_type).text
    # What the breaker has cut in two is looked for by its longer half.
    pieces = [piece for piece in broken.removeprefix(head).split(breaker) if piece in secret and len(piece) >= 6]
    for piece in (secret, *pieces):
        assert piece not in shown


@pytest.mark.parametrize("key", [ACME, DISABLED, SIGNING])
def test_a_secret_that_the_mock_knows_is_never_shown_wherever_it_is(key: str, mock: Mock) -> None:
    send = in_process(mock)
    coded = quote(key, safe="")
    paths = [
        f"/api/v1/calendars/{coded}",
        f"/api/v1/{coded}",
        f"/api/v1/calendars?{coded}",
        f"/api/v1/calendars?deduplication_key={coded}",
        f"/api/v1/calendars?{coded}={coded}&cursor={coded}",
        f"/api/v1/calendar_events?start_time_gte={coded}&ordering={coded}",
        f"/api/v1/calendars?deduplication_key={''.join(f'%{ord(letter):02x}' for letter in key)}",
    ]
    named = ("accept", "content-type", "cookie", "host", "user-agent", "x-anything", "x-api-key", key.replace("/", "-"))
    for path in paths:
        for authorization in (ACME, key):
            send("GET", path, {"authorization": f"Token {authorization}"}, None)
    for name in named:
        send("GET", "/api/v1/calendars", {"authorization": f"Token {ACME}", name: key}, None)
    fields = {name: key for name in ("platform", "client_id", "platform_uuid", "deduplication_key", "x", key)}
    for body in (fields, {"metadata": {key: key}}, {"metadata": {"a": f"x{key}y"}}, [key], key):
        for text in (json.dumps(body), json.dumps(body)[:-1], json.dumps(body).replace("e", "\\u0065")):
            for content_type in (JSON_TYPE, FORM, "multipart/form-data; boundary=B", "text/plain"):
                headers = {"authorization": f"Token {ACME}", "content-type": content_type}
                send("POST", "/api/v1/calendars", headers, text.encode())
    assert key not in shown(mock)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    secret=SECRET,
    form=st.sampled_from(
        ["Token {}", "Bearer {}", "{}", "token  {} ", "Token {} {}", "Basic {}", "Token x {}", "{} Token"]
    ),
    header=st.sampled_from(["authorization", "proxy-authorization", "x-api-key", "cookie", "x-access-token"]),
)
def test_a_secret_header_is_never_shown(secret: str, form: str, header: str, mock: Mock) -> None:
    for project in (None, "Acme"):
        mock.journals.clear(project)
    headers = {"authorization": f"Token {ACME}", "x-note": f"see {secret}", header: form.format(secret, secret)}
    coded = quote(secret, safe="")
    in_process(mock)("GET", f"/api/v1/calendars?api_key={coded}&deduplication_key={coded}", headers, None)
    in_process(mock)("GET", f"/api/v1/calendars/{coded}", headers, None)
    assert secret not in shown(mock)


def test_what_is_not_secret_is_shown_as_it_was_sent() -> None:
    masker = Masker()
    for text in (
        '{"deduplication_key": "user-main",  "metadata": {"a": "b"}}',
        '{"client_secret": null, "refresh_token": ""}',
        "{\"error\": \"Google Authentication error: {'error_description': 'Token has been expired or revoked.'}\"}",
        '{"detail": "Invalid Authorization header. Should have this format: Token <api_key>"}',
        '{"non_field_errors": ["Unexpected field(s): x. Allowed fields are: client_secret, metadata, refresh_token"]}',
    ):
        assert masker.body(text.encode(), JSON_TYPE).text == text
    assert masker.query("cursor=a%20b&deduplication_key=&x") == "cursor=a%20b&deduplication_key=&x"


def test_what_an_answer_says_about_a_secret_field_is_shown() -> None:
    body = b'{"client_secret": ["This field may not be blank."], "refresh_token": "abcdefgh"}'
    assert Masker().body(body, JSON_TYPE, is_answer=True).value == {
        "client_secret": ["This field may not be blank."],
        "refresh_token": "***",
    }


def test_of_a_secret_header_its_shape_is_left() -> None:
    masker = Masker()
    headers = [(b"authorization", b"tOKEN  abcdef ghi"), (b"cookie", b"a=b; c=d"), (b"accept", b"*/*")]
    assert masker.headers(headers) == [["authorization", "tOKEN *** ***"], ["cookie", "*** ***"], ["accept", "*/*"]]


def test_a_form_is_masked_pair_by_pair() -> None:
    text = Masker().query("platform=google&client_secret=GOCSPX-x&more&refresh_token=&metadata=%7B%7D")
    assert text == "platform=google&client_secret=***&***&refresh_token=&metadata=%7B%7D"


def test_in_what_cannot_be_read_everything_after_a_secrets_name_is_gone() -> None:
    shown = Masker().body(b'{"platform": "google", "client_secret": "a"b", "metadata": {}}', JSON_TYPE)
    assert shown.text == '{"platform": "google", "client_secret***'
    assert not shown.is_json


def test_a_body_with_very_many_secrets_is_masked() -> None:
    body = json.dumps({"client_secret": [f"secret-number-{number}" for number in range(3000)]}).encode()
    assert Masker().body(body, JSON_TYPE).text == '{"client_secret": "***"}'
