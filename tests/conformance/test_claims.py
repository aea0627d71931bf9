"""What compares answers is played again by what it claims: it shows on the defect, and never on a right service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest

from mockserver.conformance.confirming import confirmed
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.findings import Finding
from mockserver.conformance.parts import all_rules
from mockserver.conformance.recipe import Origins, recipe_of
from mockserver.conformance.replay import Replayer
from mockserver.conformance.reports.pytest_file import pytest_file
from tests.conformance.fakes import FakeTarget

Service = Callable[[Request], tuple[int, Any]]
LIST, EVENTS = "/api/v1/calendars", "/api/v1/calendar_events"
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


def found(
    rule: str, service: Service, *requests: Any, field: str = "", expected: str = "", actual: str = ""
) -> Finding:
    return Finding(rule, "listCalendarEvents", field, expected, actual, seen(service, *requests))


def recipe(finding: Finding) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(recipe_of(finding, RULES[finding.rule], Origins("", {}))))
    return made


def replayer(service: Service) -> Replayer:
    return Replayer(FakeTarget(service), {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic)


def verdicts(finding: Finding, wrong: Service, right: Service) -> tuple[str, str]:
    told = recipe(finding)
    return replayer(wrong).replay(told).verdict, replayer(right).replay(told).verdict


GETS = ("GET", EVENTS), ("GET", EVENTS)


@pytest.mark.parametrize("rule", ["list-repeats", "parameter-unknown", "cursor-spelt"])
def test_a_list_that_differs_every_other_time_shows_and_one_that_stays_does_not(rule: str) -> None:
    finding = found(rule, flapping(), *GETS)
    assert verdicts(finding, flapping(), lambda _: (200, rows("bbbb", "aaaa"))) == ("shows", "gone")


def test_a_defect_that_shows_every_other_time_is_tried_again() -> None:
    turn = count()
    finding = found("events-order", lambda _: (200, timed(aaaa="01", bbbb="02")), GETS[0])
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

    finding = found("read-changes-nothing", moving, ("GET", path), ("GET", path), field="state")
    right = {"id": "cal_aaaaaaaaaaaaaaaa", "state": "1", "name": "x"}
    assert verdicts(finding, moving, lambda _: (200, right)) == ("shows", "gone")


def test_a_row_that_a_filter_should_leave_may_stand_on_a_later_page() -> None:
    def page(first: dict[str, Any], **links: Any) -> Service:
        return lambda request: (200, timed(cccc="03") if "event_id" in request.path else {**first, **links})

    steps = ("GET", f"{EVENTS}?event_id=evt_cccc"), ("GET", f"{EVENTS}?updated_at_gte=")
    wrong = page(timed(dddd="04", bbbb="02"))
    finding = found("filter-alias", wrong, *steps, actual="evt_cccc is not shown; its times: updated_at …")
    assert verdicts(finding, wrong, page(timed(eeee="05", dddd="04"), next="http://a/?cursor=x")) == ("shows", "gone")


def test_a_row_that_a_filter_should_not_leave_is_told_by_its_id() -> None:
    finding = found(
        "filter-text",
        lambda _: (200, rows("aaaa", "bbbb")),
        ("GET", f"{EVENTS}?event_id=evt_aaaa"),
        actual="evt_bbbb, whose event_id is evt_bbbb",
    )
    wrong, right = rows("bbbb", "cccc"), rows("cccc")
    assert verdicts(finding, lambda _: (200, wrong), lambda _: (200, right)) == ("shows", "gone")


def test_a_row_that_a_walk_leaves_out_shows_also_where_the_pages_go_on() -> None:
    def walk(second: Sequence[str]) -> Service:
        def answer(request: Request) -> tuple[int, Any]:
            if "event_id" in request.path:
                return 200, rows("bbbb")
            more = f"http://a{EVENTS}?cursor=cursor_two"
            return 200, rows(*second, next=f"{more}3") if "cursor" in request.path else rows("aaaa", next=more)

        return answer

    paths = f"{EVENTS}?event_id=evt_bbbb", EVENTS, f"{EVENTS}?cursor=cursor_two"
    steps = [("GET", path) for path in paths]
    finding = found("page-ties", walk(["cccc"]), *steps, actual="evt_bbbb (updated_at …) is on no page, sorted by …")
    assert verdicts(finding, walk(["cccc"]), walk(["bbbb", "cccc"])) == ("shows", "gone")


def test_a_wrong_type_is_told_from_a_value_that_only_equals_it() -> None:
    finding = found(
        "answer-schema",
        lambda _: (200, {"results": [{"id": "evt_aaaa", "is_deleted": 0}]}),
        ("GET", EVENTS),
        field="results.is_deleted",
        actual='breaks type: 0 is not of type "boolean"',
    )
    right = {"results": [{"id": "evt_aaaa", "is_deleted": False}]}
    assert replayer(lambda _: (200, right)).replay(recipe(finding)).verdict == "gone"
    assert recipe(finding)["assertions"] == [["values", "results.is_deleted", "of type", ["boolean"]]]


def test_ids_of_another_form_are_told_from_good_ones() -> None:
    finding = found(
        "answer-schema",
        lambda _: (201, {"id": "MKcPJpRjicH73g4D"}),
        ("POST", LIST, {}),
        field="id",
        actual='breaks pattern: "MKcPJpRjicH73g4D" does not match "^cal_[A-Za-z0-9]{16}$"',
    )
    wrong, right = {"id": "aaaaaaaaaaaaaaaa"}, {"id": "cal_aaaaaaaaaaaaaaaa"}
    assert verdicts(finding, lambda _: (201, wrong), lambda _: (201, right)) == ("shows", "gone")


def test_a_change_that_is_not_stored_is_told_by_the_member_that_differs() -> None:
    def service(*, stores: bool) -> Service:
        def answer(request: Request) -> tuple[int, Any]:
            changed = request.method == "PATCH" or (request.method == "GET" and stores)
            made = {"id": "cal_aaaaaaaaaaaaaaaa", "metadata": {"a": "new" if changed else "old"}}
            return 201 if request.method == "POST" else 200, made

        return answer

    path = f"{LIST}/cal_aaaaaaaaaaaaaaaa"
    steps: tuple[Any, ...] = ("POST", LIST, {}), ("PATCH", path, {"metadata": {"a": "new"}}), ("GET", path)
    finding = found("patch-stored", service(stores=False), *steps, expected="metadata {'a': 'new'}")
    assert verdicts(finding, service(stores=False), service(stores=True)) == ("shows", "gone")


def test_what_a_change_leaves_out_is_compared_with_what_was_there() -> None:
    def service(after: dict[str, str]) -> Service:
        made = {"id": "cal_aaaaaaaaaaaaaaaa", "metadata": {"a": "b"}}
        return lambda request: (201, made) if request.method == "POST" else (200, {**made, "metadata": after})

    steps: tuple[Any, ...] = ("POST", LIST, {}), ("PATCH", f"{LIST}/cal_aaaaaaaaaaaaaaaa", {"client_secret": "x"})
    finding = found("patch-partial", service({}), *steps, field="metadata", expected="{'a': 'b'}", actual="{}")
    assert verdicts(finding, service({}), service({"a": "b"})) == ("shows", "gone")


def test_a_link_is_told_by_the_host_that_it_leads_to() -> None:
    def page(host: str) -> Service:
        return lambda _: (200, rows("aaaa", next=f"{host}{EVENTS}?cursor=x"))

    finding = found("links-kept", page("http://elsewhere"), GETS[0], field="host")
    assert verdicts(finding, page("http://elsewhere"), page("http://elsewhere:8000")) == ("shows", "gone")


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
    finding = Finding(
        "no-server-error", "listCalendarEvents", "", "below 500", "500", exchanges[-1:], history=exchanges
    )
    player = replayer(Fragile(after=2))
    told = confirmed([finding], recipe, player, seconds=30)
    steps = told.recipes[finding.identity]["steps"]
    assert [step["method"] for step in steps] == ["POST", "POST", "GET"]
    assert told.once == []


def test_what_does_not_show_again_is_told_apart_where_something_else_does() -> None:
    lasting = found("no-server-error", lambda _: (500, {}), ("GET", LIST))
    passing = found("status-documented", lambda _: (418, {}), ("GET", EVENTS), expected="200, 400", actual="418 {}")
    player = replayer(lambda request: (500, {}) if request.path == LIST else (200, rows()))
    assert confirmed([lasting, passing], recipe, player, seconds=30).once == [passing.identity]
    assert confirmed([passing], recipe, player, seconds=30).once == []


def test_a_429_that_came_once_is_told_with_the_requests_that_led_to_it() -> None:
    def throttling() -> Service:
        turn = count(1)
        return lambda _: (429, {}) if next(turn) == 7 else (200, rows())

    exchanges = seen(throttling(), *[("GET", EVENTS)] * 7)
    finding = Finding(
        "status-documented", "listCalendarEvents", "429", "200, 400", "429 {}", exchanges[-1:], history=exchanges
    )
    told = confirmed([finding], recipe, replayer(lambda _: (200, rows())), seconds=30)
    again = told.recipes[finding.identity]
    assert len(again["steps"]) == 7
    assert replayer(throttling()).replay(again).verdict == "shows"


def test_the_pytest_file_holds_the_same_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    told = recipe(found("list-repeats", flapping(), *GETS))
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
