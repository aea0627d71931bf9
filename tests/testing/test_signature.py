"""A receiver's check of signatures: genuine ones pass, and each well-known mistake is named."""

from __future__ import annotations

import base64
import hmac
import json

import pytest

from mockserver.testing.signature import signature_header, signature_problem, verify_signature

SECRET = "5iXV378/KoYsH0Zs0PSAwpkBxdHfo0WP+Tou6T4M0J0="
KEY = base64.b64decode(SECRET)
CONTENT = {"trigger": "calendar.events_update", "data": {"name": "Zoë 日本", "10": 1, "9": None}}
BODY = json.dumps(CONTENT).encode()
TEXT = json.dumps(CONTENT, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def made(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(key, text, "sha256")).decode()


GENUINE = made(KEY, TEXT)


def test_the_documented_signature_of_a_recorded_delivery_is_genuine() -> None:
    assert verify_signature(BODY, GENUINE, SECRET)
    assert verify_signature(BODY.decode(), f" {GENUINE} ", KEY)
    assert signature_problem(BODY, GENUINE, SECRET) is None


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (None, "there is no X-Webhook-Signature header"),
        ("", "there is no X-Webhook-Signature header"),
        (made(KEY, BODY), "it signs the bytes of the body, not the content serialized again"),
        (
            made(KEY, json.dumps(CONTENT, sort_keys=True, ensure_ascii=False).encode()),
            "it signs JSON with default separators; use separators=(',', ':')",
        ),
        (
            made(KEY, json.dumps(CONTENT, sort_keys=True, separators=(",", ":")).encode()),
            "it signs JSON with escaped characters; use ensure_ascii=False",
        ),
        (made(SECRET.encode(), TEXT), "it was made with the secret as text; decode the secret from base64 first"),
        (hmac.digest(KEY, TEXT, "sha256").hex(), "it is a hexadecimal digest; encode the digest as base64"),
        (made(b"another", TEXT), "it is the signature of another body, or was made with another secret"),
        ("Zoë", "it is the signature of another body, or was made with another secret"),
    ],
)
def test_a_wrong_signature_is_refused_with_its_reason(header: str | None, problem: str) -> None:
    assert not verify_signature(BODY, header, SECRET)
    assert signature_problem(BODY, header, SECRET) == problem


@pytest.mark.parametrize("body", [b"", b"no JSON", b"\xff", b"[" * 100_000], ids=["empty", "text", "bytes", "deep"])
def test_what_is_not_json_has_no_signature(body: bytes) -> None:
    assert signature_problem(body, GENUINE, SECRET) == "the body is not JSON"


def test_a_tampered_body_is_refused() -> None:
    assert not verify_signature(BODY.replace(b"null", b"1"), GENUINE, SECRET)


def test_a_lone_surrogate_is_signed_as_the_service_does() -> None:
    assert verify_signature(b'{"name": "\\ud800"}', made(KEY, b'{"name":"\\ud800"}'), SECRET)


@pytest.mark.parametrize("secret", ["", "no base64!", "5iXV37"])
def test_a_secret_that_is_not_base64_is_an_error_that_does_not_show_it(secret: str) -> None:
    with pytest.raises(ValueError, match="the webhook secret is not base64 text") as raised:
        verify_signature(BODY, GENUINE, secret)
    assert not secret or secret not in str(raised.value)


def test_the_header_is_found_in_any_case() -> None:
    assert signature_header({"x-webhook-signature": "a"}) == "a"
    assert signature_header({"X-WEBHOOK-SIGNATURE": "a", "b": "c"}) == "a"
    assert signature_header({"b": "c"}) is None
