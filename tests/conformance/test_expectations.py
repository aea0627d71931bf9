"""What a finding expects is held against new answers: it shows on any defect of its rule, never on a right service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import (
    Expectation,
    answered,
    body,
    complete,
    each_once,
    each_row,
    every,
    facts_of,
    in_order,
    links,
    never,
    prompt,
    same_document,
    same_rows,
    schema,
    status,
    waits,
)
from mockserver.conformance.findings import Finding, Findings
from mockserver.conformance.minimize import confirmed
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.registry import all_rules
from mockserver.conformance.replay import Replayer
from mockserver.conformance.reports.pytest_file import pytest_file
from tests.conformance.fakes import FakeTarget

Service = Callable[[Request], tuple[int, Any]]
Expecting = Callable[..., Expectation]
LIST, EVENTS = "/api/v1/calendars", "/api/v1/calendar_events"
LATEST = "-updated_at"
RULES = {rule.id: rule for rule in all_rules()}


def rows(*names: str, **more: Any) -> dict[str, Any]:
    return {"next": None, "previous": None, "results": [{"id": f"evt_{name}"} for name in names], **more}


def timed(**times: str) -> dict[str, Any]:
    found = [{"id": f"evt_{name}", "updated_at": f"2026-01-01T00:00:{at}Z"} for name, at in times.items()]
    return rows() | {"results": found}


def flapping() -> Service:
    turn = count()
    return lambda _: (200, rows("aaaa", "bbbb") if next(turn) % 2 else rows("bbbb", "aaaa"))


def seen(service: Service, *requests: tuple[str, str] | tuple[str, str, Any]) -> tuple[Exchange, ...]:
    target = FakeTarget(service)
    return tuple(target.send(method, path, json=body[0] if body else None) for method, path, *body in requests)


def found(rule: str, service: Service, *requests: Any, expecting: Expecting, field: str = "") -> Finding:
    exchanges = seen(service, *requests)
    findings = Findings()
    expectation = expecting(*exchanges)
    told = broken(expectation, facts_of(exchanges))
    assert told, "the service is right"
    findings.record(rule, told, expectation, operation="listCalendarEvents", exchanges=exchanges, field=field)
    return next(iter(findings.broken.values()))


def recipe(finding: Finding) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(recipe_of(finding, RULES[finding.rule], Origins("", {}))))
    return made


def replayer(service: Service) -> Replayer:
    return Replayer(FakeTarget(service), {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic)


def verdicts(finding: Finding, wrong: Service, right: Service) -> tuple[str, str]:
    told = recipe(finding)
    return replayer(wrong).replay(told).verdict, replayer(right).replay(told).verdict


GETS = ("GET", EVENTS), ("GET", EVENTS)


@pytest.mark.parametrize("rule", ["list-repeats", "parameter-unknown", "cursor-encoding", "race-walk"])
def test_a_list_that_differs_every_other_time_shows_and_one_that_stays_does_not(rule: str) -> None:
    finding = found(rule, flapping(), *GETS, expecting=lambda one, _: same_rows(one))
    assert verdicts(finding, flapping(), lambda _: (200, rows("bbbb", "aaaa"))) == ("shows", "gone")


def test_a_defect_that_shows_every_other_time_is_tried_again() -> None:
    turn = count()
    wrong = timed(aaaa="01", bbbb="02")
    finding = found("events-order", lambda _: (200, wrong), GETS[0], expecting=lambda page: in_order([page], LATEST))
    assert verdicts(
        finding,
        lambda _: (200, timed(aaaa="01", bbbb="02") if next(turn) else timed(bbbb="02", aaaa="01")),
        lambda _: (200, timed(bbbb="02", aaaa="01")),
    ) == ("shows", "gone")


def test_a_field_that_changes_by_reading_is_compared_by_itself() -> None:
    turn = count()
    path = f"{LIST}/cal_aaaaaaaaaaaaaaaa"

    def moving(_: Request) -> tuple[int, Any]:
        return 200, {"id": "cal_aaaaaaaaaaaaaaaa", "state": str(next(turn)), "name": "x"}

    steps = ("GET", path), ("GET", path)
    finding = found("read-changes-nothing", moving, *steps, expecting=lambda one, _: same_document(one))
    right = {"id": "cal_aaaaaaaaaaaaaaaa", "state": "1", "name": "x"}
    assert verdicts(finding, moving, lambda _: (200, right)) == ("shows", "gone")


def test_a_row_that_a_filter_should_leave_may_stand_on_a_later_page() -> None:
    def page(first: dict[str, Any], **links: Any) -> Service:
        return lambda request: (200, timed(cccc="03") if "event_id" in request.path else {**first, **links})

    steps = ("GET", f"{EVENTS}?event_id=evt_cccc"), ("GET", f"{EVENTS}?updated_at_gte=")
    wrong = page(timed(dddd="04", bbbb="02"))
    finding = found("filter-alias", wrong, *steps, expecting=lambda one, page: complete([page], LATEST, [one]))
    assert verdicts(finding, wrong, page(timed(eeee="05", dddd="04"), next="http://a/?cursor=x")) == ("shows", "gone")


def test_any_row_that_a_filter_should_not_leave_shows() -> None:
    only = each_row([None], [["id", "=", "evt_aaaa"]])
    step = ("GET", f"{EVENTS}?event_id=evt_aaaa")
    finding = found("filter-text", lambda _: (200, rows("aaaa", "bbbb")), step, expecting=lambda _: only)
    assert verdicts(finding, lambda _: (200, rows("cccc")), lambda _: (200, rows("aaaa"))) == ("shows", "gone")


def test_any_row_that_a_walk_leaves_out_shows_also_where_the_pages_go_on() -> None:
    def walk(second: Sequence[str]) -> Service:
        def answer(request: Request) -> tuple[int, Any]:
            times = {"aaaa": "09", "bbbb": "08", "cccc": "07", "dddd": "06"}
            if "event_id" in request.path:
                return 200, timed(bbbb="08", cccc="07")
            more = f"http://a{EVENTS}?cursor=cursor_two"
            if "cursor" not in request.path:
                return 200, timed(aaaa="09") | {"next": more}
            return 200, timed(**{name: times[name] for name in second}) | {"next": f"{more}3", "previous": more}

        return answer

    paths = f"{EVENTS}?event_id=evt_bbbb", EVENTS, f"{EVENTS}?cursor=cursor_two"
    steps = [("GET", path) for path in paths]
    finding = found(
        "page-ties",
        walk(["cccc", "dddd"]),
        *steps,
        expecting=lambda one, *pages: every(each_once(pages, LATEST), complete(pages, LATEST, [one])),
    )
    assert verdicts(finding, walk(["bbbb", "dddd"]), walk(["bbbb", "cccc", "dddd"])) == ("shows", "gone")


def test_a_wrong_type_is_told_from_a_value_that_only_equals_it() -> None:
    def listed(value: Any) -> Service:
        return lambda _: (200, {"results": [{"id": "evt_aaaa", "is_deleted": value}]})

    kept = schema({"of_status": {"200": _listing({"type": "boolean"})}, "named": {}})
    finding = found("answer-schema", listed(0), ("GET", EVENTS), expecting=lambda _: kept)
    assert verdicts(finding, listed("no"), listed(False)) == ("shows", "gone")


def _listing(flag: dict[str, Any]) -> dict[str, Any]:
    row = {"type": "object", "properties": {"is_deleted": flag}}
    return {"type": "object", "properties": {"results": {"type": "array", "items": row}}}


def test_a_change_that_is_not_stored_is_told_by_what_its_answer_said() -> None:
    def service(stored: str) -> Service:
        def answer(request: Request) -> tuple[int, Any]:
            value = {"POST": "old", "PATCH": "new"}.get(request.method, stored)
            made = {"id": "cal_aaaaaaaaaaaaaaaa", "metadata": {"a": value}}
            return 201 if request.method == "POST" else 200, made

        return answer

    path = f"{LIST}/cal_aaaaaaaaaaaaaaaa"
    steps: tuple[Any, ...] = ("POST", LIST, {}), ("PATCH", path, {"metadata": {"a": "new"}}), ("GET", path)
    finding = found("patch-stored", service("old"), *steps, expecting=lambda _, changed, __: same_document(changed))
    assert verdicts(finding, service("neither"), service("new")) == ("shows", "gone")


def test_a_link_is_told_by_the_host_that_was_asked() -> None:
    def page(host: str) -> Service:
        return lambda _: (200, rows("aaaa", next=f"{host}{EVENTS}?cursor=x"))

    finding = found(
        "links-preserve-query", page("http://elsewhere"), GETS[0], expecting=lambda _: links(EVENTS, "right")
    )
    told = recipe(finding)

    class Hosted(FakeTarget):
        host = "there:8000"

    def verdict(service: Service) -> str:
        return Replayer(Hosted(service), {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic).replay(told)[0]

    assert (verdict(page("http://other")), verdict(page("http://there:8000"))) == ("shows", "gone")


def test_a_refusal_in_other_wrong_words_shows() -> None:
    refused = every(status(401), body({"detail": "Invalid or disabled API key"}))
    finding = found("key-known", lambda _: (401, {"detail": "bad key"}), GETS[0], expecting=lambda _: refused)
    right = {"detail": "Invalid or disabled API key"}
    assert verdicts(finding, lambda _: (401, {"detail": "key is bad"}), lambda _: (401, right)) == ("shows", "gone")


def test_a_429_shows_by_any_wrong_wait() -> None:
    class Throttling(FakeTarget):
        wait = "61"

        def send(self, method: str, path: str, **more: Any) -> Exchange:
            answer = super().send(method, path, **more)
            return replace(answer, headers={**answer.headers, "retry-after": self.wait})

    def text(seconds: str) -> Service:
        return lambda _: (429, {"detail": f"Request was throttled. Expected available in {seconds}."})

    def verdict(service: Service, wait: str) -> str:
        target = Throttling(service)
        target.wait = wait
        return Replayer(target, {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic).replay(told)[0]

    told = recipe(found("retry-after", text("5 seconds"), GETS[0], expecting=lambda _: waits()))
    assert verdict(text("5 seconds"), "6") == "shows"
    assert verdict(text("1 seconds"), "1") == "shows"
    assert (verdict(text("5 seconds"), "5"), verdict(text("1 second"), "1")) == ("gone", "gone")


def test_no_answer_shows_and_any_answer_is_one() -> None:
    finding = found("answer-arrives", lambda _: (0, {}), GETS[0], expecting=lambda _: answered())
    assert verdicts(finding, lambda _: (0, {}), lambda _: (500, {})) == ("shows", "gone")


def test_a_slow_answer_shows_by_what_is_usual() -> None:
    class Slow(FakeTarget):
        seconds = 0.0

        def send(self, method: str, path: str, **more: Any) -> Exchange:
            return replace(super().send(method, path, **more), seconds=self.seconds)

    def slow(seconds: float) -> Slow:
        target = Slow(lambda _: (200, rows()))
        target.seconds = seconds
        return target

    exchanges = tuple(slow(2.0).send("GET", EVENTS) for _ in range(1))
    expectation = prompt(exchanges, 1.0)
    finding = Finding("response-time", "listCalendarEvents", "", expectation, "2.0 s", exchanges)

    def verdict(seconds: float) -> str:
        player = Replayer(slow(seconds), {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic)
        return player.replay(recipe(finding)).verdict

    assert (verdict(1.5), verdict(0.1)) == ("shows", "gone")


class Fragile:
    """A service that crashes on a reading once so many calendars were made."""

    def __init__(self, after: int) -> None:
        self.after, self.made = after, 0

    def __call__(self, request: Request) -> tuple[int, Any]:
        if request.method == "POST":
            self.made += 1
            return 201, {"id": f"cal_{self.made:016}"}
        self.made -= request.method == "DELETE"
        return (500, {}) if request.method == "GET" and self.made >= self.after else (200, {})


def test_a_finding_is_given_the_earlier_requests_that_it_needs_and_no_more() -> None:
    service = Fragile(after=2)
    exchanges = seen(service, *[("POST", LIST, {"n": number}) for number in range(9)], ("GET", EVENTS))
    sound = {**status((100, 499)), "step": exchanges[-1].number}
    finding = Finding("no-server-error", "listCalendarEvents", "", sound, "500", exchanges[-1:], history=exchanges)
    player = replayer(Fragile(after=2))
    told = confirmed([finding], recipe, player, seconds=30)
    steps = told.recipes[finding.identity]["steps"]
    assert [step["method"] for step in steps] == ["POST", "POST", "GET"]
    assert told.once == []


@pytest.mark.parametrize("needed", [{0}, {2, 7}, {1, 4, 8}])
def test_of_the_earlier_requests_only_those_stay_that_are_needed_wherever_they_stand(needed: set[int]) -> None:
    class Picky:
        """A service that crashes on a reading while it has these calendars."""

        def __init__(self) -> None:
            self.there: set[int] = set()

        def __call__(self, request: Request) -> tuple[int, Any]:
            if request.method == "POST":
                number = json.loads(request.body or b"{}")["n"]
                self.there.add(number)
                return 201, {"id": f"cal_{number:016}"}
            if request.method == "DELETE":
                self.there.remove(int(request.path[-16:]))
                return 200, {}
            return (500, {}) if needed <= self.there else (200, {})

    exchanges = seen(Picky(), *[("POST", LIST, {"n": number}) for number in range(9)], ("GET", EVENTS))
    sound = {**status((100, 499)), "step": exchanges[-1].number}
    finding = Finding("no-server-error", "listCalendarEvents", "", sound, "500", exchanges[-1:], history=exchanges)

    steps = confirmed([finding], recipe, replayer(Picky()), seconds=30).recipes[finding.identity]["steps"]
    assert [json.loads(step["body"])["n"] for step in steps[:-1]] == sorted(needed)


def test_what_a_service_kept_from_an_earlier_reading_is_read_before_the_change_too() -> None:
    class Keeping:
        """A service whose list shows calendars as they were when it was read first."""

        def __init__(self) -> None:
            self.there: dict[str, int] = {}
            self.kept: dict[str, int] = {}
            self.numbers = count()

        def __call__(self, request: Request) -> tuple[int, Any]:
            if request.method in ("POST", "PATCH"):
                new = f"cal_{next(self.numbers):016}"
                name = new if request.method == "POST" else request.path.rpartition("/")[2]
                self.there[name] = json.loads(request.body or b"{}")["n"]
                return 201 if request.method == "POST" else 200, {"id": name, "n": self.there[name]}
            if request.method == "DELETE":
                return 200, self.there.pop(request.path.rpartition("/")[2], None)
            self.kept = {**self.there, **self.kept}
            return 200, {"next": None, "previous": None, "results": [{"id": i, "n": n} for i, n in self.kept.items()]}

    requests = ("POST", LIST, {"n": 1}), ("GET", LIST), ("PATCH", f"{LIST}/cal_{0:016}", {"n": 2}), ("GET", LIST)
    made, _, changed, listed = seen(Keeping(), *requests)
    findings, told = Findings(), broken(same_document(changed), facts_of([made, changed, listed]))
    findings.record(
        "list-fresh", told, same_document(changed), operation="listCalendars", exchanges=[made, changed, listed]
    )
    (finding,) = findings.broken.values()
    again = confirmed([finding], recipe, replayer(Keeping()), seconds=30).recipes[finding.identity]
    assert [step["method"] for step in again["steps"]] == ["POST", "GET", "PATCH", "GET"]
    assert replayer(Keeping()).replay(again).verdict == "shows"


def test_what_does_not_show_again_is_told_apart_where_something_else_does() -> None:
    lasting = found("no-server-error", lambda _: (500, {}), ("GET", LIST), expecting=lambda _: status((100, 499)))
    passing = found("status-documented", lambda _: (418, {}), ("GET", EVENTS), expecting=lambda _: status(200, 400))
    player = replayer(lambda request: (500, {}) if request.path == LIST else (200, rows()))
    assert confirmed([lasting, passing], recipe, player, seconds=30).once == [passing.identity]
    assert confirmed([passing], recipe, player, seconds=30).once == []


def test_a_429_that_came_once_is_told_with_the_requests_that_led_to_it() -> None:
    def throttling() -> Service:
        turn = count(1)
        return lambda _: (429, {}) if next(turn) == 7 else (200, rows())

    exchanges = seen(throttling(), *[("GET", EVENTS)] * 7)
    never_so_soon = {"what": "all", "of": [{**status(200, 400), "step": 7}, never(429)]}
    finding = Finding(
        "status-documented", "listCalendarEvents", "429", never_so_soon, "429 {}", exchanges[-1:], history=exchanges
    )
    told = confirmed([finding], recipe, replayer(lambda _: (200, rows())), seconds=30)
    again = told.recipes[finding.identity]
    assert len(again["steps"]) == 7
    assert replayer(throttling()).replay(again).verdict == "shows"


def test_the_pytest_file_expects_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    told = recipe(found("list-repeats", flapping(), *GETS, expecting=lambda one, _: same_rows(one)))
    space: dict[str, Any] = {"__name__": "finding"}
    exec(compile(pytest_file(told, base="http://127.0.0.1:9", file="x.py"), "x.py", "exec"), space)
    test = next(value for name, value in space.items() if name.startswith("test_"))

    def answering(service: Service) -> None:
        answer = space["Answer"]
        monkeypatch.setitem(
            space,
            "_answer",
            lambda sent: answer(200, {}, json.dumps(service(Request(sent.method, sent.path))[1]).encode(), 0.0),
        )

    answering(lambda _: (200, rows("bbbb", "aaaa")))
    test()
    answering(flapping())
    with pytest.raises(AssertionError):
        test()
