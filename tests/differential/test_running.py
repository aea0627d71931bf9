"""Two deployments are asked the same, and where they differ is found, made short and written down."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.differential.result import Result
from mockserver.differential.running import Options, run
from mockserver.differential.sides import NotComparable, Place
from mockserver.server import running
from tests.clients import ACME, GLOBEX, in_process
from tests.differential.sides import KEY, compared, mutant, new_mock, place, recorded_mock
from tests.replayer import replay

DRAWN = [
    "the UTC offset in end_time_lte is ignored",
    "the first of a repeated parameter counts",
    "end_time_lte is ignored beside start_time_gte",
    "client_secret echoed in a 400",
    "PATCH without fields does not move updated_at",
    "a parameter of application/json makes it a 415",
    "calendar_id ignores case",
    "the UTC offset in a filter is ignored",
    "white space around client_id is kept",
    "keys in any case",
    "PATCH drops metadata whose value is empty",
    "Accept-Charset: utf-16 is a 406",
    "one item is lost between pages",
    "two thousand unknown fields are passed over",
    "raw comes back as a JSON string",
    "one calendar is repeated on the next page",
    "metadata values become texts",
    "HEAD of what is not there has another Vary",
    "NaN counts as null",
    "event_id is ignored",
    "another Content-Type answers 400",
    "X-HTTP-Method-Override is obeyed",
    "the first page has a previous link",
    "OPTIONS needs no key",
    "Accept in upper case is refused",
    "answers in latin-1",
    "cursors count rows: inserts repeat them",
    "WWW-Authenticate: Bearer",
    "client_id is cut at 100 characters",
    "ordering is checked before the times",
]
"""Thirty defects, drawn from those that show without requests at once, the passing of time, or another project."""


def state(mock: Mock) -> Any:
    """The calendars and events of every project."""
    return [
        ([*project.state.calendars], [*project.state.events])
        for project in sorted(mock.store.projects, key=lambda p: p.name)
    ]


def test_a_mock_does_not_differ_from_itself_and_is_as_before() -> None:
    a, b = new_mock(), new_mock()
    before = state(a), state(b)
    result = run(place(a), place(b), Options(200, write=True))
    assert result.found == []
    assert (result.steps, result.left, result.exit_status) == (200, [], 0)
    assert (state(a), state(b)) == before


def test_without_write_nothing_is_sent_but_reads() -> None:
    seen: list[str] = []

    def watched(mock: Mock) -> Place:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope.get("method", "GET"))
            await mock.asgi(scope, receive, send)

        return Place(app, KEY)

    result = run(watched(new_mock()), watched(new_mock()), Options(80))
    assert result.found == []
    assert {*seen} <= {"GET", "HEAD", "OPTIONS"}
    assert len(seen) > 160


def test_the_mock_with_syncs_of_its_own_does_not_differ_from_the_one_without() -> None:
    result = run(place(new_mock(sync="auto")), place(new_mock()), Options(150, seed=3, write=True))
    assert result.found == []


@pytest.mark.parametrize(
    ("defect", "steps", "cause", "most"),
    [
        ("client_secret echoed in a 400", 100, ("POST /api/v1/calendars",), 2),
        (
            "PATCH drops metadata whose value is empty",
            600,
            ("PATCH /api/v1/calendars/{id}", "/metadata/b", "only on A"),
            3,
        ),
        ("ordering is checked before the times", 300, ("GET /api/v1/calendar_events", "/error"), 2),
        ("undocumented field internal_id", 60, ("POST /api/v1/calendars", "/internal_id", "only on B"), 1),
        ("PATCH without fields does not move updated_at", 600, ("PATCH /api/v1/calendars/{id}", "/updated_at"), 3),
        (
            "401 without WWW-Authenticate",
            200,
            ("HEAD /api/v1/calendars", "header www-authenticate", "missing on one side"),
            1,
        ),
    ],
)
def test_a_difference_is_found_with_few_requests(defect: str, steps: int, cause: tuple[str, ...], most: int) -> None:
    result = compared(defect, steps, most=1)
    (found,) = result.found
    assert all(one.startswith(part) for one, part in zip(found.cause, cause, strict=False))
    assert found.again
    assert found.requests <= most
    assert (result.exit_status, result.left) == (1, [])


def test_a_difference_between_pages_is_found_on_the_way() -> None:
    (found,) = compared("one item is lost between pages", 120, recorded=True, most=1).found
    assert (found.cause[0], found.cause[1]) == ("GET a link", "/results/*/id")


def test_a_difference_that_comes_again_is_counted_not_listed_again() -> None:
    result = compared("platform in upper case", 60, most=20)
    assert len({found.cause for found in result.found}) == len(result.found)
    assert sum(found.times for found in result.found) > len(result.found)


def test_the_recording_of_a_difference_replays_on_a_and_not_on_b() -> None:
    a, b = new_mock(), new_mock()
    broken = mutant("PATCH drops metadata whose value is empty").apply(b)
    (found,) = run(place(a), Place(broken, KEY), Options(600, write=True, most=1)).found
    scenario = json.loads(json.dumps(found.recording).replace("YOUR_API_KEY", KEY))
    assert replay(scenario, in_process(a)) == []
    b.asgi = broken
    assert replay(scenario, in_process(b)) != []
    assert "B responded 200" in scenario["steps"][-1]["note"]
    assert "conformance-RUN-" in found.curl + json.dumps(scenario)


def test_the_report_has_no_secret_and_the_same_mark_for_both_runs() -> None:
    result = compared("client_secret echoed in a 400", 100, most=1)
    text = "\n".join(result.lines()) + json.dumps(result.as_json())
    assert result.found
    assert KEY not in text


def test_what_cannot_be_deleted_is_listed() -> None:
    result = compared("DELETE answers 200 and deletes nothing", 200, most=1)
    assert result.left
    assert all(line.startswith("B: cal_") for line in result.left)
    assert result.exit_status == 3


def test_the_same_seed_draws_the_same_requests() -> None:
    def requests(seed: int) -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []
        mock = new_mock()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append((scope.get("method", ""), scope.get("query_string", b"").decode()))
            await mock.asgi(scope, receive, send)

        run(Place(app, KEY), place(new_mock()), Options(25, seed=seed))
        return seen

    assert requests(5) == requests(5) != requests(6)


def test_an_interrupted_run_reports_and_deletes() -> None:
    a, b = new_mock(), new_mock()
    before = state(a), state(b)

    def interrupt(result: Result) -> None:
        if result.steps > 20:
            raise KeyboardInterrupt

    result = run(place(a), place(b), Options(500, write=True), interrupt)
    assert result.interrupted
    assert result.exit_status == 130
    assert "interrupted" in result.summary
    assert (state(a), state(b)) == before


def test_projects_with_nothing_in_common_are_not_compared() -> None:
    mock = recorded_mock()
    with pytest.raises(NotComparable, match="have no calendar in common; load the same fixtures"):
        run(place(mock, ACME), place(mock, GLOBEX), Options(20))


def test_the_shapes_of_projects_with_different_data_are_compared() -> None:
    a, b = recorded_mock(), recorded_mock()
    assert run(place(a, ACME), place(b, GLOBEX), Options(60, shapes=True)).found == []
    broken = Place(mutant("undocumented field internal_id").apply(b), GLOBEX)
    found = run(place(a, ACME), broken, Options(60, shapes=True, most=1)).found
    assert [one.cause[1].rpartition("/")[2] for one in found] == ["internal_id"]


def test_one_project_is_not_compared_with_itself_if_the_run_writes() -> None:
    same = place(new_mock())
    with pytest.raises(NotComparable, match="the same project"):
        run(same, same, Options(20, write=True))
    assert run(same, same, Options(20)).found == []


def test_a_rejected_key_is_told_with_its_side() -> None:
    with pytest.raises(NotComparable, match=r"^B: the target rejects the API key \(401\)"):
        run(place(new_mock()), place(new_mock(), "not-a-key"), Options(20))
    with pytest.raises(NotComparable, match="^A: the API key is missing"):
        run(place(new_mock(), ""), place(new_mock()), Options(20))


def test_a_side_that_stops_to_respond_ends_the_run() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(running(mock=new_mock())).url
        with pytest.raises(NotComparable, match="^B: the run stopped: the target stopped answering"):
            run(place(new_mock()), Place(url, KEY), Options(500), lambda result: stack.close())


# No more requests to a side: from 2,400 POSTs on, a run waits for the service's limit.
@pytest.mark.long
@pytest.mark.parametrize("seed", range(11, 17))
def test_a_mock_does_not_differ_from_itself_in_8_000_requests(seed: int) -> None:
    result = run(place(recorded_mock(), ACME), place(recorded_mock(), ACME), Options(8_000, seed=seed, write=True))
    assert result.found == []
    assert (result.steps, result.left) == (8_000, [])


@pytest.mark.long
@pytest.mark.parametrize("defect", DRAWN)
def test_thirty_drawn_defects_are_found(defect: str) -> None:
    assert compared(defect, 10_000, recorded=True, most=1).found
