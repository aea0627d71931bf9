"""The ready file is there exactly while the mock answers, and for its owner alone."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mockserver.ready_file import ReadyFileError
from mockserver.server import running
from mockserver.settings import Settings
from tests.conftest import RECORDED
from tests.patience import HANGS


def test_it_says_url_keys_and_secrets_and_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "mock.json"
    with running(Settings(ready_file=path)) as server:
        content = json.loads(path.read_text("utf-8"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [one.name for one in tmp_path.iterdir()] == ["mock.json"]
    assert content["url"] == server.url
    assert (content["api_key"], content["control_token"]) == ("YOUR_API_KEY_HERE", None)
    assert content["webhook_secret"] == content["projects"][0]["webhook_secret"]
    assert content["pid"] == os.getpid()
    assert not list(tmp_path.iterdir())


def test_all_projects_are_in_it(tmp_path: Path) -> None:
    path = tmp_path / "mock.json"
    with running(Settings(fixtures=RECORDED / "seed.json", ready_file=path)):
        projects = json.loads(path.read_text("utf-8"))["projects"]
        assert len(projects) > 1
        assert all(project["name"] and project["webhook_secret"] for project in projects)


def test_one_that_was_left_behind_is_replaced_and_one_of_another_mock_stays(tmp_path: Path) -> None:
    path = tmp_path / "mock.json"
    path.write_text("left behind", "utf-8")
    with running(Settings(ready_file=path)) as server:
        assert json.loads(path.read_text("utf-8"))["url"] == server.url
        path.write_text('{"pid": -1}', "utf-8")
    assert path.read_text("utf-8") == '{"pid": -1}'
    with running(Settings(ready_file=path)):
        path.unlink()


@pytest.mark.parametrize("name", ["missing/mock.json", "."])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(ReadyFileError, match="cannot write the ready file"),
        running(Settings(ready_file=tmp_path / name)),
    ):
        pytest.fail("the mock runs")


@pytest.mark.parametrize("stop", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
def test_serve_writes_it_when_it_answers_and_removes_it_at_a_signal(tmp_path: Path, stop: signal.Signals) -> None:
    path = tmp_path / "mock.json"
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--ready-file", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "is ready at" in process.stdout.readline()
        content = json.loads(path.read_text("utf-8"))
        request = urllib.request.Request(f"{content['url']}/api/v1/calendars")
        request.add_header("Authorization", f"Token {content['api_key']}")
        with urllib.request.urlopen(request, timeout=HANGS) as answer:
            assert answer.status == 200
        assert content["pid"] == process.pid
        process.send_signal(stop)
        process.communicate(timeout=HANGS)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=HANGS)
    assert not path.exists()


def test_serve_names_a_file_that_cannot_be_written_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--ready-file", str(tmp_path / "no" / "x")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "--ready-file" in done.stderr
