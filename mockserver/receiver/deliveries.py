"""Composes the webhooks of an audit: genuine ones as the service sends them, and forged ones."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from mockserver.delivery.payload import SIGNATURE, canonical, previous_secret, signature

EVENTS: Final = "calendar.events_update"
_LARGE: Final = 300_000
_NAMES: Final = {"Zoë": "Łukasz", "会议": "𝔘𝔫𝔦", "note": "naïve “quotes” – 🎉"}


class AuditCalendar(NamedTuple):
    """The calendar in a webhook."""

    id: str
    deduplication_key: str | None
    metadata: Any = None


@dataclass(frozen=True)
class AuditDelivery:
    """One POST of the audit."""

    body: bytes
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    def with_headers(self, *changed: tuple[str, str]) -> AuditDelivery:
        """The same delivery with another signature header, or without one."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != SIGNATURE.lower())
        return AuditDelivery(self.body, kept + changed)

    @property
    def signature(self) -> str:
        """The signature."""
        return next(value for name, value in self.headers if name.lower() == SIGNATURE.lower())


class Composer:
    """Writes and signs webhooks of one project."""

    def __init__(self, secret: str, new_key: Callable[[], str], now: datetime) -> None:
        """`secret` is base64 text; `new_key` makes an idempotency key; `now` is when the calendars were synced.

        Raises ValueError for a secret that is not base64, without showing it.
        """
        try:
            self._secret = base64.b64decode(secret, validate=True)
        except ValueError:
            self._secret = b""
        if not self._secret:
            raise ValueError("the webhook secret is not base64 text")
        self._text = secret
        self._new_key = new_key
        self._now = now

    def content(
        self, calendar: AuditCalendar, *, trigger: str = EVENTS, age: timedelta = timedelta(0)
    ) -> dict[str, Any]:
        """The members of a body, in the service's order; `age` is how old the data are."""
        at = (self._now - age).isoformat().replace("+00:00", "Z")
        lost = trigger == "calendar.state_change"
        failure = {"error": "invalid_grant: Token has been expired or revoked.", "timestamp": at} if lost else None
        return {
            "idempotency_key": self._new_key(),
            "calendar_id": calendar.id,
            "calendar_deduplication_key": calendar.deduplication_key,
            "calendar_metadata": calendar.metadata,
            "trigger": trigger,
            "data": {
                "state": "disconnected" if lost else "connected",
                "last_attempted_sync_at": at,
                "connection_failure_data": failure,
                "last_successful_sync_at": at,
            },
        }

    def genuine(self, content: Mapping[str, Any]) -> AuditDelivery:
        """The webhook as the service writes and signs it."""
        return self._sealed(json.dumps(content).encode(), signature(self._secret, canonical(content)))

    def accepted(self, name: str, calendar: AuditCalendar) -> AuditDelivery:
        """The genuine webhook of a check of the group `accept`."""
        content = self.content(calendar)
        changes: Mapping[str, Callable[[], Mapping[str, Any]]] = {
            "state-change": lambda: {**self.content(calendar, trigger="calendar.state_change")},
            "non-ascii": lambda: {**content, "calendar_metadata": _NAMES},
            "numeric-keys": lambda: {**content, "calendar_metadata": {"9": "nine", "10": "ten", "b": 1, "a": [2]}},
            "null-metadata": lambda: {**content, "calendar_metadata": None, "calendar_deduplication_key": None},
            "deleted-calendar": lambda: {name: value for name, value in content.items() if "calendar_" not in name},
            "unknown-trigger": lambda: {**content, "trigger": "calendar.some_new_trigger"},
            "unknown-fields": lambda: {**content, "new_member": {"of": ["any", "type"]}},
            "large": lambda: {**content, "calendar_metadata": {"notes": "x" * _LARGE}},
            "late-and-out-of-order": lambda: self.content(calendar, age=timedelta(days=1)),
        }
        made = self.genuine(changes[name]() if name in changes else content)
        if name == "rewritten-body":
            compact = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
            return self._sealed(compact, made.signature)
        if name.endswith("-case-header"):
            header = SIGNATURE.lower() if name.startswith("lower") else SIGNATURE.upper()
            return made.with_headers((header, made.signature))
        return made

    def refused(self, name: str, calendar: AuditCalendar) -> AuditDelivery:
        """The forged webhook of a check of the group `refuse`."""
        content = self.content(calendar)
        if name == "forged-with-bot-id":
            content = {**content, "bot_id": "bot_audit0000000000", "trigger": "bot.state_change"}
        made = self.genuine(content)
        right = made.signature
        spaced = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
        forged = {
            "empty-signature": "",
            "tampered-header": right[:9] + ("A" if right[9] != "A" else "B") + right[10:],
            "raw-bytes": _hmac(self._secret, made.body),
            "default-separators": _hmac(self._secret, spaced),
            "secret-as-text": _hmac(self._text.encode(), canonical(content).encode()),
            "old-secret": signature(previous_secret(self._secret), canonical(content)),
        }
        if name == "not-json":
            return self._sealed(b"not JSON", right)
        if name == "tampered-body":
            changed = json.dumps({**content, "calendar_id": "cal_tampered00000000"}).encode()
            return self._sealed(changed, right)
        return made.with_headers((SIGNATURE, forged[name])) if name in forged else made.with_headers()

    def _sealed(self, body: bytes, given: str) -> AuditDelivery:
        headers = {
            "User-Agent": "Attendee-Webhook/1.0",
            "Accept-Encoding": "gzip, deflate",
            "Accept": "*/*",
            "Connection": "keep-alive",
            "Content-Type": "application/json",
            SIGNATURE: given,
        }
        return AuditDelivery(body, tuple(headers.items()))


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(key, text, "sha256")).decode()
