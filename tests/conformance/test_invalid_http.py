"""Bytes that are no request: the mock refuses them, and what gives way over them is found and shown again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.conformance.checks.invalid_http import send_broken
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.registry import HOSTILE
from mockserver.conformance.replay import Replayer
from mockserver.conformance.reports.pytest_file import pytest_file
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.runner import JudgeRun
from mockserver.contracts import load_contract
from mockserver.server import running
from tests.conformance.judging import judged
from tests.conformance.test_transport import PAGE, answering, http, target
from tests.mutants.table import new_mock


class Upset:
    """A small server: `breaks` says how it answers what is no request, and whether it answers anything after that."""

    def __init__(self, breaks: bytes, *, dies: bool = False) -> None:
        self.breaks, self.dies = breaks, dies
        self.dead = False

    def __call__(self, data: bytes) -> bytes:
        if self.dead:
            return b""
        if data.startswith(b"GET /api/v1/calendars HTTP/1.1\r\n"):
            return http("401 Unauthorized", b"{}")
        self.dead = self.dies
        return self.breaks


def thrown_at(server: Callable[[bytes], bytes]) -> list[tuple[str, str, str]]:
    with answering(server) as (url, _), target(url) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        list(send_broken.begin(run))
        return sorted(run.findings.broken)


def test_broken_bytes_that_are_refused_are_no_finding() -> None:
    assert thrown_at(Upset(http("400 Bad Request"))) == []


def test_a_connection_that_is_closed_without_a_word_is_no_finding() -> None:
    assert thrown_at(Upset(b"")) == []


def test_a_server_error_over_broken_bytes_is_a_finding() -> None:
    fields = [field for rule, _, field in thrown_at(Upset(http("500 Oh"))) if rule == "bytes-broken"]
    assert "request line" in fields


def test_broken_bytes_that_are_taken_are_a_finding() -> None:
    found = thrown_at(Upset(http("200 OK", PAGE)))
    assert ("bytes-broken", "listCalendars", "request line") in found


def test_a_server_that_answers_nothing_after_broken_bytes_is_a_finding() -> None:
    assert ("bytes-broken", "listCalendars", "afterwards") in thrown_at(Upset(b"", dies=True))


def test_the_mock_refuses_broken_bytes_over_a_socket() -> None:
    with running(mock=new_mock()) as server, target(server.url) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        list(send_broken.begin(run))
    assert sorted(run.findings.broken) == []
    assert run.findings.exercised["bytes-broken"] > 20


@pytest.mark.parametrize("upset", [Upset(http("500 Oh")), pytest.param(Upset(b"", dies=True), marks=pytest.mark.long)])
def test_broken_bytes_are_shown_again_by_each_of_the_findings_files(upset: Upset, tmp_path: Path) -> None:
    rule = next(rule for rule in HOSTILE.RULES if rule.id == "bytes-broken")

    def shown(server: Upset, recipe: dict[str, Any]) -> tuple[str, int, int]:
        with answering(server) as (url, _), target(url) as sender:
            player = Replayer(sender, {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic)
            verdict = player.replay(recipe).verdict
            server.dead = False
            test, lines = tmp_path / "test_it.py", tmp_path / "it.sh"
            test.write_text(pytest_file(recipe, base=url, file=test.name), encoding="utf-8")
            lines.write_text(curl_lines(recipe, base=url), encoding="utf-8")
            env = {**os.environ, "ATTENDEE_BASE_URL": url}
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
            ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
            shell = subprocess.run(["bash", str(lines)], env=env, capture_output=True, check=False)
            return verdict, ran.returncode, shell.returncode

    with answering(upset) as (url, _), target(url) as sender:
        run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
        list(send_broken.begin(run))
    finding = next(iter(run.findings.broken.values()))
    recipe = recipe_of(finding, rule, Origins("", {}))
    assert shown(Upset(upset.breaks, dies=upset.dies), recipe)[:2] == ("shows", 1)
    otherwise = http("503 Oh") if upset.breaks else b""
    assert shown(Upset(otherwise, dies=upset.dies), recipe)[:2] == ("shows", 1)
    assert shown(Upset(http("400 Bad Request")), recipe)[:2] == ("gone", 0)


def test_broken_bytes_are_not_sent_where_there_is_no_socket() -> None:
    run = judged(new_mock().asgi, HOSTILE, writes=False)
    assert "plain HTTP" in run.findings.unobservable["bytes-broken"]
