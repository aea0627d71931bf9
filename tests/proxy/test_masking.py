"""No secret of an exchange is in what is printed or written."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from mockserver.proxy.har import HarFile
from mockserver.proxy.masking import Masker
from tests.proxy.pieces import CALENDAR, PATH, Watched, exchange, message, request, response

SECRET = "pl4nted/S3cret+value"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FORM_BODY = f"platform=google&client_secret={quote(SECRET, safe='')}&client_id=5".encode()
MULTIPART = b'--b\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n' + SECRET.encode() + b"\r\n--b--\r\n"


def post(body: object, **headers: str) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Host": "h", "Content-Type": "application/json", "Content-Length": str(len(raw))} | headers
    return message("POST /api/v1/calendars HTTP/1.1", given, raw)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (request(Authorization=f"Token {SECRET}"), response()),
        (request(Authorization=SECRET), response()),
        (request(Cookie=f"sessionid={SECRET}"), response()),
        (request(), response(Set_Cookie=f"sessionid={SECRET}")),
        (request(target=f"{PATH}?api_key={quote(SECRET, safe='')}"), response()),
        (post({"client_secret": SECRET}), response(CALENDAR, 201, "listCalendars")),
        (post({"client_secret": {"inner": [SECRET]}}), response(CALENDAR, 201, "listCalendars")),
        (post(FORM_BODY, **FORM), response(CALENDAR, 201, "listCalendars")),
        (post(MULTIPART, **{"Content-Type": "multipart/form-data; boundary=b"}), response({}, 400, "listCalendars")),
        (post(f'{{"client_secret": "{SECRET}'.encode()), response({}, 400, "listCalendars")),
        (post({"refresh_token": SECRET}), response({"detail": f"no such token {SECRET}"}, 400, "listCalendars")),
        (post({"refresh_token": SECRET}), response(CALENDAR | {"metadata": {"a": SECRET}}, 201, "listCalendars")),
        (request(), response(CALENDAR | {"access_token": SECRET})),
        (request(), response(CALENDAR | {"client_id": f"https://zoom.us/j/1?pwd={quote(SECRET, safe='')}"})),
        (request(), response(CALENDAR | {"client_id": f"https://{quote(SECRET, safe='')}@h/"})),
        (request(), response(CALENDAR | {"metadata": {"header": f"Bearer {SECRET}"}})),
    ],
)
def test_a_planted_secret_is_neither_printed_nor_written(sent: bytes, answered: bytes, tmp_path: Path) -> None:
    file = tmp_path / "traffic.har"
    har = HarFile(file, "http://target.example")
    watched = Watched(exchange(sent, answered), har)
    watched.watch.finish()
    shown = file.read_text("utf-8") + watched.out.getvalue()
    assert json.loads(file.read_text("utf-8"))["log"]["entries"]
    for spelt in (SECRET, quote(SECRET, safe=""), json.dumps(SECRET)[1:-1], base64.b64encode(SECRET.encode()).decode()):
        assert spelt not in shown


def test_a_secret_that_was_seen_is_masked_in_later_exchanges() -> None:
    masker = Masker()
    masker.headers([(b"Authorization", b"Token " + SECRET.encode())])
    assert masker.text(f"the key {SECRET} is wrong") == "the key *** is wrong"


def test_the_problems_of_a_secret_field_stay() -> None:
    text = json.dumps({"client_secret": ["This field may not be blank."]})
    assert Masker().body(text, "application/json", is_response=True) == text


def test_what_has_no_secret_stays_as_it_was() -> None:
    text = '{"deduplication_key":  "user-1", "cursor": "cD0y", "n": 1.50}'
    assert Masker().body(text, "application/json") == text
    assert Masker().url("/api/v1/calendars?deduplication_key=user-1&cursor=cD0y") == (
        "/api/v1/calendars?deduplication_key=user-1&cursor=cD0y"
    )


def test_known_secrets_are_bounded() -> None:
    masker = Masker()
    for number in range(600):
        masker.learn(f"secret-{number:04}")
    assert masker.text("secret-0001 secret-0599") == "secret-0001 ***"


def test_what_looks_like_a_secret_is_masked_wherever_it_is() -> None:
    masker = Masker()
    masker.learn("GOCSPX-planted")
    masker.learn("1//0abcdefghijk")
    assert masker.text("GOCSPX-planted 1//0abcdefghijk 1%2F%2F0abcdefghijk GOCSPX-other") == "*** *** *** ***"
