"""Runs the tests on this machine's Pythons: `make test-all` on each, `make test-newest` some of them on the newest.

python -m tests.pythons all | newest [TEST]...
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
OLDEST, NEWEST = 11, 14
"""The minor versions of Python 3 that CI covers."""
INSTALLING, TESTING = 20 * 60.0, 90 * 60.0
"""Seconds after which a step is ended: it hangs."""
# An interpreter without these makes no environment: Debian has them in a package of their own.
_PROBE = "import ensurepip, venv, sys; print('%d.%d.%d' % sys.version_info[:3])"


class Python(NamedTuple):
    """An interpreter that runs."""

    version: tuple[int, int, int]
    path: str

    @property
    def minor(self) -> str:
        """As in the name of its environment."""
        return f"3.{self.version[1]}"

    def __str__(self) -> str:
        return "Python " + ".".join(map(str, self.version))


def candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """What may be an interpreter: those of PYTHONS, the names python3.N on PATH, and what pyenv has installed."""
    yield from shlex.split(environ.get("PYTHONS", ""))
    for folder in environ.get("PATH", "").split(os.pathsep):
        for minor in range(OLDEST, NEWEST + 1):
            path = Path(folder or ".") / f"python3.{minor}"
            if path.is_file():
                yield str(path)
    try:
        done = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False, timeout=60, env=environ)
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.returncode == 0:
        yield from map(str, sorted(Path(done.stdout.strip()).glob("versions/3.*/bin/python"), reverse=True))


def probed(path: str) -> Python | None:
    """The interpreter at a path, if it runs, is new enough and can make environments. pyenv's shims may only fail."""
    try:
        done = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.fullmatch(r"3\.(\d+)\.(\d+)", done.stdout.strip()) if done.returncode == 0 else None
    if match is None or int(match[1]) < OLDEST:
        return None
    return Python((3, int(match[1]), int(match[2])), path)


def found(environ: Mapping[str, str]) -> list[Python]:
    """One interpreter of each minor version, the oldest first; of several of one version the first candidate."""
    by_minor: dict[str, Python] = {}
    for path in dict.fromkeys(candidates(environ)):
        python = probed(path)
        if python is not None:
            by_minor.setdefault(python.minor, python)
    return sorted(by_minor.values())


def missing(pythons: Sequence[Python]) -> list[str]:
    """The versions that CI covers and this machine lacks."""
    here = {python.minor for python in pythons}
    return [name for name in (f"3.{minor}" for minor in range(OLDEST, NEWEST + 1)) if name not in here]


def environment(python: Python) -> Path:
    """The environment of an interpreter: the one that runs this if the versions agree, else one of its own."""
    ours = sys.prefix != sys.base_prefix and sys.version_info[:3] == python.version
    return Path(sys.prefix) if ours else ROOT / f".venv-{python.minor}"


def installed(python: Python) -> str:
    """The interpreter in its environment, with the mock and its tools: installed once, and again when that changes.

    Raises CalledProcessError and TimeoutExpired.
    """
    folder = environment(python)
    inside, stamp = str(folder / "bin" / "python"), folder / "dev.stamp"
    wanted = max((ROOT / name).stat().st_mtime for name in ("pyproject.toml", "constraints.txt"))
    if Path(inside).exists() and stamp.exists() and stamp.stat().st_mtime >= wanted:
        return inside
    print(f"installing the mock and its tools into {folder.name} ({python}; once)", flush=True)
    subprocess.run([python.path, "-m", "venv", folder], check=True, timeout=INSTALLING)
    pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary", "-e", ".[dev]"]
    pins = ["-c", "constraints.txt", "--only-binary", ":all:"]
    if subprocess.run([*pip, *pins], cwd=ROOT, check=False, timeout=INSTALLING).returncode:
        print(f"constraints.txt does not fit {python}; installing the newest versions that do", flush=True)
        subprocess.run(pip, cwd=ROOT, check=True, timeout=INSTALLING)
    stamp.touch()
    return inside


def tested(python: Python, tests: Sequence[str]) -> str:
    """Runs tests on one interpreter; gives what is wrong, or nothing."""
    try:
        inside = installed(python)
        command = [inside, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", *tests]
        done = subprocess.run(command, cwd=ROOT, check=False, timeout=TESTING)
    except subprocess.CalledProcessError:
        return "the environment could not be made; see above"
    except subprocess.TimeoutExpired as error:
        return f"ended after {error.timeout / 60:.0f} minutes, for it did not end"
    return f"pytest ended with exit status {done.returncode}" if done.returncode else ""


def on_each(pythons: Sequence[Python], tests: Sequence[str], remarks: Sequence[str] = ()) -> int:
    """Runs tests on every interpreter and sums up; 1 if anything failed, or nothing could be tested."""
    lines: list[str] = []
    failed = not pythons
    for python in pythons:
        print(f"=== {python} ({python.path})", flush=True)
        began = time.monotonic()
        wrong = tested(python, tests)
        failed = failed or bool(wrong)
        outcome = f"FAILED: {wrong}" if wrong else "passed"
        lines.append(f"{python}: {outcome} ({time.monotonic() - began:.0f} s)")
    print("\n" + "\n".join([*lines, *remarks]))
    return 1 if failed else 0


def on_all(pythons: Sequence[Python], tests: Sequence[str]) -> int:
    """Runs tests on every interpreter, and says which versions are missing."""
    return on_each(pythons, tests, [f"Python {name}: not found on this machine" for name in missing(pythons)])


def on_newest(pythons: Sequence[Python], tests: Sequence[str]) -> int:
    """Runs tests on the newest interpreter, unless it is that of `make test`, which runs all of them."""
    ours = sys.version_info[:2]
    if not pythons or pythons[-1].version[:2] <= ours:
        print(f"Python 3.{ours[1]} is the newest here, and `make test` runs every test on it: nothing more to do")
        return 0
    return on_each(pythons[-1:], tests)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Does what the module's docstring says; gives the exit status."""
    # What runs this has an environment already: it is preferred to another interpreter of its version.
    given = {**environ, "PYTHONS": f"{environ.get('PYTHONS', '')} {shlex.quote(sys.executable)}"}
    match arguments:
        case ["all", *tests]:
            return on_all(found(given), tests)
        case ["newest", *tests]:
            return on_newest(found(given), tests)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
