"""The mock as `make run` installs it: without the tools of its developers, whose packages others would load as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.machine import ROOT


def make(folder: Path) -> str:
    """Installs it into a new environment in this folder, and gives that one's Python.

    Raises CalledProcessError when it cannot be installed.
    """
    home = folder / "installed"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = str(home / "bin" / "python")
    options = ["--quiet", "--disable-pip-version-check", "-c", "constraints.txt", "-e", "."]
    subprocess.run([python, "-m", "pip", "install", *options], cwd=ROOT, check=True)
    subprocess.run([python, "-m", "compileall", "-q", "mockserver"], cwd=ROOT, check=True)
    return python
