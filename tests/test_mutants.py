"""A sample of mutants is found, by a rule that names the operation that is wrong; `make mutants` takes all."""

from __future__ import annotations

import pytest

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


def test_there_are_enough_of_them() -> None:
    assert len(mutants()) >= 90
