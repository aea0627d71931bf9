"""Receivers written as the service's documentation describes them verify every delivery."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from mockserver.delivery.http_client import HttpClient
from mockserver.delivery.payload import canonical, signature
from mockserver.domain import outbox
from mockserver.domain.deliveries import DeliveryFault, DeliveryFaultKind
from mockserver.domain.model import Json
from mockserver.domain.outbox import FindFault
from mockserver.domain.store import Project
from tests.delivery.workers import make_worker
from tests.pages import blocks
from tests.projects import CHANGED, DISCONNECTED, SECRET, make_calendar, make_project, the_calendar
from tests.receivers import javascript
from tests.receivers.flask_app import make_app

NODE = shutil.which("node")
SECRET_TEXT = base64.b64encode(SECRET).decode()
Serve = Callable[[], AbstractContextManager[str]]
METADATA = [
    None,
    {"m": "ü"},
    {"Zürich": "日本語", "a": "🎉", "é": "e\u0301", "Ω": "\u2028\u2029"},
    {"quote": '"', "slash": "a/b", "back": "\\", "tab": "\t", "del": "\x7f", "bell": "\x07", "html": "<&>'"},
    {"b": "", "a": "1", "B": "2", "aa": "3", "_": "4", "ä": "5", "": "6"},
    {"10": "indexes alone are in order", "11": ""},
]
FAILURE = {"error": "Google Authentication error: {'error': 'invalid_grant'}", "timestamp": "2026-11-20T23:26:17+00:00"}


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def flask_receiver() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_app(SECRET_TEXT), threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhook"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def node_receiver() -> Iterator[str]:
    program = Path(__file__).parent.parent / "receivers" / "express_like.js"
    command = [str(NODE), str(program), SECRET_TEXT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/webhook"
        finally:
            process.stdin.close()


@contextlib.contextmanager
def transcribed_receiver() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            good = javascript.verified(SECRET_TEXT, body, self.headers["X-Webhook-Signature"])
            self.send_response(200 if good else 400)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/webhook"
        finally:
            server.shutdown()
            thread.join()


# Where there is no Node, its part is taken by the transcription, which is held to the same deliveries everywhere.
JAVASCRIPT: list[Serve] = [transcribed_receiver, *([node_receiver] if NODE else [])]
RECEIVERS: list[Serve] = [flask_receiver, *JAVASCRIPT]


@pytest.fixture(params=RECEIVERS, ids=lambda serve: serve.__name__)
def receiver(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a documented receiver."""
    with request.param() as url:
        yield url


def deliver(project: Project, find_fault: FindFault | None = None) -> list[int | None]:
    """The statuses of the first attempts at everything that waits."""
    asyncio.run(make_worker(HttpClient(), find_fault=find_fault).settle(project))
    return [delivery.attempts[0].status for delivery in project.deliveries.select()]


def test_documented_receivers_verify_every_delivery(receiver: str) -> None:
    project = make_project(receiver)
    outbox.hold(project)
    calendar = the_calendar(project)
    outbox.enqueue(project, CHANGED, calendar)
    outbox.enqueue(project, DISCONNECTED, calendar._replace(state="disconnected", connection_failure_data=FAILURE))
    outbox.release(project)
    assert deliver(project) == [200, 200]


@pytest.mark.parametrize("metadata", METADATA, ids=range(len(METADATA)))
def test_documented_receivers_verify_any_metadata(receiver: str, metadata: dict[str, str] | None) -> None:
    calendar = make_calendar(metadata=metadata, deduplication_key="Schlüssel 🎉")
    project = make_project(receiver, calendar=calendar)
    outbox.enqueue(project, CHANGED, calendar)
    assert deliver(project) == [200]


def test_documented_receivers_verify_what_is_told_of_a_deleted_calendar(receiver: str) -> None:
    project = make_project(receiver)
    calendar = the_calendar(project)
    outbox.enqueue(project, CHANGED, calendar)
    project.state.drop_calendar(calendar)
    assert deliver(project) == [200]


@pytest.mark.parametrize("how", ["unsigned", "old secret"])
def test_documented_receivers_refuse_what_is_not_signed_with_the_secret(receiver: str, how: DeliveryFaultKind) -> None:
    project = make_project(receiver)
    outbox.enqueue(project, CHANGED, the_calendar(project))
    assert (
        deliver(project, lambda _project, delivery: DeliveryFault("f", how) if not delivery.tried else None)[0] == 400
    )


@pytest.mark.parametrize("metadata", [{"9": "", "10": ""}, {"\ue000": "", "🎉": ""}], ids=["indexes", "beyond 16 bits"])
def test_javascript_that_sorts_objects_refuses_some_names_and_python_does_not(metadata: dict[str, str]) -> None:
    """The service sorts names by code point; a sorted object in JavaScript has another order for these."""
    answers = []
    for serve in RECEIVERS:
        with serve() as url:
            calendar = make_calendar(metadata=metadata)
            project = make_project(url, calendar=calendar)
            outbox.enqueue(project, CHANGED, calendar)
            answers.append(deliver(project)[0])
    assert answers == [200, *[400] * len(JAVASCRIPT)]


PAGE = (Path(__file__).parent.parent.parent / "docs" / "webhooks.md").read_text("utf-8")
RUN = blocks("docs/webhooks.md", "python", "js")
"""Every program that a test below runs."""
AWKWARD: dict[str, Json] = {
    "ü": "ü🎉\u2028",
    "9": "",
    "10": "",
    "\ue000": "",
    "🎉": "",
    "nested": {"b": [None, True], "a": '"'},
}


def snippet(language: str) -> str:
    """The verification that the page on webhooks shows."""
    (text,) = [part.split("```")[0] for part in PAGE.split(f"```{language}\n")[1:] if "verif" in part.split("```")[0]]
    return text


def signed_examples() -> list[tuple[str, str, bool]]:
    """Bodies with signatures, and whether they belong together."""
    good = signature(SECRET, canonical(AWKWARD))
    text = json.dumps(AWKWARD)
    return [(text, good, True), (text.replace('"9"', '"8"'), good, False), (text, "", False), (text, good[:-4], False)]


def test_the_python_in_the_documentation_verifies() -> None:
    names: dict[str, Callable[[bytes, str, str], bool]] = {}
    exec(snippet("python"), names)
    for body, given, good in signed_examples():
        assert names["verified"](body.encode(), given, SECRET_TEXT) is good


def test_the_javascript_in_the_documentation_verifies() -> None:
    program = f"""{snippet("js")}
        const answers = {json.dumps(signed_examples())}.map(([body, given]) => verified(body, given, "{SECRET_TEXT}"));
        console.log(JSON.stringify(answers));
        """
    if NODE is None:
        # Nothing here can run it; what it does is done by the Python beside it, and that is tested above.
        assert "Buffer.compare" in program
        return
    ran = subprocess.run([NODE, "-"], input=program, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [good for _, _, good in signed_examples()]
