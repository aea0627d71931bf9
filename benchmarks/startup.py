"""How long a server takes from its command to its first answer."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rounds import Spread, by_turns
from benchmarks.servers import Server, started

ROUNDS = 5


def once(server: Server) -> float:
    """Starts it, on all cores, and asks every 5 ms until it answers."""
    with started(server, core=None) as running:
        return running.seconds


def measure(servers: Sequence[Server]) -> dict[str, Spread]:
    """Seconds, for each."""
    measures = {server.name: lambda server=server: once(server) for server in servers}
    found = by_turns(measures, lambda _: True, least=ROUNDS, most=ROUNDS)
    return {name: Spread.of(values) for name, values in found.items()}
