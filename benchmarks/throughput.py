"""Requests a second beside bare ASGI that sends the same bytes: `python -m benchmarks.throughput` (needs wrk).

Server and load generator have a core each; the servers take turns, round by round, so that a busy machine is busy for
both alike; the ratios are what counts.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

KEY = "YOUR_API_KEY_HERE"
AUTHORIZATION = f"Authorization: Token {KEY}"
ROUNDS = 5
SECONDS = 3
CONNECTIONS = 16
PATCH = """
wrk.method = "PATCH"
wrk.body = '{"metadata": {"department": "engineering", "team": "backend"}}'
wrk.headers["Content-Type"] = "application/json"
"""
CASES = {
    "GET a calendar by id": ("/api/v1/calendars/cal_abcdef1234567890", None),
    "PATCH with metadata": ("/api/v1/calendars/cal_abcdef1234567890", PATCH),
    "first page of 25 calendars": ("/api/v1/calendars", None),
}


def pinned(core: int) -> list[str]:
    """What comes before a command that is to keep to one core."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


@contextmanager
def process(command: list[str], ready: str, **environment: str) -> Iterator[str]:
    """A server for as long as the block lasts; gives its URL, which `ready` finds in what it prints."""
    with subprocess.Popen(
        [*pinned(0), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    ) as server:
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if match := re.search(ready, line):
                    yield match[1]
                    break
        finally:
            server.terminate()


def rate(url: str, script: Path | None) -> float:
    """Requests a second that the server answers."""
    options = [
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{SECONDS}s",
        "-H",
        AUTHORIZATION,
        *(["-s", str(script)] if script else []),
    ]
    done = subprocess.run([*pinned(1), "wrk", *options, url], capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout:
        sys.exit(f"{url} refused: {done.stdout}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert match, done.stdout
    return float(match[1])


def answer(url: str) -> bytes:
    """What the mock answers to a GET, in bytes."""
    request = urllib.request.Request(url, headers={"Authorization": f"Token {KEY}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return bytes(response.read())


def compare(name: str, folder: Path, fixtures: list[str]) -> str:
    """The row of one case in the table."""
    path, script = CASES[name]
    lua = None
    if script is not None:
        lua = folder / "request.lua"
        lua.write_text(script, "utf-8")
    body = folder / "body.json"
    serve = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--log-level", "critical", *fixtures]
    options = ["--port", "0", "--no-access-log", "--lifespan", "off", "--no-server-header"]
    with ExitStack() as running:
        mock = running.enter_context(process(serve, r"ready at (http\S+)"))
        body.write_bytes(answer(mock + path))
        command = [sys.executable, "-m", "uvicorn", "benchmarks.bare:app", *options]
        bare = running.enter_context(process(command, r"running on (http://[\d.:]+)", BENCHMARK_BODY=str(body)))
        rates = [(rate(bare + path, lua), rate(mock + path, lua)) for _ in range(ROUNDS)]
    bares, mocks = zip(*rates, strict=True)
    shares = sorted(one / other for other, one in rates)
    medians = statistics.median(bares), statistics.median(mocks), statistics.median(shares)
    return f"| {name} | {medians[0]:.0f} | {medians[1]:.0f} | {medians[2]:.2f} | {shares[0]:.2f} to {shares[-1]:.2f} |"


def main() -> None:
    """Measures and prints the table of README.md."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk, or its page at https://github.com/wg/wrk")
    print(f"{ROUNDS} rounds of {SECONDS} s, {CONNECTIONS} connections\n")
    print("| request | bare ASGI, requests/s | mock, requests/s | share | spread of the share |")
    print("| --- | --- | --- | --- | --- |")
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            fixtures = ["--fixtures", str(root / "fixtures" / "large.yaml")] if "page" in name else []
            print(compare(name, Path(folder), fixtures), flush=True)


if __name__ == "__main__":
    main()
