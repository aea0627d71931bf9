"""Writes and signs the body of a webhook, and its headers, byte for byte as the service does (webhooks.json)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from mockserver.domain.deliveries import Delivery, DeliveryFaultKind
from mockserver.domain.model import Calendar, Json

SIGNATURE: Final = "X-Webhook-Signature"
_PORTS: Final = {"http": 80, "https": 443}
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"


class Webhook(NamedTuple):
    """One POST, ready to be sent."""

    url: str
    headers: tuple[tuple[str, str], ...]
    """In the order in which they are sent."""
    body: bytes
    signed: str
    """The text that the signature is over."""


class Address(NamedTuple):
    """The address that a URL names."""

    tls: bool
    host: str
    """As it is looked up: in ASCII and small letters, without the brackets of an IPv6 address."""
    port: int
    target: str
    """Path and query as they are asked for."""


def compose(
    delivery: Delivery, calendar: Calendar | None, secret: bytes, *, fault: DeliveryFaultKind | None = None
) -> Webhook:
    """The POST of a delivery. `calendar` is as it is at the moment, None when it was deleted.

    `secret` is the project's; `fault` may ask for no signature, or for one with `previous_secret`.
    """
    content = payload(delivery, calendar)
    signed = canonical(content)
    headers = {
        "Host": _host_header(delivery.url),
        "User-Agent": "Attendee-Webhook/1.0",
        "Accept-Encoding": "gzip, deflate",
        "Accept": "*/*",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
    }
    if fault != "unsigned":
        headers[SIGNATURE] = signature(previous_secret(secret) if fault == "old secret" else secret, signed)
    body = json.dumps(content).encode()
    headers["Content-Length"] = str(len(body))
    headers |= _authorization(delivery.url)
    return Webhook(delivery.url, tuple(headers.items()), body, signed)


def payload(delivery: Delivery, calendar: Calendar | None) -> dict[str, Json]:
    """The members of a body in their order; what is said of the calendar itself is absent when it was deleted."""
    of_calendar: dict[str, Json] = {}
    if calendar is not None:
        of_calendar = {
            "calendar_id": calendar.id,
            "calendar_deduplication_key": calendar.deduplication_key,
            "calendar_metadata": None if calendar.metadata is None else _as_stored(dict(calendar.metadata)),
        }
    data = _as_stored(dict(delivery.data))
    return {"idempotency_key": delivery.key, **of_calendar, "trigger": delivery.trigger, "data": data}


def canonical(content: Mapping[str, Json]) -> str:
    """The text that is signed: sorted, compact, with nothing escaped that need not be.

    A lone surrogate has no bytes in UTF-8; it is escaped, as JavaScript's JSON.stringify does it.
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode()


def signature(secret: bytes, signed: str) -> str:
    """The value of the signature header."""
    return base64.b64encode(hmac.digest(secret, signed.encode(), "sha256")).decode()


def previous_secret(secret: bytes) -> bytes:
    """The secret that a project is taken to have had before this one: for the fault that signs with an old secret."""
    return hashlib.sha256(b"before " + secret).digest()


def address_of(url: str) -> Address:
    """Where an http or https URL leads, with its path escaped as the service's client escapes it.

    Raises ValueError for what is no such URL.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode()
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target += f"?{quote(parts.query, safe=_SAFE)}"
    return Address(parts.scheme == "https", host, parts.port or _PORTS[parts.scheme], target)


def _host_header(url: str) -> str:
    address = address_of(url)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return host if address.port == _PORTS["https" if address.tls else "http"] else f"{host}:{address.port}"


def _authorization(url: str) -> dict[str, str]:
    """What the service's client makes of a user and password in a URL."""
    parts: SplitResult = urlsplit(url)
    if parts.username is None and parts.password is None:
        return {}
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(user.encode('latin-1', 'replace')).decode()}"}


def _as_stored(value: Json) -> Json:
    """JSON in the order in which the service's database gives it back: shorter names first, then bytewise."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (len(encoded := name.encode("utf-8", "surrogatepass")), encoded))
        return {name: _as_stored(value[name]) for name in names}
    return [_as_stored(item) for item in value] if isinstance(value, list) else value
