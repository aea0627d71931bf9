"""Bodies to create and change calendars with, good ones and bad ones; a shape is drawn, its texts are made afresh."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from mockserver.conformance.calendar_bodies import CLIENT, MARK, Body, marked

Shape: TypeAlias = Callable[[str], Body]
"""Given a fresh text, the fields of a body."""


def _full_metadata(tag: str) -> Body:
    room = 1000 - len(json.dumps({MARK: tag, "full": ""}))
    return marked(tag, full="x" * room)


CREATES: tuple[Shape, ...] = (
    lambda tag: {},
    lambda tag: {"deduplication_key": tag},
    lambda tag: {"deduplication_key": f"{tag}-K"},
    lambda tag: {"deduplication_key": f"{tag} Caf\u00e9 \U0001f600"},
    lambda tag: {"deduplication_key": f"{tag} a+b&c=d/e?f#g%20h"},
    lambda tag: {"deduplication_key": f" \u3000{tag}\t", "platform_uuid": f"\n {tag} "},
    lambda tag: {"client_id": CLIENT + "x" * (255 - len(CLIENT))},
    lambda tag: marked(
        tag, **{" padded ": "  value ", "empty": "", "\u00e9": "\U0001f600\u2028", "Case": "A", "case": "a"}
    ),
    lambda tag: marked(tag, json='{"a": {"b": [1, null]}}', number="007", null="null", long="x" * 300),
    lambda tag: {"platform": "microsoft", "platform_uuid": f"{tag}=="},
    _full_metadata,
    lambda tag: {"deduplication_key": tag + "k" * (1024 - len(tag)), "platform_uuid": "u" * 1024},
)
"""Good calendars, to be laid over the required fields."""

CHANGES: tuple[Shape, ...] = (
    lambda tag: {},
    lambda tag: marked(tag, first="1", second="2"),
    lambda tag: marked(tag, third="3"),
    lambda tag: {"client_secret": "secret"},
    lambda tag: {"refresh_token": "secret"},
    lambda tag: {**marked(tag, all="yes"), "client_secret": "secret", "refresh_token": "secret"},
    lambda tag: marked(tag, **{" padded ": " value ", "empty": "", "Second": "case"}),
    _full_metadata,
)
"""Good changes; where there is a credential a fresh one is put in."""

BAD_CREATES: dict[str, Shape] = {
    "unknown field": lambda tag: {"conformance": tag},
    "read-only field": lambda tag: {"state": "disconnected"},
    "empty metadata": lambda tag: {"metadata": {}},
    "metadata value": lambda tag: {"metadata": {MARK: tag, "number": 1}},
    "long metadata": lambda tag: {"metadata": {MARK: tag, "long": "x" * 1000}},
    "platform": lambda tag: {"platform": "conformance"},
    "blank client_id": lambda tag: {"client_id": " "},
    "null refresh_token": lambda tag: {"refresh_token": None},
    "long client_id": lambda tag: {"client_id": "x" * 256},
}
"""Laid over a good calendar with a key of its own, each makes it one that is refused."""

BAD_CHANGES: dict[str, Shape] = {
    "unknown field": lambda tag: {**marked(tag, bad="1"), "conformance": tag},
    "metadata value": lambda tag: {"metadata": {MARK: tag, "number": 1}, "client_secret": "secret"},
    "blank client_secret": lambda tag: {**marked(tag, bad="2"), "client_secret": " "},
    "null refresh_token": lambda tag: {**marked(tag, bad="3"), "refresh_token": None},
    "long metadata": lambda tag: {"metadata": {MARK: tag, "long": "x" * 1000}},
    "empty metadata": lambda tag: {"metadata": {}, "client_secret": "secret"},
}
"""Changes that are refused as a whole although parts of them are good."""

READ_ONLY: dict[str, Any] = {
    "id": "cal_0000000000000000",
    "platform": "microsoft",
    "client_id": "conformance.invalid.other",
    "platform_uuid": "other",
    "deduplication_key": "other",
    "state": "disconnected",
    "connection_failure_data": {"error": "x", "timestamp": "2026-01-01T00:00:00+00:00"},
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "last_successful_sync_at": "2026-01-01T00:00:00Z",
    "last_attempted_sync_at": "2026-01-01T00:00:00Z",
}
"""Fields that a change must not touch, with values that no calendar of ours has."""
