"""What `attendee-mock proxy` costs: latency with and without it, at a constant rate, and its memory while it records.

python -m benchmarks.proxy [--rate 300] [--seconds 0.5] [--rounds 40]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import paced
from benchmarks.load import CONNECTIONS, GET, PAGE
from benchmarks.servers import Running, Server, mock, resident, started

STEPS = (1_000, 2_000, 5_000, 10_000)


def proxy(target: str, record: Path) -> Server:
    """The proxy before a running mock, with a recording."""
    options = ("--target", target, "--port", "{port}", "--record", str(record), "--fail-on", "never")
    return Server("proxy", (sys.executable, "-m", "mockserver", "proxy", *options))


def latencies(url: str, rate: float, seconds: float) -> list[float]:
    """Seconds that GETs of a calendar take at a constant rate over 16 connections."""
    request = paced.Same(GET.bytes_for(url))
    outcome = paced.drive(url, request, rate=rate, seconds=seconds, connections=CONNECTIONS)
    assert not outcome.refused
    return outcome.latencies


def overhead(direct: Running, through: Running, rate: float, seconds: float, rounds: int) -> tuple[float, float]:
    """The medians in milliseconds without and with the proxy.

    The rounds are short and go by turns, so that whatever else the machine does falls on both.
    """
    found: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        for values, url in zip(found, (direct.url, through.url), strict=True):
            values += latencies(url, rate, seconds)
    return statistics.median(found[0]) * 1000, statistics.median(found[1]) * 1000


def processor_seconds(pid: int) -> float:
    """What a process has used of the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def entries(record: Path) -> int:
    """How many exchanges are recorded."""
    return record.read_bytes().count(b"\n{")


def memory(through: Running, record: Path, rate: float) -> dict[int, tuple[int, ...]]:
    """Resident bytes of tunnel and recording process after so many exchanges, all of them recorded."""
    found: dict[int, tuple[int, ...]] = {}
    done = 0
    for step in STEPS:
        outcome = paced.drive(through.url, paced.Same(PAGE.bytes_for(through.url)), count=step - done, rate=rate)
        assert not outcome.refused
        done = step
        while entries(record) < step:
            time.sleep(0.2)  # the recording process is behind on purpose: it runs at a lower priority
        found[step] = tuple(resident(pid) for pid in (through.pid, *children(through.pid)))
    return found


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0, help="requests a second for the latency")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each round")
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, started(mock(), core=None) as direct:
        record = Path(folder) / "traffic.har"
        with started(proxy(direct.url, record), core=None) as through:
            latencies(through.url, given.rate, given.seconds)
            without, with_proxy = overhead(direct, through, given.rate, given.seconds, given.rounds)
            print(f"{given.rate:g} requests/s over {CONNECTIONS} connections, {given.rounds} rounds by turns")
            print(
                f"median {without:.3f} ms direct, {with_proxy:.3f} ms through the proxy: {with_proxy - without:+.3f} ms"
            )
            before = [processor_seconds(pid) for pid in (through.pid, *children(through.pid))]
            count = len(latencies(through.url, given.rate, given.seconds * 20))
            time.sleep(3)  # until the recording process has caught up: it checks nothing that is later than 2 s
            after = [processor_seconds(pid) for pid in (through.pid, *children(through.pid))]
            used = [f"{(b - a) / count * 1e6:.0f}" for a, b in zip(before, after, strict=True)]
            print(
                f"processor time for each exchange: {used[0]} µs in the tunnel, {used[1]} µs in the recording process"
            )
        with started(proxy(direct.url, record), core=None) as through:
            for step, sizes in memory(through, record, given.rate).items():
                print(f"{step:6} exchanges: " + " + ".join(f"{size / 2**20:.1f} MiB" for size in sizes))
        json.loads(record.read_text("utf-8"))
        print(f"{entries(record)} entries, {record.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
