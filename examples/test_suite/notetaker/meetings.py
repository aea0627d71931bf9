"""Our copy of the meetings of our users' calendars."""

from datetime import datetime, timedelta
from typing import Any

from notetaker.client import Client


class Meetings:
    """What we know. Webhooks only say that there is something new; the API has the truth."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.events: dict[str, Any] = {}
        self.must_log_in: set[str] = set()
        self._watermarks: dict[str, str] = {}

    def names(self) -> list[str]:
        """The names of all meetings that take place, in the order of their start."""
        return [event["name"] for event in sorted(self.events.values(), key=lambda event: event["start_time"])]

    def refresh(self, calendar_id: str) -> None:
        """Reads what has changed in a calendar since the last complete walk."""
        calendar = self._client.calendar(calendar_id)
        if calendar["state"] == "disconnected":
            self.must_log_in.add(calendar_id)
        else:
            self.must_log_in.discard(calendar_id)
        newest = self._watermarks.get(calendar_id)
        since = None if newest is None else (datetime.fromisoformat(newest) - timedelta(minutes=1)).isoformat()
        for event in self._client.events(calendar_id, since):
            if event["is_deleted"]:
                self.events.pop(event["id"], None)
            else:
                self.events[event["id"]] = event
            newest = max(newest or "", event["updated_at"])
        if newest is not None:
            self._watermarks[calendar_id] = newest  # only after the last page: a walk that broke off is repeated
