"""A browser, and a page of it that is open at a mock's timeline; tests are skipped where there is no browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.server import running
from mockserver.settings import Settings
from tests.browser.chromium import NAMES, find

Browser = Any
Page = Any
"""Playwright is not installed for every test, and so the checker of types does not know its classes."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed: make test-browser installs it"
    )
    path = find()
    if path is None:
        pytest.skip(f"no browser: install Debian's chromium, or name one in CHROMIUM (looked for {', '.join(NAMES)})")
    with api.sync_playwright() as playwright:
        # Root, as which CI often runs, has no sandbox.
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def receiver() -> Iterator[str]:
    """The URL of a receiver that accepts every webhook."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *of: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()
        thread.join()


@pytest.fixture
def mock() -> Mock:
    return Mock(Settings(journal=20_000))


class Opened:
    """A page that is open, and what its browser complained of or loaded from elsewhere."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_request)

    def _note_message(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith(self.url):
            self.elsewhere.append(request.url)

    def open(self, project: str = "Demo") -> Page:
        """Opens the timeline of a project and waits until it is live."""
        self.page.goto(f"{self.url}/__mock__/#{project}")
        self.page.wait_for_selector('#link[data-state="live"]')
        return self.page


@pytest.fixture
def opened(browser: Browser, mock: Mock) -> Iterator[Opened]:
    with running(mock=mock) as server:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
        found = Opened(context.new_page(), server.url)
        yield found
        context.close()
        assert found.complaints == []
        assert found.elsewhere == []


def shoot(page: Page, name: str) -> None:
    """Writes a screenshot into the folder that SCREENSHOTS names, and none without it."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")
