"""The timeline page in a browser: it shows what happens, its buttons do it, and everybody can use it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any
from urllib.request import Request, urlopen

import pytest

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.server import running
from tests.browser.conftest import Opened, shoot

Browser = Any
Page = Any
"""Playwright is not installed for every test, and so the checker of types does not know its classes."""

pytestmark = pytest.mark.browser
KEY = "YOUR_API_KEY_HERE"
NEW = {
    "platform": "google",
    "client_id": "client",
    "client_secret": "hush-secret",
    "refresh_token": "hush-token",
    "deduplication_key": "ada",
}
MANY = 10_000


def ask(opened: Opened, method: str, path: str, body: Any = None) -> Any:
    """Sends a request with the key of the project Demo."""
    raw = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Token {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(opened.url + path, raw, headers, method=method)) as answer:  # noqa: S310 -- the mock's own
        return json.loads(answer.read() or b"null")


def row(page: Page, text: str) -> Any:
    return page.locator(".row", has_text=text).first


def titles(page: Page) -> list[str]:
    return list(page.locator(".row .title").all_inner_texts())


def open_calendar(page: Page, name: str = "user-abcd") -> Any:
    card = page.locator(".card", has_text=name)
    card.locator(".card-head").click()
    card.get_by_role("button", name="Sync now").wait_for()
    return card


def subscribe(opened: Opened, receiver: str) -> None:
    ask(opened, "POST", "/__mock__/subscriptions", {"url": receiver})


def test_a_calendar_that_an_app_creates_appears(opened: Opened) -> None:
    page = opened.open()
    page.get_by_text("Nothing has happened yet").wait_for()
    ask(opened, "POST", "/api/v1/calendars", NEW)
    row(page, "POST /api/v1/calendars").wait_for()
    row(page, "Sync: synced").wait_for()
    page.locator(".card", has_text="ada").wait_for()


def test_an_edit_upstream_is_followed_to_the_webhook_and_its_delivery_is_sent_again(
    opened: Opened, receiver: str
) -> None:
    subscribe(opened, receiver)
    page = opened.open()
    card = open_calendar(page)
    card.get_by_label("Title").fill("Planning")
    card.get_by_role("button", name="Add", exact=True).click()
    row(page, "Added an event upstream (Planning)").wait_for()
    page.get_by_label("Advance the clock by").fill("2m")
    page.get_by_role("button", name="Advance", exact=True).click()
    row(page, "calendar.events_update").wait_for()
    page.locator("#filters").evaluate("form => { form.reset(); form.dispatchEvent(new Event('input')) }")
    levels = {
        text: page.locator(".row", has_text=text).first.get_attribute("aria-level")
        for text in ("Added an event upstream", "Sync: synced", "calendar.events_update")
    }
    assert levels == {"Added an event upstream": "1", "Sync: synced": "2", "calendar.events_update": "3"}
    row(page, "calendar.events_update").click()
    page.get_by_role("button", name="Resend").click()
    row(page, "calendar.events_update (attempt 2)").wait_for()
    ask(
        opened,
        "GET",
        f"/api/v1/calendar_events?calendar_id={ask(opened, 'GET', '/api/v1/calendars')['results'][0]['id']}",
    )


def test_an_upstream_event_is_moved_and_cancelled(opened: Opened) -> None:
    page = opened.open()
    card = open_calendar(page)
    title = card.locator(".events .event").first.inner_text()
    card.get_by_role("button", name=f"Move {title} by one hour").first.click()
    row(page, "Changed an event upstream").wait_for()
    card.get_by_role("button", name=f"Cancel {title}").first.click()
    row(page, "Cancelled an event upstream").wait_for()


def test_a_reset_brings_the_first_data_back(opened: Opened) -> None:
    ask(opened, "POST", "/api/v1/calendars", NEW)
    page = opened.open()
    page.locator(".card", has_text="ada").wait_for()
    page.locator("#tools").get_by_role("button", name="Reset").click()
    page.locator(".card", has_text="ada").wait_for(state="detached")


def test_the_clock_is_frozen_and_runs_again(opened: Opened) -> None:
    page = opened.open()
    page.get_by_role("button", name="Freeze").click()
    page.locator(".badge", has_text="frozen").wait_for()
    page.get_by_role("button", name="Run").click()
    page.locator(".badge", has_text="running").wait_for()
    assert "Froze the clock" in titles(page)


def test_a_calendar_is_revoked_and_reconnected(opened: Opened) -> None:
    page = opened.open()
    card = open_calendar(page)
    card.get_by_role("button", name="Revoke access").click()
    card.get_by_text("upstream: revoked").wait_for()
    card.get_by_role("button", name="Reconnect").click()
    card.get_by_role("button", name="Revoke access").wait_for()


def test_faults_snapshots_and_subscriptions_are_added_and_removed(opened: Opened, receiver: str) -> None:
    page = opened.open()
    side = page.locator("#side")
    side.get_by_text("Faults (0)").click()
    side.get_by_role("button", name="Add fault").click()
    side.get_by_text("Faults (1)").wait_for()
    side.get_by_label("URL of a receiver").fill(receiver)
    side.get_by_role("button", name="Subscribe").click()
    side.get_by_text("Webhooks (1)").wait_for()
    page.locator("#tools").get_by_role("button", name="Snapshot").click()
    side.get_by_text("Snapshots (1)").wait_for()
    assert {"Subscribed a URL", "Took a snapshot"} <= {*titles(page)}


def test_what_the_mock_refuses_is_said_in_its_words(opened: Opened) -> None:
    page = opened.open()
    page.get_by_label("Advance the clock by").fill("soon")
    page.get_by_role("button", name="Advance", exact=True).click()
    page.get_by_role("alert").get_by_text("by: ").wait_for()
    opened.complaints.clear()  # the browser logs every response with an error status


def test_filters_leave_one_request_which_runs_as_the_copied_curl_line(opened: Opened) -> None:
    ask(opened, "POST", "/api/v1/calendars", NEW)
    for _ in range(5):
        ask(opened, "GET", "/api/v1/calendar_events")
    ask(opened, "GET", "/api/v1/calendars")
    page = opened.open()
    row(page, "GET /api/v1/calendars").wait_for()
    filters = page.locator("#filters")
    filters.get_by_label("Operation").select_option("listCalendars")
    filters.get_by_label("Status").select_option("2xx")
    assert page.locator(".row").count() == 1
    assert page.locator("#count").inner_text() == "1 of 8"
    page.locator(".row").click()
    page.get_by_role("button", name="Copy as curl").click()
    page.get_by_text("Copied as curl.").wait_for()
    line = page.evaluate("navigator.clipboard.readText()")
    assert KEY not in line
    environment = {**os.environ, "ATTENDEE_API_KEY": KEY}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("HTTP/1.1 200 OK")
    filters.get_by_label("Operation").select_option("createCalendar")
    page.locator(".row").click()
    page.get_by_role("heading", name="POST /api/v1/calendars").wait_for()
    page.get_by_role("button", name="Copy as pytest").click()
    page.get_by_text("Copied as pytest.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    compile(copied, "copied", "exec")
    assert "hush" not in copied
    page.get_by_role("button", name="Copy as recording").click()
    page.get_by_text("Copied as recording.").wait_for()
    recording = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert recording["steps"][0]["response"]["status"] == 201
    assert "hush" not in page.content()


def test_a_refused_request_is_explained(opened: Opened) -> None:
    page = opened.open()
    with pytest.raises(OSError, match="400"):
        ask(opened, "POST", "/api/v1/calendars", {"platform": "gogle"})
    row(page, "POST /api/v1/calendars").click()
    page.get_by_role("heading", name="Explanation").wait_for()
    assert "platform" in page.locator(".explanation").inner_text()


def test_two_deliveries_are_compared(opened: Opened, receiver: str) -> None:
    subscribe(opened, receiver)
    page = opened.open()
    for title in ("One", "Two"):
        ask(opened, "POST", "/__mock__/calendars/user-abcd/upstream/events", {"title": title, "start": "2h"})
        ask(opened, "POST", "/__mock__/calendars/user-abcd/sync")
        ask(opened, "POST", "/__mock__/settle")
    page.locator(".row.delivery").nth(1).wait_for()
    page.locator(".row.delivery").first.click()
    page.get_by_label("Compare with").select_option(index=1)
    page.locator(".difference pre").wait_for()
    assert "idempotency_key" in page.locator(".difference .added").all_inner_texts()[0] + "".join(
        page.locator(".difference").all_inner_texts()
    )


def test_the_journal_is_cleared_and_exported(opened: Opened) -> None:
    ask(opened, "GET", "/api/v1/calendars")
    page = opened.open()
    row(page, "GET /api/v1/calendars").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export HAR").click()
    archive = json.loads(download.value.path().read_text("utf-8"))
    assert [entry["response"]["status"] for entry in archive["log"]["entries"]] == [200]
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Nothing has happened yet").wait_for()


def test_stories_fold_and_rows_are_reached_with_the_keyboard(opened: Opened) -> None:
    ask(opened, "POST", "/api/v1/calendars", NEW)
    page = opened.open()
    row(page, "Sync: synced").wait_for()
    page.locator("#timeline").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator('.row[aria-selected="true"] .title').inner_text() == "POST /api/v1/calendars"
    page.keyboard.press("ArrowLeft")
    assert titles(page) == ["POST /api/v1/calendars"]
    assert page.locator(".row").get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowRight")
    assert len(titles(page)) == 2
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="POST /api/v1/calendars").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()


def test_the_page_goes_on_after_the_mock_was_restarted(browser: Browser) -> None:
    page = browser.new_page()
    with running(mock=Mock()) as server:
        port = int(server.url.rpartition(":")[2])
        page.goto(f"{server.url}/__mock__/")
        page.wait_for_selector('#link[data-state="live"]')
    page.wait_for_selector('#link[data-state="lost"]')
    with running(mock=Mock(), port=port) as server:
        page.wait_for_selector('#link[data-state="live"]')
        request = Request(f"{server.url}/api/v1/calendars", headers={"Authorization": f"Token {KEY}"})
        with urlopen(request):  # noqa: S310 -- the mock's own
            pass
        row(page, "GET /api/v1/calendars").wait_for()
    page.close()


def test_a_mock_that_others_can_reach_asks_for_its_token(browser: Browser) -> None:
    with running(mock=(mock := Mock())) as server:
        mock.guard.token = "a-token-of-some-length"  # noqa: S105 -- as if it listened on another address
        page = browser.new_page()
        page.goto(f"{server.url}/__mock__/")
        page.get_by_label("Token").fill("a-token-of-some-length")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector('#link[data-state="live"]')
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 420])
def test_axe_finds_nothing_serious(opened: Opened, receiver: str, scheme: Any, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    subscribe(opened, receiver)
    page = opened.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    opened.open()
    ask(opened, "POST", "/api/v1/calendars", NEW)
    ask(opened, "POST", "/__mock__/calendars/ada/upstream/events", {"title": "Planning", "start": "2h"})
    ask(opened, "POST", "/__mock__/calendars/ada/sync")
    open_calendar(page, "ada")
    row(page, "calendar.events_update").click()
    page.get_by_role("button", name="Resend").wait_for()
    shoot(page, f"timeline-{scheme}-{'wide' if width > 1000 else 'narrow'}")
    # The policy lets no script in that is not a file of the page: axe comes in past it, over the debugger.
    found = axe.Axe().run(page).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []


def test_ten_thousand_entries_scroll_smoothly(opened: Opened, mock: Mock) -> None:
    project = mock.store.by_name["Demo"]
    for number in range(MANY):
        entry = Exchange("GET", f"/api/v1/calendars/cal_{number:05}", "getCalendar", 404, 0.001)
        entry.project = project
        mock.journals.record(entry)
    page = opened.open()
    page.get_by_text(f"{MANY} entries", exact=True).wait_for()
    assert page.locator(".row").count() < 100
    steps = page.evaluate(
        """async () => {
          const list = document.querySelector('#timeline');
          const took = [];
          for (let step = 0; step < 60; step += 1) {
            const began = performance.now();
            list.scrollTop += 6000;
            list.dispatchEvent(new Event('scroll'));
            list.getBoundingClientRect();
            took.push(performance.now() - began);
            await new Promise(requestAnimationFrame);
          }
          return took.sort((a, b) => a - b);
        }"""
    )
    assert steps[len(steps) // 2] < 50, "milliseconds of script and layout for a scroll step"
    page.keyboard.press("Tab")
    page.locator("#timeline").focus()
    page.keyboard.press("End")
    row(page, "/api/v1/calendars/cal_00000").wait_for()
