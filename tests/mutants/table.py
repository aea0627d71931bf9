"""Measures the judge: each mutant, by which rule it is found, after how many requests and seconds.

python -m tests.mutants.table [--schemathesis] [--seconds 60] [--output benchmarks/detection.md] [ID or area]...

The rows of the other mutants stay in the file as they were measured.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from mockserver.app import Mock
from mockserver.conformance import check
from mockserver.server import running
from mockserver.settings import Settings
from tests.clients import ACME, GLOBEX
from tests.mutants.mutant import Mutant
from tests.patience import HANGS

FOLDER = Path(__file__).parent
SEED = FOLDER.parent / "recorded" / "seed.json"
DISABLED = "acmeNBynNioY6eKvKFo7AcioMD3GRD96"
SECONDS = 60.0
_MISSED = "**not found**"
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")


class Row(NamedTuple):
    """What came of one mutant."""

    mutant: str
    area: str
    defect: str
    rules: tuple[str, ...] = ()
    """Each with its operation; none where it was not found."""
    requests: int = 0
    seconds: float = 0.0
    schemathesis: str = ""


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


def measure(name: str, *, seconds: float | None = SECONDS, seed: int = 1, schemathesis: bool = False) -> Row:
    """Judges one mutant until its first finding; without `seconds` each part of the judge runs once."""
    mutant = mutants()[name]
    report = check(
        mutant.apply(new_mock()),
        key=ACME,
        other_key=GLOBEX,
        disabled_key=DISABLED,
        time_budget=seconds,
        seed=seed,
        first_only=True,
    )
    found = tuple(f"{finding.rule} ({finding.operation})" for finding in report.findings)
    requests, taken = report.first_finding or (report.requests, report.seconds)
    plain = _plain(name) if schemathesis else ""
    gc.collect()
    return Row(name, mutant.area, mutant.defect, found, requests, taken, plain)


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


def table(rows: list[Row]) -> str:
    """The rows as Markdown, with what they come to."""
    found = [row for row in rows if row.rules]
    tried = [row for row in rows if row.schemathesis]
    more = [row for row in tried if row.schemathesis != "-"]
    middle = statistics.median([row.seconds for row in found]) if found else 0.0
    asked = statistics.median([row.requests for row in found]) if found else 0
    lines = [
        "# What the judge finds",
        "",
        "Written by `make mutants`. Each mutant is a mock with one defect, judged in process until the first finding.",
        f"Plain `schemathesis run` (its defaults, 30 s each) was tried on {len(tried)} of them and found {len(more)}.",
        "In the last column, `-` means that it found no more than on the unchanged mock.",
        "",
        f"{len(found)} of {len(rows)} found; median {asked:.0f} requests and {middle:.1f} s to the first finding.",
        "",
        "| area | mutants | found | median requests | median seconds |",
        "| --- | --- | --- | --- | --- |",
        *_areas(rows),
        "",
        "| mutant | area | defect | found by | requests | seconds | `schemathesis run` |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        rules = ", ".join(row.rules) or _MISSED
        cells = (row.mutant, row.area, row.defect, rules, row.requests, f"{row.seconds:.1f}", row.schemathesis or "")
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def measured(text: str) -> dict[str, Row]:
    """The rows of a table that was written before, by the mutant's id."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in _BETWEEN_CELLS.split(line)[1:-1]]
        if len(cells) == len(Row._fields) and cells[4].isdigit():
            rules = () if cells[3] == _MISSED else tuple(cells[3].split(", "))
            rows[cells[0]] = Row(cells[0], cells[1], cells[2], rules, int(cells[4]), float(cells[5]), cells[6])
    return rows


def _areas(rows: list[Row]) -> Iterator[str]:
    for area in dict.fromkeys(row.area for row in rows):
        of = [row for row in rows if row.area == area]
        found = [row for row in of if row.rules]
        asked = statistics.median([row.requests for row in found]) if found else 0
        taken = statistics.median([row.seconds for row in found]) if found else 0.0
        yield f"| {area} | {len(of)} | {len(found)} | {asked:.0f} | {taken:.1f} |"


def main() -> int:
    """Measures the mutants that were asked for; 1 if one was not found."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("wanted", nargs="*", help="ids or areas; all without any")
    options.add_argument("--schemathesis", action="store_true", help="run plain schemathesis as well, which is slow")
    options.add_argument("--seconds", type=float, default=SECONDS)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--output", type=Path)
    given = options.parse_args()
    rows: list[Row] = []
    job = partial(measure, seconds=given.seconds, seed=given.seed, schemathesis=given.schemathesis)
    with ProcessPoolExecutor(given.jobs) as pool:
        for row in pool.map(job, chosen(given.wanted)):
            rows.append(row)
            rules = ", ".join(row.rules) or "NOT FOUND"
            print(f"{row.mutant:44} {row.requests:>6} {row.seconds:>6.1f} s  {rules}  [{row.defect}]", flush=True)
    if given.output is not None:
        earlier = measured(given.output.read_text("utf-8")) if given.output.exists() else {}
        known = earlier | {row.mutant: row for row in rows}
        given.output.write_text(table([known[name] for name in mutants() if name in known]), encoding="utf-8")
    missed = [row.mutant for row in rows if not row.rules]
    print(f"{len(rows) - len(missed)} of {len(rows)} found" + (f"; not: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
