"""Judges mutants to the end, and takes drawn findings again by their files: on the mutant and on the unchanged mock.

Each is judged over HTTP, as its findings are taken again.

python -m tests.mutants.drawn [--mutants 60] [--findings 100] [--requests 3000] [--seed 13] [ID or area]...

It prints how many findings each mutant has (one cause should be one finding), the exit status of each run, and what the
replay file, the pytest file and the curl lines of each drawn finding say.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from mockserver.conformance import check
from mockserver.conformance.checking import replay
from mockserver.conformance.report import LEFT_BEHIND
from mockserver.conformance.reports.folder import name_of, write_findings
from mockserver.conformance.run import Stopped
from mockserver.conformance.runner import JudgeRun
from mockserver.server import running
from tests.clients import ACME, GLOBEX
from tests.mutants.scripts import verdict_of
from tests.mutants.table import DISABLED, chosen, new_mock, served

KEYS = {"main": ACME, "other": GLOBEX, "disabled": DISABLED}
WANTED = ("shows", "shows", "shows", "gone", "gone", "gone")
_STATUSES = {0: "gone", 1: "shows", 2: "cannot be run"}


class Found(NamedTuple):
    """A finding of a run, with the stem of its files' names."""

    name: str
    stem: str
    symptoms: tuple[str, ...]


class Whole(NamedTuple):
    """What came of a run on a mutant to its end."""

    mutant: str
    findings: tuple[Found, ...]
    exit_status: int
    left: tuple[str, ...]
    requests: int


def whole(name: str, folder: Path, requests: int, seed: int = 1) -> Whole:
    """Judges a mutant until so many requests are sent, whatever time that takes, and writes its findings' files."""

    def end(run: JudgeRun) -> None:
        if run.target.sent >= requests:  # type: ignore[attr-defined]  # the target of a whole run counts
            raise Stopped("all requests were sent")

    with running(mock=served(name)) as server:
        report = check(
            server.url,
            key=ACME,
            other_key=GLOBEX,
            disabled_key=DISABLED,
            time_budget=math.inf,
            seed=seed,
            progress=end,
        )
    write_findings(report, folder / name)
    found = tuple(
        Found(finding.name, name_of(finding), tuple(symptom.name for symptom in finding.symptoms))
        for finding in report.findings
    )
    gc.collect()
    return Whole(name, found, report.exit_status, tuple(report.left), report.requests)


def verdicts(name: str, folder: Path, stem: str) -> tuple[str, ...]:
    """What the three files of a finding say on its mutant, and then on the unchanged mock, each as it was at first."""
    said = []
    for mutant in (name, None):
        for by in (_by_replay, _by_pytest, _by_curl):
            with running(mock=new_mock() if mutant is None else served(mutant)) as server:
                said.append(by(folder / name, stem, server.url))
    gc.collect()
    return tuple(said)


def _by_replay(folder: Path, stem: str, url: str) -> str:
    status, _ = replay(folder / f"{stem}.json", url, key=ACME, other_key=GLOBEX, disabled_key=DISABLED)
    return _STATUSES[status]


def _by_pytest(folder: Path, stem: str, url: str) -> str:
    space: dict[str, Any] = {"__name__": "finding"}
    exec(compile((folder / f"test_{stem}.py").read_text("utf-8"), stem, "exec"), space)
    space["BASE"] = url
    space["KEYS"].update(KEYS)
    try:
        next(value for name, value in space.items() if name.startswith("test_"))()
    except AssertionError:
        return "shows"
    except pytest.skip.Exception:
        return "cannot be run"
    return "gone"


def _by_curl(folder: Path, stem: str, url: str) -> str:
    recipe = json.loads((folder / f"{stem}.json").read_text("utf-8"))
    return verdict_of(folder / f"{stem}.sh", recipe, url, KEYS)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("wanted", nargs="*", help="ids or areas; all without any")
    options.add_argument("--mutants", type=int, default=60)
    options.add_argument("--findings", type=int, default=100)
    options.add_argument("--requests", type=int, default=3000)
    options.add_argument("--seed", type=int, default=13, help="of what is drawn")
    options.add_argument("--jobs", type=int, default=2)
    return options.parse_args()


def _tell_runs(runs: Sequence[Whole]) -> None:
    counts = Counter(min(len(one.findings), 3) for one in runs)
    print(", ".join(f"{counts[number]} mutants with {number} findings" for number in (0, 1, 2)), end=", ")
    print(f"{counts[3]} with more; {sum(one.exit_status == LEFT_BEHIND for one in runs)} runs end with 3")


def main() -> int:
    """Judges, draws and takes again; 1 if a finding is not as it should be on one of the two."""
    given = _options()
    draw = Random(given.seed)
    names = sorted(chosen(given.wanted))
    names = draw.sample(names, min(given.mutants, len(names)))
    wrong, runs = 0, []
    with TemporaryDirectory() as text, ProcessPoolExecutor(given.jobs) as pool:
        folder = Path(text)
        for one in pool.map(partial(whole, folder=folder, requests=given.requests), names):
            runs.append(one)
            told = "; ".join(f"{found.name} (+{len(found.symptoms)})" for found in one.findings) or "NOTHING FOUND"
            print(f"{one.mutant:44} exit {one.exit_status}, {len(one.left)} left: {told}", flush=True)
        _tell_runs(runs)
        every = [(one.mutant, found.stem) for one in runs for found in one.findings]
        pairs = draw.sample(every, min(given.findings, len(every)))
        pending = [(pair, pool.submit(verdicts, pair[0], folder, pair[1])) for pair in pairs]
        for (mutant, stem), done in pending:
            right = done.result() == WANTED
            wrong += not right
            print(f"{mutant:44} {stem}: {'as it should be' if right else ', '.join(done.result())}", flush=True)
    print(f"{len(pairs) - wrong} of {len(pairs)} findings as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
