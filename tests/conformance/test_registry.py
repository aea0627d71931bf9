"""The parts of the judge have every rule and every check of the subjects, each once."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from mockserver.conformance import checks
from mockserver.conformance.checks import Check
from mockserver.conformance.registry import PARTS, all_rules


def subjects() -> Iterator[ModuleType]:
    """The modules of checks, those of packages included."""
    for found in pkgutil.walk_packages(checks.__path__, f"{checks.__name__}."):
        yield importlib.import_module(found.name)


def test_every_check_of_a_subject_is_in_one_part() -> None:
    taken = [check for part in PARTS.values() for check in part.CHECKS]
    there = {value for subject in subjects() for value in vars(subject).values() if isinstance(value, Check)}
    assert len(set(taken)) == len(taken)
    assert there - set(taken) == set()


def test_every_rule_of_a_subject_is_in_one_part() -> None:
    taken = [rule.id for rule in all_rules()]
    there = {rule.id for subject in subjects() for rule in getattr(subject, "RULES", ())}
    assert len(set(taken)) == len(taken)
    assert there == set(taken)


def test_a_part_has_the_rules_that_say_so() -> None:
    assert {rule.id: rule.part for name, part in PARTS.items() for rule in part.RULES if rule.part != name} == {}


def test_every_rule_that_is_not_about_all_responses_has_a_check() -> None:
    tested = {name for part in PARTS.values() for check in part.CHECKS for name in check.rules}
    assert [rule.id for rule in all_rules() if rule.part != "always" and rule.id not in tested] == []
