"""Somebody who waits sees where a run is, and nobody waits longer than ten seconds for a sign."""

from __future__ import annotations

import io
from typing import Any

import pytest

from mockserver.conformance.reports.progress import Progress
from mockserver.conformance.runner import JudgeRun
from tests.conformance.fakes import FakeTarget


class Screen(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class Watch:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def run_in(part: str) -> JudgeRun:
    target: Any = FakeTarget(lambda request: (200, {}))
    run = JudgeRun(target, {}, seed=1, clock=lambda: 0.0)
    run.part = part
    return run


def test_a_log_gets_a_line_for_each_part() -> None:
    screen, watch = Screen(False), Watch()
    progress = Progress(screen, 60.0, clock=watch)
    for part in ("laws", "laws", "probes", "laws", "probes"):
        progress(run_in(part))
    assert screen.getvalue() == (
        "laws: 0 rules tested, 0 requests, 0 findings, 60 s left\n"
        "probes: 0 rules tested, 0 requests, 0 findings, 60 s left\n"
    )


def test_a_log_is_never_silent_for_more_than_ten_seconds() -> None:
    screen, watch = Screen(False), Watch()
    progress = Progress(screen, None, clock=watch)
    for second in range(100):
        watch.now = float(second)
        progress.tick()
    assert screen.getvalue().splitlines() == [
        f"waiting for the first response, {10 * number} s" for number in range(1, 10)
    ]


def test_a_terminal_has_one_line_that_goes_away() -> None:
    screen, watch = Screen(True), Watch()
    progress = Progress(screen, 60.0, clock=watch)
    for number in range(10):
        watch.now = number / 10
        progress(run_in("laws"))
    progress.end()
    progress(run_in("probes"))
    assert screen.getvalue().count("laws") == 4
    assert "\n" not in screen.getvalue()
    assert screen.getvalue().endswith("\r\033[K")


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_is_written_after_the_end(terminal: bool) -> None:
    screen = Screen(terminal)
    with Progress(screen, 60.0, clock=Watch()) as progress:
        pass
    progress(run_in("laws"))
    progress.tick()
    assert screen.getvalue() == ""
