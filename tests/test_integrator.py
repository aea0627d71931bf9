"""The example integrator knows what it should after everything that can happen to a calendar: over real sockets."""

from __future__ import annotations

import base64
import importlib.util
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli.control_client import Controls
from mockserver.coach import remarks
from mockserver.server import running
from mockserver.settings import Settings
from tests.patience import HANGS

FOLDER = Path(__file__).parent.parent / "examples" / "integrator"
LINK = "https://meet.google.com/abc-defg-hij"
GOOGLE = {"platform": "google", "client_id": "app.example", "client_secret": "GOCSPX-1", "refresh_token": "1//first"}


def load_app() -> Any:
    spec = importlib.util.spec_from_file_location("integrator_app", FOLDER / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Simulated:
    """What happens to a project of its own in a running mock, over the control API: times in hours from now."""

    def __init__(self, url: str, webhook: str) -> None:
        made = Controls(url, None, None).ask("POST", "projects", body={"webhooks": [{"url": webhook}]})
        self.key, self.secret = made["api_key"], made["webhook_secret"]
        self._controls = Controls(url, self.key, None)
        self._controls.ask("POST", "clock", "freeze")

    def add(self, calendar_id: str, name: str, start: float, link: str | None = LINK, times: int = 1) -> str:
        """An event of half an hour, or a series of hourly ones; gives the (first) object's id."""
        people = [{"email": "zoë@example.com", "name": "Zoë"}]
        body: dict[str, Any] = {"title": name, "start": f"{start * 60:.0f}m", "url": link, "attendees": people}
        body |= {"times": times, "every": "1h"} if times > 1 else {}
        return str(self._ask("POST", calendar_id, "upstream", "events", **body)["id"])

    def move(self, calendar_id: str, remote_id: str, start: float) -> None:
        self._ask("PATCH", calendar_id, "upstream", "events", remote_id, start=f"{start * 60:.0f}m")

    def cancel(self, calendar_id: str, remote_id: str) -> None:
        self._ask("POST", calendar_id, "upstream", "events", remote_id, "cancel")

    def vanish(self, calendar_id: str, remote_id: str) -> None:
        self._ask("DELETE", calendar_id, "upstream", "events", remote_id)

    def revoke(self, calendar_id: str) -> None:
        """The user takes access back, and the service tries at once."""
        self._ask("POST", calendar_id, "fail", failure="revoked")
        self._ask("POST", calendar_id, "sync")
        self.settle()

    def fault(self, **wanted: Any) -> None:
        self._controls.ask("POST", "faults", body=wanted)

    def end_faults(self) -> None:
        self._controls.ask("DELETE", "faults")

    def settle(self) -> None:
        self._controls.ask("POST", "settle")

    def advance(self, hours: float) -> None:
        self._controls.ask("POST", "clock", "advance", body={"by": f"{hours * 3600:.0f}s"})

    def expect_no_remark(self) -> None:
        """The coach has nothing to say about an app that does it right."""
        found = remarks(self._controls.ask("GET", "requests", kind="any", limit=1000)["requests"])
        assert not found, "\n".join(map(str, found))

    def the_delivery(self) -> Any:
        """The only one that there was, with its attempts."""
        (delivery,) = self._controls.ask("GET", "deliveries")["deliveries"]
        return self._controls.ask("GET", "deliveries", delivery["key"])

    def _ask(self, method: str, *path: str, **body: Any) -> Any:
        return self._controls.ask(method, "calendars", *path, body=body or None)


class Rehearsal:
    """The app, its address, and the project that it works in."""

    def __init__(self, app: Any, url: str, project: Simulated) -> None:
        self.app, self.url, self.project = app, url, project

    def connect(self, user: str = "ada") -> str:
        calendar_id: str = self.app.connect(user, GOOGLE)
        self.project.settle()
        self.told()
        return calendar_id

    def told(self) -> None:
        """Waits until the app has done what it was told to do."""
        self.app.work.join()

    def names(self) -> list[str]:
        """The names of the events that are not deleted and have a bot."""
        return sorted(self.app.events[event_id]["name"] for event_id in self.app.bots)

    def event(self, name: str) -> Any:
        return next(event for event in self.app.events.values() if event["name"] == name)


Begin = Callable[..., Rehearsal]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts the app and a mock, with a clock that stands still; keywords are settings."""
    module = load_app()
    stops: list[Callable[[], object]] = []

    def start(**settings: Any) -> Rehearsal:
        handler = type("Handler", (module.Handler,), {"log_message": lambda *_: None})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        stops.append(server.server_close)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        stops.append(server.shutdown)
        served = running(Settings(**settings))
        url = served.__enter__().url
        stops.append(lambda: served.__exit__(None, None, None))
        address = f"http://127.0.0.1:{server.server_port}"
        project = Simulated(url, f"{address}/webhook")
        stops.append(project.expect_no_remark)
        app = module.Integrator(url, project.key, project.secret)
        setattr(handler, "app", app)  # noqa: B010
        return Rehearsal(app, address, project)

    yield start
    for stop in reversed(stops):
        stop()


def test_events_come_and_go_and_their_bots_with_them(begin: Begin) -> None:
    rehearsal = begin()
    project, app = rehearsal.project, rehearsal.app
    calendar_id = rehearsal.connect()
    assert app.calendars[calendar_id]["state"] == "connected"
    assert not app.events

    kick_off = project.add(calendar_id, "Kick-off", 5)
    review = project.add(calendar_id, "Review", 30)
    project.add(calendar_id, "Lunch", 4, link=None)
    project.add(calendar_id, "Yesterday", -3)
    rehearsal.told()
    assert not app.events  # the service has not synced yet
    project.advance(1 / 60)
    rehearsal.told()
    assert {event["name"] for event in app.events.values()} == {"Kick-off", "Review", "Lunch", "Yesterday"}
    assert rehearsal.names() == ["Kick-off", "Review"]

    bot_id = app.bots[rehearsal.event("Kick-off")["id"]]
    project.move(calendar_id, kick_off, 50)
    project.advance(1 / 60)
    rehearsal.told()
    moved = rehearsal.event("Kick-off")
    assert moved["start_time"] > rehearsal.event("Review")["start_time"]
    assert app.bots[moved["id"]] == bot_id
    assert [(bot["id"], bot["join_at"]) for bot in moved["bots"]] == [(bot_id, moved["start_time"])]

    project.vanish(calendar_id, kick_off)
    project.cancel(calendar_id, review)
    project.advance(1 / 60)
    rehearsal.told()
    assert rehearsal.event("Kick-off")["is_deleted"]
    assert rehearsal.event("Review")["is_deleted"]
    assert not app.bots
    assert len(app.seen) == 3


def test_a_revoked_token_takes_the_bots_and_a_new_one_brings_them_back(begin: Begin) -> None:
    rehearsal = begin()
    project, app = rehearsal.project, rehearsal.app
    calendar_id = rehearsal.connect()
    project.add(calendar_id, "Review", 30)
    project.advance(1 / 60)
    rehearsal.told()
    before = dict(app.bots)
    assert len(before) == 1

    project.revoke(calendar_id)
    rehearsal.told()
    assert app.calendars[calendar_id]["state"] == "disconnected"
    assert "invalid_grant" in app.calendars[calendar_id]["connection_failure_data"]["error"]
    assert not app.bots
    project.advance(25)
    rehearsal.told()
    assert app.calendars[calendar_id]["state"] == "disconnected"

    app.reconnect(calendar_id, "1//second")
    project.settle()
    rehearsal.told()
    assert app.calendars[calendar_id]["state"] == "disconnected"  # nobody tells of it
    app.refresh()
    rehearsal.told()
    assert app.calendars[calendar_id]["state"] == "connected"
    assert app.bots.keys() == before.keys()
    assert app.bots != before


def test_a_walk_over_many_pages_has_every_event_and_one_that_breaks_off_is_made_again(begin: Begin) -> None:
    rehearsal = begin()
    project, app = rehearsal.project, rehearsal.app
    calendar_id = rehearsal.connect()
    project.add(calendar_id, "Watch", 2, times=120)
    project.advance(1 / 60)
    rehearsal.told()
    assert len(app.events) == len(app.bots) == 120
    mark = app.watermarks[calendar_id]
    assert mark == max(event["updated_at"] for event in app.events.values())

    project.add(calendar_id, "Late watch", 2, times=120)
    rehearsal.project.fault(kind="page-dies", operation="listCalendarEvents", page=2, status=503)
    project.advance(1 / 60)
    rehearsal.told()
    assert len(app.events) < 240
    assert app.watermarks[calendar_id] == mark
    rehearsal.project.end_faults()
    app.refresh()
    rehearsal.told()
    assert len(app.events) == len(app.bots) == 240


def test_a_calendar_that_is_deleted_stops_nothing(begin: Begin) -> None:
    rehearsal = begin()
    project, app = rehearsal.project, rehearsal.app
    gone, kept = rehearsal.connect("ada"), rehearsal.connect("grace")
    request = urllib.request.Request(f"{app.base_url}/api/v1/calendars/{gone}", method="DELETE")
    request.add_header("Authorization", f"Token {app.api_key}")
    urllib.request.urlopen(request, timeout=HANGS).close()
    app.refresh()
    project.add(kept, "Review", 30)
    project.advance(1 / 60)
    rehearsal.told()
    assert app.calendars[gone] is None
    assert rehearsal.names() == ["Review"]


def test_connecting_twice_makes_one_calendar(begin: Begin) -> None:
    rehearsal = begin()
    assert rehearsal.connect() == rehearsal.connect()
    assert rehearsal.connect("grace") not in {rehearsal.connect("ada")}
    assert len(rehearsal.app.calendars) == 2


def test_a_webhook_that_comes_before_the_answer_does_no_harm(begin: Begin) -> None:
    rehearsal = begin(first_webhook="before")
    calendar_id = rehearsal.connect()
    assert list(rehearsal.app.calendars) == [calendar_id]


def test_only_what_is_signed_with_the_secret_is_taken_and_a_retry_only_once(begin: Begin) -> None:
    rehearsal = begin()
    calendar_id = rehearsal.connect()
    rehearsal.project.add(calendar_id, "Review", 30)
    rehearsal.project.advance(1 / 60)
    rehearsal.told()
    delivery = rehearsal.project.the_delivery()
    body, headers = delivery["attempts"][0]["body"].encode(), dict(delivery["attempts"][0]["headers"])
    signature = headers["X-Webhook-Signature"]
    assert post(rehearsal, body, signature) == 200
    assert rehearsal.app.work.empty()
    assert rehearsal.app.seen == {delivery["key"]}
    for wrong in ("", signature.lower(), base64.b64encode(b"x" * 32).decode()):
        assert post(rehearsal, body, wrong) == 400
    assert post(rehearsal, body.replace(b"connected", b"disconnected"), signature) == 400
    assert len(rehearsal.app.seen) == 1


def test_users_connect_and_look_over_http(begin: Begin) -> None:
    rehearsal = begin()
    body = json.dumps({"user": "ada", "credentials": GOOGLE}).encode()
    known = json.load(urllib.request.urlopen(f"{rehearsal.url}/connect", body, timeout=HANGS))
    (calendar_id,) = known["calendars"]
    body = json.dumps({"calendar_id": calendar_id, "refresh_token": "1//x"}).encode()
    urllib.request.urlopen(f"{rehearsal.url}/reconnect", body, timeout=HANGS).close()
    rehearsal.project.settle()
    known = json.load(urllib.request.urlopen(f"{rehearsal.url}/refresh", b"", timeout=HANGS))
    assert known["calendars"][calendar_id]["state"] == "connected"
    assert json.load(urllib.request.urlopen(rehearsal.url, timeout=HANGS)) == known


def test_the_app_is_150_lines_at_most() -> None:
    assert len((FOLDER / "app.py").read_text("utf-8").splitlines()) <= 150


def post(rehearsal: Rehearsal, body: bytes, signature: str) -> int:
    headers = {"X-Webhook-Signature": signature, "Content-Type": "application/json"}
    try:
        request = urllib.request.Request(f"{rehearsal.url}/webhook", body, headers)
        with urllib.request.urlopen(request, timeout=HANGS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
