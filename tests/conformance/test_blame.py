"""One cause is one finding: its other symptoms stand below it, and different crashes are told one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mockserver.conformance.blame import grouped, suspect
from mockserver.conformance.checks import bots, every_response, lifecycle
from mockserver.conformance.checks.lifecycle import opening
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import status
from mockserver.conformance.findings import Finding, Findings
from mockserver.conformance.guard import BOTS
from mockserver.conformance.recorder import Watched
from mockserver.conformance.registry import HOSTILE, PROBES
from mockserver.conformance.run import Run
from mockserver.conformance.runner import JudgeRun, take
from mockserver.contracts import load_contract
from tests.conformance.fakes import FakeTarget
from tests.conformance.judging import judged, of
from tests.mutants import auth
from tests.mutants import robustness as crashes
from tests.mutants.table import new_mock
from tests.mutants.wrapped import LIST, ONE, Call, Reply, before, crash

OPENING = SimpleNamespace(RULES=lifecycle.RULES, CHECKS=opening.CHECKS)


def finding(rule: str, operation: str, field: str, number: int, body: Any = None) -> Finding:
    raw = None if body is None else json.dumps(body).encode()
    seen = Exchange(number, Request("PATCH", "/api/v1/calendars/cal_0", (), raw), 500)
    return Finding(rule, operation, field, status(200), "500", (seen,))


def heads(*findings: Finding) -> list[tuple[str, list[str]]]:
    return [(head.name, [symptom.name for symptom in head.symptoms]) for head in grouped(findings)]


def test_what_one_answer_breaks_is_one_finding() -> None:
    assert heads(finding("allow", "getCalendar", "Allow", 3), finding("vary", "getCalendar", "Vary", 3)) == [
        ("allow getCalendar Allow", ["vary getCalendar Vary"])
    ]


def test_a_rule_that_is_broken_everywhere_is_one_finding() -> None:
    found = [finding("vary", operation, "Vary", n) for n, operation in enumerate(["getCalendar", "listCalendars"])]
    assert heads(*found) == [("vary getCalendar Vary", ["vary listCalendars Vary"])]


def answered(rule: str, operation: str, field: str, number: int, code: int, *before: Exchange) -> Finding:
    seen = Exchange(number, Request("DELETE", f"/api/v1/{operation}", (), None), code)
    return Finding(rule, operation, field, status(200), str(code), (*before, seen))


def crashed(number: int, path: str, headers: tuple[tuple[str, str], ...] = (), sent: bytes | None = None) -> Finding:
    request = Request("GET" if sent is None else "POST", path, headers, sent)
    operation = "listCalendarEvents" if sent is None else "createCalendar"
    field = suspect(request, {})
    return Finding("no-server-error", operation, field, status((100, 499)), "500", (Exchange(number, request, 500),))


def test_a_crash_over_letters_that_no_filter_has_is_one_in_a_cursor_too() -> None:
    def crashes_over(text: str) -> list[Finding]:
        return [crashed(n, f"/api/v1/calendar_events?{name}={text}") for n, name in enumerate(("event_id", "cursor"))]

    assert len(heads(*crashes_over("%F0%9F%98%80"))) == 1
    assert len(heads(*crashes_over("%00"))) == 2


def test_a_crash_over_a_body_that_is_no_json_is_one_however_it_is_none() -> None:
    path, charset = "/api/v1/calendars", (("Content-Type", "application/json; charset=utf-16"),)
    bodies = (crashed(1, path, sent=b"{"), crashed(2, path, sent=b'{"a":NaN}'), crashed(3, path, charset, b"{}"))
    assert len(heads(*bodies)) == 1
    other = crashed(2, path, (("Content-Type", "text/plain"),), b"{}")
    assert len(heads(crashed(1, path, sent=b"{"), other)) == 2


def test_a_crash_over_a_number_of_any_length_is_one() -> None:
    sent = (b'{"platform_uuid":' + b"9" * digits + b"}" for digits in (17, 700, 5000))
    assert len(heads(*(crashed(n, "/api/v1/calendars", sent=body) for n, body in enumerate(sent)))) == 1


@pytest.mark.parametrize(("other", "findings"), [("listCalendars", 1), ("listCalendarEvents", 2), ("listBots", 2)])
def test_a_field_that_is_wrong_in_a_list_is_so_elsewhere(other: str, findings: int) -> None:
    alone = answered("answer-schema", "createCalendar", "id", 1, 200)
    assert len(heads(alone, answered("answer-schema", other, "results.id", 2, 200))) == findings


@pytest.mark.parametrize(("answer", "findings"), [(b'{"status":"ok"}', 1), (b'{"id":"cal_0"}', 2)])
def test_an_answer_that_is_no_calendar_explains_what_its_fields_should_have_been(answer: bytes, findings: int) -> None:
    request = Request("PATCH", "/api/v1/calendars/cal_0", (), b"{}")
    schema, metadata = (
        Finding(rule, "updateCalendar", field, status(200), "", (Exchange(number, request, 200, body=body),))
        for number, (rule, field, body) in enumerate(
            [("answer-schema", "id", b'{"status":"ok"}'), ("patch-replaces-metadata", "metadata", answer)]
        )
    )
    assert len(heads(schema, metadata)) == findings


@pytest.mark.parametrize(("sent", "findings"), [(b'{"platform_uuid": "x"}', 1), (b'{"metadata": {}}', 2)])
def test_a_field_that_is_refused_explains_why_a_good_request_with_it_is_refused(sent: bytes, findings: int) -> None:
    refused, accepted = (
        Finding(rule, "createCalendar", field, status(201), "400", (Exchange(number, request, 400),))
        for number, (rule, field, request) in enumerate(
            [
                ("field-number", "platform_uuid", Request("POST", "/api/v1/calendars", (), b'{"platform_uuid": 0}')),
                ("create-accepted", "", Request("POST", "/api/v1/calendars", (), sent)),
            ]
        )
    )
    assert len(heads(refused, accepted)) == findings


@pytest.mark.parametrize(("path", "findings"), [("?cursor=bad", 1), ("?format=yaml", 2)])
def test_a_get_that_is_answered_wrongly_explains_why_head_differs(path: str, findings: int) -> None:
    wrong = Exchange(1, Request("GET", "/api/v1/calendars?cursor=bad"), 200)
    got, headed = (Exchange(n, Request(how, "/api/v1/calendars" + path), 200) for n, how in ((2, "GET"), (3, "HEAD")))
    cursor = Finding("cursor-refused", "listCalendars", "cursor", status(404), "200", (wrong,))
    head = Finding("head-as-get", "listCalendars", "HEAD", status(404), "200", (got, headed))
    assert len(heads(cursor, head)) == findings


def test_a_field_in_a_form_that_no_answer_has_explains_that_it_is_not_what_it_begins_with() -> None:
    default = answered("create-defaults", "createCalendar", "state", 1, 201)
    assert len(heads(default, answered("answer-schema", "createCalendar", "state", 2, 201))) == 1


def test_metadata_that_are_lost_have_no_order() -> None:
    order, lost, race = (
        answered(rule, "updateCalendar", "metadata" * (rule != "race-no-lost-update"), number, 200)
        for number, rule in enumerate(["metadata-name-order", "patch-partial", "race-no-lost-update"])
    )
    assert [head for head, _ in heads(order, lost, race)] == ["patch-partial updateCalendar metadata"]


def test_what_is_gone_and_still_listed_explains_pages_that_do_not_fit() -> None:
    found = (answered(rule, "listCalendars", "", n, 200) for n, rule in enumerate(["page-back", "delete-unlisted"]))
    assert heads(*found) == [("delete-unlisted listCalendars", ["page-back listCalendars"])]


def test_what_reading_changes_explains_what_differs_from_what_was_read_before() -> None:
    writes = answered("tenant-writes", "updateCalendar", "", 1, 200)
    refused = answered("refusal-stores-nothing", "deleteCalendar", "", 2, 200)
    read = answered("read-changes-nothing", "getCalendar", "updated_at", 3, 200)
    assert len(heads(writes, refused)) == 2
    assert [name for name, _ in heads(writes, refused, read)] == ["read-changes-nothing getCalendar updated_at"]


def test_an_operation_that_is_always_answered_with_a_wrong_status_is_one_finding() -> None:
    whole = answered("delete-accepted", "deleteCalendar", "", 1, 404)
    body = answered("body-of-delete", "deleteCalendar", "body", 2, 404)
    assert len(heads(whole, body)) == 1
    assert len(heads(whole, answered("body-of-delete", "deleteCalendar", "body", 2, 400))) == 2
    assert len(heads(whole, answered("format-parameter", "updateCalendar", "format", 2, 404))) == 2


@pytest.mark.parametrize(
    ("rule", "operation", "field", "code"),
    [("answer-schema", "listCalendars", "results.id", 200), ("create-stored", "createCalendar", "", 404)],
)
def test_what_is_not_found_where_it_is_spoils_what_is_done_with_it(
    rule: str, operation: str, field: str, code: int
) -> None:
    head = answered(rule, operation, field, 1, code)
    assert len(heads(head, answered("body-of-delete", "deleteCalendar", "body", 2, 404))) == 1
    assert len(heads(head, answered("body-of-delete", "deleteCalendar", "body", 2, 400))) == 2


@pytest.mark.parametrize(("field", "found"), [("start_time_gte", 1), ("end_time_lte", 2), ("restart_time", 2)])
def test_a_field_in_a_wrong_form_spoils_what_is_about_that_field(field: str, found: int) -> None:
    form = answered("answer-schema", "listCalendarEvents", "results.start_time", 1, 200)
    assert len(heads(form, answered("filter-boundary", "listCalendarEvents", field, 2, 200))) == found


def test_a_wrong_id_does_not_explain_what_only_has_those_letters() -> None:
    form = answered("answer-schema", "listCalendarEvents", "results.id", 1, 200)
    assert len(heads(form, answered("filter-text", "listCalendarEvents", "calendar_id", 2, 200))) == 2


def test_what_is_wrong_with_the_pages_of_both_lists_is_one_finding_and_two_filters_are_two() -> None:
    calendars = answered("calendars-newest-first", "listCalendars", "", 1, 200)
    events = answered("events-order", "listCalendarEvents", "ordering", 2, 200)
    assert len(heads(calendars, events)) == 1
    key = answered("filter-exact", "listCalendars", "deduplication_key", 3, 200)
    assert len(heads(key, answered("filter-zone", "listCalendarEvents", "time filters", 4, 200))) == 2


def test_a_crash_explains_what_a_step_that_crashed_like_it_has_broken() -> None:
    crashed = answered("no-server-error", "deleteBot", "", 2, 500)
    step = answered("x", "deleteBot", "", 4, 500).exchanges[-1]
    assert len(heads(crashed, answered("bot-key-freed", "createBot", "", 5, 400, step))) == 1
    gone = answered("x", "deleteBot", "", 4, 404).exchanges[-1]
    assert len(heads(crashed, answered("bot-key-freed", "createBot", "", 5, 400, gone))) == 2


def test_crashes_over_different_fields_are_told_one_by_one() -> None:
    metadata = finding("no-server-error", "updateCalendar", "metadata", 1, {"metadata": {"a": 1}})
    unknown = finding("no-server-error", "updateCalendar", "unknown field", 2, {"x y": 1})
    assert len(heads(metadata, unknown)) == 2


def test_crashes_over_one_kind_of_text_are_one_finding() -> None:
    metadata = finding("no-server-error", "updateCalendar", "metadata", 1, {"metadata": {"a": "\0"}})
    secret = finding("no-server-error", "updateCalendar", "client_secret", 2, {"client_secret": "\0"})
    assert heads(metadata, secret) == [
        ("no-server-error updateCalendar metadata", ["no-server-error updateCalendar client_secret"])
    ]


def test_what_any_defect_may_break_stands_below_what_says_more() -> None:
    drawn = finding("fuzz-valid-taken", "createCalendar", "PositiveDataRejected", 1)
    assert heads(drawn, finding("create-accepted", "createCalendar", "", 2))[0][0] == "create-accepted createCalendar"


def test_different_defects_stay_apart() -> None:
    assert len(heads(finding("page-full", "listCalendars", "", 1), finding("filter-zone", "listCalendars", "", 2))) == 2


def test_one_crash_in_every_field_is_one_finding_of_the_report() -> None:
    run = judged(of(crashes.MUTANTS, "lone-surrogate-crashes"), HOSTILE)
    assert len(run.findings.broken) > 5
    assert len(grouped(run.findings.broken.values())) == 1


def test_a_key_that_need_not_be_known_is_one_finding_of_the_report() -> None:
    run = judged(of(auth.MUTANTS, "any-token-accepted"), PROBES)
    assert len(run.findings.broken) > 5
    assert [head.rule for head in grouped(run.findings.broken.values())] == ["key-known"]


@pytest.mark.parametrize("alone_first", [True, False])
def test_a_race_swallows_no_crash_that_one_request_alone_shows(alone_first: bool) -> None:
    target = FakeTarget(lambda _: (500, {}))
    run = JudgeRun(target, load_contract(), seed=1, clock=lambda: 0.0)
    watched = run.target = Watched(target, run, every_response.look, lambda: None)

    def alone() -> None:
        watched.send("PATCH", "/api/v1/calendars/cal_0", json={"metadata": {}})

    if alone_first:
        alone()
    watched.together([lambda: watched.send("PATCH", "/api/v1/calendars/cal_0", json={"metadata": {}})] * 2)
    if not alone_first:
        alone()
    (crash,) = run.findings.broken.values()
    assert not crash.raced
    assert len(watched.led_to(crash.exchanges)) == 1


def test_a_finding_of_a_race_stays_one_while_nothing_shows_it_alone() -> None:
    findings = Findings()
    seen = [finding("no-server-error", "updateCalendar", "", number).exchanges[0] for number in (1, 2)]
    for one in seen:
        findings.record("no-server-error", "500", status(200), operation="updateCalendar", exchanges=[one], raced=True)
    assert [(one.hits, one.raced) for one in findings.broken.values()] == [(2, True)]


def test_a_part_of_which_every_answer_is_a_server_error_says_so() -> None:
    target = FakeTarget(lambda _: (500, {}), writes=False)
    run = JudgeRun(target, load_contract(), seed=1, clock=lambda: 0.0)
    run.target = Watched(target, run, every_response.look, lambda: None)
    untested = _untested(run)
    assert untested["time-refused"].endswith("answered with a server error")


def _untested(run: Run) -> dict[str, str]:
    take(run, PROBES)
    return run.findings.unobservable


def crashes_of(run: Run) -> set[tuple[str, str]]:
    """The operations and fields that the report tells crashes of; what follows from them stands below them."""
    heads = grouped(run.findings.broken.values())
    assert {head.rule for head in heads} == {"no-server-error"}
    return {(head.operation, head.field) for head in heads}


def holding(field: str, text: str) -> Callable[[Call], bool]:
    """Whether a field of a body holds a text, as JSON in ASCII writes it."""
    return lambda call: isinstance(call.json, dict) and text in json.dumps(call.json.get(field, ""))


@pytest.mark.parametrize(("method", "operation"), [("POST", "createCalendar"), ("PATCH", "updateCalendar")])
def test_two_crashes_of_one_operation_in_two_fields_are_two_findings(method: str, operation: str) -> None:
    cases = holding("metadata", "\\ud"), holding("client_secret", "\\u0000")
    mutant = before(lambda call: crash() if call.method == method and any(case(call) for case in cases) else None)
    found = crashes_of(judged(mutant(new_mock()), HOSTILE, PROBES, OPENING))
    assert found == {(operation, "metadata"), (operation, "client_secret")}


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [("POST", LIST, "createCalendar"), ("PATCH", ONE, "updateCalendar"), ("POST", BOTS, "createBot")],
)
def test_a_crash_of_an_operation_whatever_is_sent_is_one_finding_of_no_field(
    method: str, path: str, operation: str
) -> None:
    mutant = before(lambda call: crash() if call.method == method and call.path.startswith(path) else None)
    run = judged(mutant(new_mock()), *((bots,) if path == BOTS else (HOSTILE, PROBES, OPENING)))
    assert {one for one in crashes_of(run) if one[0] == operation} == {(operation, "")}


def test_a_crash_over_a_field_is_of_that_field_whatever_else_is_odd() -> None:
    def keyed(call: Call) -> Reply | None:
        has_key = isinstance(call.json, dict) and "deduplication_key" in call.json
        return crash() if call.method == "POST" and has_key else None

    run = judged(before(keyed)(new_mock()), OPENING, HOSTILE)
    assert crashes_of(run) == {("createCalendar", "deduplication_key")}


def test_one_rule_of_one_operation_is_one_finding_whatever_the_field() -> None:
    names = ("createCalendar", "client_id"), ("createCalendar", "client_secret"), ("updateCalendar", "metadata")
    found = [finding("field-type", operation, field, number) for number, (operation, field) in enumerate(names)]
    assert len(heads(*found)) == 1
    two = finding("field-type", "createCalendar", "client_id", 1), finding("field-type", "createBot", "bot_name", 2)
    assert len(heads(*two)) == 2


def test_crashes_over_one_kind_of_value_are_one_finding() -> None:
    fields = "platform", "platform_uuid"
    found = [finding("no-server-error", "createCalendar", f, n, {f: 1e300}) for n, f in enumerate(fields)]
    assert len(heads(*found)) == 1
    found = [
        finding("no-server-error", "createCalendar", f, n, {f: value})
        for n, (f, value) in enumerate([("platform", 1e300), ("platform_uuid", [])])
    ]
    assert len(heads(*found)) == 2


def test_crashes_over_html_are_one_finding_however_html_is_asked_for() -> None:
    asked = Request("GET", "/api/v1/calendars/cal_0?format=api"), Request("GET", ONE, (("Accept", "text/html"),))
    found = [
        Finding("no-server-error", "getCalendar", field, status(200), "500", (Exchange(number, request, 500),))
        for number, (field, request) in enumerate(zip(("format", "Accept"), asked, strict=True))
    ]
    assert len(heads(*found)) == 1
