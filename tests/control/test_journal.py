"""Every exchange and delivery is in the journal of its project, for as long as there is room, and can be waited for."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from mockserver.api.handlers import Handlers
from mockserver.api.request import Exchange
from mockserver.api.response import Response
from mockserver.app import Mock
from mockserver.control.entries import DeliveryEntry
from mockserver.control.errors import Refused
from mockserver.control.journal import Bounds, Filter, Journals, parse_filter
from mockserver.control.waits import LONGEST_WAIT, MOST_WAITERS
from mockserver.domain.clock import FixedClock
from mockserver.domain.store import Project, Store
from mockserver.settings import Settings
from tests.clients import ACME, EMPTY, MAIN_CALENDAR, NEW_CALENDAR, Client, in_process

CALENDAR = f"/calendars/{MAIN_CALENDAR}"
EVERYTHING = Filter()


def latest(mock: Mock) -> dict[str, Any]:
    return mock.journals.entry(mock.journals.last)


def ask(mock: Mock, journal: Journals, **fields: Any) -> Exchange:
    """Records an exchange of the first project, without any request."""
    exchange = Exchange("GET", "/api/v1/calendars", **fields)
    exchange.project = mock.store.projects[0]
    journal.record(exchange)
    return exchange


def make_journals(mock: Mock, **bounds: int) -> Journals:
    return Journals(mock.store, mock.clock, Bounds(**bounds))


def test_an_exchange_is_kept_with_all_that_was_said(mock: Mock, client: Client) -> None:
    client("POST", "/calendars?format=json", NEW_CALENDAR, x_test="7")
    shown = latest(mock)
    answer = json.loads(shown["response"].pop("body"))
    assert answer == shown["response"].pop("json")
    assert answer["state"] == "connected"
    assert shown.pop("seconds") >= 0
    assert shown == {
        "id": 1,
        "kind": "exchange",
        "project": "Acme",
        "time": "2027-01-15T08:00:00Z",
        "method": "POST",
        "path": "/api/v1/calendars",
        "query": "format=json",
        "operation": "createCalendar",
        "key": "a key of project Acme",
        "request": {
            "headers": [
                ["host", "127.0.0.1:8000"],
                ["authorization", "Token ***"],
                ["content-type", "application/json"],
                ["x-test", "7"],
            ],
            "body": json.dumps({**NEW_CALENDAR, "client_secret": "***", "refresh_token": "***"}),
            "json": {**NEW_CALENDAR, "client_secret": "***", "refresh_token": "***"},
            "bytes": len(json.dumps(NEW_CALENDAR)),
            "cut": False,
        },
        "status": 201,
        "response": {
            "headers": [
                ["allow", "GET, POST, HEAD, OPTIONS"],
                ["vary", "Accept"],
                ["content-type", "application/json"],
                ["x-mock-contract", "unknown query parameter format"],
                ["content-length", shown["response"]["headers"][4][1]],
            ],
            "bytes": int(shown["response"]["headers"][4][1]),
            "cut": False,
        },
        "reason": None,
        "remarks": ["unknown query parameter format"],
        "evidence": ["list-unknown-parameters"],
        "fault": None,
    }


def test_a_plain_answer_is_kept_as_it_was_sent(mock: Mock, client: Client) -> None:
    answered = client("GET", CALENDAR)
    shown = latest(mock)
    assert shown["response"]["body"] == answered.text
    assert dict(shown["response"]["headers"]) == answered.headers
    assert shown["request"]["body"] is None


@pytest.mark.parametrize(
    ("request_line", "body", "headers", "operation", "status", "reason"),
    [
        (f"PATCH {CALENDAR}", b"{", {}, "updateCalendar", 400, "body: not JSON"),
        (f"PATCH {CALENDAR}", {"client_secret": ""}, {}, "updateCalendar", 400, "client_secret: blank"),
        ("GET /calendars/cal_nothing", None, {}, "getCalendar", 404, "the project has no such calendar"),
        (f"PUT {CALENDAR}", None, {}, None, 405, "the path has no such method"),
        (f"GET {CALENDAR}", None, {"accept": "text/plain"}, "getCalendar", 406, "Accept allows neither JSON nor HTML"),
        ("POST /bots", {}, {}, "createBot", 400, "meeting_url: required; bot_name: required"),
        (f"HEAD {CALENDAR}", None, {}, "getCalendar", 200, None),
    ],
)
def test_a_refusal_is_kept_with_its_reason(
    request_line: str,
    body: object,
    headers: dict[str, str],
    operation: str | None,
    status: int,
    reason: str | None,
    mock: Mock,
    client: Client,
) -> None:
    method, path = request_line.split()
    client(method, path, body, **headers)
    shown = latest(mock)
    assert [shown[name] for name in ("operation", "status", "reason")] == [operation, status, reason]
    assert shown["project"] == "Acme"


@pytest.mark.parametrize(
    ("authorization", "about"),
    [
        (None, "none"),
        ("Token nobodys-key", "a key of no project"),
        ("Token acmeNBynNioY6eKvKFo7AcioMD3GRD96", "a disabled key of project Acme"),
        (ACME, "not 'Token <api key>'"),
    ],
)
def test_what_comes_with_no_key_is_kept_apart(authorization: str | None, about: str, mock: Mock) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    in_process(mock)("GET", "/api/v1/calendars", headers, None)
    shown = latest(mock)
    assert (shown["project"], shown["operation"], shown["status"], shown["key"]) == (None, "listCalendars", 401, about)
    assert [entry["id"] for entry in mock.journals.find(None, EVERYTHING).entries] == [1]
    assert mock.journals.find("Acme", EVERYTHING).entries == []


def test_unknown_paths_and_bad_requests_are_kept(mock: Mock, client: Client) -> None:
    client("GET", "/nope")
    assert (latest(mock)["status"], latest(mock)["reason"]) == (404, "no such path")
    client("GET", CALENDAR, host="a b")
    assert (latest(mock)["status"], latest(mock)["reason"]) == (400, "the Host header names no host")


def test_a_client_that_goes_away_is_kept_without_an_answer(mock: Mock) -> None:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/api/v1/calendars", "query_string": b"", "scheme": "http"}
    headers = [(b"authorization", f"Token {ACME}".encode()), (b"content-type", b"application/json")]

    async def play() -> None:
        await mock.asgi({**scope, "headers": headers}, receive, send)

    asyncio.run(play())
    shown = latest(mock)
    assert (shown["project"], shown["status"]) == ("Acme", 0)
    assert "closed the connection" in shown["reason"]
    assert "It was not answered" in mock.explainer.explain(shown["id"])["why"][0]


def test_an_answer_that_breaks_the_contract_is_caught_and_kept(
    make_mock: Callable[..., Mock], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"id": "cal_x", "client_secret": "GOCSPX-leaked-secret"}
    monkeypatch.setattr(Handlers, "get_calendar", lambda *_: Response(200, broken))
    mock = make_mock()
    assert Client(mock)("GET", CALENDAR).status == 500
    shown = latest(mock)
    assert shown["status"] == 500
    assert shown["reason"].startswith("own answer off contract")
    assert "leaked" not in json.dumps(shown)
    assert "a fault of the mock" in mock.explainer.explain(shown["id"])["why"][0]


def test_a_remark_is_kept_on_the_fast_path_too(mock: Mock, client: Client) -> None:
    client("GET", "/calendars?page_size=2")
    assert latest(mock)["remarks"] == ["unknown query parameter page_size"]
    assert latest(mock)["evidence"] == ["list-unknown-parameters"]
    client("PATCH", CALENDAR, {"client_secret": 12345678})
    assert latest(mock)["remarks"] == ["body: client_secret breaks type"]
    assert latest(mock)["evidence"] == ["create-numbers-as-text"]
    assert "12345678" not in json.dumps(latest(mock))


def test_projects_have_journals_of_their_own(mock: Mock) -> None:
    Client(mock)("GET", "/calendars")
    Client(mock, EMPTY)("GET", "/calendars")
    assert [entry["id"] for entry in mock.journals.find("Acme", EVERYTHING).entries] == [1]
    assert [entry["id"] for entry in mock.journals.find("Empty", EVERYTHING).entries] == [2]
    mock.journals.clear("Acme")
    mock.journals.drop("Empty")
    assert mock.journals.find("Acme", EVERYTHING) == mock.journals.find("Empty", EVERYTHING) == ([], 0)


def test_the_time_is_the_projects(mock: Mock, client: Client) -> None:
    mock.store.projects[0].clock.set(1_700_000_000_000_000)
    client("GET", CALENDAR)
    assert latest(mock)["time"] == "2023-11-14T22:13:20Z"


def test_a_reset_leaves_the_journal(mock: Mock, client: Client) -> None:
    client("GET", CALENDAR)
    mock.reset()
    assert len(mock.journals.find("Acme", EVERYTHING).entries) == 1


def test_the_oldest_are_evicted_and_counted(mock: Mock) -> None:
    journals = make_journals(mock, entries=10)
    for _ in range(25):
        ask(mock, journals)
    found = journals.find("Acme", EVERYTHING)
    assert ([entry["id"] for entry in found.entries], found.evicted) == (list(range(16, 26)), 15)
    with pytest.raises(Refused, match="no longer kept") as raised:
        journals.entry(3)
    assert raised.value.status == 404
    with pytest.raises(Refused, match="the latest is 25"):
        journals.entry(26)
    journals.clear("Acme")
    assert journals.find("Acme", EVERYTHING) == ([], 0)


def test_bodies_have_a_bound_together(mock: Mock) -> None:
    journals = make_journals(mock, size=10_000)
    for _ in range(50):
        ask(mock, journals, body=b"x" * 900, headers=[(b"a", b"y" * 82)])
    found = journals.find("Acme", EVERYTHING)
    assert (len(found.entries), found.evicted) == (10, 40)


def test_a_journal_of_nothing_keeps_nothing(mock: Mock) -> None:
    journals = make_journals(mock, entries=0)
    ask(mock, journals)
    assert journals.find("Acme", EVERYTHING) == ([], 1)


def test_a_project_that_goes_on_is_held_to_its_share(mock: Mock) -> None:
    journals = make_journals(mock, total=100_000)
    clock = FixedClock(0)
    projects = [Project(f"P{number}", ()) for number in range(9)]
    Store(projects, clock, 1)
    for _ in range(40):
        for project in projects:
            exchange = Exchange("GET", "/", body=b"x" * 1000)
            exchange.project = project
            journals.record(exchange)
    counts = [len(journals.find(project.name, EVERYTHING).entries) for project in projects]
    assert 9 * 5 <= sum(counts) <= 110
    assert min(counts) >= 5


def test_what_is_too_long_is_cut_and_says_so(mock: Mock) -> None:
    journals = make_journals(mock, body=1000)
    word = "a-long-word-1234567890"
    long = json.dumps({"a": [word] * 1000}).encode()
    headers = [(b"a", b"b"), (b"x", b"c" * 900), (b"y", b"d" * 200)]
    ask(mock, journals, body=long, sent=long, headers=headers, sent_headers=headers, query=b"a=" + b"b" * 2000)
    (shown,) = journals.find("Acme", EVERYTHING).entries
    for message in (shown["request"], shown["response"]):
        assert message["cut"]
        assert message["bytes"] == len(long)
        assert len(message["body"]) <= 1000
        assert message["body"].replace(word, "").count("long") == 0
        assert [name for name, _ in message["headers"]] == ["a", "x"]
    assert len(shown["query"]) <= 1000


def test_a_hundred_thousand_requests_leave_memory_flat(mock: Mock) -> None:
    def go_on(number: int) -> int:
        for place in range(number):
            body = b"x" * 500 + str(place).encode()
            ask(mock, mock.journals, headers=[(b"a", b"b")], body=body, sent=body)
        gc.collect()
        return sys.getallocatedblocks()

    first = go_on(2000)
    assert go_on(98_000) < first + 1000
    assert mock.journals.find("Acme", EVERYTHING, limit=1).evicted == 99_000


def test_an_exchange_shows_no_secret_by_itself(mock: Mock, exchanges: list[Exchange], client: Client) -> None:
    client("PATCH", f"{CALENDAR}?api_key={ACME}", {"client_secret": "GOCSPX-abcdefghijk"})
    assert "PATCH" in repr(exchanges[-1])
    assert ACME not in repr(exchanges[-1])
    assert "GOCSPX" not in repr(exchanges[-1])


def test_a_delivery_is_kept_beside_the_exchanges(mock: Mock, client: Client) -> None:
    client("GET", CALENDAR)
    note = DeliveryEntry(
        url="https://user:password@receiver.example/hook?token=abcdefgh&a=b",
        trigger="calendar.state_change",
        key="58a5bfaa-6717-42f7-8050-b82ee3f5fe42",
        attempt=2,
        calendar_id=MAIN_CALENDAR,
        headers=[(b"X-Webhook-Signature", b"c2ln"), (b"Content-Type", b"application/json")],
        body=b'{"trigger": "calendar.state_change"}',
        seconds=0.25,
        problem="ConnectionError",
        fault="late",
        project=mock.store.projects[0],
    )
    assert "password" not in repr(note).replace(note.url, "")
    mock.journals.record(note)
    shown = latest(mock)
    assert shown["url"] == "https://receiver.example/hook?token=***&a=b"
    assert shown["request"]["json"] == {"trigger": "calendar.state_change"}
    assert shown["request"]["headers"][0] == ["X-Webhook-Signature", "c2ln"]
    told = ("kind", "project", "idempotency_key", "attempt", "status", "reason", "fault", "calendar_id", "seconds")
    assert [shown[name] for name in told] == [
        "delivery",
        "Acme",
        note.key,
        2,
        None,
        "ConnectionError",
        {"name": "late", "kind": "late"},
        MAIN_CALENDAR,
        0.25,
    ]
    kinds = {kind: len(mock.journals.find("Acme", Filter(kind=kind)).entries) for kind in ("exchange", "delivery")}
    assert kinds == {"exchange": 1, "delivery": 1}
    with pytest.raises(Refused, match="only exchanges"):
        mock.explainer.explain(shown["id"])


FILTERS: list[tuple[Filter, list[int]]] = [
    (Filter(), [1, 2, 3, 4, 5]),
    (Filter(method="GET"), [1, 2, 4]),
    (Filter(operation="listCalendars"), [1, 4]),
    (Filter(path=f"/api/v1{CALENDAR}"), [2, 3]),
    (Filter(path="/api/v1/calendars*"), [1, 2, 3, 4]),
    (Filter(status="400"), [3]),
    (Filter(status="2xx"), [1, 2, 5]),
    (Filter(status="0"), []),
    (Filter(since=3), [4, 5]),
    (Filter(kind="delivery"), [5]),
    (Filter(kind="exchange", status="4xx"), [3, 4]),
    (Filter(kind="delivery", status="4xx"), []),
]


@pytest.mark.parametrize(("wanted", "ids"), FILTERS, ids=lambda value: str(value)[:60])
def test_a_filter_gives_what_was_asked_for(wanted: Filter, ids: list[int], mock: Mock, client: Client) -> None:
    client("GET", "/calendars")
    client("GET", CALENDAR)
    client("PATCH", CALENDAR, b"{")
    client("GET", "/calendars?format=xml")
    note = DeliveryEntry(
        "http://x/", "calendar.state_change", "key", 1, None, status=204, project=mock.store.projects[0]
    )
    mock.journals.record(note)
    assert [entry["id"] for entry in mock.journals.find("Acme", wanted).entries] == ids
    assert [entry["id"] for entry in mock.journals.find("Acme", wanted, limit=1).entries] == ids[-1:]
    assert [entry["id"] for entry in mock.journals.find("Acme", wanted, before=3).entries] == [n for n in ids if n < 3]


def test_a_filter_is_read_from_a_query() -> None:
    read = parse_filter({"method": "get", "status": "4xx", "since": "7", "path": "/a*"}, ["listCalendars"])
    assert read == Filter(method="GET", status="4xx", since=7, path="/a*")


@pytest.mark.parametrize(
    ("parameters", "field", "said"),
    [
        ({"oper": "x"}, "parameter", "operation"),
        ({"operation": "listCalendar"}, "operation", "did you mean listCalendars?"),
        ({"operation": ""}, "operation", "listCalendars"),
        ({"kind": ""}, "kind", "exchange"),
        ({"status": "40"}, "status", "such as 404"),
        ({"status": "9xx"}, "status", "such as 404"),
        ({"status": "4²4"}, "status", "such as 404"),
        ({"since": "-1"}, "since", "the id"),
        ({"since": "9" * 20}, "since", "the id"),
        ({"kind": "webhook"}, "kind", "delivery"),
    ],
)
def test_a_filter_that_is_none_is_refused(parameters: dict[str, str], field: str, said: str) -> None:
    with pytest.raises(Refused, match=field) as raised:
        parse_filter(parameters, ["listCalendars"])
    assert raised.value.field == field
    assert said in raised.value.problem


def test_a_wait_ends_when_the_request_comes(mock: Mock) -> None:
    async def play() -> list[int]:
        journals = mock.journals
        ask(mock, journals)
        waiting = asyncio.create_task(journals.wait_for("Acme", Filter(since=1, status="201"), 60, at_least=2))
        for status in (200, 201, 404):
            await asyncio.sleep(0)
            ask(mock, journals, status=status)
            assert not waiting.done()
        ask(mock, journals, status=201)
        return [entry["id"] for entry in (await waiting).entries]

    assert asyncio.run(play()) == [3, 5]


def test_a_wait_for_what_is_there_does_not_wait(mock: Mock) -> None:
    ask(mock, mock.journals)
    assert len(asyncio.run(mock.journals.wait_for("Acme", EVERYTHING, 0)).entries) == 1


def test_a_wait_in_vain_ends_with_what_there_is(mock: Mock) -> None:
    ask(mock, mock.journals)
    assert len(asyncio.run(mock.journals.wait_for("Acme", EVERYTHING, 0.001, at_least=2)).entries) == 1
    assert asyncio.run(mock.journals.wait_for("Nobody", EVERYTHING, 0)) == ([], 0)


def test_a_wait_is_woken_from_another_thread(mock: Mock) -> None:
    async def play() -> int:
        waiting = asyncio.create_task(mock.journals.wait_for("Acme", Filter(operation="getCalendar"), 60))
        await asyncio.sleep(0)
        await asyncio.to_thread(Client(mock), "GET", CALENDAR)
        return len((await waiting).entries)

    assert asyncio.run(play()) == 1


def test_waits_are_bounded_in_length_and_number(mock: Mock) -> None:
    async def play() -> None:
        for seconds in (-1, LONGEST_WAIT + 1, float("nan")):
            with pytest.raises(Refused, match="between 0 and 300"):
                await mock.journals.wait_for("Acme", EVERYTHING, seconds)
        waiting = [asyncio.create_task(mock.journals.wait_for("Acme", EVERYTHING, 60)) for _ in range(MOST_WAITERS)]
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="already waiting") as raised:
            await mock.journals.wait_for("Acme", EVERYTHING, 60)
        assert raised.value.status == 429
        waiting[0].cancel()
        ask(mock, mock.journals)
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(found, asyncio.CancelledError) for found in done) == 1

    asyncio.run(play())
    assert mock._waits.total() == 0


def test_a_mock_without_projects_has_a_journal() -> None:
    mock = Mock(Settings(), projects=[])
    in_process(mock)("GET", "/api/v1/calendars", {}, None)
    assert latest(mock)["status"] == 401
