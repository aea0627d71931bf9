"""Requests a second beside bare ASGI that sends the same bytes: `python -m benchmarks.throughput`.

Server and load generator have a core each; the servers take turns, round by round, so that a busy machine is busy for
both alike; the ratios are what counts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import load
from benchmarks.load import GET, PAGE, PATCH, Case
from benchmarks.machine import ROOT, pin_this_process
from benchmarks.rounds import Spread, by_turns, is_steady, shares
from benchmarks.servers import BARE, MOCK, Running, ask, bare, mock, started

LARGE = ROOT / "fixtures" / "large.yaml"
Rates = dict[str, list[float]]


def measure(case: Case, running: Sequence[Running], folder: Path) -> Rates:
    """The rates of servers that are all up, by turns, until the mock's share of bare ASGI is known."""

    def is_known(rates: Mapping[str, Sequence[float]]) -> bool:
        return is_steady(shares(rates, MOCK, BARE))

    measures = {one.server.name: lambda one=one: load.rate(case, one.url, folder) for one in running}
    return by_turns(measures, is_known)


def answers_of(running: Running) -> dict[str, bytes]:
    """What the mock answers to a GET and to a PATCH of the calendar."""
    found = {case.method: ask(running.url, case.method, case.path, case.body) for case in (GET, PATCH)}
    assert all(status == 200 for status, _ in found.values()), found
    return {method: body for method, (_, body) in found.items()}


def keep_answers(folder: Path, answers: Mapping[str, bytes]) -> tuple[Path, Path]:
    """The answers as files, for the bare application."""
    files = folder / "GET", folder / "PATCH"
    for file in files:
        file.write_bytes(answers[file.name])
    return files


def pair(stack: ExitStack, folder: Path) -> tuple[list[Running], dict[str, bytes]]:
    """The mock, and the bare application that answers the same; with the answers."""
    one = stack.enter_context(started(mock()))
    answers = answers_of(one)
    return [one, stack.enter_context(started(bare(*keep_answers(folder, answers))))], answers


def warm_up(running: Sequence[Running], folder: Path) -> None:
    """Lets every server see what it is going to be asked."""
    for one in running:
        for case in (GET, PATCH):
            load.rate(case, one.url, folder, one.server.warm_up)


def page_rates(folder: Path) -> Rates:
    """The same of the first page, with fixtures that have more than one."""
    with ExitStack() as stack:
        one = stack.enter_context(started(mock(fixtures=LARGE), path=PAGE.path))
        page = folder / "page"
        page.write_bytes(ask(one.url, PAGE.method, PAGE.path)[1])
        other = stack.enter_context(started(bare(page), path=PAGE.path))
        for server in (one, other):
            load.rate(PAGE, server.url, folder, 1.0)
        return measure(PAGE, [one, other], folder)


def row(case: Case, rates: Rates) -> str:
    """A row of the table of two."""
    share = Spread.of(shares(rates, MOCK, BARE))
    of_bare, of_mock = Spread.of(rates[BARE]), Spread.of(rates[MOCK])
    spread = f"{share.least:.2f} to {share.most:.2f} in {len(rates[MOCK])} rounds"
    return f"| {case.name} | {of_bare.median:.0f} | {of_mock.median:.0f} | {share.median:.2f} | {spread} |"


def main() -> None:
    """Measures and prints."""
    print(f"rounds of {load.SECONDS:.0f} s, {load.CONNECTIONS} connections of {load.generator()}\n")
    print("| request | bare ASGI, requests/s | mock, requests/s | share | spread of the share |")
    print("| --- | --- | --- | --- | --- |")
    pin_this_process()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        running, _ = pair(stack, folder)
        warm_up(running, folder)
        for case in (GET, PATCH):
            print(row(case, measure(case, running, folder)), flush=True)
        print(row(PAGE, page_rates(folder)), flush=True)


if __name__ == "__main__":
    main()
