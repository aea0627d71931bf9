"""A sample of mutants is found, by a rule that names the operation that is wrong; `make mutants` takes all."""

from __future__ import annotations

import pytest

from tests.mutants.replayed import WANTED, recipe_of, replayed, verdict_on
from tests.mutants.table import measure, mutants

SAMPLE = (
    "schema/S1",
    "status/T4",
    "headers/H2",
    "auth/A1",
    "tenants/A3",
    "pagination/G1",
    "pagination/G4",
    "filters/F1",
    "filters/F4",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_mutant_is_found(name: str) -> None:
    assert measure(name, seconds=None).rules, mutants()[name].defect


@pytest.mark.parametrize("name", sorted(mutants())[7::30])
def test_a_mutants_finding_shows_on_it_also_in_other_words_and_is_gone_without_it(name: str) -> None:
    found = replayed(name)
    assert found.verdicts == WANTED, found


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("pagination/G1b", "pagination/G1"),
        ("pagination/G2b", "pagination/G2"),
        ("filters/F8", "filters/F8c"),
        ("auth/A28", "auth/A13"),
    ],
)
def test_a_finding_shows_on_another_mutant_that_answers_the_same_requests_wrongly(name: str, other: str) -> None:
    recipe = recipe_of(name)
    assert recipe is not None
    assert verdict_on(other, recipe) == "shows"


def test_there_are_enough_of_them() -> None:
    assert len(mutants()) >= 90
