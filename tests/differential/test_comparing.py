"""Two responses are the same, or the most telling difference between them is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.differential.bindings import Bindings
from mockserver.differential.comparing import Comparison, Difference, cause_of
from mockserver.differential.steps import Answer, Step

GET, POST, PATCH = (Step(method, "/api/v1/calendars/${calendar1}") for method in ("GET", "POST", "PATCH"))
HEADERS = {"content-type": "application/json", "allow": "GET, HEAD", "vary": "Accept"}
CALENDAR = {"id": "cal_aaaaaaaaaaaaaaaa", "state": "connected", "updated_at": "2026-11-20T12:00:00Z", "client_id": "x"}


def answer(body: Any, status: int = 200, **headers: Any) -> Answer:
    given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name: value for name, value in given.items() if value is not None}, text)


def differences(a: Answer, b: Answer, step: Step = GET, *, shapes: bool = False, written: str = "") -> list[Difference]:
    comparison = Comparison(Bindings(("runa", "runb"), ("a", "b")), shapes=shapes)
    comparison.written = {written}
    return comparison.differences(step, a, b)


def first(a: Any, b: Any) -> tuple[str, str]:
    found = differences(answer(a), answer(b))[0]
    return found.where, found.what


def test_the_same_is_no_difference() -> None:
    assert differences(answer(CALENDAR), answer(CALENDAR)) == []
    assert differences(answer(CALENDAR), answer(dict(reversed(CALENDAR.items())))) == []


def test_a_status_is_told_before_all_else() -> None:
    (found,) = differences(answer({"a": 1}), answer({"error": "x"}, 404, allow=None))
    assert (found.where, found.what) == ("status", "200 and 404")
    assert found.b == '404 {"error": "x"}'


def test_no_response_on_one_side_is_a_difference() -> None:
    (found,) = differences(answer({}), Answer(0, {}, b"", "reset"))
    assert (found.what, found.b) == ("no response", "reset")
    assert differences(Answer(0, {}, b"", "reset"), Answer(0, {}, b"", "timed out")) == []


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"allow": "HEAD, GET"}, []),
        ({"allow": "GET"}, ["another value"]),
        ({"vary": None}, ["missing on one side"]),
        ({"content_type": "application/json; charset=utf-8"}, ["another value"]),
        ({"server": "other"}, []),
    ],
    ids=str,
)
def test_headers_are_compared(headers: dict[str, Any], what: list[str]) -> None:
    assert [found.what for found in differences(answer({}), answer({}, **headers))] == what


def test_how_long_to_wait_may_differ_but_not_whether() -> None:
    assert differences(answer({}, 429, retry_after="3"), answer({}, 429, retry_after="42")) == []
    assert differences(answer({}, 429, retry_after="3"), answer({}, 429)) != []


@pytest.mark.parametrize(
    ("a", "b", "where", "what"),
    [
        ({"a": 1}, {}, "/a", "only on A"),
        ({}, {"a": None}, "/a", "only on B"),
        ({"a": 1}, {"a": True}, "/a", "number and boolean"),
        ({"a": None}, {"a": ""}, "/a", "null and text"),
        ({"a": 1}, {"a": 2}, "/a", "another value"),
        ({"a": [1]}, {"a": [1, 2]}, "/a", "another number of items"),
        ({"a": [{"b": "x"}]}, {"a": [{"b": "y"}]}, "/a/*/b", "another text"),
        ({"a": {}}, {"a": []}, "/a", "object and list"),
    ],
)
def test_a_difference_in_a_body_has_its_place(a: Any, b: Any, where: str, what: str) -> None:
    assert first(a, b) == (where, what)


def test_what_is_json_on_one_side_only_is_a_difference() -> None:
    assert [found.what for found in differences(answer({}), answer(b"<html>"))] == ["JSON on one side only"]
    assert [found.what for found in differences(answer(b"<p>a"), answer(b"<p>b"))] == ["another text"]


def test_what_a_sync_writes_counts_only_in_the_response_to_the_write() -> None:
    other = {**CALENDAR, "state": "disconnected", "updated_at": "2026-11-20T13:00:00Z"}
    own = str(CALENDAR["id"])
    assert differences(answer(CALENDAR), answer(other), GET, written=own) == []
    assert differences(answer(CALENDAR), answer(other), PATCH, written=own) == []
    assert [one.where for one in differences(answer(CALENDAR), answer(other), POST, written=own)] == ["/state"]
    assert [one.where for one in differences(answer(CALENDAR), answer(other), GET)] == ["/state"]
    same = {**CALENDAR, "client_id": "y"}
    assert [one.where for one in differences(answer(CALENDAR), answer(same), GET, written=own)] == ["/client_id"]


def test_shapes_are_the_names_of_members() -> None:
    page = {"next": None, "previous": None, "results": [CALENDAR]}
    more = {"next": "x", "previous": None, "results": [{**CALENDAR, "client_id": None}] * 3}
    assert differences(answer(page), answer(more), shapes=True) == []
    odd = {**page, "results": [{**CALENDAR, "colour": "red"}]}
    assert [one.where for one in differences(answer(page), answer(odd), shapes=True)] == ["/results/*/colour"]


def test_differences_with_other_values_have_one_cause() -> None:
    def cause(text: str) -> tuple[str, str, str]:
        return cause_of(GET, Difference("status", "200 and 400", "200 {}", f'400 {{"error": "{text}"}}'))

    assert cause("Calendar cal_aaaaaaaaaaaaaaaa is 1 of 3") == cause("Calendar cal_bbbbbbbbbbbbbbbb is 22 of 9")
    assert cause("Calendar not found") != cause("Invalid cursor")
    assert cause_of(GET, Difference("/a", "only on A", "1", "null")) == (GET.operation, "/a", "only on A")


def test_a_time_that_moves_on_one_side_without_a_sync_is_a_difference() -> None:
    comparison = Comparison(Bindings(("runa", "runb"), ("a", "b")), shapes=False)
    comparison.written = {str(CALENDAR["id"])}
    later = {**CALENDAR, "updated_at": "2026-11-20T12:30:00Z"}
    synced = {**later, "state": "disconnected"}
    other = {"id": "cal_bbbbbbbbbbbbbbbb"}
    mine, first, moved, after_sync = answer(CALENDAR), *(answer(one | other) for one in (CALENDAR, later, synced))
    assert comparison.differences(PATCH, mine, first) == []
    assert [found.what for found in comparison.differences(GET, mine, moved)] == ["moved on one side only"]
    assert comparison.differences(GET, mine, after_sync) == []
