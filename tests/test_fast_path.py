"""Over a socket, where answers take the shortest way, contract, remarks, faults and the journal are there as well."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.api.response import Response
from mockserver.app import Mock
from mockserver.server import running
from mockserver.settings import Settings
from tests.api.test_contract import replace_handler
from tests.clients import ACME, MAIN_CALENDAR
from tests.patience import HANGS

CALENDAR = f"/api/v1/calendars/{MAIN_CALENDAR}"
KEY = {"Authorization": f"Token {ACME}"}


class Line:
    """One connection that stays open."""

    def __init__(self, mock: Mock, url: str) -> None:
        self.mock = mock
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=HANGS)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
        """Status, headers with their names in lower case, and JSON."""
        sent = None if body is None else json.dumps(body)
        headers = KEY if body is None else {**KEY, "Content-Type": "application/json"}
        self._connection.request(method, path, sent, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, json.loads(text) if found.get("content-type") == "application/json" else None

    def close(self) -> None:
        """Ends it."""
        self._connection.close()


@pytest.fixture
def line() -> Iterator[Line]:
    mock = Mock(Settings(fixtures=Path(__file__).parent / "recorded" / "seed.json"))
    with running(mock=mock) as server:
        line = Line(mock, server.url)
        yield line
        line.close()


def test_an_answer_off_contract_is_a_500_and_the_connection_goes_on(line: Line) -> None:
    replace_handler(line.mock, "/api/v1/calendars/{object_id}", "GET", lambda request: Response(200, {"id": 7}))
    status, _, body = line("GET", CALENDAR)
    assert status == 500
    assert "required" in json.dumps(body)
    assert line("GET", "/api/v1/calendars")[0] == 200


def test_what_the_service_tolerates_is_remarked_on(line: Line) -> None:
    assert line("GET", f"{CALENDAR}?nope=1")[1]["x-mock-contract"] == "unknown query parameter nope"
    status, headers, _ = line("PATCH", CALENDAR, {"refresh_token": 7})
    assert (status, "body" in headers["x-mock-contract"]) == (200, True)
    assert "x-mock-contract" not in line("GET", CALENDAR)[1]


def test_a_fault_steps_in_as_often_as_it_is_told(line: Line) -> None:
    fault = {"kind": "status", "operation": "getCalendar", "status": 503, "first": 1}
    assert line("POST", "/__mock__/faults", fault)[0] in (200, 201)
    assert [line("GET", CALENDAR)[0] for _ in range(2)] == [503, 200]


def test_every_exchange_is_in_the_journal_when_its_answer_is_there(line: Line) -> None:
    for number in range(3):
        line("PATCH", CALENDAR, {"metadata": {"n": str(number)}})
        entries = line("GET", "/__mock__/requests")[2]["requests"]
        assert entries[-1]["request"]["json"]["metadata"] == {"n": str(number)}


def test_a_change_is_in_the_very_next_answer(line: Line) -> None:
    for number in range(3):
        line("PATCH", CALENDAR, {"metadata": {"n": str(number)}})
        assert line("GET", CALENDAR)[2]["metadata"] == {"n": str(number)}
    line("DELETE", CALENDAR)
    assert line("GET", CALENDAR)[0] == 404
