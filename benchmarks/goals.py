"""What the mock is to reach, beside what it reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.load import GET, PAGE, PATCH
from benchmarks.peers import NAMES, UNFAIR
from benchmarks.servers import MOCK

SHARES = {GET.name: 0.85, PATCH.name: 0.48, PAGE.name: 0.45}
TIMES_BEST_PEER = 2.0
TIMES_UNFAIR = 1.0
SECONDS_TO_START = 0.45
RESIDENT = 90_000_000
FLAT = 1.02
"""What memory may be after 200,000 requests, of what it was after 100,000, and still count as flat."""
TIMES_SCHEMATHESIS = 10.0
REQUESTS = "100000"
MORE_REQUESTS = "200000"


@dataclass(frozen=True)
class Goal:
    """One line of the comparison."""

    measure: str
    wanted: str
    reached: str
    met: bool


def judge(results: dict[str, Any]) -> list[Goal]:
    """Every goal that was measured."""
    return [goal for part in (_shares, _peers, _latency, _startup, _memory, _conformance) for goal in part(results)]


def best_peer(values: dict[str, Any], better: Callable[..., str]) -> str | None:
    """The peer with the best median; `better` is max or min."""
    measured = [name for name in NAMES if name in values]
    return better(measured, key=lambda name: values[name]["median"]) if measured else None


def _shares(results: dict[str, Any]) -> Iterator[Goal]:
    for name, wanted in SHARES.items():
        share = results["shares"][name][MOCK]
        reached = f"{share['median']:.2f} ({share['least']:.2f} to {share['most']:.2f})"
        yield Goal(f"{name}: share of bare ASGI", f"≥ {wanted:.2f}", reached, share["median"] >= wanted)


def _peers(results: dict[str, Any]) -> Iterator[Goal]:
    for name in (GET.name, PATCH.name):
        rates = results["throughput"][name]
        best = best_peer(rates, max)
        for measure, peer, wanted in (("the best peer", best, TIMES_BEST_PEER), (UNFAIR, UNFAIR, TIMES_UNFAIR)):
            if peer in rates:
                times = rates[MOCK]["median"] / rates[peer]["median"]
                yield Goal(f"{name}: beside {measure}", f"≥ {wanted:g} ×", f"{times:.1f} × {peer}", times >= wanted)


def _latency(results: dict[str, Any]) -> Iterator[Goal]:
    for name, found in results["paced"].items():
        best = best_peer(found, min)
        if best:
            mine, theirs = found[MOCK]["median"], found[best]["median"]
            reached = f"{mine * 1e3:.1f} ms; {best} {theirs * 1e3:.1f} ms"
            yield Goal(f"{name}: p99 at half of the own top rate", "below each peer's", reached, mine < theirs)


def _startup(results: dict[str, Any]) -> Iterator[Goal]:
    found = results["startup"]
    mine, best = found[MOCK]["median"], best_peer(found, min)
    theirs = f"; {best} {found[best]['median']:.2f} s" if best else ""
    met = mine <= SECONDS_TO_START and (best is None or mine < found[best]["median"])
    yield Goal("command to first answered request", "≤ 0.45 s, below each peer's", f"{mine:.2f} s{theirs}", met)


def _memory(results: dict[str, Any]) -> Iterator[Goal]:
    after, later = results["memory"][REQUESTS], results["memory"][MORE_REQUESTS]
    reached = f"{after / 1e6:.0f} MB; after 200,000: {later / 1e6:.0f} MB"
    met = after <= RESIDENT and later <= after * FLAT
    yield Goal("resident memory after 100,000 requests", "≤ 90 MB, and flat", reached, met)


def _conformance(results: dict[str, Any]) -> Iterator[Goal]:
    ratio = results["conformance"]["ratio"]
    reached = f"{ratio['median']:.0f} × ({ratio['least']:.0f} to {ratio['most']:.0f})"
    name = "conformance run in process, requests/s, beside `schemathesis run`"
    yield Goal(name, "≥ 10 ×", reached, ratio["median"] >= TIMES_SCHEMATHESIS)
