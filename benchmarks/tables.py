"""The tables of README.md, between comments that say which one stands there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.goals import judge
from benchmarks.load import GET, PAGE, PATCH

_UNITS = {"seconds": "{:.2f}", "rate": "{:.0f}", "milliseconds": "{:.1f}"}


def write(results: dict[str, Any], page: Path) -> None:
    """Puts the tables of these results where the page has room for them."""
    text = page.read_text("utf-8")
    for name, made in render(results).items():
        text = replace(text, name, made)
    page.write_text(text, "utf-8")


def replace(text: str, name: str, made: str) -> str:
    """The text with what stands between the comments of this name replaced; ValueError where they are missing."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    found = re.subn(f"{begin}.*?{end}", lambda _: f"{begin}\n\n{made}\n\n{end}", text, flags=re.DOTALL)
    if found[1] != 1:
        raise ValueError(f"the page has {found[1]} places for {name!r}")
    return found[0]


def render(results: dict[str, Any]) -> dict[str, str]:
    """Every table, by name."""
    return {
        "goals": goals(results),
        "machine": machine(results),
        "throughput": throughput(results),
        "latency": latency(results),
        "starts": starts(results),
        "memory": memory(results),
        "conformance": conformance(results),
        "scaling": scaling(results),
        "commands": commands(results),
    }


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def goals(results: dict[str, Any]) -> str:
    """What was to be reached, and what was."""
    rows = [(goal.measure, goal.wanted, goal.reached, "met" if goal.met else "**missed**") for goal in judge(results)]
    return table(("measure", "goal", "reached", ""), rows)


def machine(results: dict[str, Any]) -> str:
    """Where and when it was measured."""
    found = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in [*found.items()][3:])
    peers = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    missing = "".join(f" {name} was not measured: {why}." for name, why in results["not_measured"].items())
    where = f"{results['when']}, {found['processor']}, {found['memory']}, {found['system']}. {versions}."
    return f"{where}{f' {peers}.' if peers else ''}{missing} {results['minutes']} minutes in all."


def throughput(results: dict[str, Any]) -> str:
    """Top rates."""
    rows = []
    for case in (GET.name, PATCH.name, PAGE.name):
        for name, rate in results["throughput"][case].items():
            share = results["shares"][case].get(name)
            shown = _spread(share, "seconds") if share else "1"
            rows.append((case, name, _spread(rate, "rate"), shown, str(rate["rounds"])))
    return table(("request", "server", "requests/s", "share of bare ASGI", "rounds"), rows)


def latency(results: dict[str, Any]) -> str:
    """Latencies at half of the top rates."""
    rows = [
        (case, name, f"{one['rate']:.0f}", _spread(_times(one, 1e3), "milliseconds"))
        for case, found in results["paced"].items()
        for name, one in found.items()
    ]
    return table(("request", "server", "requests/s", "p99, ms"), rows)


def starts(results: dict[str, Any]) -> str:
    """Starts, and memory of those who started."""
    rows = [
        (name, _spread(one, "seconds"), f"{results['idle'][name] / 1e6:.0f}", f"{results['loaded'][name] / 1e6:.0f}")
        for name, one in results["startup"].items()
    ]
    return table(("server", "first answer after, s", "MB then", "MB after the rounds"), rows)


def memory(results: dict[str, Any]) -> str:
    """The mock's memory."""
    rows = [(f"{int(done):,}", f"{size / 1e6:.1f}") for done, size in results["memory"].items()]
    return table(("requests", "resident, MB"), rows)


def conformance(results: dict[str, Any]) -> str:
    """Judge and Schemathesis."""
    names = {"judge": "`mockserver.conformance.check`, in process", "schemathesis": "`schemathesis run`, over HTTP"}
    rows = [(shown, _spread(results["conformance"][name], "rate")) for name, shown in names.items()]
    return table(("conformance run", "requests/s"), rows)


def scaling(results: dict[str, Any]) -> str:
    """Several processes."""
    if "not measured" in results["scaling"]:
        return f"Not measured: {results['scaling']['not measured']}."
    return table(
        ("what answers", "requests/s"), [(name, _spread(one, "rate")) for name, one in results["scaling"].items()]
    )


def commands(results: dict[str, Any]) -> str:
    """The exact commands."""
    lines = [f"    {command}  # {name}" for name, command in results["commands"].items()]
    return "\n".join([*lines, f"    {results['conformance']['command']}  # Schemathesis"])


def _times(spread: dict[str, float], factor: float) -> dict[str, float]:
    return {name: spread[name] * factor for name in ("median", "least", "most")}


def _spread(found: dict[str, float], unit: str) -> str:
    median, least, most = (_UNITS[unit].format(found[name]) for name in ("median", "least", "most"))
    return f"{median} ({least} to {most})"
