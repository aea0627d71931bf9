"""Receivers of webhooks to audit: a right one, and one for each mistake."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urljoin

from mockserver.app import Mock
from mockserver.server import RunningServer, running
from tests.patience import HANGS

HEADER = "X-Webhook-Signature"


class RightReceiver:
    """Verifies, answers, and then lists the calendar's events, once for each idempotency key."""

    def __init__(self, base_url: str, api_key: str, secret: str) -> None:
        self.base_url, self.api_key, self.text = base_url, api_key, secret
        self.key = base64.b64decode(secret)
        self.done: set[str] = set()
        self.work: queue.Queue[Any] = queue.Queue()

    def receive(self, headers: list[tuple[str, str]], raw: bytes) -> int:
        """The status for a webhook."""
        given = self.header({name.lower(): value for name, value in headers}, headers)
        content = self.read(raw)
        if content is None:
            return 400
        if not self.verified(content, raw, given):
            return self.refuse(content)
        return self.accept(content)

    def read(self, raw: bytes) -> Any:
        try:
            return json.loads(raw)
        except ValueError:
            return None

    def header(self, lowered: Mapping[str, str], headers: list[tuple[str, str]]) -> str | None:
        return lowered.get(HEADER.lower())

    def verified(self, content: Any, raw: bytes, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.digest(content, raw))

    def digest(self, content: Any, raw: bytes) -> bytes:
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return base64.b64encode(hmac.digest(self.key, text.encode(), "sha256"))

    def refuse(self, content: Any) -> int:
        return 400

    def accept(self, content: Any) -> int:
        if content.get("calendar_id") and content["trigger"].startswith("calendar."):
            self.work.put(content)
        return 200

    def loop(self) -> None:
        while (content := self.work.get()) is not None:
            self.handle(content)

    def handle(self, content: Any) -> None:
        if content["idempotency_key"] in self.done:
            return
        try:
            self.walk(content["calendar_id"])
        except urllib.error.HTTPError as error:
            error.close()
            return
        self.done.add(content["idempotency_key"])

    def walk(self, calendar_id: str) -> None:
        self.list_pages(f"/api/v1/calendar_events?{urlencode({'calendar_id': calendar_id})}")

    def list_pages(self, url: str | None) -> None:
        while url:
            request = urllib.request.Request(urljoin(self.base_url, url))
            request.add_header("Authorization", f"Token {self.api_key}")
            with urllib.request.urlopen(request, timeout=HANGS) as answer:
                url = self.following(json.load(answer))

    def following(self, page: Any) -> str | None:
        return page["next"] and str(page["next"])


class RawBytes(RightReceiver):
    def digest(self, content: Any, raw: bytes) -> bytes:
        return base64.b64encode(hmac.digest(self.key, raw, "sha256"))


class DefaultSeparators(RightReceiver):
    def digest(self, content: Any, raw: bytes) -> bytes:
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return base64.b64encode(hmac.digest(self.key, text.encode(), "sha256"))


class SecretAsText(RightReceiver):
    def __init__(self, base_url: str, api_key: str, secret: str) -> None:
        super().__init__(base_url, api_key, secret)
        self.key = secret.encode()


class OneCase(RightReceiver):
    def header(self, lowered: Mapping[str, str], headers: list[tuple[str, str]]) -> str | None:
        return dict(headers).get(HEADER)


class FailsOpen(RightReceiver):
    """Writes a line into its log, answers 200, and does nothing."""

    def refuse(self, content: Any) -> int:
        return 200


class OnlyBots(RightReceiver):
    def verified(self, content: Any, raw: bytes, given: str | None) -> bool:
        return "bot_id" not in content or super().verified(content, raw, given)


class UnsignedIsFine(RightReceiver):
    def verified(self, content: Any, raw: bytes, given: str | None) -> bool:
        return not given or super().verified(content, raw, given)


class WorksFirst(RightReceiver):
    def accept(self, content: Any) -> int:
        if content.get("calendar_id") and content["trigger"].startswith("calendar."):
            self.handle(content)
        return 200


class MarksTooEarly(RightReceiver):
    def handle(self, content: Any) -> None:
        known = content["idempotency_key"] in self.done
        self.done.add(content["idempotency_key"])
        if not known:
            try:
                self.walk(content["calendar_id"])
            except urllib.error.HTTPError as error:
                error.close()


class Repeats(RightReceiver):
    def handle(self, content: Any) -> None:
        self.done.clear()
        super().handle(content)


class FirstPageOnly(RightReceiver):
    def following(self, page: Any) -> str | None:
        return None


