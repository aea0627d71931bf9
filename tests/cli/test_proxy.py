"""The command `proxy`: a recording and a verdict at the end, and a clear line where it cannot start."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mockserver.app import Mock
from mockserver.cli.main import main
from mockserver.server import running
from tests.clients import ACME, MAIN_CALENDAR, NEW_CALENDAR, over_http
from tests.patience import HANGS

KEY = {"Authorization": f"Token {ACME}"}


@contextmanager
def proxy(target: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process, and its URL."""
    command = [sys.executable, "-m", "mockserver", "proxy", "--target", target, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.match(r"attendee-mock proxy is ready at (http://127\.0\.0\.1:\d+) and forwards to ", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=HANGS)
    return printed


def test_traffic_is_forwarded_recorded_and_checked(mock: Mock, tmp_path: Path) -> None:
    file = tmp_path / "traffic.har"
    with running(mock=mock) as server, proxy(server.url, "--record", str(file)) as (process, url):
        send, direct = over_http(url), over_http(server.url)
        path = f"/api/v1/calendars/{MAIN_CALENDAR}"
        through = send("GET", path, KEY, None)
        assert (through.status, through.body) == (200, direct("GET", path, KEY, None).body)
        body = json.dumps(NEW_CALENDAR).encode()
        assert send("POST", "/api/v1/calendars", {**KEY, "Content-Type": "application/json"}, body).status == 201
        assert send("GET", "/api/v1/calendars", {}, None).status == 401
        printed = end(process)
        assert process.returncode == 0
    assert "3 exchanges with " in printed
    assert "Findings: 0 errors, 0 warnings, 0 info" in printed
    assert "Coverage: 3 of 6 operations, 3 of 41 statuses" in printed
    written = file.read_text("utf-8")
    statuses = [entry["response"]["status"] for entry in json.loads(written)["log"]["entries"]]
    assert statuses == [200, 201, 401]
    for secret in (ACME, NEW_CALENDAR["client_secret"], NEW_CALENDAR["refresh_token"]):
        assert secret not in written + printed


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--target", "http://127.0.0.1:{closed}"], "cannot connect to http://127.0.0.1:{closed} (connection refused)"),
        (["--target", "no-url"], "--target no-url: must be a URL such as https://staging.example.com"),
        (["--target", "http://127.0.0.1:{open}", "--port", "{open}"], "cannot listen on 127.0.0.1:{open} ("),
        (["--target", "http://127.0.0.1:{open}", "--record", "none/a.har"], "cannot write none/a.har: No such file"),
        ([], "Missing option '--target'"),
    ],
)
def test_a_proxy_that_cannot_start_is_2(
    arguments: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    with socket.create_server(("127.0.0.1", 0)) as open_port, socket.socket() as closed_port:
        closed_port.bind(("127.0.0.1", 0))
        ports = {"open": str(open_port.getsockname()[1]), "closed": str(closed_port.getsockname()[1])}
        with pytest.raises(SystemExit) as ended:
            main(["proxy", "--port", "0", *(one.format(**ports) for one in arguments)])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"attendee-mock: {problem.format(**ports)}")
    assert len(said.splitlines()) == 1
