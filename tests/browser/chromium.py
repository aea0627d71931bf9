"""Finds the browser of the tests; `python -m tests.browser.chromium` installs Debian's Chromium where that is allowed.

Nothing here fails: without a browser the tests are skipped, and say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
_INSTALL = (
    ("apt-get", "-qq", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::Retries=0", "update"),
    ("apt-get", "-qq", "-y", "--no-install-recommends", "-o", "Acquire::http::Timeout=10", "install", "chromium"),
)


def find() -> str | None:
    """The browser: the one that CHROMIUM names, or one of this machine."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def install() -> str:
    """Installs the browser with apt-get, as root only; says in one line what came of it."""
    if (found := find()) is not None:
        return f"the browser of the tests is {found}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "no browser, and this user cannot install one with apt-get: the tests of the page will be skipped"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in _INSTALL:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            return f"Chromium cannot be installed here ({said}): the tests of the page will be skipped"
    return f"Chromium is installed: {find()}"


if __name__ == "__main__":
    sys.stdout.write(install() + "\n")
