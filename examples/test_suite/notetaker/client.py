"""Calls the Attendee API, and tries again when that can help."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import requests

GOOGLE = {"platform": "google", "client_id": "notetaker.example", "client_secret": "GOCSPX-notetaker"}
ATTEMPTS = 4


class Refused(Exception):
    """The service refused a request."""


class Client:
    """The calls that we need. It reads its settings from the environment, as in production."""

    def __init__(self, wait: Callable[[float], None] = time.sleep) -> None:
        self._wait = wait
        self._base_url = os.environ.get("ATTENDEE_BASE_URL", "https://app.attendee.dev")
        self._headers = {"Authorization": f"Token {os.environ['ATTENDEE_API_KEY']}"}

    def connect(self, user: str, refresh_token: str) -> dict[str, Any]:
        """Connects a user's calendar; if there is one already, for instance of a lost response, takes that."""
        known = self._ask("GET", "/api/v1/calendars", params={"deduplication_key": user})["results"]
        if known:
            return known[0]
        wanted = {**GOOGLE, "refresh_token": refresh_token, "deduplication_key": user}
        try:
            return self._ask("POST", "/api/v1/calendars", json=wanted)
        except Refused:
            known = self._ask("GET", "/api/v1/calendars", params={"deduplication_key": user})["results"]
            if not known:
                raise
            return known[0]

    def reconnect(self, calendar_id: str, refresh_token: str) -> None:
        """Takes the token of a user who has logged in again."""
        self._ask("PATCH", f"/api/v1/calendars/{calendar_id}", json={"refresh_token": refresh_token})

    def calendar(self, calendar_id: str) -> dict[str, Any]:
        """One calendar."""
        return self._ask("GET", f"/api/v1/calendars/{calendar_id}")

    def events(self, calendar_id: str, since: str | None) -> Iterator[dict[str, Any]]:
        """All events of a calendar that have changed since a time, page by page."""
        params = {"calendar_id": calendar_id, "ordering": "updated_at"}
        page = self._ask(
            "GET", "/api/v1/calendar_events", params={**params, **({"updated_at_gte": since} if since else {})}
        )
        yield from page["results"]
        while page["next"]:
            page = self._ask("GET", page["next"])
            yield from page["results"]

    def schedule_bot(self, event_id: str) -> dict[str, Any]:
        """Sends a bot to a meeting; the deduplication key keeps it to one."""
        wanted = {"calendar_event_id": event_id, "bot_name": "Notes", "deduplication_key": f"notes-{event_id}"}
        return self._ask("POST", "/api/v1/bots", json=wanted)

    def _ask(self, method: str, url: str, **options: Any) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            response = requests.request(
                method, urljoin(self._base_url, url), headers=self._headers, timeout=10, **options
            )
            if response.status_code != 429 and response.status_code < 500:
                break
            if attempt < ATTEMPTS:
                self._wait(float(response.headers.get("Retry-After", 2**attempt)))
        if response.status_code in (400, 404):
            raise Refused(response.text)
        response.raise_for_status()
        return response.json()
