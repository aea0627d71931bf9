"""A calendar of a project and the Google or Microsoft calendar behind it: edits, failures, syncs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mockserver.testing.clock import Span, as_span, as_time
from mockserver.testing.controls import Controls

__all__ = ["AttendeeCalendar", "Attendees", "UpstreamEvent"]

Attendees = Iterable[str | Mapping[str, str | None]]
"""Addresses, or mappings with `email` and `name`."""


@dataclass(frozen=True)
class UpstreamEvent:
    """An event on the platform, as it was after an edit."""

    id: str
    """The platform's id, which the API shows as `platform_uuid`."""
    ids: tuple[str, ...]
    """The ids of all instances of a series; of a single event only its own."""
    documents: tuple[Mapping[str, Any], ...]
    """The objects in the platform's own shape."""
    sync_due: str | None
    """When the next sync of the calendar is due; None when none is scheduled."""


class AttendeeCalendar:
    """A calendar of a project. What changes here is the platform's calendar; the service sees it with its next sync."""

    def __init__(self, controls: Controls, calendar_id: str, key: str | None, platform: str) -> None:
        """`controls` are those of the project; `key` is the calendar's deduplication key."""
        self._controls = controls
        self.id = calendar_id
        self.deduplication_key = key
        self.platform = platform

    def __repr__(self) -> str:
        return f"<AttendeeCalendar {self.id} {self.platform} {self.deduplication_key!r}>"

    @property
    def state(self) -> str:
        """`connected` or `disconnected`, as the API shows it now."""
        return str(self._ask("GET", "upstream", limit=1)["state"])

    def upstream(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The platform's events in its own shape, the earliest first."""
        events: list[dict[str, Any]] = self._ask("GET", "upstream", limit=limit)["events"]
        return events

    def add_event(
        self,
        title: str | None = None,
        *,
        start: str | datetime = "1h",
        end: str | datetime | None = None,
        duration: Span | None = None,
        url: str | None = None,
        attendees: Attendees | None = None,
        times: int | None = None,
        every: Span | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> UpstreamEvent:
        """Somebody adds an event on the platform; without an end or a duration it takes 30 minutes.

        Times are datetimes, RFC 3339 (`2027-01-15T08:00:00Z`), or spans from the project's now (`2h`). `url` is a link
        to a meeting. `times` and `every` make a series. `document` is an object in the platform's own shape, instead of
        all else. Raises ControlError.
        """
        if document is not None:
            return _event(self._ask("POST", "upstream", "events", body=dict(document)))
        given = _short(title=title, start=start, end=end, duration=duration, url=url, attendees=attendees)
        series = {"times": times, "every": None if every is None else as_span(every)}
        body = given | {name: value for name, value in series.items() if value is not None}
        return _event(self._ask("POST", "upstream", "events", body=body))

    def move(
        self,
        event: UpstreamEvent | str,
        *,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        duration: Span | None = None,
    ) -> UpstreamEvent:
        """Somebody moves an event; without an end or a duration it takes as long as before."""
        return self._change(event, _short(start=start, end=end, duration=duration))

    def change(
        self,
        event: UpstreamEvent | str,
        *,
        title: str | None = None,
        url: str | None = None,
        attendees: Attendees | None = None,
        members: Mapping[str, Any] | None = None,
        without: Iterable[str] = (),
    ) -> UpstreamEvent:
        """Somebody changes an event; `members` are members of the platform's shape, `without` those to remove."""
        body = _short(title=title, url=url, attendees=attendees) | dict(members or {})
        return self._change(event, body | ({"without": list(without)} if without else {}))

    def cancel(self, event: UpstreamEvent | str) -> UpstreamEvent:
        """Somebody cancels an event; the platform keeps it as cancelled."""
        return _event(self._ask("POST", "upstream", "events", _id(event), "cancel"))

    def vanish(self, event: UpstreamEvent | str) -> UpstreamEvent:
        """Somebody deletes an event for good; the platform no longer knows it."""
        return _event(self._ask("DELETE", "upstream", "events", _id(event)))

    def revoke(self) -> None:
        """The user takes the app's access back: the next sync disconnects the calendar."""
        self.fail("revoked")

    def fail(self, failure: str, *, for_next: int | None = None, seconds: int | None = None) -> None:
        """Makes the next `for_next` syncs fail, or all until `reconnect`; `seconds` is for the failure `slow`.

        docs/simulation.md lists the failures: revoked, outage, slow and others. Raises ControlError for an unknown one.
        """
        given = {"failure": failure, "for_next": for_next, "seconds": seconds}
        self._ask("POST", "fail", body={name: value for name, value in given.items() if value is not None})

    def reconnect(self, refresh_token: str | None = None) -> None:
        """Ends the failure and asks for a sync, with a new refresh token if one is given."""
        self._ask("POST", "reconnect", body={} if refresh_token is None else {"refresh_token": refresh_token})

    def sync(self) -> dict[str, Any]:
        """Syncs now, sends the webhooks that follow, and waits for them.

        Gives the sync: `outcome` (synced, disconnected, failed) and `detail` with the counts. A webhook whose delivery
        failed is sent again when the project's clock reaches its next attempt.
        """
        activity = self._ask("POST", "sync")
        self._controls.ask("POST", "settle")
        return activity

    def explain(self) -> dict[str, Any]:
        """Which webhooks the latest change caused (`made`), or every reason why there was none (`why_none`)."""
        return self._ask("GET", "explain")

    def _change(self, event: UpstreamEvent | str, body: Mapping[str, Any]) -> UpstreamEvent:
        return _event(self._ask("PATCH", "upstream", "events", _id(event), body=body))

    def _ask(self, method: str, *path: str, body: Mapping[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        return self._controls.ask(method, "calendars", self.id, *path, body=body, **query)


def _event(answer: Mapping[str, Any]) -> UpstreamEvent:
    return UpstreamEvent(answer["id"], tuple(answer["ids"]), tuple(answer["events"]), answer["sync_due"])


def _id(event: UpstreamEvent | str) -> str:
    return event if isinstance(event, str) else event.id


def _short(**given: Any) -> dict[str, Any]:
    """The short form of an event: what was given, as JSON."""
    body = {name: value for name, value in given.items() if value is not None}
    for name in body.keys() & {"start", "end"}:
        body[name] = as_time(body[name])
    if "duration" in body:
        body["duration"] = as_span(body["duration"])
    if "attendees" in body:
        body["attendees"] = [one if isinstance(one, str) else dict(one) for one in body["attendees"]]
    return body
