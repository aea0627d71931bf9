"""Several mocks behind nginx with the example configuration: started for measurements and for tests."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import load
from benchmarks.machine import ROOT
from benchmarks.rounds import LEAST, Spread, by_turns
from benchmarks.servers import DidNotStart, Running, ask, end, free_port, mock, started

EXAMPLE = ROOT / "examples" / "nginx" / "nginx.conf"
KEYS = tuple(f"worker-{number:02}" for number in range(16))
PROCESSES = (1, 2)
ROUNDS = 5
_PATIENCE = 200


def calendar_of(key: str) -> str:
    """The id of the one calendar of a key's project."""
    return f"cal_{key.replace('-', ''):0<16}"


def write_fixtures(file: Path) -> Path:
    """A project with one calendar for each key."""
    projects = [
        {"name": key, "api_keys": [key], "calendars": [{"id": calendar_of(key), "platform": "google"}]} for key in KEYS
    ]
    file.write_text(json.dumps({"projects": projects}), "utf-8")
    return file


def configuration(port: int, upstreams: Sequence[int], example: Path = EXAMPLE) -> str:
    """The example's text with other ports, and as many upstream processes as are given."""
    text = example.read_text("utf-8").replace("listen 127.0.0.1:8000;", f"listen 127.0.0.1:{port};")
    lines = "".join(f"        server 127.0.0.1:{upstream} max_fails=0;\n" for upstream in upstreams)
    return re.sub(r"(        server 127\.0\.0\.1:\d+ max_fails=0;\n)+", lines, text)


@contextlib.contextmanager
def nginx(folder: Path, upstreams: Sequence[int], example: Path = EXAMPLE) -> Iterator[str]:
    """nginx with the example's configuration in front of the ports; gives its URL. `folder` takes what it writes.

    Raises DidNotStart.
    """
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(configuration(port, upstreams, example), "utf-8")
    command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _wait(process, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            end(process)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(_PATIENCE):
        with contextlib.suppress(OSError):
            ask(url, "GET", "/__mock__/health")
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            break
    assert process.stderr is not None
    said = process.stderr.read().decode() if process.poll() is not None else ""
    raise DidNotStart(f"nginx did not answer: {said}")


@contextlib.contextmanager
def mocks(number: int, fixtures: Path) -> Iterator[list[Running]]:
    """So many processes, each with all of the fixtures, on any core."""
    with contextlib.ExitStack() as running:
        server = mock(fixtures=fixtures)
        yield [running.enter_context(started(server, path="/__mock__/health", core=None)) for _ in range(number)]


def port_of(running: Running) -> int:
    """Where it listens."""
    return int(running.url.rpartition(":")[2])


def write_script(file: Path) -> Path:
    """What wrk is to ask: each key for its calendar, in turns."""
    asked = ",\n".join(f'  {{"/api/v1/calendars/{calendar_of(key)}", "Token {key}"}}' for key in KEYS)
    lines = [f"local asked = {{\n{asked}\n}}", "local at = 0", "request = function()", "  at = at % #asked + 1"]
    made = '  return wrk.format("GET", asked[at][1], {["Host"] = wrk.host, ["Authorization"] = asked[at][2]})'
    file.write_text("\n".join([*lines, made, "end", ""]), "utf-8")
    return file


def measure(folder: Path) -> dict[str, Spread]:
    """Requests a second of GET by id: straight to one process, and through nginx to one and to two."""
    script = write_script(folder / "keys.lua")
    with contextlib.ExitStack() as stack:
        both = stack.enter_context(mocks(max(PROCESSES), write_fixtures(folder / "keys.json")))
        urls = {"one process, without nginx": both[0].url}
        for number in PROCESSES:
            own = folder / f"nginx-{number}"
            own.mkdir()
            url = stack.enter_context(nginx(own, [port_of(one) for one in both[:number]]))
            urls[f"nginx, {number} process{'es' if number > 1 else ''}"] = url
        measures = {
            name: lambda url=url: load.run_wrk(url, script, load.SECONDS, core=[]) for name, url in urls.items()
        }
        found = by_turns(measures, lambda _: True, least=LEAST, most=ROUNDS)
    return {name: Spread.of(rates) for name, rates in found.items()}
