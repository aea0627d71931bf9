"""Runs the commands of a page in docs/ and compares what they print with what the page says."""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from mockserver.server import listen
from tests.patience import HANGS

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^Terminal (\d) has printed:\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIES = re.compile(r"\d\d:\d\d:\d\d|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Times of day and idempotency keys."""
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Step(NamedTuple):
    """Commands, and what they print."""

    commands: str
    printed: str


class Page:
    """A page whose blocks that begin with `# terminal` start servers, and whose other blocks are typed in order."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / "docs" / name).read_text("utf-8")
        blocks = [Step(commands, printed) for commands, printed in _BLOCK.findall(self.text)]
        self.servers = [block.commands for block in blocks if block.commands.startswith("# terminal")]
        self.steps = [block for block in blocks if not block.commands.startswith("# terminal")]
        self.said = {int(number): text for number, text in _SAID.findall(self.text)}

    def check(self, folder: Path) -> None:
        """Runs the page in a folder; its ports are free ones."""
        ports = _free_ports(self.text)
        around = environment(folder)
        shutil.copytree(ROOT / "examples", folder / "examples")
        with _running(self.servers, ports, folder, around) as terminals:
            script = [f"echo '=== {n}'\n{_moved(step.commands, ports)}\necho" for n, step in enumerate(self.steps)]
            answering = {port for text in self.servers for port in _ports(text)} or {"8000"}
            waits = [_wait(ports[port]) for port in sorted(answering)]
            done = subprocess.run(
                ["bash", "-c", "\n".join(["set -eo pipefail", *waits, *script])],
                cwd=folder,
                env=around,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=HANGS,
                check=False,
            )
        assert done.returncode == 0, done.stdout
        said = re.split(r"^=== \d+\n", done.stdout, flags=re.MULTILINE)[1:]
        for step, output in zip(self.steps, said, strict=True):
            expected = _moved(step.printed, ports)
            right = not expected or doctest.OutputChecker().check_output(expected, output, _FLAGS)
            assert right, f"{step.commands}\n{expected}\n{output}"
        for number, shown in self.said.items():
            printed = "".join(terminals[number - 1])
            # What they print when they are stopped comes after it.
            assert _VARIES.sub("...", printed).startswith(_VARIES.sub("...", _moved(shown, ports))), printed


@contextlib.contextmanager
def served(commands: str, folder: Path, **variables: str) -> Iterator[str]:
    """What commands print that end with starting a mock; it logs to the file `log`, and ends with the block."""
    *before, last = commands.strip().splitlines()
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            ["bash", "-ec", "\n".join([*before, f"exec {last}"])],
            cwd=folder,
            env=environment(folder) | variables,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with server:
        try:
            assert server.stdout is not None
            printed = []
            for line in server.stdout:
                printed.append(line)
                if "Ctrl-C" in line:
                    break
            yield "".join(printed)
        finally:
            server.terminate()


def run_in_bash(commands: str, folder: Path, **variables: str) -> str:
    """What commands print; each of them has to end well."""
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        env=environment(folder) | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _ports(text: str) -> list[str]:
    return re.findall(r"127\.0\.0\.1:(\d+)", text) + re.findall(r"(?:--port |PORT=)(\d+)", text)


def _free_ports(text: str) -> dict[str, str]:
    with contextlib.ExitStack() as stack:
        sockets = {port: stack.enter_context(listen("127.0.0.1", 0)) for port in sorted({*_ports(text), "8000"})}
        return {port: str(one.getsockname()[1]) for port, one in sockets.items()}


def _moved(text: str, ports: Mapping[str, str]) -> str:
    moved = re.sub(r"127\.0\.0\.1:(\d+)", lambda match: f"127.0.0.1:{ports[match[1]]}", text)
    return re.sub(r"(--port |PORT=)(\d+)", lambda match: f"{match[1]}{ports[match[2]]}", moved)


def _wait(port: str) -> str:
    """Lets curl wait until a server answers."""
    limits = f"--retry 200 --retry-delay 0 --retry-max-time {HANGS:.0f} --retry-connrefused"
    return f"curl -s -o /dev/null {limits} http://127.0.0.1:{port}/"


def environment(folder: Path) -> dict[str, str]:
    """The variables of a reader's shell, in which `attendee-mock` is that of this environment and all is installed."""
    python = shlex.quote(sys.executable)
    for name, does in {"attendee-mock": f'exec {python} -m mockserver "$@"', "pip": "true"}.items():
        shim = folder / name
        shim.write_text(f"#!/bin/sh\n{does}\n", "utf-8")
        shim.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATTENDEE_")}
    return kept | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def _running(
    servers: list[str], ports: Mapping[str, str], folder: Path, around: Mapping[str, str]
) -> Iterator[list[list[str]]]:
    """Starts the servers; gives the lines that each prints, all of them once the block has ended."""
    terminals: list[list[str]] = []
    with contextlib.ExitStack() as stack:
        for commands in servers:
            *before, last = _moved(commands, ports).strip().splitlines()
            given = {**around, "ATTENDEE_MOCK_PORT": ports["8000"]}
            script = "\n".join([*before, f"exec {last}"])
            server = subprocess.Popen(
                ["bash", "-c", script],
                cwd=folder,
                env=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert server.stdout is not None
            lines: list[str] = []
            terminals.append(lines)
            if last.startswith("attendee-mock"):
                # The next one may need it.
                lines += [next((line for line in server.stdout if "http://" in line), "")]
            rest = Thread(target=lines.extend, args=(server.stdout,))
            rest.start()
            stack.callback(server.stdout.close)
            stack.callback(rest.join)
            stack.callback(server.wait, HANGS)
            stack.callback(server.terminate)
        yield terminals
