"""Reads evidence.yaml, which says for each behaviour of the mock how its authors know that the service has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from mockserver.contracts import PlainLoader, data_path

LEDGER: Final = "evidence.yaml"
KINDS: Final = ("recorded", "differential", "document", "client", "assumed")
_MOST_NAMED: Final = 3


class Row(NamedTuple):
    """One behaviour and what shows it."""

    name: str
    topic: str
    page: str
    """What to read about the topic, as a path from docs/."""
    says: str
    kind: str
    where: tuple[Mapping[str, Any], ...]
    """What shows it, each with all its conditions: a recording, a run, a test or a document."""
    operations: frozenset[str]
    status: int | None
    text: str | None
    """A part of the response's body."""
    remark: re.Pattern[str] | None
    because: str | None
    deviates: str | None
    contract: tuple[str, ...]
    """Patterns for the parts of the contract that the row vouches for."""

    def answers(self, operation: str | None, status: int, body: str) -> bool:
        """Whether the row is about a response to a refused request."""
        if self.status != status or (self.operations and operation not in self.operations):
            return False
        return self.text is None or self.text in body

    def shown(self) -> dict[str, Any]:
        """The row as JSON; members that say nothing are null or empty."""
        return {
            "row": self.name,
            "topic": self.topic,
            "says": self.says,
            "kind": self.kind,
            "where": [_place(one) for one in self.where],
            "because": self.because,
            "deviates": self.deviates,
        }


class Ledger(NamedTuple):
    """All rows, with what the kinds and the runs mean."""

    kinds: Mapping[str, str]
    runs: Mapping[str, str]
    rows: Mapping[str, Row]

    def of_response(self, operation: str | None, status: int, body: str) -> list[Row]:
        """The rows about a response to a refused request, those that name most of its text first; at most three."""
        found = [row for row in self.rows.values() if row.answers(operation, status, body)]
        return sorted(found, key=lambda row: (-len(row.text or ""), not row.operations))[:_MOST_NAMED]

    def of_remark(self, remark: str) -> Row | None:
        """The row about a part of a request that the service takes although the contract does not allow it."""
        return next((row for row in self.rows.values() if row.remark is not None and row.remark.search(remark)), None)

    def of_remarks(self, remarks: Iterable[str]) -> list[str]:
        """The names of the rows about these remarks, each once."""
        found = (self.of_remark(remark) for remark in remarks)
        return list(dict.fromkeys(row.name for row in found if row is not None))


def ledger() -> Ledger:
    """The ledger that travels with the package; read again only when its file has changed."""
    path = data_path(LEDGER)
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> Ledger:
    with path.open("rb") as stream:
        document = yaml.load(stream, PlainLoader)  # noqa: S506 -- derives from CSafeLoader
    rows = {row.name: row for topic in document["topics"] for row in _rows(topic)}
    return Ledger(document["kinds"], document["runs"], rows)


def _rows(topic: Mapping[str, Any]) -> Iterator[Row]:
    for written in topic["rows"]:
        yield Row(
            name=written["row"],
            topic=topic["topic"],
            page=topic["docs"],
            says=written["says"],
            kind=written["kind"],
            where=tuple(_conditions(written, one) for one in written.get("where", ())),
            operations=frozenset(written.get("operations", ())),
            status=written.get("status"),
            text=written.get("text"),
            remark=re.compile(written["remark"]) if "remark" in written else None,
            because=written.get("because"),
            deviates=written.get("deviates"),
            contract=tuple(written.get("contract", ())),
        )


def _conditions(row: Mapping[str, Any], place: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """What shows a row, with the conditions of its own or else those of the row."""
    if not isinstance(place, str):
        return place
    own = {name: row[name] for name in ("operations", "status", "text", "header", "sent") if name in row}
    return {"in": place, **own}


def _place(where: Mapping[str, Any]) -> str:
    """Where a row's evidence is, in one text."""
    if "run" in where:
        return f"run of {where['run']}"
    if "test" in where:
        return str(where["test"])
    if "document" in where:
        return str(where["document"])
    place = f"tests/recorded: {where['in']}"
    if "step" in where:
        place += f", step {where['step']}"
    return place + (f", {where['at']}" if "at" in where else "")


def markdown(found: Ledger) -> str:
    """docs/evidence.md: what the kinds mean, and a table for each topic."""
    rows = list(found.rows.values())
    lines = [
        "# How we know",
        "",
        "For each behaviour of the mock, this page says how its authors know that the service has it.",
        "`attendee-mock evidence --format markdown` generates it from [evidence.yaml](../evidence.yaml). Tests compare",
        "the two, and every row with its recordings. `attendee-mock evidence ROW` prints one row, and `attendee-mock",
        "explain` names the rows about a response.",
        "",
        "| kind | meaning | rows |",
        "| --- | --- | --- |",
        *(f"| {kind} | {text} | {sum(row.kind == kind for row in rows)} |" for kind, text in found.kinds.items()),
        "",
        *(f"Run of {name}: {text}" for name, text in found.runs.items()),
    ]
    for topic in dict.fromkeys(row.topic for row in rows):
        here = [row for row in rows if row.topic == topic]
        name = here[0].page.removeprefix("../")
        lines += ["", f"## {topic}", "", f"See [{name}]({here[0].page}).", ""]
        lines += ["| row | behaviour | kind | where |", "| --- | --- | --- | --- |"]
        lines += [f"| `{row.name}` | {_cell(row)} | {row.kind} | {_where(row)} |" for row in here]
    return "\n".join(lines) + "\n"


def _cell(row: Row) -> str:
    parts = [row.says, *([f"*{row.deviates}*"] if row.deviates else [])]
    return " ".join(parts).replace("|", "\\|").replace("<", "&lt;")


def _where(row: Row) -> str:
    if row.because is not None:
        return row.because
    places = dict.fromkeys(_place(one).removeprefix("tests/recorded: ").partition(", /")[0] for one in row.where)
    return ", ".join(places)
