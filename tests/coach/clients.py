"""A client of the API without a known mistake, and one for each mistake that the coach knows."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from tests.patience import HANGS

GOOGLE = {"platform": "google", "client_id": "app.example", "client_secret": "GOCSPX-1"}


class Answer(Exception):
    """A response that is no 2xx."""

    def __init__(self, status: int, headers: Any) -> None:
        super().__init__(status)
        self.status, self.headers = status, headers


class GoodClient:
    """Follows the events of one calendar and keeps a bot for each event that has a link."""

    attempts = 4
    series = 1
    """How many series of a page's events its calendar has."""

    def __init__(self, base_url: str, api_key: str, wait: Callable[[float], None], now: Callable[[], int]) -> None:
        self.base_url, self.api_key, self.wait, self.now = base_url, api_key, wait, now
        self.calendar_id = ""
        self.watermark = ""
        self.webhooks: list[Any] = []

    def connect(self) -> None:
        body = {**GOOGLE, "refresh_token": "1//first", "deduplication_key": "ada"}
        self.calendar_id = self.ask("POST", "/api/v1/calendars", body)["id"]

    def work(self) -> None:
        """Does what the webhooks that came in ask for."""
        webhooks, self.webhooks = self.webhooks, []
        for webhook in webhooks:
            if webhook["trigger"] == "calendar.state_change":
                self.reconnect()
            else:
                self.follow()

    def follow(self) -> None:
        self.look()

    def refresh(self) -> None:
        """Every few hours, for a webhook can be lost."""
        self.look()

    def look(self) -> None:
        self.ask("GET", f"/api/v1/calendars/{self.calendar_id}")
        try:
            events = self.walk()
        except Answer:
            return  # the next look begins at the old watermark
        for event in events:
            if event["meeting_url"]:
                self.keep_bot(event)

    def filters(self) -> dict[str, str]:
        query = {"calendar_id": self.calendar_id, "ordering": "updated_at"}
        return {**query, "updated_at_gte": self.watermark} if self.watermark else query

    def walk(self) -> list[Any]:
        events = []
        url: str | None = f"/api/v1/calendar_events?{urlencode(self.filters())}"
        while url:
            page = self.ask("GET", url)
            events += page["results"]
            url = self.following(page)
        self.keep_watermark(events)
        return events

    def following(self, page: Any) -> str | None:
        return str(page["next"]) if page["next"] else None

    def keep_watermark(self, events: list[Any]) -> None:
        newest = max((event["updated_at"] for event in events), default="")
        if newest:
            self.watermark = (datetime.fromisoformat(newest) - timedelta(minutes=1)).isoformat()

    def keep_bot(self, event: Any) -> None:
        if not event["is_deleted"] and not event["bots"]:
            self.schedule(event["id"])

    def schedule(self, event_id: str) -> None:
        body = {"bot_name": "Notes", "calendar_event_id": event_id, "deduplication_key": f"bot-{event_id}"}
        self.ask("POST", "/api/v1/bots", body)

    def reconnect(self) -> None:
        self.ask("PATCH", f"/api/v1/calendars/{self.calendar_id}", {"refresh_token": "1//second"})

    def ask(self, method: str, url: str, body: Any = None) -> Any:
        """The JSON of a response; tried again after a pause where that can help."""
        for attempt in range(1, self.attempts + 1):
            try:
                return self.send(method, url, body)
            except Answer as answer:
                if (answer.status != 429 and answer.status < 500) or attempt == self.attempts:
                    raise
                self.pause(attempt, answer)
        raise AssertionError("not reached")

    def pause(self, attempt: int, answer: Answer) -> None:
        self.wait(float(answer.headers.get("Retry-After") or 2**attempt))

    def send(self, method: str, url: str, body: Any) -> Any:
        headers = {"Authorization": f"Token {self.api_key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(urljoin(self.base_url, url), data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=HANGS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            raise Answer(error.code, error.headers) from None


class FirstPageOnly(GoodClient):
    def following(self, page: Any) -> str | None:
        return None


class Abandons(GoodClient):
    series = 2

    def following(self, page: Any) -> str | None:
        return None if page["previous"] else super().following(page)


class ChangesFilters(GoodClient):
    def following(self, page: Any) -> str | None:
        if not page["next"]:
            return None
        cursor = dict(parse_qsl(urlsplit(page["next"]).query))["cursor"]
        return f"/api/v1/calendar_events?{urlencode({'calendar_id': self.calendar_id, 'cursor': cursor})}"


class LateWatermark(GoodClient):
    def keep_watermark(self, events: list[Any]) -> None:
        self.watermark = datetime.fromtimestamp(self.now() / 1e6, UTC).isoformat()


class OldName(GoodClient):
    def filters(self) -> dict[str, str]:
        query = super().filters()
        return {"updated_after" if name == "updated_at_gte" else name: value for name, value in query.items()}


class IgnoresWebhooks(GoodClient):
    def follow(self) -> None:
        pass


class Polls(GoodClient):
    def refresh(self) -> None:
        for _ in range(12):
            self.look()
            self.wait(60)


class NoFallback(GoodClient):
    def refresh(self) -> None:
        pass


class RetriesAtOnce(GoodClient):
    def pause(self, attempt: int, answer: Answer) -> None:
        pass


class RetriesForever(GoodClient):
    attempts = 1000


class UsesDeletedEvents(GoodClient):
    def keep_bot(self, event: Any) -> None:
        if not event["bots"]:
            self.schedule(event["id"])


class PostsToReconnect(GoodClient):
    def reconnect(self) -> None:
        try:
            self.connect()
        except Answer:
            return  # the key is in use


class SchedulesTwice(GoodClient):
    def keep_bot(self, event: Any) -> None:
        if not event["is_deleted"]:
            self.schedule(event["id"])

    def schedule(self, event_id: str) -> None:
        self.ask("POST", "/api/v1/bots", {"bot_name": "Notes", "calendar_event_id": event_id})


class SecretInUrl(GoodClient):
    def send(self, method: str, url: str, body: Any) -> Any:
        mark = "&" if "?" in url else "?"
        return super().send(method, url if method != "GET" else f"{url}{mark}api_key={self.api_key}", body)


class ParsesIds(GoodClient):
    def look(self) -> None:
        try:
            self.ask("GET", f"/api/v1/calendars/{self.calendar_id.removeprefix('cal_')}")
        except Answer:
            super().look()


MISTAKES: dict[str, type[GoodClient]] = {
    "first-page-only": FirstPageOnly,
    "walk-abandoned": Abandons,
    "filters-changed": ChangesFilters,
    "watermark-late": LateWatermark,
    "updated-after": OldName,
    "webhook-not-followed": IgnoresWebhooks,
    "polling": Polls,
    "no-fallback": NoFallback,
    "retried-at-once": RetriesAtOnce,
    "retried-forever": RetriesForever,
    "deleted-event-used": UsesDeletedEvents,
    "post-to-reconnect": PostsToReconnect,
    "two-bots": SchedulesTwice,
    "secret-in-url": SecretInUrl,
    "id-parsed": ParsesIds,
}
"""The client that makes each mistake, by the rule that names it."""
