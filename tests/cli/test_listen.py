"""The command `listen`: it subscribes, prints, and removes its subscription, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from mockserver.cli.control_client import Controls
from mockserver.cli.main import main
from mockserver.server import RunningServer, listen, running
from tests.patience import HANGS

KEY = "YOUR_API_KEY_HERE"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running() as served:
        yield served


@contextmanager
def listening(server: RunningServer, *words: str) -> Iterator[tuple[subprocess.Popen[str], Controls]]:
    """The command while it listens, and the control API of its project."""
    body = {"fixtures": {"calendars": [{"platform": "google", "deduplication_key": "ada"}]}}
    made = Controls(server.url, None, None).ask("POST", "projects", body=body)
    environment = {**os.environ, "ATTENDEE_BASE_URL": server.url, "ATTENDEE_API_KEY": made["api_key"]}
    process = subprocess.Popen(
        [sys.executable, "-m", "mockserver", "listen", "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("listening at http://127.0.0.1:")
        yield process, Controls(server.url, made["api_key"], None)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=HANGS)


def change(mock: Controls) -> None:
    mock.ask("POST", "calendars", "ada", "upstream", "events", body={"title": "Review", "start": "1h"})
    mock.ask("POST", "calendars", "ada", "sync")


@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_webhook_is_printed_and_a_signal_removes_the_subscription(
    server: RunningServer, stop: signal.Signals
) -> None:
    with listening(server, "--answer", "500") as (process, mock):
        assert len(mock.ask("GET", "subscriptions")["subscriptions"]) == 1
        change(mock)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "  #1  calendar.events_update  cal_" in line
        assert line.endswith("signature ok  answered 500\n")
        process.send_signal(stop)
        _, err = process.communicate(timeout=HANGS)
        assert process.returncode == 0
        assert "removed the subscription" in err
        assert not mock.ask("GET", "subscriptions")["subscriptions"]


def test_it_can_stop_after_a_number_of_webhooks_and_print_json(server: RunningServer) -> None:
    words = ("--count", "1", "--format", "json", "--trigger", "calendar.events_update")
    with listening(server, *words) as (process, mock):
        assert mock.ask("GET", "subscriptions")["subscriptions"][0]["triggers"] == ["calendar.events_update"]
        change(mock)
        out, _ = process.communicate(timeout=HANGS)
        assert process.returncode == 0
    heard: Any = json.loads(out)
    assert (heard["trigger"], heard["signature"], heard["answered"]) == ("calendar.events_update", "ok", 200)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["listen", *words])
    return int(str(ended.value.code)), capsys.readouterr().err


def test_what_cannot_be_listened_to_is_one_line(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    url = ("--url", server.url, "--token", KEY)
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        status, err = run(capsys, *url, "--port", port)
    assert status == 2
    assert f"cannot listen on 127.0.0.1:{port} (address already in use); choose another --port" in err
    status, err = run(capsys, "--url", "http://127.0.0.1:1", "--port", "0")
    assert status == 2
    assert "no mock answers" in err
    status, err = run(capsys, *url, "--port", "0", "--secret", "planted-secret!")
    assert status == 2
    assert "base64" in err
    assert "planted-secret" not in err
    status, err = run(capsys, *url, "--port", "0", "--forward", "localhost")
    assert status == 2
    status, err = run(capsys, *url, "--port", "0", "--trigger", "calendar.nope")
    assert status == 1
    assert "calendar.nope" in err
    assert err.count("\n") == 1


def test_the_mock_may_be_gone_at_the_end() -> None:
    with ExitStack() as stack:
        with running() as served:
            process, _ = stack.enter_context(listening(served))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=HANGS)
    assert process.returncode == 0
    assert "could not remove the subscription webhook_" in err
