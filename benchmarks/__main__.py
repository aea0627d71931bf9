"""Measures everything, and writes the tables and the picture: `python -m benchmarks` (a quarter of an hour)."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import (
    conformance_speed,
    installed,
    load,
    machine,
    memory,
    paced,
    peers,
    picture,
    scaling,
    startup,
    tables,
    throughput,
)
from benchmarks.load import GET, PAGE, PATCH, Case
from benchmarks.rounds import Spread, by_turns, shares
from benchmarks.servers import BARE, MOCK, DidNotStart, Running, Server, mock, started

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
PACED_ROUNDS, PACED_SECONDS = 3, 3.0
Results = dict[str, Any]
T = TypeVar("T")


def main() -> None:
    """Measures and writes; takes nothing but --help."""
    argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__).parse_args()
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        results = measure(Path(name))
    results["minutes"] = round((time.perf_counter() - began) / 60, 1)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    tables.write(results, FOLDER / "README.md")
    (FOLDER / "throughput.svg").write_text(picture.draw(results), "utf-8")
    print(f"{results['minutes']} minutes; written: benchmarks/README.md, results.json, throughput.svg\n")
    print(tables.goals(results))


def step(text: str, work: Callable[[], T]) -> T:
    """Says what is being done, and does it."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)
    return work()


def measure(folder: Path) -> Results:
    """Everything."""
    # Before this process is kept to one core: nginx, mocks and wrk share both.
    grown = step("several processes behind nginx", lambda: scaled(folder))
    machine.pin_this_process()
    results: Results = {"when": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine.describe()}
    results["generator"] = load.generator()
    with ExitStack() as stack:
        running, answers = throughput.pair(stack, folder)
        others, lacking = step("the peers", lambda: chosen(folder, answers))
        results["not_measured"] = lacking
        running += step("starting all", lambda: start_all(stack, others, lacking))
        servers = [one.server for one in running]
        results["versions"] = {one.name: one.version for one in servers if one.version}
        results["commands"] = {one.name: machine.shown(one.command, folder) for one in servers}
        results["idle"] = {one.server.name: one.resident for one in running}
        results |= rates_of(running, folder)
    rates = step(PAGE.name, lambda: throughput.page_rates(folder))
    results["throughput"][PAGE.name], results["shares"][PAGE.name] = told(rates)
    python = step("the mock as make run installs it", lambda: installed.make(folder))
    as_used = [mock(python=python) if server.name == MOCK else server for server in servers]
    results["startup"] = step("starts", lambda: spreads(startup.measure(as_used)))
    results["memory"] = step("memory", lambda: {str(done): size for done, size in memory.measure(python).items()})
    results["conformance"] = step("judge and schemathesis", lambda: judged(folder))
    results["scaling"] = grown
    return results


def chosen(folder: Path, answers: dict[str, bytes]) -> tuple[list[Server], dict[str, str]]:
    """What can be measured beside the mock, and why the rest cannot."""
    wrong, names = peers.install(), (*peers.NAMES, peers.UNFAIR)
    lacking = {name: why for name in names if (why := peers.missing(name) or wrong)}
    able = [peers.make(name, folder, answers) for name in names if name not in lacking]
    return [*able, peers.connexion(folder, answers)], lacking


def start_all(stack: ExitStack, servers: Sequence[Server], lacking: dict[str, str]) -> list[Running]:
    """Those that start; the others are noted as lacking."""
    running = []
    for server in servers:
        try:
            running.append(stack.enter_context(started(server)))
        except DidNotStart as error:
            print(error, flush=True)
            lacking[server.name] = "did not start"
    return running


def rates_of(running: Sequence[Running], folder: Path) -> Results:
    """Top rates of all servers, and their latencies at half of those."""
    step("warming up", lambda: throughput.warm_up(running, folder))
    found: Results = {"throughput": {}, "shares": {}, "paced": {}}
    for case in (GET, PATCH):
        rates = step(case.name, partial(throughput.measure, case, running, folder))
        found["throughput"][case.name], found["shares"][case.name] = told(rates)
        tops = {name: Spread.of(values).median for name, values in rates.items()}
        found["paced"][case.name] = step(f"{case.name}, paced", partial(at_half, case, running, tops))
    found["loaded"] = {one.server.name: one.resident for one in running}
    return found


def told(rates: throughput.Rates) -> tuple[Results, Results]:
    """What is kept of rates: each server's, with the number of rounds, and each one's share of bare ASGI."""
    each = {name: {**asdict(Spread.of(values)), "rounds": len(values)} for name, values in rates.items()}
    return each, spreads({name: Spread.of(shares(rates, name, BARE)) for name in rates if name != BARE})


def at_half(case: Case, running: Sequence[Running], tops: dict[str, float]) -> Results:
    """The 99th percentile of latency, in seconds, of each server at half of its own top rate, by turns."""
    measures = {one.server.name: lambda one=one: p99(case, one.url, tops[one.server.name] / 2) for one in running}
    found = by_turns(measures, lambda _: True, least=PACED_ROUNDS, most=PACED_ROUNDS)
    return {name: {"rate": tops[name] / 2, **asdict(Spread.of(values))} for name, values in found.items()}


def p99(case: Case, url: str, rate: float) -> float:
    """The latency that 99 of 100 requests keep to, counted from when each was due."""
    outcome = paced.drive(url, paced.Same(case.bytes_for(url)), seconds=PACED_SECONDS, rate=rate)
    # A number that JSON can hold, and that no request took.
    return min(outcome.percentile(0.99), 1e3)


def judged(folder: Path) -> Results:
    """Requests a second of judge and Schemathesis, by turns."""
    ours, theirs, command = [], [], ""
    for _ in range(conformance_speed.ROUNDS):
        requests, seconds = conformance_speed.judged()
        ours.append(requests / seconds)
        requests, seconds, command = conformance_speed.schemathesis(folder)
        theirs.append(requests / seconds)
    found = {"judge": asdict(Spread.of(ours)), "schemathesis": asdict(Spread.of(theirs))}
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {**found, "ratio": asdict(Spread.of(ratios)), "command": command}


def scaled(folder: Path) -> Results:
    """One process and two behind nginx, or nothing where nginx or wrk is missing."""
    lacking = [tool for tool in ("nginx", "wrk") if machine.tool_version((tool, "-v")) == "missing"]
    return {"not measured": f"needs {', '.join(lacking)}"} if lacking else spreads(scaling.measure(folder))


def spreads(found: dict[str, Spread]) -> Results:
    """Spreads as they are kept."""
    return {name: asdict(spread) for name, spread in found.items()}


if __name__ == "__main__":
    main()
