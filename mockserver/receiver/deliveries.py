"""Composes the webhooks of an audit: genuine ones as the service sends them, and forged ones."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from mockserver.contracts import WEBHOOKS, load_contract
from mockserver.delivery.payload import SIGNATURE, canonical, previous_secret, signature

_EXAMPLES: Final = {
    "state-change": "GoogleRevoked",
    "non-ascii": "MetadataNonAscii",
    "numeric-keys": "MetadataNumericKeys",
    "deleted-calendar": "CalendarDeleted",
    "unknown-fields": "UnknownMembers",
    "large": "MetadataLarge",
}
"""The example of webhooks.yaml that a check sends; the others send that of a sync that changed events."""


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
        self, calendar: AuditCalendar, *, example: str = "EventsUpdate", age: timedelta = timedelta(0)
    ) -> dict[str, Any]:
        """The members of a body, in the service's order: those of an example of webhooks.yaml, about this calendar.

        `age` is how old the data are. Metadata is the calendar's, unless the example is about metadata.
        """
        content = deepcopy(dict(_example(example)))
        content["idempotency_key"] = self._new_key()
        if "calendar_id" in content:
            content["calendar_id"] = calendar.id
            content["calendar_deduplication_key"] = calendar.deduplication_key
            if not example.startswith("Metadata"):
                content["calendar_metadata"] = calendar.metadata
        at = (self._now - age).isoformat().replace("+00:00", "Z")
        data = content["data"]
        for name in ("last_attempted_sync_at", "last_successful_sync_at"):
            if data.get(name) is not None:
                data[name] = at
        if data.get("connection_failure_data"):
            data["connection_failure_data"]["timestamp"] = at.replace("Z", "+00:00")
        return content

    def genuine(self, content: Mapping[str, Any]) -> AuditDelivery:
        """The webhook as the service writes and signs it."""
        return self._sealed(json.dumps(content).encode(), signature(self._secret, canonical(content)))

    def accepted(self, name: str, calendar: AuditCalendar) -> AuditDelivery:
        """The genuine webhook of a check of the group `accept`."""
        age = timedelta(days=1) if name == "late-and-out-of-order" else timedelta(0)
        content = self.content(calendar, example=_EXAMPLES.get(name, "EventsUpdate"), age=age)
        if name == "unknown-trigger":
            content["trigger"] = _example("UnknownTrigger")["trigger"]
        if name == "null-metadata":
            content |= {"calendar_metadata": None, "calendar_deduplication_key": None}
        made = self.genuine(content)
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


@cache
def _example(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = load_contract(WEBHOOKS)["components"]["examples"][name]["value"]
    return found


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.digest(key, text, "sha256")).decode()
