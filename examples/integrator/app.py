"""A small integrator of the Attendee API: connects calendars, follows their events, schedules bots. See README.md."""

import base64
import hmac
import json
import os
import queue
import threading
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urljoin


class Integrator:
    """What we know of our users' calendars, and how we keep it right. Webhooks are hints: the API has the truth."""

    def __init__(self, base_url: str, api_key: str, webhook_secret: str) -> None:
        self.base_url, self.api_key, self.secret = base_url, api_key, base64.b64decode(webhook_secret)
        self.calendars: dict[str, Any] = {}
        self.events: dict[str, Any] = {}  # deleted ones too, with is_deleted set
        self.bots: dict[str, str] = {}  # a bot's id by its event's
        self.watermarks: dict[str, str] = {}  # the newest updated_at seen of each calendar
        self.seen: set[str] = set()  # the idempotency keys of webhooks
        self.work: queue.Queue[tuple[str, str]] = queue.Queue()  # ids of calendars, and the key of the webhook if any
        threading.Thread(target=self._work, daemon=True).start()

    def connect(self, user: str, credentials: dict[str, str]) -> str:
        """Connects a user's calendar and gives its id; asked again, it gives the same. TypeError when refused."""
        calendar = self._make("/api/v1/calendars", {**credentials, "deduplication_key": user})
        self.work.put((calendar["id"], ""))
        return str(calendar["id"])

    def reconnect(self, calendar_id: str, refresh_token: str) -> None:
        """Takes the token of a user who has logged in again. No webhook says that it worked: `refresh` finds out."""
        self._ask("PATCH", f"/api/v1/calendars/{calendar_id}", {"refresh_token": refresh_token})

    def refresh(self) -> None:
        """Looks at every calendar; now and then that is needed, for a webhook can be lost."""
        for calendar_id in list(self.calendars):
            self.work.put((calendar_id, ""))

    def receive(self, body: bytes, signature: str) -> bool:
        """Takes in a webhook whose signature is right. It must be quick: what follows from it is done later."""
        try:
            text = json.dumps(content := json.loads(body), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        except ValueError:
            return False
        digest = base64.b64encode(hmac.digest(self.secret, text.encode(), "sha256"))
        if not hmac.compare_digest(digest, signature.encode()):
            return False
        # A calendar that was deleted meanwhile has no id here. A retry has the key of the first attempt.
        key, calendar_id = content["idempotency_key"], content.get("calendar_id")
        if calendar_id and key not in self.seen:
            self.seen.add(key)
            self.work.put((calendar_id, key))
        return True

    def _work(self) -> None:
        while True:
            calendar_id, key = self.work.get()
            try:
                self._look(calendar_id)
            except (OSError, ValueError) as error:
                self.seen.discard(key)  # so that the same webhook counts when it comes again
                print(f"{calendar_id}: {error}; the next look begins where the last good one ended", flush=True)
            self.work.task_done()

    def _look(self, calendar_id: str) -> None:
        """Brings what we know of a calendar up to date, and its bots."""
        calendar = self.calendars[calendar_id] = self._ask("GET", f"/api/v1/calendars/{calendar_id}")
        if calendar is None:
            return  # deleted
        self._walk(calendar_id)
        for event in [event for event in self.events.values() if event["calendar_id"] == calendar_id]:
            if calendar["state"] != "connected" or event["is_deleted"]:
                self.bots.pop(event["id"], None)  # the service has deleted it by itself
            elif event["id"] not in self.bots and event["meeting_url"]:
                self._schedule(event, calendar["updated_at"])

    def _walk(self, calendar_id: str) -> None:
        query = {"calendar_id": calendar_id, "ordering": "updated_at"}
        if newest := self.watermarks.get(calendar_id, ""):  # less a minute: what was then being written may be earlier
            query["updated_at_gte"] = (datetime.fromisoformat(newest) - timedelta(minutes=1)).isoformat()
        url = f"/api/v1/calendar_events?{urlencode(query)}"
        while url:
            page = self._ask("GET", url)
            self.events |= {event["id"]: event for event in page["results"]}
            newest = max([newest, *(event["updated_at"] for event in page["results"])])
            url = page["next"]
        self.watermarks[calendar_id] = newest  # only now: a walk that broke off is made again

    def _schedule(self, event: dict[str, Any], now: str) -> None:
        """Schedules a bot for an event to come; from then on the service moves it with its event."""
        if datetime.fromisoformat(event["start_time"]) > datetime.fromisoformat(now):
            wanted = {"calendar_event_id": event["id"], "bot_name": "Notes", "deduplication_key": f"bot-{event['id']}"}
            if (bot := self._make("/api/v1/bots", wanted)) is not None:
                self.bots[event["id"]] = bot["id"]

    def _make(self, path: str, wanted: dict[str, str]) -> Any:
        """What is made, or was already when an answer was lost: the deduplication key tells. None when refused."""
        query = urlencode({"deduplication_key": wanted["deduplication_key"]})
        return self._ask("POST", path, wanted) or next(iter(self._ask("GET", f"{path}?{query}")["results"]), None)

    def _ask(self, method: str, url: str, body: Any = None) -> Any:
        """The JSON of an answer; None when the service refuses, or has no such object."""
        headers = {"Authorization": f"Token {self.api_key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(urljoin(self.base_url, url), data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (400, 404):
                return None
            raise  # not about the request itself: a wrong key, a limit, an outage


class Handler(BaseHTTPRequestHandler):
    """POST /webhook is for the service; /connect, /reconnect and /refresh are for users; GET shows what we know."""

    app: Integrator

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/webhook":
            self._answer(200 if self.app.receive(body, self.headers["X-Webhook-Signature"] or "") else 400)
            return
        act: Any = {"/connect": self.app.connect, "/reconnect": self.app.reconnect, "/refresh": self.app.refresh}
        act[self.path](**json.loads(body or "{}"))
        self.do_GET()

    def do_GET(self) -> None:
        self.app.work.join()
        self._answer(200, **{name: getattr(self.app, name) for name in ("calendars", "events", "bots")})

    def _answer(self, status: int, **content: Any) -> None:
        body = json.dumps(content, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Handler.app = Integrator(*(os.environ[f"ATTENDEE_{name}"] for name in ("BASE_URL", "API_KEY", "WEBHOOK_SECRET")))
    ThreadingHTTPServer((os.getenv("HOST", "127.0.0.1"), int(os.getenv("PORT", "3000"))), Handler).serve_forever()