class KnowsAllTriggers(RightReceiver):
    def accept(self, content: Any) -> int:
        known = content["trigger"] in ("calendar.events_update", "calendar.state_change")
        return super().accept(content) if known else 400


class SmallBodies(RightReceiver):
    def receive(self, headers: list[tuple[str, str]], raw: bytes) -> int:
        return 413 if len(raw) > 1_000 else super().receive(headers, raw)


class NeedsCalendar(RightReceiver):
    def accept(self, content: Any) -> int:
        return super().accept(content) if "calendar_id" in content else 500


class WorksForForgeries(RightReceiver):
    def refuse(self, content: Any) -> int:
        self.work.put(content)
        return 400


class Escapes(RightReceiver):
    def digest(self, content: Any, raw: bytes) -> bytes:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return base64.b64encode(hmac.digest(self.key, text.encode(), "sha256"))


class SortsNumbers(RightReceiver):
    """Sorts as JavaScript's objects do: names that are numbers come first, in numeric order."""

    def digest(self, content: Any, raw: bytes) -> bytes:
        def ordered(value: Any) -> Any:
            if isinstance(value, list):
                return [ordered(one) for one in value]
            if not isinstance(value, dict):
                return value
            names = sorted(value, key=lambda name: (0, int(name), "") if name.isdecimal() else (1, 0, name))
            return {name: ordered(value[name]) for name in names}

        text = json.dumps(ordered(content), ensure_ascii=False, separators=(",", ":"))
        return base64.b64encode(hmac.digest(self.key, text.encode(), "sha256"))


class ListsAll(RightReceiver):
    """Reads the events of all calendars after each webhook."""

    def walk(self, calendar_id: str) -> None:
        self.list_pages("/api/v1/calendar_events")


class ParsesAnything(RightReceiver):
    def read(self, raw: bytes) -> Any:
        return json.loads(raw)


class IgnoresAll(RightReceiver):
    def accept(self, content: Any) -> int:
        return 200


class NeedsMetadata(RightReceiver):
    def accept(self, content: Any) -> int:
        return 500 if content.get("calendar_metadata", {}) is None else super().accept(content)


FORGED = {
    "unsigned",
    "empty-signature",
    "tampered-body",
    "tampered-header",
    "raw-bytes",
    "default-separators",
    "secret-as-text",
    "old-secret",
}
MISTAKES: dict[type[RightReceiver], set[str]] = {
    RightReceiver: set(),
    ListsAll: set(),
    RawBytes: {"genuine", "raw-bytes"},
    DefaultSeparators: {"genuine", "default-separators"},
    SecretAsText: {"genuine", "secret-as-text"},
    OneCase: {"lower-case-header", "upper-case-header"},
    FailsOpen: {*FORGED, "forged-with-bot-id"},
    OnlyBots: {*FORGED, "forged-not-handled"},
    UnsignedIsFine: {"unsigned", "empty-signature", "forged-with-bot-id", "forged-not-handled"},
    WorksFirst: {"answered-before-work"},
    MarksTooEarly: {"failed-fetch-repeated"},
    Repeats: {"handled-once"},
    FirstPageOnly: {"all-pages"},
    KnowsAllTriggers: {"unknown-trigger"},
    SmallBodies: {"large"},
    NeedsCalendar: {"deleted-calendar"},
    WorksForForgeries: {"forged-not-handled"},
    Escapes: {"non-ascii"},
    SortsNumbers: {"numeric-keys"},
    NeedsMetadata: {"null-metadata"},
    ParsesAnything: {"not-json"},
    IgnoresAll: {"fetches"},
}
"""Each receiver with the checks that it has to fail."""
MORE = {
    ListsAll,
    ParsesAnything,
    UnsignedIsFine,
    NeedsCalendar,
    WorksForForgeries,
    Escapes,
    SortsNumbers,
    NeedsMetadata,
}
"""Those that only the long tests audit."""


@contextmanager
def serving_patiently() -> Iterator[RunningServer]:
    """A mock whose slow responses come as soon as the fault has ended."""
    found: list[Mock] = []

    async def sleep(_: float) -> None:
        while any(found[0].faults.list(project.name) for project in found[0].store.projects):
            await asyncio.sleep(0.001)

    found.append(Mock(sleep=sleep))
    with running(mock=found[0]) as served:
        yield served


@contextmanager
def receiving(receiver: RightReceiver) -> Iterator[str]:
    """The URL at which a receiver answers, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status = receiver.receive(self.headers.items(), raw)
            except ValueError:
                status = 500
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threads = [
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True),
        threading.Thread(target=receiver.loop, daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhook"
    finally:
        receiver.work.put(None)
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join(HANGS)
