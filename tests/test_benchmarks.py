"""Where a benchmark could be wrong without anybody seeing it."""

from __future__ import annotations

import contextlib
import json
import math
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import goals, load, machine, memory, paced, peers, picture, tables
from benchmarks.load import GET, PAGE, PATCH
from benchmarks.rounds import Spread, by_turns, is_steady, shares
from benchmarks.servers import BARE, MOCK
from mockserver.server import running
from mockserver.settings import Settings

BENCHMARKS = machine.ROOT / "benchmarks"
WRK = """Running 2s test @ http://127.0.0.1:1/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.05ms    1.75ms  30.51ms   97.16%
    Req/Sec     8.38k     1.10k   10.02k    71.43%
  17529 requests in 2.10s, 10.80MB read
{}Requests/sec:   8346.91
Transfer/sec:      5.14MB
"""


def test_the_rate_is_what_wrk_found() -> None:
    assert load.read_wrk(WRK.format("")) == 8346.91


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("  Non-2xx or 3xx responses: 12\n", "Non-2xx or 3xx responses: 12"),
        ("  Socket errors: connect 0, read 3, write 0, timeout 0\n", "Socket errors"),
    ],
)
def test_refused_requests_make_no_rate(more: str, told: str) -> None:
    with pytest.raises(load.Refused, match=told):
        load.read_wrk(WRK.format(more))


def test_wrk_that_cannot_connect_makes_no_rate() -> None:
    with pytest.raises(load.Refused, match="unable to connect"):
        load.read_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_wrk_and_the_generator_here_send_the_same_request() -> None:
    script, raw = PATCH.script(), PATCH.bytes_for("http://127.0.0.1:9").decode()
    assert 'wrk.method = "PATCH"' in script
    assert raw.startswith(f"PATCH {PATCH.path} HTTP/1.1\r\nHost: 127.0.0.1:9\r\n")
    for name, value in PATCH.headers.items():
        assert f'wrk.headers["{name}"] = "{value}"' in script
        assert f"\r\n{name}: {value}\r\n" in raw
    body = raw.partition("\r\n\r\n")[2]
    assert f"wrk.body = '{body}'" in script
    assert f"\r\nContent-Length: {len(body)}\r\n" in raw
    assert "wrk.body" not in GET.script()


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ([*range(1, 101)], 0.99, 99),
        ([*range(1, 101)], 0.5, 50),
        ([*range(1, 102)], 0.99, 100),
        ([3, 1, 2], 1.0, 3),
        ([7], 0.99, 7),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, found: float) -> None:
    assert paced.percentile(values, share) == found


def test_what_was_never_answered_took_for_ever() -> None:
    outcome = paced.Outcome(due=100, latencies=[0.001] * 99)
    assert outcome.percentile(0.99) == 0.001
    outcome.due = 200
    assert outcome.percentile(0.5) == math.inf


def test_requests_are_due_evenly_apart() -> None:
    assert [*paced.due_times(10.0, 4.0, 1.0, None)] == [10.0, 10.25, 10.5, 10.75]
    assert [*paced.due_times(10.0, 4.0, math.inf, 2)] == [10.0, 10.25]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(Settings()) as server:
        yield server.url


def test_every_request_is_counted(url: str) -> None:
    outcome = paced.drive(url, paced.Same(GET.bytes_for(url)), count=101)
    assert (outcome.due, outcome.answered, outcome.refused) == (101, 101, 0)
    assert outcome.rate == pytest.approx(101 / outcome.seconds)


def test_refusals_are_counted(url: str) -> None:
    missing = load.Case("", "GET", "/api/v1/calendars/cal_0000000000000000")
    outcome = paced.drive(url, paced.Same(missing.bytes_for(url)), count=20)
    assert (outcome.due, outcome.refused) == (20, 20)


def test_latency_counts_from_when_a_request_was_due(url: str) -> None:
    # All are due in the first moment and go over one connection: each has waited for all before it.
    outcome = paced.drive(url, paced.Same(GET.bytes_for(url)), rate=1e7, count=200, connections=1)
    assert outcome.latencies == sorted(outcome.latencies)
    assert sum(outcome.latencies) > outcome.seconds


