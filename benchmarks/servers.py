"""Servers to measure: started, waited for, looked at, ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import ROOT, SERVER_CORE, pinned

KEY = "YOUR_API_KEY_HERE"
AUTHORIZATION = f"Token {KEY}"
CALENDAR = "/api/v1/calendars/cal_abcdef1234567890"
MOCK, BARE = "mock", "bare ASGI"
_POLL = 0.005
_PATIENCE = 60.0


class DidNotStart(Exception):
    """A server ended, or never answered."""


@dataclass(frozen=True)
class Server:
    """A command that serves, with `{port}` where its port goes."""

    name: str
    command: tuple[str, ...]
    version: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    """Where it is started."""
    warm_up: float = 1.0
    """Seconds of load before it is measured."""


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    server: Server
    url: str
    pid: int
    seconds: float
    """From its command to its first answer."""

    @property
    def resident(self) -> int:
        """Its memory, in bytes."""
        return resident(self.pid)


def mock(*options: str, fixtures: Path | None = None, python: str = sys.executable) -> Server:
    """The mock with everything on but the log, which the others do not write either."""
    chosen = ("--fixtures", str(fixtures)) if fixtures else ()
    command = (python, "-m", "mockserver", "serve", "--port", "{port}", "--log-level", "critical")
    return Server(MOCK, (*command, *chosen, *options))


def bare(get: Path, patch: Path | None = None) -> Server:
    """The bare application, which answers with what is in the files."""
    options = ("--port", "{port}", "--no-access-log", "--log-level", "warning", "--lifespan", "off")
    command = (sys.executable, "-m", "uvicorn", "benchmarks.bare:app", *options, "--no-server-header")
    return Server(BARE, command, environment={"BENCHMARK_GET": str(get), "BENCHMARK_PATCH": str(patch or get)})


@contextlib.contextmanager
def started(server: Server, *, path: str = CALENDAR, core: int | None = SERVER_CORE) -> Iterator[Running]:
    """A server for as long as the block lasts, on one core or, with None, on all.

    Raises DidNotStart.
    """
    port = free_port()
    command = [part.replace("{port}", str(port)) for part in server.command]
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [*pinned(core), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd=server.folder,
            env={**os.environ, **server.environment},
        ) as process,
    ):
        try:
            while not _answers(port, path):
                took = time.perf_counter() - began
                if process.poll() is not None or took > _PATIENCE:
                    said.seek(0)
                    words = said.read().decode(errors="replace").strip()[-500:]
                    raise DidNotStart(f"{server.name} did not answer in {took:.0f} s: {' '.join(command)}: {words}")
                time.sleep(_POLL)
            yield Running(server, f"http://127.0.0.1:{port}", process.pid, time.perf_counter() - began)
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, which may take a few seconds."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(
    url: str, method: str, path: str, body: bytes | None = None, *, authorization: str = AUTHORIZATION
) -> tuple[int, bytes]:
    """One request on a connection of its own; gives status and body."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        headers = {"Authorization": authorization, **({"Content-Type": "application/json"} if body else {})}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def resident(pid: int) -> int:
    """The resident memory of a process, in bytes."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
    assert match
    return int(match[1]) * 1024


def _answers(port: int, path: str) -> bool:
    try:
        return ask(f"http://127.0.0.1:{port}", "GET", path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False
