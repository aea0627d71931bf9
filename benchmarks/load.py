"""Requests a second that a server answers: by wrk, or by this project's own generator where wrk is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks import paced
from benchmarks.machine import LOAD_CORE, pinned
from benchmarks.servers import AUTHORIZATION, CALENDAR

CONNECTIONS = 16
SECONDS = 2.0
METADATA = b'{"metadata": {"department": "engineering", "team": "backend"}}'


class Refused(Exception):
    """A server answered something else than 2xx, or broke off: its rate would mean nothing."""


@dataclass(frozen=True)
class Case:
    """A request to measure with."""

    name: str
    method: str
    path: str
    body: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        """What goes along."""
        return {"Authorization": AUTHORIZATION, **({"Content-Type": "application/json"} if self.body else {})}

    def bytes_for(self, url: str) -> bytes:
        """The request as it goes over the wire."""
        return paced.request(self.method, url + self.path, self.headers, self.body)

    def script(self) -> str:
        """The request as wrk is told."""
        lines = [f'wrk.method = "{self.method}"']
        lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in self.headers.items()]
        return "\n".join([*lines, f"wrk.body = '{self.body.decode()}'" if self.body else "", ""])


GET = Case("GET a calendar by id", "GET", CALENDAR)
PATCH = Case("PATCH with metadata", "PATCH", CALENDAR, METADATA)
PAGE = Case("first page of 25 calendars", "GET", "/api/v1/calendars")


def generator() -> str:
    """Which load generator is used."""
    return "wrk" if shutil.which("wrk") else "benchmarks.paced"


def wrk_command(url: str, script: Path, seconds: float, core: list[str]) -> list[str]:
    """The command; `script` tells method, headers and body."""
    return [*core, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script), url]


def read_wrk(text: str) -> float:
    """The rate that wrk found.

    Raises Refused, also for time-outs and connections that broke off.
    """
    wrong = re.search(r"(Non-2xx or 3xx responses|Socket errors): .+", text)
    match = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if wrong or not match:
        raise Refused(wrong[0].strip() if wrong else f"wrk said nothing of a rate: {text[:200]!r}")
    return float(match[1])


def rate(case: Case, url: str, folder: Path, seconds: float = SECONDS) -> float:
    """Requests a second that the server at `url` answers, with the load on its own core; `folder` is for scratch.

    Raises Refused.
    """
    if generator() == "wrk":
        script = folder / f"{case.method.lower()}.lua"
        script.write_text(case.script(), "utf-8")
        return run_wrk(url + case.path, script, seconds)
    outcome = paced.drive(url, paced.Same(case.bytes_for(url)), seconds=seconds, connections=CONNECTIONS)
    if outcome.refused:
        raise Refused(f"{outcome.refused} of {outcome.due} requests were refused")
    return outcome.rate


def run_wrk(url: str, script: Path, seconds: float, *, core: list[str] | None = None) -> float:
    """The rate that wrk finds with a script; on the core of the load unless told otherwise.

    Raises Refused.
    """
    command = wrk_command(url, script, seconds, pinned(LOAD_CORE) if core is None else core)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return read_wrk(done.stdout + done.stderr)
