"""What happens to one client in a few days: changes, failures and lost webhooks, over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mockserver.app import Mock
from mockserver.cli.control_client import Controls
from mockserver.server import RunningServer
from tests.coach.clients import GoodClient

PAGE = 10
"""Events on a page, in place of 100: large pages cost time and show nothing more."""
LINK = "https://meet.google.com/abc-defg-hij"


class TickingClock:
    """A clock that goes on by a millisecond whenever somebody reads it."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        self.at += 1000
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += int(seconds * 1_000_000)


class Inbox:
    """A receiver of webhooks that answers with `status` and hands accepted ones to the client."""

    def __init__(self) -> None:
        self.status = 200
        self.client: GoodClient | None = None
        self.url = ""


@contextmanager
def receiving() -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if inbox.status == 200 and inbox.client is not None:
                inbox.client.webhooks.append(body)
            self.send_response(inbox.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.url = f"http://127.0.0.1:{server.server_port}/webhook"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()


class Season:
    """A project with one client, and what the test does to it."""

    def __init__(self, server: RunningServer, clock: TickingClock, inbox: Inbox, kind: type[GoodClient]) -> None:
        body = {"sync": "manual", "webhooks": [{"url": inbox.url}]}
        made = Controls(server.url, None, None).ask("POST", "projects", body=body)
        self.name = made["name"]
        self._mock: Mock = server.mock
        self._controls = Controls(server.url, made["api_key"], None)
        project = self._mock.store.by_key[made["api_key"]]
        self.client = inbox.client = kind(server.url, made["api_key"], clock.advance, project.clock.now)
        self.inbox = inbox

    def change(self, *path: str, method: str = "POST", **body: Any) -> Any:
        """An edit in the upstream; the service syncs, and the client does what the webhook asks for."""
        answer = self.edit(*path, method=method, **body)
        self.sync()
        return answer

    def edit(self, *path: str, method: str = "POST", **body: Any) -> Any:
        return self.ask(method, "calendars", "ada", "upstream", "events", *path, body=body or None)

    def sync(self) -> None:
        self.ask("POST", "calendars", "ada", "sync")
        self.ask("POST", "settle")
        self.ask("POST", "clock", "advance", body={"by": "5s"})
        self.client.work()

    def fault(self, **fault: Any) -> None:
        self.ask("POST", "faults", body={"operation": "listCalendarEvents", **fault})

    def ask(self, method: str, *path: str, body: Any = None) -> Any:
        return self._controls.ask(method, *path, body=body)

    def pass_time(self, span: str) -> None:
        self.ask("POST", "clock", "advance", body={"by": span})

    def entries(self) -> list[Any]:
        answer = self._controls.ask("GET", "requests", kind="any", limit=1000)
        assert not answer["evicted"]
        return list(answer["requests"])


def live(season: Season) -> list[Any]:
    """The whole season; the entries of the journal afterwards."""
    client, inbox = season.client, season.inbox
    client.connect()
    for number in range(client.series):
        season.edit(title="Series", start=f"{90 + number}m", duration="5m", times=PAGE, every="1h")
    season.ask("POST", "calendars", "ada", "sync")
    season.pass_time("10m")
    season.change(title="Short series", start="2h", duration="30m", times=3, every="1h")
    season.pass_time("10m")
    review = season.change(title="Review", start="90h", duration="30m", url=LINK)["id"]
    for fault in ({"kind": "status", "status": 503, "first": 2}, {"kind": "throttled", "retry_after": 3, "first": 1}):
        season.fault(**fault)
        season.change(title="Lunch", start="3h", duration="30m")
    season.fault(kind="status", status=503, first=12)
    season.change(title="Dinner", start="3h", duration="30m")
    season.ask("DELETE", "faults")
    season.pass_time("1h")
    client.refresh()
    season.change(review, method="PATCH", start="91h")
    season.change(review, "cancel")
    season.ask("POST", "calendars", "ada", "fail", body={"failure": "revoked"})
    season.sync()
    season.ask("POST", "calendars", "ada", "reconnect")
    inbox.status = 500
    season.change(title="Missed", start="4h", duration="30m")
    season.pass_time("2h")
    inbox.status = 200
    client.refresh()
    for day in range(3):
        season.pass_time("25h")
        client.refresh()
        season.change(title=f"Day {day}", start="4h", duration="30m")
    season.pass_time("2h")
    client.ask("GET", "/api/v1/bots")
    return season.entries()
