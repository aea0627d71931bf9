"""What calendars should be: written from the contract and the recordings alone, not from any implementation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from mockserver.conformance.calendar_bodies import VOLATILE
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.listed import shows_sync

Document: TypeAlias = dict[str, Any]
STRIPPED = ("client_id", "platform_uuid", "deduplication_key")
SENT = ("platform", "client_id", "platform_uuid", "metadata", "deduplication_key")
DEFAULTS = {
    "state": "connected",
    "connection_failure_data": None,
    "last_successful_sync_at": None,
    "last_attempted_sync_at": None,
}


@dataclass
class Calendar:
    """A calendar of ours: how it was last answered, and by what requests it came to be so."""

    document: Document
    made: Exchange
    changed: Exchange | None = None
    """The last change that was taken, or the last reading that it was gone on from."""
    project: str = "main"

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.document["id"])

    @property
    def key(self) -> str | None:
        """Its deduplication key."""
        key = self.document.get("deduplication_key")
        return key if isinstance(key, str) else None

    @property
    def written(self) -> Exchange:
        """The last answer that says how it is."""
        return self.changed or self.made

    def copy(self) -> Calendar:
        """The calendar as it is now."""
        return replace(self)

    def story(self, *further: Exchange) -> list[Exchange]:
        """The requests that led here, and further ones."""
        return [self.made, *([self.changed] if self.changed else []), *further]


@dataclass
class Model:
    """The calendars of ours that should be there, the oldest first."""

    calendars: dict[str, Calendar] = field(default_factory=dict)

    def by_key(self, key: str) -> Calendar | None:
        """The calendar of the main project that has this key."""
        return next((c for c in self.calendars.values() if c.key == key and c.project == "main"), None)


def created(body: Mapping[str, Any]) -> Document:
    """The fields that a new calendar has, of those that can be sent."""
    stripped = {name: value.strip() for name in STRIPPED if isinstance(value := body.get(name), str)}
    return {name: None for name in SENT} | {name: body[name] for name in SENT if name in body} | stripped


def changed(document: Document, body: Mapping[str, Any]) -> Document:
    """What a calendar is after a change, but for updated_at."""
    return {**document, **({"metadata": body["metadata"]} if "metadata" in body else {})}


def difference(wanted: Mapping[str, Any], found: Any, *, live: bool, without: tuple[str, ...] = ()) -> str | None:
    """The first field in which an answer is not as wanted; None when it is.

    `live`: syncs may have changed what they do. Elsewhere they may as well, but only if the answer shows a sync.
    """
    if not isinstance(found, dict):
        return "id"
    passed_over = (*without, *(VOLATILE if live or shows_sync(wanted, found) else ()))
    names = [name for name in wanted if name not in passed_over]
    return next((name for name in names if name not in found or found[name] != wanted[name]), None)