def test_without_a_rate_nothing_waits(url: str) -> None:
    outcome = paced.drive(url, paced.Same(GET.bytes_for(url)), count=200, connections=1)
    assert sum(outcome.latencies) <= outcome.seconds


def test_what_a_silent_server_was_to_answer_is_due_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paced, "_GRACE", 0.0)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        outcome = paced.drive(address, paced.Same(b"GET / HTTP/1.1\r\n\r\n"), rate=1000, seconds=0.05, connections=2)
    assert (outcome.due, outcome.answered) == (50, 0)
    assert outcome.percentile(0.01) == math.inf


def test_what_the_memory_is_measured_with_leaves_nothing_behind(url: str) -> None:
    outcome = paced.drive(url, memory.Mix(url), count=700)
    assert not outcome.refused
    assert outcome.answered == 700
    with running(Settings()) as fresh:
        before = sum(len(project.state.calendars) for project in fresh.mock.store.projects)
        paced.drive(fresh.url, memory.Mix(fresh.url), count=700)
        after = sum(len(project.state.calendars) for project in fresh.mock.store.projects)
    assert after - before <= 2 * paced.CONNECTIONS


def test_a_share_is_that_of_one_round() -> None:
    assert shares({"a": [1, 10], "b": [2, 40]}, "a", "b") == [0.5, 0.25]
    assert Spread.of([3, 1, 8]) == Spread(3, 1, 8)


@pytest.mark.parametrize(
    ("values", "steady"),
    [([0.8] * 4, False), ([0.8] * 5, True), ([0.1, 0.8, 0.81, 0.82, 9], True), ([0.5, 0.6, 0.7, 0.8, 0.9], False)],
)
def test_rounds_end_when_the_middle_half_is_narrow(values: Sequence[float], steady: bool) -> None:
    assert is_steady(values) is steady


def turns(known_after: int) -> tuple[str, dict[str, list[float]]]:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return len(order)

    def is_known(found: Mapping[str, Sequence[float]]) -> bool:
        return len(found["a"]) >= known_after

    found = by_turns({name: partial(measure, name) for name in "abc"}, is_known, least=2, most=4)
    return "".join(order), found


def test_every_other_round_goes_the_other_way_round() -> None:
    order, found = turns(known_after=3)
    assert order == "abccbaabc"
    assert found == {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]}


@pytest.mark.parametrize(("known_after", "rounds"), [(0, 2), (99, 4)])
def test_there_are_not_too_few_rounds_and_not_too_many(known_after: int, rounds: int) -> None:
    assert len(turns(known_after)[1]["a"]) == rounds


def test_a_table_takes_the_place_of_the_one_before() -> None:
    page = "a\n<!-- x -->\n<!-- end of x -->\nb\n<!-- y -->kept<!-- end of y -->"
    once = tables.replace(page, "x", r"| \1 |")
    assert once == page.replace("<!-- x -->\n", "<!-- x -->\n\n| \\1 |\n\n")
    assert tables.replace(once, "x", "| 2 |") == once.replace(r"\1", "2")


def test_a_table_without_a_place_is_told() -> None:
    with pytest.raises(ValueError, match="0 places for 'z'"):
        tables.replace("<!-- y --><!-- end of y -->", "z", "")


def spread(median: float, **more: Any) -> dict[str, Any]:
    return {"median": median, "least": median * 0.9, "most": median * 1.1, "rounds": 5, **more}


def made_up(mock: float, best: float) -> dict[str, Any]:
    """Results in which the mock reaches so much of bare ASGI, and the best peer so much."""
    rates = {MOCK: spread(mock * 1e4), BARE: spread(1e4), "Prism": spread(best * 1e4), "WireMock": spread(1.0)}
    delays = {name: spread(1 / one["median"], rate=one["median"] / 2) for name, one in rates.items()}
    cases = (GET.name, PATCH.name, PAGE.name)
    return {
        "when": "2026-01-01",
        "minutes": 1.0,
        "machine": {"processor": "p", "memory": "m", "system": "s", "Python": "3"},
        "versions": {"Prism": "5"},
        "not_measured": {"Mockoon": "needs node"},
        "commands": {MOCK: "attendee-mock serve"},
        "throughput": dict.fromkeys(cases, rates),
        "shares": dict.fromkeys(cases, {MOCK: spread(mock)}),
        "paced": {GET.name: delays, PATCH.name: delays},
        "startup": {MOCK: spread(0.4), "Prism": spread(0.41)},
        "idle": {MOCK: 1, "Prism": 2},
        "loaded": {MOCK: 1, "Prism": 2},
        "memory": {"0": 70_000_000, "100000": 80_000_000, "200000": 80_000_001},
        "conformance": {"judge": spread(1000), "schemathesis": spread(90), "ratio": spread(11), "command": "st"},
        "scaling": {"not measured": "needs nginx"},
    }


