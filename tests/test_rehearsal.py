"""The walk-through in docs/rehearsal.md does what it says."""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from mockserver.cli.main import cli
from mockserver.server import listen
from tests import pages
from tests.patience import HANGS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")


class Block(NamedTuple):
    """Commands, and what they print; of the two servers nothing is said."""

    commands: str
    printed: str


def blocks() -> list[Block]:
    found = re.findall(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE, re.MULTILINE | re.DOTALL)
    return [Block(commands, printed) for commands, printed in found]


RUN = pages.blocks("docs/rehearsal.md", "sh")
RUN += [
    block
    for block in pages.blocks("examples/integrator/README.md", "sh")
    if {*block.text.split("\n")} <= {*"\n".join(one.text for one in RUN).split("\n")}
]
"""Every block whose commands the tests below type."""
SERVERS = [block.commands for block in blocks() if block.commands.startswith("# terminal")]
STEPS = [block for block in blocks() if not block.commands.startswith("# terminal")]


def test_every_command_in_the_page_can_be_typed() -> None:
    lines = re.findall(
        r"^(?:\w+=\$\()?(attendee-mock .*?)(?: \|.*)?\)?$", "".join(b.commands for b in blocks()), re.MULTILINE
    )
    assert len(lines) > 10
    for line in lines:
        command: click.Command = cli
        context, words = cli.make_context("attendee-mock", shlex.split(line)[1:]), shlex.split(line)[1:]
        while isinstance(command, click.Group) and words:
            name, found, words = command.resolve_command(context, words)
            assert found is not None
            command, context = found, found.make_context(name, list(words), parent=context)


@contextlib.contextmanager
def on_stage(folder: Path) -> Iterator[dict[str, str]]:
    """The page's first two terminals on free ports; gives how its ports are called here."""
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as two:
        ports = {"8000": str(one.getsockname()[1]), "3000": str(two.getsockname()[1])}
    for name in ("attendee-mock", "python3"):
        shim = folder / name
        module = " -m mockserver" if name == "attendee-mock" else ""
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{module} "$@"\n', "utf-8")
        shim.chmod(0o755)
    world = folder / "world.yaml"
    world.write_text(moved((ROOT / "examples/integrator/world.yaml").read_text("utf-8"), ports), "utf-8")
    with contextlib.ExitStack() as stack:
        for commands in SERVERS:
            script = moved(commands, ports).replace("examples/integrator/world.yaml", str(world))
            *before, last = script.strip().splitlines()
            script = "\n".join([*before, f"exec {last}"])
            environment = around(folder) | {"ATTENDEE_MOCK_PORT": ports["8000"], "PORT": ports["3000"]}
            server = subprocess.Popen(["bash", "-c", script], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            stack.callback(server.wait, HANGS)
            stack.callback(server.terminate)
        yield ports


def around(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATTENDEE_")}
    return kept | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def moved(text: str, ports: dict[str, str]) -> str:
    return re.sub(r"127\.0\.0\.1:(\d+)", lambda match: f"127.0.0.1:{ports[match[1]]}", text)


def wait_for(ports: dict[str, str]) -> str:
    """Lets curl wait until both servers answer."""
    curl = f"curl -s -o /dev/null --retry 200 --retry-delay 0 --retry-max-time {HANGS:.0f} --retry-connrefused"
    return "\n".join(f"{curl} http://127.0.0.1:{port}/" for port in ports.values())


def test_the_walk_through_does_what_it_says(tmp_path: Path) -> None:
    with on_stage(tmp_path) as ports:
        steps = [f"echo '=== {n}'\n{moved(step.commands, ports)}\necho" for n, step in enumerate(STEPS)]
        script = "\n".join(["set -eo pipefail", wait_for(ports), *steps])
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env=around(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=HANGS,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    said = re.split(r"^=== \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    assert len(said) == len(STEPS)
    checker = doctest.OutputChecker()
    for step, output in zip(STEPS, said, strict=True):
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert checker.check_output(step.printed, output, flags), f"{step.commands}\n{step.printed}\n{output}"
