"""A sample of mutants is found, by a rule that names the operation that is wrong; `make mutants` takes all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutants.replayed import WANTED, recipe_of, replayed, verdict_on
from tests.mutants.table import measure, measured, mutants, table

DETECTION = Path(__file__).parents[1] / "benchmarks" / "detection.md"
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
