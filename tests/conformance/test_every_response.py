"""The rules on all answers fire on what is wrong, on nothing else, and once for each cause."""

from __future__ import annotations

import pytest

from mockserver.conformance.answers import answers_of
from mockserver.conformance.checks.every_response import contracted, judge
from mockserver.conformance.evaluation import broken, piece_in
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import facts_of
from mockserver.conformance.registry import HOSTILE, PROBES
from mockserver.contracts import load_contract
from tests.conformance.judging import judged, of, sampled, told
from tests.mutants import headers, robustness, schema, status
from tests.mutants.mutant import Mutant


@pytest.mark.parametrize(
    ("mutants", "name", "rule", "operation", "field"),
    sampled(
        [
            (schema.MUTANTS, "is-deleted-as-number", "answer-schema", "listCalendarEvents", "results.is_deleted"),
            (schema.MUTANTS, "create-answer-lacks-metadata", "answer-schema", "createCalendar", "metadata"),
            (schema.MUTANTS, "field-errors-as-texts", "error-family", "createCalendar", "400"),
            (schema.MUTANTS, "201-body-written-twice", "answer-json", "createCalendar", "body"),
            (status.MUTANTS, "duplicate-key-answers-409", "status-documented", "createCalendar", "409"),
            (status.MUTANTS, "put-works-as-patch", "method-undeclared", "getCalendar", "PUT"),
            (headers.MUTANTS, "vary-missing", "vary", "listCalendarEvents", "Vary"),
            (headers.MUTANTS, "delete-sends-content-type", "content-type", "deleteCalendar", "Content-Type"),
            (headers.MUTANTS, "unknown-path-needs-key", "path-unknown", "listCalendars", "path"),
            (headers.MUTANTS, "event-links-show-internal-host", "links-preserve-query", "listCalendarEvents", "host"),
            (headers.MUTANTS, "allow-of-events-has-post", "allow", "listCalendarEvents", "Allow"),
        ],
        step=4,
    ),
)
def test_a_wrong_answer_is_one_finding(
    mutants: tuple[Mutant, ...], name: str, rule: str, operation: str, field: str
) -> None:
    assert told(judged(of(mutants, name), PROBES)) == [(rule, operation, field)]


@pytest.mark.parametrize(
    ("name", "field"),
    sampled(
        [
            ("zone-of-16-hours-crashes", "updated_at_gte"),
            ("time-past-year-9999-crashes", "start_time_gte"),
            ("nul-in-time-crashes", "updated_at_gte"),
        ],
        step=2,
    ),
)
def test_a_server_error_over_one_kind_of_input_is_one_finding(name: str, field: str) -> None:
    run = judged(of(robustness.MUTANTS, name), HOSTILE, writes=False)
    assert told(run) == [("no-server-error", "listCalendarEvents", field)]


@pytest.mark.parametrize("path", ["/calendars?cursor=x", "/internal/calendars", "/api/v1x/calendars", "/"])
def test_what_is_beside_the_api_has_only_to_answer_without_a_server_error(path: str) -> None:
    answers = answers_of(load_contract())
    found = [verdict.rule for verdict in judge(answers, Exchange(1, Request("GET", path), 404, {"server": "any"}))]
    assert found == ["answer-arrives", "no-server-error"]
    crashed = [verdict.rule for verdict in judge(answers, Exchange(1, Request("GET", path), 500)) if verdict.seen]
    assert crashed == ["no-server-error"]


def test_a_finding_starts_with_what_made_its_values() -> None:
    run = judged(of(schema.MUTANTS, "patch-answers-status-ok"), PROBES)
    finding = run.findings.broken["answer-schema", "updateCalendar", "id"]
    assert [exchange.request.method for exchange in finding.exchanges] == ["POST", "PATCH"]


def refused(value: str, status: int) -> Exchange:
    """A list of calendars with this Authorization header, refused by what stands before the API."""
    request = Request("GET", "/api/v1/calendars", (("Authorization", value),))
    return Exchange(1, request, status, {"content-type": "application/json"}, b'{"detail":"Invalid HTTP request."}')


def wrongs(exchange: Exchange) -> set[str]:
    return {verdict.rule for verdict in judge(answers_of(load_contract()), exchange) if verdict.seen}


@pytest.mark.parametrize("value", ["Token\x0bx y z", "Token \x00", "Token \x7f"])
def test_what_an_http_server_says_of_a_malformed_head_is_no_answer_of_the_api(value: str) -> None:
    seen = refused(value, 400)
    assert wrongs(seen) == set()
    assert broken(contracted(answers_of(load_contract()), seen), facts_of([seen])) == ""


@pytest.mark.parametrize(
    ("value", "status", "rules"),
    [
        ("Token x", 400, {"allow", "vary"}),
        ("Token\tx", 400, {"allow", "vary"}),
        ("Token \xe9", 400, {"allow", "vary"}),
        ("Token\x0bx", 401, {"allow", "vary", "www-authenticate"}),
        ("Token\x0bx", 404, {"allow", "vary"}),
    ],
)
def test_what_the_api_says_in_json_is_judged(value: str, status: int, rules: set[str]) -> None:
    assert rules <= wrongs(refused(value, status))


def test_a_crash_over_a_malformed_head_is_one() -> None:
    assert wrongs(refused("Token\x0bx", 500)) == {"no-server-error"}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("GOCSPX-s0123456789abcdefz0000001", True),
        ("GOCSPX-s012345", True),
        ("cdefz0000001", True),
        ("23456789abcdef", True),
        ("GOCSPX-s01234", False),
        ("0000001", False),
        ("GOCSPX-", False),
    ],
)
def test_a_piece_of_a_secret_is_seen_when_it_is_there_by_no_chance(text: str, *, seen: bool) -> None:
    secret = "GOCSPX-s0123456789abcdefz0000001"
    assert bool(piece_in(secret, f"<{text}>".encode(), [])) is seen
    assert bool(piece_in(secret, b"", [f"near {text}!"])) is seen


def test_a_word_at_the_beginning_of_a_key_is_no_piece_of_it() -> None:
    assert piece_in("attendee_production_key_7f3a9c2b1d", b"attendee_production_key", []) == ""
