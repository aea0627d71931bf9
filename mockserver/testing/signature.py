"""Verifies the signature of a webhook as a receiver has to do it, and says what is wrong with a bad one."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping

from mockserver.delivery.payload import SIGNATURE, canonical, signature

__all__ = ["HEADER", "signature_header", "signature_problem", "verify_signature"]

HEADER = SIGNATURE
"""The header that contains the signature: X-Webhook-Signature."""


def verify_signature(body: bytes | str, header: str | None, secret: str | bytes) -> bool:
    """Whether `header` is the signature of `body`; the comparison takes the same time for every header.

    `secret` is the project's webhook secret: base64 text as the service shows it, or its decoded bytes. Raises
    ValueError for a text that is not base64: the mistake is then in the receiver's settings, not in the webhook.
    """
    return signature_problem(body, header, secret) is None


def signature_problem(body: bytes | str, header: str | None, secret: str | bytes) -> str | None:
    """Why `header` is not the signature of `body`, in one line that contains neither of them; None if it is.

    Raises ValueError as `verify_signature` does.
    """
    key = _key(secret)
    if not header:
        return f"there is no {HEADER} header"
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    try:
        content = json.loads(raw)
        genuine = signature(key, canonical(content))
    except (ValueError, RecursionError):
        return "the body is not JSON"
    if hmac.compare_digest(genuine.encode(), header.strip().encode("utf-8", "replace")):
        return None
    return _mistake(raw, content, header.strip(), secret, key) or (
        "it is the signature of another body, or was made with another secret"
    )


def signature_header(headers: Mapping[str, str]) -> str | None:
    """The signature among a request's headers, whatever the case of their names; None without one."""
    return next((value for name, value in headers.items() if name.lower() == HEADER.lower()), None)


def _key(secret: str | bytes) -> bytes:
    if isinstance(secret, bytes):
        return secret
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        # Without the secret: errors end up in logs.
        raise ValueError(
            "the webhook secret is not base64 text; give it as the service shows it, e.g. from ATTENDEE_WEBHOOK_SECRET"
        )
    return key


def _mistake(raw: bytes, content: object, header: str, secret: str | bytes, key: bytes) -> str | None:
    """The well-known mistake with which this signature was made, if it is one."""
    text = canonical(content)  # type: ignore[arg-type]  # any JSON value has such a text
    as_text = secret.encode() if isinstance(secret, str) else base64.b64encode(secret)
    made = {
        "it signs the bytes of the body, not the content serialized again": _base64(key, raw),
        "it signs JSON with default separators; use separators=(',', ':')": _base64(
            key, json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8", "backslashreplace")
        ),
        "it signs JSON with escaped characters; use ensure_ascii=False": _base64(
            key, json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        ),
        "it was made with the secret as text; decode the secret from base64 first": _base64(as_text, text.encode()),
        "it is a hexadecimal digest; encode the digest as base64": hmac.digest(key, text.encode(), "sha256").hex(),
    }
    return next((problem for problem, value in made.items() if value == header), None)


def _base64(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