def test_goals_that_are_reached_are_met() -> None:
    assert [goal.measure for goal in goals.judge(made_up(0.9, 0.1)) if not goal.met] == []


def test_goals_that_are_not_reached_are_missed() -> None:
    results = made_up(0.39, 0.5)
    results["startup"][MOCK] = spread(0.44)
    results["memory"]["200000"] = 90_000_000
    results["conformance"]["ratio"] = spread(9.9)
    assert [goal.measure for goal in goals.judge(results) if goal.met] == []
    assert tables.goals(results).count("**missed**") == len(goals.judge(results)) == 10


def test_the_best_peer_is_the_quickest_that_was_measured() -> None:
    rates = made_up(0.5, 0.2)["throughput"][GET.name]
    assert goals.best_peer(rates, max) == "Prism"
    assert goals.best_peer({MOCK: spread(1), BARE: spread(2)}, max) is None


def test_a_peer_that_does_less_is_judged_apart() -> None:
    results = made_up(0.9, 0.1)
    results["throughput"][GET.name] = {**results["throughput"][GET.name], peers.UNFAIR: spread(1e4)}
    missed = [goal for goal in goals.judge(results) if not goal.met]
    assert [(goal.measure, goal.reached) for goal in missed] == [
        (f"{GET.name}: beside {peers.UNFAIR}", f"0.9 × {peers.UNFAIR}")
    ]


def test_without_peers_the_rest_is_judged() -> None:
    results = made_up(0.9, 0.1)
    for found in (*results["throughput"].values(), *results["paced"].values(), results["startup"]):
        for name in peers.NAMES:
            found.pop(name, None)
    assert len(goals.judge(results)) == 6


def test_what_was_not_measured_is_said() -> None:
    made = tables.render(made_up(0.9, 0.1))
    assert "Mockoon was not measured: needs node." in made["machine"]
    assert made["scaling"] == "Not measured: needs nginx."


def test_bars_are_as_long_as_the_rates_are_high() -> None:
    drawn = ElementTree.fromstring(picture.draw(made_up(0.5, 0.1)))
    widths = [float(bar.get("width", "")) for bar in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    longest = widths[0]
    assert [round(width / longest, 2) for width in widths] == [1.0, 0.5, 0.1, 0.0] * 3


def test_the_page_shows_what_was_measured() -> None:
    results = json.loads((BENCHMARKS / "results.json").read_text("utf-8"))
    page = (BENCHMARKS / "README.md").read_text("utf-8")
    for name, made in tables.render(results).items():
        assert tables.replace(page, name, made) == page, name
    assert (BENCHMARKS / "throughput.svg").read_text("utf-8") == picture.draw(results)


def test_peers_are_pinned_and_answer_what_the_mock_answers() -> None:
    wanted = json.loads(peers.WANTED.read_text("utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    contract = peers.calendar_contract({"GET": b'{"id": "one"}', "PATCH": b'{"id": "other"}'})
    (path,) = contract["paths"].values()
    found = {method: path[method]["responses"]["200"]["content"]["application/json"]["example"] for method in path}
    assert found == {"get": {"id": "one"}, "patch": {"id": "other"}}


def test_a_command_is_shown_without_the_folders_of_this_machine() -> None:
    command = [f"{machine.ROOT}/benchmarks/x", "a b", f"{BENCHMARKS.parent}/openapi.yaml"]
    assert machine.shown(command) == "benchmarks/x 'a b' openapi.yaml"
