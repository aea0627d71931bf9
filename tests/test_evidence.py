"""Every row of evidence.yaml is true: its recordings exist, and contain what the row says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.contracts import PlainLoader
from mockserver.evidence import KINDS, Row, ledger, markdown
from tests.recordings import shows

ROOT = Path(__file__).parent.parent
LEDGER = ledger()
ROWS = list(LEDGER.rows.values())
MEMBERS = {
    *("row", "says", "kind", "where", "operations", "status", "text", "header", "sent", "remark", "because"),
    *("deviates", "contract"),
}
CONDITIONS = {"operations", "method", "status", "text", "header", "sent", "walk", "at", "asserts", "without"}

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def written() -> Iterator[Mapping[str, Any]]:
    for topic in yaml.load((ROOT / "evidence.yaml").read_bytes(), PlainLoader)["topics"]:
        yield from topic["rows"]


def functions_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def recordings(row: Row) -> list[Mapping[str, Any]]:
    return [where for where in row.where if "in" in where]


def test_there_is_a_row_for_each_behaviour() -> None:
    assert len(ROWS) >= 150
    assert {row.kind for row in ROWS} == {*KINDS} == {*LEDGER.kinds}


def test_no_name_is_used_twice() -> None:
    names = [row["row"] for row in written()]
    assert sorted(set(names)) == sorted(names)
    assert not [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)]


def test_rows_have_no_members_that_nothing_reads() -> None:
    assert not [(row["row"], row.keys() - MEMBERS) for row in written() if row.keys() - MEMBERS]


@every_row
def test_what_a_row_says_is_in_its_recordings(row: Row) -> None:
    assert not [where for where in recordings(row) if not shows(where)]


def test_every_row_with_a_recording_says_what_to_look_for_in_it() -> None:
    rows = [row for row in ROWS if row.kind == "recorded"]
    assert not [row.name for row in rows if not [where for where in recordings(row) if where.keys() & CONDITIONS]]


def test_the_kind_of_a_row_fits_what_shows_it() -> None:
    needed = {
        "recorded": {"in"},
        "differential": {"run"},
        "document": {"document", "in"},
        "client": {"test"},
        "assumed": set[str](),
    }
    for row in ROWS:
        shown = {name for where in row.where for name in ("in", "run", "test", "document") if name in where}
        assert bool(shown & needed[row.kind]) == (row.kind != "assumed") == (row.because is None), row.name


def test_the_runs_tests_and_pages_of_rows_exist() -> None:
    for row in ROWS:
        assert (ROOT / "docs" / row.page).exists(), row.name
        assert {str(where["run"]) for where in row.where if "run" in where} <= {*LEDGER.runs}, row.name
        for where in row.where:
            if "test" in where:
                file, _, name = where["test"].partition("::")
                assert name in functions_in(file), row.name


def test_rows_are_sentences() -> None:
    texts = [text for row in ROWS for text in (row.says, row.because, row.deviates) if text is not None]
    assert not [text for text in texts if not re.fullmatch(r"[A-Za-z].*\.", text, re.DOTALL)]


def test_a_row_whose_recording_says_something_else_is_found() -> None:
    assert not shows({"in": "create-minimal", "status": 204})
    assert not shows({"in": "create-minimal", "text": "no such text"})
    assert not shows({"in": "create-minimal", "header": "allow: GET"})
    assert not shows({"in": "create-minimal", "asserts": ["/updated_at", "<", "/created_at"]})
    assert not shows({"in": "get-known", "without": "content-type"})
    assert not shows({"in": "list-calendars-walk", "walk": {"page_sizes": [25]}})
    assert not shows({"in": "webhooks.json", "at": "/retry/attempts_in_all", "is": 4})
    assert not shows({"in": "webhooks.json", "step": "google-500", "at": "/webhooks/0", "is": ""} | {"at": "/webhooks"})
    with pytest.raises(KeyError):
        shows({"in": "no-such-scenario"})
    with pytest.raises(FileNotFoundError):
        shows({"in": "sync-cases/none", "at": "/expected", "is": 1})


def test_the_page_is_the_one_that_the_command_prints() -> None:
    assert (ROOT / "docs" / "evidence.md").read_text("utf-8") == markdown(LEDGER)
