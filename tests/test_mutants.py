"""A sample of mutants is found, by a rule that names the operation that is wrong; `make mutants` takes all."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.conformance.report import Report
from tests.mutants import drawn
from tests.mutants import table as measuring
from tests.mutants.replayed import WANTED, recipe_of, replayed, verdict_on
from tests.mutants.table import Row, Taken, measure, measured, merged, mutants, table
from tests.patience import HANGS

DETECTION = Path(__file__).parents[1] / "benchmarks" / "detection.md"
SOON, LATE = "any-token-accepted", "bot-name-emoji-accepted"
"""Mutants that are found after about 20 requests, and after some 2,000."""
SAMPLE = (
    "metadata-returned-as-text",
    "invalid-ordering-crashes",
    "405-without-allow",
    "get-needs-no-key",
    "get-reads-foreign-calendar",
    "row-lost-between-pages",
    "links-drop-filters",
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in ("updated-at-gte-excludes-equal", "calendar-dedup-key-matches-prefix")
    ),
)
REPLAYED = (
    "unknown-id-checked-before-key",
    "default-order-is-created-at",
    "filter-negates-utc-offset",
    "links-drop-filters",
    "re-encoded-cursor-refused",
    "created-at-without-z",
    "duplicate-key-answers-409",
    "unknown-path-answers-html",
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in ("gets-are-throttled", "delete-deletes-nothing", "patch-of-both-secrets-refused")
    ),
)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_is_found(name: str) -> None:
    assert measure(name, seconds=None).rules, mutants()[name].defect


@pytest.mark.parametrize("name", REPLAYED)
def test_a_mutants_finding_shows_on_it_also_in_other_words_and_is_gone_without_it(name: str) -> None:
    found = replayed(name)
    assert found.verdicts == WANTED, found


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("calendar-lost-between-pages", "row-lost-between-pages"),
        ("calendar-repeated-on-next-page", "row-repeated-on-next-page"),
        ("filter-ignores-utc-offset", "filter-negates-utc-offset"),
        ("unknown-key-lists-events", "any-token-accepted"),
    ],
)
def test_a_finding_shows_on_another_mutant_that_answers_the_same_requests_wrongly(name: str, other: str) -> None:
    recipe = recipe_of(name)
    assert recipe is not None
    assert verdict_on(other, recipe) == "shows"


def test_the_files_of_a_finding_show_it_on_its_mutant_and_are_gone_without_it(tmp_path: Path) -> None:
    run = drawn.whole(SOON, tmp_path, requests=20)
    assert run.exit_status == 1
    assert run.findings
    assert drawn.verdicts(SOON, tmp_path, run.findings[0].stem) == drawn.WANTED


def test_a_mutants_id_says_its_defect_in_words() -> None:
    assert [name for name in mutants() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)] == []


def test_the_table_has_a_row_for_each_mutant() -> None:
    rows = measured(DETECTION.read_text("utf-8"))
    assert {name: (row.area, row.defect) for name, row in rows.items()} == {
        name: (mutant.area, mutant.defect) for name, mutant in mutants().items()
    }


def test_a_table_that_was_written_can_be_read() -> None:
    rows = list(measured(DETECTION.read_text("utf-8")).values())
    assert list(measured(table(rows)).values()) == rows


def test_a_mutant_behind_a_latency_is_measured_in_other_columns() -> None:
    row = measure(SOON, seconds=None, latency=1)
    assert row.rules
    assert row.near is None
    assert row.far is not None
    assert row.far.found


def test_what_was_measured_with_a_latency_leaves_the_rest_of_a_row_alone() -> None:
    far = Taken(30, 2.0, found=False)
    earlier = Row("x-y", "auth", "a defect", ("key-form (getCalendar)",), Taken(20, 1.0, found=True), None, "-")
    assert merged(earlier, Row("x-y", "auth", "a defect", (), None, far)) == earlier._replace(far=far)


def test_a_mutant_whose_run_was_interrupted_was_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = Report("in process", "write", 1, "1", "2026-01-01T00:00:00Z", interrupted=True)
    monkeypatch.setattr(measuring, "check", lambda *given, **more: interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(SOON)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_measuring_and_loses_no_row(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "detection.md"
    earlier = Row(
        LATE, mutants()[LATE].area, mutants()[LATE].defect, ("a-rule (createBot)",), None, Taken(9, 9.0, True)
    )
    file.write_text(table([earlier]), encoding="utf-8")
    command = [sys.executable, "-m", "tests.mutants.table", "--latency", "50", "--jobs", "1", "--output", str(file)]
    with subprocess.Popen([*command, SOON, LATE], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(SOON)
        running.send_signal(number)
        told, _ = running.communicate(timeout=HANGS)
    assert told == "stopped: 1 of 2 measured; the rows of the others are as they were\n"
    assert running.returncode == 130
    rows = measured(file.read_text("utf-8"))
    assert rows.keys() == {SOON, LATE}
    assert rows[SOON].far is not None
    assert rows[LATE] == earlier
