"""Measures the judge: each mutant, by which rule it is found, after how many requests and seconds.

python -m tests.mutants.table [--latency 50] [--schemathesis] [--output benchmarks/detection.md] [ID or area]...

Each row is written as soon as it is measured. The rows of the other mutants stay in the file as they were, also where
Ctrl-C or SIGTERM ends the run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import math
import multiprocessing
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from copy import copy
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.conformance import check
from mockserver.conformance.runner import JudgeRun
from mockserver.server import running
from mockserver.settings import Settings
from tests.clients import ACME, GLOBEX
from tests.mutants.mutant import Mutant
from tests.patience import HANGS

FOLDER = Path(__file__).parent
SEED = FOLDER.parent / "recorded" / "seed.json"
DISABLED = "acmeNBynNioY6eKvKFo7AcioMD3GRD96"
SECONDS = 60.0
FAR = 50
"""The milliseconds of latency that have columns of their own."""
_MISSED = "**not found**"
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")
_LOAD = re.compile(r"load (\d+\.\d)")
_CELLS = 11


class Taken(NamedTuple):
    """What it took to find a mutant; or what was tried, where it was not found."""

    requests: int
    seconds: float
    found: bool
    measured: str = ""
    """The day, and the load of the machine: the processes that wanted to run, for each core."""


class Row(NamedTuple):
    """What came of one mutant."""

    mutant: str
    area: str
    defect: str
    rules: tuple[str, ...] = ()
    """Each with its operation; none where it was not found."""
    near: Taken | None = None
    """Without latency; None where that was not measured."""
    far: Taken | None = None
    """At FAR milliseconds a request."""
    schemathesis: str = ""


class Delayed:
    """An application behind a long way: each request waits in the event loop, which costs no processor time."""

    def __init__(self, app: App, seconds: float) -> None:
        self.seconds = seconds
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        await self._app(scope, receive, send)


def mutants() -> dict[str, Mutant]:
    """Every mutant, by its id."""
    found: dict[str, Mutant] = {}
    for path in sorted(FOLDER.glob("*.py")):
        for mutant in getattr(importlib.import_module(f"tests.mutants.{path.stem}"), "MUTANTS", ()):
            assert mutant.id not in found, f"two mutants are called {mutant.id}"
            found[mutant.id] = mutant
    return found


def chosen(wanted: Sequence[str]) -> list[str]:
    """The ids of the mutants that are named, or whose area is; all without any."""
    every = mutants()
    unknown = set(wanted) - every.keys() - {mutant.area for mutant in every.values()}
    if unknown:
        raise SystemExit(f"no mutant and no area is called {', '.join(sorted(unknown))}")
    return [name for name, mutant in every.items() if not wanted or {name, mutant.area} & set(wanted)]


def new_mock() -> Mock:
    """A mock with the recorded data."""
    return Mock(Settings(fixtures=SEED))


def served(name: str) -> Mock:
    """A mutant as a mock that can be served."""
    mock = new_mock()
    # A copy, for a defect around the mock's own application looks for that where it was.
    mutant = copy(mock)
    mutant.asgi = mutants()[name].apply(mock)
    return mutant


def measure(
    name: str, *, seconds: float | None = SECONDS, seed: int = 1, latency: float = 0.0, schemathesis: bool = False
) -> Row:
    """Judges one mutant until its first finding; without `seconds` each part of the judge runs once.

    `latency` is in milliseconds a request. Raises KeyboardInterrupt where the run was ended before it found anything.
    """
    mutant = mutants()[name]
    target = Delayed(mutant.apply(new_mock()), latency / 1000)

    def near_once_found(run: JudgeRun) -> None:
        # What follows is the deletion of what the run made, which nobody measures.
        target.seconds = 0.0 if run.findings.broken else target.seconds

    report = check(
        target,
        key=ACME,
        other_key=GLOBEX,
        disabled_key=DISABLED,
        time_budget=seconds,
        seed=seed,
        first_only=True,
        progress=near_once_found,
    )
    if report.interrupted:
        raise KeyboardInterrupt
    found = tuple(f"{finding.rule} ({finding.operation})" for finding in report.findings)
    requests, spent = report.first_finding or (report.requests, report.seconds)
    taken = Taken(requests, spent, bool(found), _now())
    plain = _plain(name) if schemathesis else ""
    gc.collect()
    near, far = (None, taken) if latency else (taken, None)
    return Row(name, mutant.area, mutant.defect, found, near, far, plain)


def _now() -> str:
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return f"{datetime.now(UTC):%Y-%m-%d}, load {load:.1f}"


def _plain(name: str) -> str:
    """What `schemathesis run` says with its defaults, against its own alarms on the unchanged mock."""
    known = _false_alarms()
    started = time.monotonic()
    new = _alarms(served(name)) - known
    return f"{len(new)} in {time.monotonic() - started:.0f} s" if new else "-"


@cache
def _false_alarms() -> frozenset[str]:
    return frozenset(_alarms(new_mock()))


def _alarms(mock: Mock) -> set[str]:
    with running(mock=mock) as server:
        command = [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"{server.url}/__mock__/openapi.json",
            "--seed",
            "1",
        ]
        command += ["-H", f"Authorization: Token {ACME}", "--max-time", "30", "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANGS)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"schemathesis could not test: {done.stdout[-500:]}{done.stderr[-500:]}")
    lines = done.stdout.splitlines()
    operation = ""
    alarms: set[str] = set()
    for line in lines:
        if line.startswith("_____"):
            operation = line.strip("_ ")
        elif line.startswith("- "):
            alarms.add(f"{operation} {line[2:]}")
    return alarms


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, with what they come to."""
    tried = [row for row in rows if row.schemathesis]
    more = [row for row in tried if row.schemathesis != "-"]
    lines = [
        "# What the judge finds",
        "",
        "Written by `make mutants`. Each mutant is a mock with one defect. The judge checks it in process until its",
        f"first finding, for at most {SECONDS:.0f} s: without latency, and with {FAR} ms before each response,",
        "where it sends up to 8 requests at once (docs/decisions/011-side-by-side.md).",
        f"Plain `schemathesis run` (its defaults, 30 s each) was tried on {len(tried)} of them and found {len(more)}.",
        "In the last column, `-` means that it found no more than on the unchanged mock.",
        "*Measured* is the day, and the load: the number of processes that wanted to run, for each core. With a load",
        "above 1.0 the seconds are too high. *Processor time* instead of a load means that the seconds, also those of",
        "the time budget, are the processor time of the run plus the latency of its requests, as on an idle machine.",
        "",
        *_summary("Without latency", [row.near for row in rows if row.near]),
        *_summary(f"At {FAR} ms", [row.far for row in rows if row.far]),
        f"| area | mutants | found | requests | seconds | found at {FAR} ms | requests | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *_areas(rows),
        "",
        "The requests and seconds of an area are medians.",
        "",
        f"| mutant | area | defect | found by | requests | seconds | measured | requests at {FAR} ms | seconds |"
        " measured | `schemathesis run` |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        found = (row.mutant, row.area, row.defect, ", ".join(row.rules))
        cells = (*found, *_cells(row.near), *_cells(row.far), row.schemathesis)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _summary(where: str, taken: Sequence[Taken]) -> list[str]:
    """What was measured in one way comes to."""
    found = [one for one in taken if one.found]
    if not found:
        return []
    requests, seconds = [one.requests for one in found], [one.seconds for one in found]
    loads = [float(load[1]) for one in taken if (load := _LOAD.search(one.measured))]
    under = f" Load: median {statistics.median(loads):.1f} for each core, at most {max(loads):.1f}." if loads else ""
    return [
        f"{where}: {len(found)} of {len(taken)} found. To the first finding: median {statistics.median(requests):.0f} "
        f"requests and {statistics.median(seconds):.1f} s;",
        f"90th percentile {_ninetieth(requests):.0f} requests and {_ninetieth(seconds):.1f} s.{under}",
        "",
    ]


def _ninetieth(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


def _cells(taken: Taken | None) -> tuple[str, str, str]:
    if taken is None:
        return "", "", ""
    return str(taken.requests), f"{taken.seconds:.1f}" if taken.found else _MISSED, taken.measured


def measured(text: str) -> dict[str, Row]:
    """The rows of a table that was written before, by the mutant's id."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in _BETWEEN_CELLS.split(line)[1:-1]]
        if len(cells) == _CELLS and (cells[4] + cells[7]).isdigit():
            rules = tuple(cells[3].split(", ")) if cells[3] else ()
            near, far = _taken(*cells[4:7]), _taken(*cells[7:10])
            rows[cells[0]] = Row(cells[0], cells[1], cells[2], rules, near, far, cells[10])
    return rows


def _taken(requests: str, seconds: str, when: str) -> Taken | None:
    if not requests:
        return None
    found = seconds != _MISSED
    return Taken(int(requests), float(seconds) if found else SECONDS, found, when)


def _areas(rows: Sequence[Row]) -> Iterator[str]:
    for area in dict.fromkeys(row.area for row in rows):
        of = [row for row in rows if row.area == area]
        cells = [area, str(len(of))]
        for taken in ([row.near for row in of if row.near], [row.far for row in of if row.far]):
            found = [one for one in taken if one.found]
            cells.append(str(len(found)) if taken else "")
            cells.append(f"{statistics.median([one.requests for one in found]):.0f}" if found else "")
            cells.append(f"{statistics.median([one.seconds for one in found]):.1f}" if found else "")
        yield "| " + " | ".join(cells) + " |"


def merged(earlier: Row | None, new: Row) -> Row:
    """A row as it is after a further measurement, which leaves alone what it did not measure."""
    if earlier is None:
        return new
    near, far = new.near or earlier.near, new.far or earlier.far
    rules = new.rules if new.near is not None or not earlier.rules else earlier.rules
    return new._replace(rules=rules, near=near, far=far, schemathesis=new.schemathesis or earlier.schemathesis)


def write(path: Path, row: Row) -> None:
    """Puts a row into the table of a file, which is whole at every moment."""
    rows = measured(path.read_text("utf-8")) if path.exists() else {}
    rows[row.mutant] = merged(rows.get(row.mutant), row)
    beside = path.with_suffix(".part")
    beside.write_text(table([rows[name] for name in mutants() if name in rows]), encoding="utf-8")
    beside.replace(path)


def as_measured(job: Callable[[str], Row], names: Sequence[str], jobs: int) -> Generator[Row]:
    """The rows in the order in which they are done; where it is closed before its end, nothing goes on."""
    with ProcessPoolExecutor(jobs) as pool:
        pending = [pool.submit(job, name) for name in names]
        try:
            for done in as_completed(pending):
                yield done.result()
        finally:
            if not all(one.done() for one in pending):
                pool.shutdown(wait=False, cancel_futures=True)
                for child in multiprocessing.active_children():
                    child.kill()


def _told(row: Row) -> str:
    taken = row.far or row.near
    assert taken is not None
    rules = ", ".join(row.rules) or "NOT FOUND"
    return f"{row.mutant:44} {taken.requests:>6} {taken.seconds:>6.1f} s  {rules}  [{row.defect}]"


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("wanted", nargs="*", help="ids or areas; all without any")
    options.add_argument("--latency", type=float, default=0.0, metavar="MS", help="milliseconds before each answer")
    options.add_argument("--schemathesis", action="store_true", help="run plain schemathesis as well, which is slow")
    options.add_argument("--seconds", type=float, default=SECONDS)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--output", type=Path)
    given = options.parse_args()
    if given.output is not None and given.latency not in (0.0, FAR):
        options.error(f"the table has columns for no latency and for {FAR} ms; leave out --output for any other")
    return given


def main() -> int:
    """Measures the mutants that were asked for; 1 if one was not found, 130 if it was stopped."""
    given = _options()
    names = chosen(given.wanted)
    rows: list[Row] = []
    job = partial(
        measure, seconds=given.seconds, seed=given.seed, latency=given.latency, schemathesis=given.schemathesis
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.closing(as_measured(job, names, given.jobs)) as done:
            for row in done:
                rows.append(row)
                if given.output is not None:
                    write(given.output, row)
                print(_told(row), flush=True)
    except KeyboardInterrupt:
        print(f"stopped: {len(rows)} of {len(names)} measured; the rows of the others are as they were")
        return 130
    missed = [row.mutant for row in rows if not row.rules]
    print(f"{len(rows) - len(missed)} of {len(rows)} found" + (f"; not: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
