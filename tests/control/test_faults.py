"""What is asked to go wrong goes wrong, exactly as often as asked, over a socket and in process; nothing else does."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from mockserver.api.fault import STATUSES
from mockserver.app import Mock
from mockserver.control.errors import Refused
from mockserver.control.faults import KINDS, MOST_FAULTS
from mockserver.control.journal import Filter
from mockserver.domain.clock import FixedClock
from mockserver.domain.deliveries import DeliveryFault, DeliveryFaultKind
from mockserver.server import RunningServer, running
from mockserver.settings import Settings
from tests.clients import ACME, EMPTY, MAIN_CALENDAR, NEW_CALENDAR, Answered, Client, in_process, over_http
from tests.conftest import RECORDED
from tests.patience import HANGS

CALENDAR = f"/calendars/{MAIN_CALENDAR}"
KEY = {"Authorization": f"Token {ACME}"}


class Delivery(NamedTuple):
    trigger: str


@pytest.fixture
def waits() -> list[float]:
    """How long faults have waited, in seconds; no time passes."""
    return []


@pytest.fixture
def mock(clock: FixedClock, waits: list[float]) -> Mock:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return Mock(Settings(fixtures=RECORDED / "seed.json"), clock=clock, sleep=sleep)


@pytest.fixture
def client(mock: Mock) -> Client:
    return Client(mock)


@pytest.fixture
def server(mock: Mock) -> Iterator[RunningServer]:
    with running(mock=mock) as server:
        yield server


def entry(mock: Mock) -> dict[str, Any]:
    return mock.journals.entry(mock.journals.last)


def plain(client: Client) -> str:
    return client("GET", CALENDAR).text


def test_at_the_start_there_are_none(mock: Mock, client: Client) -> None:
    assert not mock.faults.armed
    assert mock.faults.list("Acme") == []
    assert client("GET", CALENDAR).status == 200


BODIES = {
    400: {"detail": "Malformed request."},
    401: {"detail": "Invalid or disabled API key"},
    403: {"detail": "You do not have permission to perform this action."},
    404: {"error": "Calendar not found"},
    429: {"detail": "Request was throttled. Expected available in 1 second."},
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_answered_as_the_service_says_it(status: int, mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "status", "status": status, "operation": "getCalendar"})
    answered = client("GET", CALENDAR)
    assert answered.status == status
    if status < 500:
        assert answered.body == BODIES[status]
        assert answered.headers["allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"
        assert answered.headers["content-type"] == "application/json"
    else:
        assert answered.headers["content-type"] == "text/html; charset=utf-8"
        assert str(status) in answered.text
    assert answered.headers.get("retry-after") == ("1" if status == 429 else None)
    assert answered.headers.get("www-authenticate") == ("Token" if status == 401 else None)
    assert client("GET", "/calendars").status == 200
    assert Client(mock, EMPTY)("GET", CALENDAR).body == {"error": "Calendar not found"}


def test_a_404_where_no_calendar_is_asked_for_is_a_plain_one(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "status", "status": 404})
    assert client("GET", "/calendars").body == {"detail": "Not found."}


def test_a_faulted_answer_is_marked_in_the_journal(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"name": "flaky", "kind": "status", "status": 503})
    client("GET", CALENDAR)
    shown = entry(mock)
    assert shown["fault"] == {"name": "flaky", "kind": "status"}
    assert (shown["status"], shown["reason"]) == (503, "fault flaky: status")
    assert "does not show how the service would answer" in mock.explainer.explain(shown["id"])["why"][0]
    mock.faults.clear()
    client("GET", CALENDAR)
    assert entry(mock)["fault"] is None


def test_throttled_says_when_to_come_back(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "throttled", "retry_after": 7, "first": 1})
    answered = client("POST", "/calendars", NEW_CALENDAR)
    assert (answered.status, answered.headers["retry-after"]) == (429, "7")
    assert answered.body == {"detail": "Request was throttled. Expected available in 7 seconds."}
    assert client("POST", "/calendars", NEW_CALENDAR).status == 201


@pytest.mark.parametrize(
    ("when", "struck"),
    [({}, "xxxxxx"), ({"first": 2}, "xx...."), ({"from": 3}, "..xxxx"), ({"from": 3, "first": 2}, "..xx..")],
)
def test_first_and_from_count_what_the_fault_meets(
    when: dict[str, int], struck: str, mock: Mock, client: Client
) -> None:
    for _ in range(2):
        mock.faults.add("Acme", {"name": "f", "kind": "status", "operation": "getCalendar", **when})
        for expected in struck:
            assert client("GET", "/calendars").status == 200
            assert (client("GET", CALENDAR).status == 500) == (expected == "x")
        (told,) = mock.faults.list("Acme")
        assert (told["seen"], told["hits"]) == (6, struck.count("x"))


def test_of_several_the_first_that_strikes_decides_and_each_counts(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"name": "a", "kind": "status", "status": 500, "first": 1})
    mock.faults.add("Acme", {"name": "b", "kind": "status", "status": 503, "first": 2})
    assert [client("GET", CALENDAR).status for _ in range(3)] == [500, 503, 200]
    assert [(told["seen"], told["hits"]) for told in mock.faults.list("Acme")] == [(3, 1), (3, 1)]


def test_before_the_operation_nothing_is_done_and_after_it_all(mock: Mock, client: Client) -> None:
    before = len(client("GET", "/calendars?deduplication_key=k").body["results"])
    body = {**NEW_CALENDAR, "deduplication_key": "k"}
    for kind in ("status", "html-502", "reset"):
        for after in (False, True):
            mock.faults.add("Acme", {"name": "f", "kind": kind, "after": after, "operation": "createCalendar"})
            if kind == "reset":
                with pytest.raises(ConnectionResetError, match="fault f"):
                    client("POST", "/calendars", body)
            else:
                assert client("POST", "/calendars", body).status in (500, 502)
            found = client("GET", "/calendars?deduplication_key=k").body["results"]
            assert len(found) == before + after
        mock.reset()


def test_what_the_operation_itself_refuses_is_spoiled_too(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "status", "status": 503, "after": True})
    assert client("POST", "/calendars", {}).status == 503
    mock.faults.add("Acme", {"name": "status", "kind": "truncated"})
    assert client("GET", "/calendars/cal_nothing").text in '{"error":"Calendar not found"}'


def test_a_delay_waits_and_then_answers_as_ever(mock: Mock, client: Client, waits: list[float]) -> None:
    text = plain(client)
    mock.faults.add("Acme", {"kind": "delay", "seconds": 12.5})
    assert plain(client) == text
    assert waits == [12.5]
    mock.faults.add("Acme", {"name": "delay", "kind": "status", "seconds": 3})
    assert client("GET", CALENDAR).status == 500
    assert waits == [12.5, 3]


def test_a_walk_dies_on_its_page_however_often_that_is_asked_for(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "page-dies", "page": 2, "first": 2, "operation": "listCalendars"})
    for _ in range(2):
        link = client("GET", "/calendars").body["next"].removeprefix("http://127.0.0.1:8000/api/v1")
        assert client("GET", link).status == 500
    third = client("GET", link)
    assert third.status == 200
    assert client("GET", third.body["next"].removeprefix("http://127.0.0.1:8000/api/v1")).status == 200
    assert mock.faults.list("Acme")[0]["hits"] == 2


def test_in_process_a_body_can_be_cut_and_mismeasured(mock: Mock, client: Client) -> None:
    whole = plain(client).encode()
    mock.faults.add("Acme", {"name": "f", "kind": "truncated"})
    cut = in_process(mock)("GET", f"/api/v1{CALENDAR}", KEY, None)
    assert cut.body == whole[: len(whole) // 2]
    assert cut.headers["content-length"] == str(len(whole))
    for by in (5, -5, -10_000):
        mock.faults.add("Acme", {"name": "f", "kind": "wrong-length", "by": by})
        off = client("GET", CALENDAR)
        assert off.text.encode() == whole
        assert off.headers["content-length"] == str(max(0, len(whole) + by))


@pytest.mark.parametrize("pieces", [1, 3, 10, 1000])
def test_a_dribbled_body_is_whole_in_the_end(pieces: int, mock: Mock, client: Client, waits: list[float]) -> None:
    whole = plain(client)
    mock.faults.add("Acme", {"kind": "dribbled", "pieces": pieces, "seconds": 0.5})
    assert plain(client) == whole
    assert len(waits) <= pieces - 1
    assert set(waits) <= {0.5}
    assert client("DELETE", CALENDAR).text == ""


def over_socket(server: RunningServer, method: str = "GET", body: bytes | None = None) -> Answered:
    return Answered(over_http(server.url)(method, f"/api/v1{CALENDAR}", KEY, body))


def test_over_a_socket_a_reset_is_a_reset(server: RunningServer) -> None:
    server.mock.faults.add("Acme", {"kind": "reset", "first": 1})
    with pytest.raises(ConnectionResetError):
        over_socket(server)
    assert entry(server.mock)["status"] == 0
    assert over_socket(server).status == 200


def test_over_a_socket_a_reset_can_come_after_the_work(server: RunningServer) -> None:
    server.mock.faults.add("Acme", {"kind": "reset", "after": True, "operation": "deleteCalendar"})
    with pytest.raises(ConnectionResetError):
        over_socket(server, "DELETE")
    assert over_socket(server).status == 404


def test_over_a_socket_a_cut_body_ends_early(server: RunningServer) -> None:
    whole = over_socket(server).text.encode()
    server.mock.faults.add("Acme", {"kind": "truncated", "first": 1})
    with pytest.raises(http.client.IncompleteRead) as raised:
        over_socket(server)
    assert raised.value.partial == whole[: len(whole) // 2]
    assert raised.value.expected == len(whole) - len(raised.value.partial)
    assert over_socket(server).text.encode() == whole


def test_over_a_socket_a_length_is_too_long_or_too_short(server: RunningServer) -> None:
    whole = over_socket(server).text.encode()
    server.mock.faults.add("Acme", {"name": "f", "kind": "wrong-length", "by": 7})
    with pytest.raises(http.client.IncompleteRead) as raised:
        over_socket(server)
    assert (raised.value.partial, raised.value.expected) == (whole, 7)
    server.mock.faults.add("Acme", {"name": "f", "kind": "wrong-length", "by": -7})
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=HANGS) as connection:
        request = f"GET /api/v1{CALENDAR} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {ACME}\r\n\r\n"
        connection.sendall(request.encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(whole) - 7}".encode() in head
    assert body == whole
    server.mock.faults.clear()
    assert over_socket(server).text.encode() == whole


def test_over_a_socket_the_other_kinds_are_whole_answers(server: RunningServer, waits: list[float]) -> None:
    whole = over_socket(server).text
    kinds = {"status": 500, "throttled": 429, "html-502": 502, "delay": 200, "dribbled": 200, "page-dies": 200}
    for kind, status in kinds.items():
        server.mock.faults.add("Acme", {"name": "f", "kind": kind})
        answered = over_socket(server)
        assert answered.status == status
        assert status != 200 or answered.text == whole
    assert waits == [1.0, *[0.1] * 9]
    spoils_answers = {name for name, kind in KINDS.items() if not kind.is_of_webhooks}
    assert spoils_answers == {*kinds, "reset", "truncated", "wrong-length"}


def test_a_patient_connection_can_be_reset_too(server: RunningServer) -> None:
    server.mock.faults.add("Acme", {"kind": "reset", "first": 1})
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=HANGS) as connection:
        head = f"Host: x\r\nAuthorization: Token {ACME}\r\n\r\n"
        connection.sendall(f"ODD /api/v1{CALENDAR} HTTP/1.1\r\n{head}".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 405")
        connection.sendall(f"GET /api/v1{CALENDAR} HTTP/1.1\r\n{head}".encode())
        with pytest.raises(ConnectionResetError):
            connection.recv(65536)


def test_head_is_spoiled_without_a_body(mock: Mock, client: Client) -> None:
    for kind in ("html-502", "dribbled", "truncated", "wrong-length"):
        mock.faults.add("Acme", {"name": "f", "kind": kind})
        assert client("HEAD", CALENDAR).text == ""


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "kind", "is missing"),
    ({"kind": "statsu"}, "kind", "did you mean status?"),
    ({"kind": 7}, "kind", "write a string"),
    ({"kind": "status", "operation": "listCalendar"}, "operation", "did you mean listCalendars?"),
    ({"kind": "status", "operation": None}, "operation", "createCalendar"),
    ({"kind": "status", "fist": 1}, "field", "did you mean first?"),
    ({"kind": "status", "trigger": "*"}, "field", "operation"),
    ({"kind": "status", "status": 418}, "status", "404"),
    ({"kind": "status", "status": True}, "status", "404"),
    ({"kind": "status", "after": 1}, "after", "True"),
    ({"kind": "status", "first": 0}, "first", "from 1"),
    ({"kind": "status", "from": "2"}, "from", "a whole number"),
    ({"kind": "status", "from": None}, "from", "a whole number"),
    ({"kind": "status", "first": True}, "first", "a whole number"),
    ({"kind": "status", "name": ""}, "name", "1 to 80"),
    ({"kind": "status", "name": "x" * 81}, "name", "1 to 80"),
    ({"kind": "delay", "seconds": -1}, "seconds", "from 0 to 300"),
    ({"kind": "delay", "seconds": float("nan")}, "seconds", "from 0 to 300"),
    ({"kind": "wrong-length", "by": 0}, "by", "0 is right"),
    ({"kind": "page-dies", "page": 0}, "page", "from 1"),
    ({"kind": "webhook-drop", "trigger": "calendar.event_update"}, "trigger", "did you mean calendar.events_update?"),
    ({"kind": "webhook-drop", "operation": "*"}, "field", "trigger"),
]


@pytest.mark.parametrize(("wanted", "field", "said"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_is_misspelt_is_refused_with_what_would_be_right(
    wanted: dict[str, Any], field: str, said: str, mock: Mock
) -> None:
    with pytest.raises(Refused) as raised:
        mock.faults.add("Acme", wanted)
    assert raised.value.field == field
    assert said in raised.value.problem
    assert not mock.faults.armed


def test_a_fault_is_replaced_removed_and_forgotten_by_a_reset(mock: Mock) -> None:
    added = mock.faults.add("Acme", {"kind": "status", "first": 3})
    assert added | {"status": 0} == {
        "name": "status",
        "kind": "status",
        "operation": "*",
        "seconds": 0.0,
        "status": 0,
        "after": False,
        "first": 3,
        "from": 1,
        "seen": 0,
        "hits": 0,
    }
    json.dumps(added)
    mock.faults.add("Acme", {"name": "status", "kind": "delay"})
    assert [told["kind"] for told in mock.faults.list("Acme")] == ["delay"]
    with pytest.raises(Refused, match="valid: status") as raised:
        mock.faults.remove("Acme", "stats")
    assert raised.value.status == 404
    mock.faults.remove("Acme", "status")
    assert mock.faults.list("Acme") == []
    for name in ("Acme", "Globex"):
        mock.faults.add(name, {"kind": "delay"})
    mock.faults.clear("Acme")
    assert [len(mock.faults.list(name)) for name in ("Acme", "Globex")] == [0, 1]
    assert mock.faults.armed
    mock.reset()
    assert mock.faults.list("Globex") == []


def test_a_project_can_only_have_so_many(mock: Mock) -> None:
    for number in range(MOST_FAULTS):
        mock.faults.add("Acme", {"name": f"f{number}", "kind": "delay"})
    with pytest.raises(Refused, match="remove one first"):
        mock.faults.add("Acme", {"name": "one more", "kind": "delay"})


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.is_of_webhooks])
def test_deliveries_are_spoiled_by_trigger_and_project_and_counted(kind: str, mock: Mock) -> None:
    acme, globex = mock.store.projects[:2]
    mock.faults.add("Acme", {"name": "f", "kind": kind, "trigger": "calendar.state_change", "first": 1, "from": 2})
    change, update = Delivery("calendar.state_change"), Delivery("calendar.events_update")
    assert mock.faults.find_for_delivery(globex, change) is None
    asked = [mock.faults.find_for_delivery(acme, delivery) for delivery in (update, change, update, change, change)]
    how = kind.removeprefix("webhook-").replace("-", " ")
    assert asked == [
        None,
        None,
        None,
        DeliveryFault("f", cast(DeliveryFaultKind, how), 60 if kind == "webhook-late" else 0),
        None,
    ]
    assert mock.faults.list("Acme")[0]["hits"] == 1


def test_a_webhook_fault_leaves_answers_alone(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "webhook-drop"})
    assert client("GET", CALENDAR).status == 200
    mock.faults.add("Acme", {"kind": "delay"})
    assert mock.faults.find_for_delivery(mock.store.projects[0], Delivery("calendar.state_change")) == DeliveryFault(
        "webhook-drop", "drop"
    )


def test_who_has_no_key_meets_no_fault(mock: Mock) -> None:
    mock.faults.add("Acme", {"kind": "status", "status": 503})
    assert Client(mock, "nobody")("GET", CALENDAR).status == 401
    assert in_process(mock)("GET", "/api/v1/nope", KEY, None).status == 404
    assert mock.faults.list("Acme")[0]["seen"] == 0


def test_every_kind_is_in_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
    for name, kind in KINDS.items():
        assert f"| `{name}` | {kind.meaning}" in page


def test_the_journal_finds_what_was_not_answered(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "reset", "first": 1})
    with pytest.raises(ConnectionResetError):
        client("GET", CALENDAR)
    (found,) = mock.journals.find("Acme", Filter(status="0")).entries
    assert found["reason"] == "fault reset: reset"
