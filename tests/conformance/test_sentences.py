"""Each sentence of the contracts that says how an answer is has a rule that reads it, or a reason why none can."""

from __future__ import annotations

from mockserver.conformance.registry import all_rules
from tests.conformance.sentences import contracts, problems, readings


def test_each_sentence_has_a_rule_or_a_reason() -> None:
    assert problems(contracts()) == []


def test_the_rules_that_read_sentences_exist() -> None:
    known = {rule.id for rule in all_rules()}
    assert {name for reading in readings().values() for name in reading.rules} - known == set()


def test_a_new_sentence_and_one_that_is_gone_are_missing_until_the_table_has_them() -> None:
    changed = contracts()
    schemas = changed["openapi.yaml"]["components"]["schemas"]
    schemas["Timestamp"]["description"] = "A time in UTC with microseconds. The year has four digits."
    (new, gone) = problems(changed)
    assert new.startswith("no rule and no reason for 'The year has four digits.'")
    assert gone == "no contract says any more 'A fraction of zero is left out.'"
