"""Expectations are evaluated alike wherever they go: by the judge with compiled schemas, and in files without."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from importlib.resources import files
from typing import Any

import pytest

from mockserver.conformance import evaluation, expectations
from mockserver.conformance.answers import Answers, answers_of
from mockserver.conformance.evaluation import is_like, replayed
from mockserver.conformance.listed import Facts, complete, instant
from mockserver.conformance.player import Answer
from mockserver.conformance.reports.pytest_file import PLAYERS
from mockserver.conformance.shape import shape_problem
from mockserver.contracts import load_contract
from tests.conformance.staging import create, reached
from tests.mutants.table import new_mock

_VALUES: tuple[Any, ...] = (None, "", "x", " ", 0, 1.5, True, [], {}, ["x"], {"a": "b"}, "2026-02-30T00:00:00Z")
ANSWERS: Answers = answers_of(load_contract())


def altered(value: Any) -> Iterator[Any]:
    """The JSON with each of its values replaced by others, each member left out, and one too many."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield {key: other for key, other in value.items() if key != name}
            for other in altered(item):
                yield {**value, name: other}
        yield {**value, "unknown": 1}
    elif isinstance(value, list):
        for item in value[:1]:
            for other in altered(item):
                yield [other, *value[1:]]
    yield from (deepcopy(other) for other in _VALUES)


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("listCalendars", "/api/v1/calendars"),
        ("listCalendarEvents", "/api/v1/calendar_events"),
        ("getCalendar", "/api/v1/calendars/cal_0000000000000000"),
        ("listCalendarEvents", "/api/v1/calendar_events?ordering=bad"),
        ("listCalendars", "/api/v1/calendars?cursor=bad"),
    ],
)
def test_a_schema_is_read_as_its_compiled_form_reads_it(operation: str, path: str) -> None:
    with reached(new_mock().asgi, "in process") as target:
        answer = target.send("GET", path)
    body = answer.json
    if "results" in body:
        body["results"] = body["results"][:1]
    carried = json.loads(json.dumps(ANSWERS.schemas(operation)))
    schema, unlike = carried["of_status"][str(answer.status)], []
    for other in [body, *altered(body)]:
        compiled = bool(ANSWERS.problems(operation, answer.status, other))
        if bool(shape_problem(schema, other, carried["named"])) != compiled:
            unlike.append((compiled, other))
    assert unlike == []
    assert shape_problem(schema, body, carried["named"]) == ""


def test_a_created_calendar_keeps_its_schema_in_both_forms() -> None:
    with reached(new_mock().asgi, "in process") as target:
        answer = create(target)
    carried = ANSWERS.schemas("createCalendar")
    schema = carried["of_status"]["201"]
    for other in [answer.json, *altered(answer.json)]:
        told = shape_problem(schema, other, carried["named"])
        assert bool(told) == bool(ANSWERS.problems("createCalendar", 201, other)), other


def test_the_modules_that_pytest_files_carry_share_no_name() -> None:
    named: Counter[str] = Counter()
    for name in PLAYERS:
        source = files("mockserver.conformance").joinpath(f"{name}.py").read_text("utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                named[node.name] += 1
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                named.update(target.id for target in targets if isinstance(target, ast.Name))
    assert [name for name, times in named.items() if times > 1] == []


def test_every_kind_of_expectation_has_words() -> None:
    assert evaluation.KINDS.keys() == expectations.WORDS.keys()


def test_variables_in_an_expectation_are_those_of_the_steps() -> None:
    expected = expectations.member("/metadata", {"run": "conformance-${run}-1", "${id_1}": "x"})
    answer = Answer(200, {}, b'{"metadata": {"run": "conformance-now-1", "cal_new": "x"}}', 0.0)
    carried = {**expected, "step": 1}
    assert replayed(carried, [answer], {"run": "now", "id_1": "cal_new"}) == ""
    assert replayed(carried, [answer], {"run": "then", "id_1": "cal_new"})


@pytest.mark.parametrize(
    ("want", "have", "holds"),
    [
        ({"$any": True}, None, True),
        ({"$has": {"a": 1}}, {"a": 1, "b": 2}, True),
        ({"$has": {"a": 1}}, {"a": True}, False),
        ({"$may": {"a": 1}}, {}, True),
        ({"$may": {"a": 1}}, {"a": 2}, False),
        ({"a": {"$matches": "x+"}}, {"a": "xx"}, True),
        ({"a": {"$matches": "x+"}}, {"a": "xxy"}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({}, {}, True),
        ([1, {"$any": True}], [1, 2], True),
        ([1], [1, 2], False),
        (1, 1.0, False),
    ],
)
def test_a_body_is_like_what_is_wanted(want: Any, have: Any, holds: bool) -> None:
    assert is_like(want, have) is holds


def test_times_are_told_apart_to_the_microsecond() -> None:
    late = instant("9999-12-31T23:59:59.999999Z")
    assert late is not None
    assert instant("9999-12-31T23:59:59.999998+00:00") == late - 1
    assert instant("2026-01-01T00:00:00") is None


def page(*times: str, following: str | None = None) -> Answer:
    rows = [{"id": f"evt_{time}", "updated_at": f"2026-01-01T00:00:{time}Z"} for time in times]
    body = {"next": following, "previous": None, "results": rows}
    return Answer(200, {}, json.dumps(body).encode(), 0.0)


@pytest.mark.parametrize(
    ("shown", "more", "lost"),
    [
        (["09", "07"], None, True),
        (["09", "08", "07"], None, False),
        (["09"], "http://a/?cursor=x", False),
        (["09", "07"], "http://a/?cursor=x", True),
        ([], None, True),
    ],
)
def test_a_row_that_a_source_shows_is_on_the_pages_or_beyond_them(
    shown: list[str], more: str | None, lost: bool
) -> None:
    facts = Facts({1: page("08"), 2: page(*shown, following=more)}, {})
    node = {"steps": [2], "sources": [1], "ordering": "-updated_at", "where": []}
    assert bool(complete(node, facts)) is lost
