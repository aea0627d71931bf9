"""Requests a second of the judge in process, beside `schemathesis run` over HTTP; each has one core for itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import LOAD_CORE, ROOT, pinned, shown
from benchmarks.servers import AUTHORIZATION, KEY, Running, ask, end, mock, started

SECONDS = 30.0
ROUNDS = 3
SCHEMATHESIS = "schemathesis run openapi.yaml"


def judge() -> tuple[int, float]:
    """Requests and seconds of one whole run in this process, over ASGI."""
    from mockserver.app import Mock
    from mockserver.conformance import check

    began = time.perf_counter()
    report = check(Mock().asgi, key=KEY, time_budget=SECONDS, seed=1)
    assert not report.findings
    assert report.requests
    return report.requests, time.perf_counter() - began


def judged() -> tuple[int, float]:
    """The same in a process of its own, on one core."""
    command = [*pinned(LOAD_CORE), sys.executable, "-m", "benchmarks.conformance_speed"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    requests, seconds = json.loads(done.stdout.splitlines()[-1])
    return requests, seconds


def schemathesis_command(url: str) -> list[str]:
    """Its own defaults, on all the contract."""
    beside = Path(sys.executable).parent / "schemathesis"
    program = str(beside) if beside.exists() else shutil.which("schemathesis") or "schemathesis"
    header = f"Authorization: {AUTHORIZATION}"
    return [program, "run", "openapi.yaml", "--url", url, "--header", header, "--continue-on-failure", "--seed", "1"]


def schemathesis(scratch: Path) -> tuple[int, float, str]:
    """Requests and seconds from its first request on, until it ends by itself or its time is over; and its command."""
    with started(mock("--post-rate", "1000000000/min")) as running:
        command = schemathesis_command(running.url)
        shown_command = (
            shown(command, scratch).replace(running.url, "URL").replace(f"{Path(sys.executable).parent}/", "")
        )
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        # It leaves a folder behind where it runs.
        shutil.copy(ROOT / "openapi.yaml", scratch)
        with subprocess.Popen([*pinned(LOAD_CORE), *command], cwd=scratch, **quiet) as process:  # type: ignore[call-overload]
            before, first = seen(running), None
            began = time.perf_counter()
            while process.poll() is None and time.perf_counter() - (first or began) < SECONDS:
                time.sleep(0.1)
                if first is None and seen(running) > before:
                    first, before = time.perf_counter(), seen(running)
            took = time.perf_counter() - (first or began)
            end(process)
        return seen(running) - before, took, shown_command


def seen(running: Running) -> int:
    """How many requests the mock has answered: its journal numbers them."""
    return int(json.loads(ask(running.url, "GET", "/__mock__/requests?limit=1&keyless=true")[1])["last"])


if __name__ == "__main__":
    print(json.dumps(judge()))
