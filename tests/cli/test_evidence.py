"""The command that shows how each behaviour of the mock is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.cli.main import main
from mockserver.evidence import KINDS, ledger

Run = Callable[[str], tuple[int, str, str]]
PAGE = Path(__file__).parent.parent.parent / "docs" / "evidence.md"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `attendee-mock evidence` with these words: its exit status, output and errors."""

    def run(line: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["evidence", *line.split()])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def test_it_prints_a_line_for_each_row(run: Run) -> None:
    status, out, err = run("")
    assert (status, err) == (0, "")
    assert [line.split("  ")[0] for line in out.splitlines()] == [*ledger().rows]


def test_it_prints_one_row_with_all_that_shows_it(run: Run) -> None:
    _, out, _ = run("webhook-timeout")
    assert "webhook-timeout: No response within 10 seconds is a failure." in out
    assert "kind: recorded." in out
    assert "where: tests/recorded: webhooks.json, /request/timeout_seconds" in out
    assert "the mock differs: The mock's 10 seconds apply to the whole exchange" in out


def test_an_assumption_says_why(run: Run) -> None:
    assert "because: " in run("sync-atomic")[1]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_one_kind_can_be_listed(run: Run, kind: str) -> None:
    _, out, _ = run(f"--kind {kind} --json")
    assert {row["kind"] for row in json.loads(out)} == {kind}


def test_rows_are_found_by_their_words(run: Run) -> None:
    _, out, _ = run("--search retry-after")
    assert [line.split("  ")[0] for line in out.splitlines()] == ["limit-retry-after"]


def test_a_row_is_json_on_demand(run: Run) -> None:
    row = json.loads(run("webhook-refused --format json")[1])
    assert row["row"] == "webhook-refused"
    assert row.keys() == {"row", "topic", "says", "kind", "where", "because", "deviates"}


def test_the_page_is_printed_whole(run: Run) -> None:
    assert run("--format markdown")[1] == PAGE.read_text("utf-8")


def test_nothing_found_is_status_1(run: Run) -> None:
    assert run("--search nothing-like-this") == (1, "", "no rows\n")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("create-duplicat", "there is no row create-duplicat; the nearest is create-duplicate"),
        ("zzzz", "there is no row zzzz; attendee-mock evidence lists all"),
        ("--kind guessed", "'guessed' is not one of"),
        ("create-duplicate --format markdown", "leave ROW, --kind, --search out"),
    ],
)
def test_a_command_line_that_is_wrong_is_one_line_and_status_2(run: Run, line: str, problem: str) -> None:
    status, out, err = run(line)
    assert (status, out) == (2, "")
    assert problem in err
    assert len(err.splitlines()) == 1
