"""A command line that talks to a control API with canned answers."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mockserver.cli.main import main
from tests.cli.fake_control import Fake, Run


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    for name in ("ATTENDEE_API_KEY", "ATTENDEE_BASE_URL", "ATTENDEE_MOCK_CONTROL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            fake.asked.append((self.command, self.path, body))
            fake.headers = dict(self.headers)
            answer = fake.answers.pop(0) if len(fake.answers) > 1 else fake.answers[0]
            raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(fake.status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(fake: Fake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line against the fake; gives the exit status, what was printed and what was complained of."""

    def steer(line: str, answer: Any = None, status: int = 200, *, url: str | None = None) -> tuple[int, str, str]:
        if answer is not None:
            fake.answers, fake.status = [answer], status
        monkeypatch.setenv("ATTENDEE_BASE_URL", url or fake.url)
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line))
        printed = capsys.readouterr()
        return int(str(ended.value.code)), printed.out, printed.err

    return steer
