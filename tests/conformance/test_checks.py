"""What every check works with: a test is evaluated and recorded, and what is broken already can be asked."""

from __future__ import annotations

from random import Random

from mockserver.conformance.checks import CheckContext
from mockserver.conformance.expectations import status
from mockserver.conformance.run import Run
from mockserver.contracts import load_contract
from tests.conformance.fakes import FakeTarget


def context(answer: int = 200) -> CheckContext:
    target = FakeTarget(lambda request: (answer, {}))
    return CheckContext(Run(target, load_contract(), random=Random(1), share=lambda: 1.0))


def test_a_rule_that_holds_is_counted() -> None:
    checks = context()
    assert checks.check("a-rule", status(200), "getCalendar", [checks.get("/api/v1/calendars/x")])
    assert (checks.run.findings.exercised, checks.run.findings.broken) == ({"a-rule": 1}, {})


def test_a_rule_that_does_not_hold_is_a_finding_of_its_operation_and_field() -> None:
    checks = context(500)
    assert not checks.check("a-rule", status(200), "getCalendar", [checks.get("/api/v1/calendars/x")], field="id")
    assert list(checks.run.findings.broken) == [("a-rule", "getCalendar", "id")]


def test_what_is_broken_is_asked_by_rules_and_narrowed_by_operation_and_field() -> None:
    checks = context(500)
    checks.check("a-rule", status(200), "getCalendar", [checks.get("/api/v1/calendars/x")], field="id")
    assert checks.is_broken("another", "a-rule")
    assert checks.is_broken("a-rule", operation="getCalendar", field="id")
    assert not checks.is_broken("a-rule", operation="listCalendars")
    assert not checks.is_broken("a-rule", field="platform")
    assert not checks.is_broken("another")
    assert not checks.is_broken()


def test_a_rule_that_was_tested_is_not_unobservable() -> None:
    checks = context()
    checks.unobservable("a-rule", "there was no case of it")
    checks.keep("another")
    checks.unobservable("another", "there was no case of it")
    assert checks.run.findings.unobservable == {"a-rule": "there was no case of it"}


def test_checks_draw_from_the_run_unless_they_are_given_something_else_to_draw_from() -> None:
    checks = context()
    own = Random(7)
    assert checks.random is checks.run.random
    assert CheckContext(checks.run, random=own).random is own
