"""The machine that figures come from: its cores, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVER_CORE, LOAD_CORE = 0, 1
_PACKAGES = ("h11", "uvicorn", "httptools", "uvloop", "connexion", "schemathesis")
_TOOLS = {"wrk": ("wrk", "-v"), "node": ("node", "--version"), "java": ("java", "-version"), "nginx": ("nginx", "-v")}


def pinned(core: int | None) -> list[str]:
    """What comes before a command that is to keep to one core, or with None may use all, whatever this process does."""
    cores = os.cpu_count() or 1
    return ["taskset", "-c", f"0-{cores - 1}" if core is None else str(core)] if _can_pin(cores) else []


def _can_pin(cores: int) -> bool:
    return cores > 1 and shutil.which("taskset") is not None


def pin_this_process() -> None:
    """Keeps this process, with the load that it makes itself, off the core of the servers."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {LOAD_CORE})


def describe() -> dict[str, str]:
    """What to say of the machine in a table."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }
    return {**found, **{name: tool_version(command) for name, command in _TOOLS.items()}}


def tool_version(command: Sequence[str]) -> str:
    """The first number with dots that a tool says of itself."""
    if shutil.which(command[0]) is None:
        return "missing"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return match[0] if match else "unknown"


def shown(command: Sequence[str], *folders: Path) -> str:
    """A command as somebody else would write it: without the folders of this machine."""
    text = " ".join(f"'{part}'" if " " in part else part for part in command)
    for folder in (ROOT, *folders):
        text = text.replace(f"{folder}/", "")
    return text.replace(sys.executable, "python")


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    text = information.read_text("utf-8") if information.exists() else ""
    match = re.search(r"model name\s*:\s*(.+)", text)
    return match[1].strip() if match else platform.machine()
