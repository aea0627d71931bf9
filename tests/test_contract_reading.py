"""Every part of openapi.yaml was recorded or has a row in the ledger, and every recording fits it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mockserver.contracts import CALENDARS, load_contract
from mockserver.evidence import Ledger, ledger
from tests.contract_reading import ContractReading, main, read
from tests.recordings import Recorded, exchanges

READING = read()
RECORDED = [one for one in exchanges() if one.scenario == "get-known"]


def reading(
    contract: Any = None, recorded: list[Recorded] | None = None, rows: Ledger | None = None
) -> ContractReading:
    """The reading with another contract, other recordings or another ledger."""
    given = exchanges() if recorded is None else tuple(recorded)
    return ContractReading(contract or load_contract(CALENDARS), given, rows or ledger())


def changed(**response: Any) -> list[Recorded]:
    """The first recorded GET of a calendar, with parts of its response replaced."""
    first = RECORDED[0]
    return [first._replace(response={**first.response, **response})]


def test_every_status_header_parameter_and_field_was_recorded_or_has_a_row() -> None:
    assert READING.unknown == []


def test_every_recorded_response_fits_the_contract() -> None:
    assert len(READING.recorded) > 1_000
    assert READING.misfits == []


def test_no_row_vouches_for_a_part_that_is_recorded_or_gone() -> None:
    assert READING.idle_patterns == []


def test_most_of_the_contract_was_recorded() -> None:
    assert len(READING.parts) > 200
    assert sum(part in READING.shown for part in READING.parts) > 0.75 * len(READING.parts)


@pytest.mark.parametrize(
    "part",
    [
        "createCalendar 201",
        "createCalendar 429 Retry-After",
        "getCalendar 401 WWW-Authenticate",
        "createCalendar body.platform_uuid",
        "listCalendarEvents ?updated_after",
        "Calendar.metadata null",
        "CalendarState disconnected",
        "CalendarEventPage.previous",
        "Bot.state",
        "createCalendar 400 FieldErrors",
        "UnauthorizedText Invalid or disabled API key",
    ],
)
def test_a_recording_shows_a_part(part: str) -> None:
    assert part in READING.parts
    assert part in READING.shown


def test_a_part_that_nobody_recorded_is_found() -> None:
    contract = load_contract(CALENDARS)
    contract["components"]["schemas"]["Calendar"]["properties"]["colour"] = {"type": "string", "nullable": True}
    operation = contract["paths"]["/api/v1/calendars"]["get"]
    operation["responses"]["418"] = copy.deepcopy(operation["responses"]["200"])
    operation["parameters"].append({"name": "page_size", "in": "query", "schema": {"type": "integer"}})
    found = reading(contract).unknown
    assert {"Calendar.colour", "Calendar.colour null", "listCalendars ?page_size"} <= {*found}
    assert {"listCalendars 418", "listCalendars 418 Allow"} <= {*found}


def test_a_part_whose_row_is_gone_is_found() -> None:
    rows = {name: row for name, row in ledger().rows.items() if name != "body-too-large"}
    assert "createCalendar 413" in reading(rows=ledger()._replace(rows=rows)).unknown


def test_a_row_that_vouches_for_nothing_is_found() -> None:
    row = ledger().rows["body-too-large"]._replace(contract=("createCalendar 201", "createCalendar 599"))
    found = reading(rows=ledger()._replace(rows={"body-too-large": row})).idle_patterns
    assert found == ["createCalendar 201", "createCalendar 599"]


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ({"status": 204}, "getCalendar has no status 204"),
        ({"body": {}}, '"id" is a required property'),
        ({"body": {**RECORDED[0].response["body"], "colour": "red"}}, "colour"),
        ({"body": {**RECORDED[0].response["body"], "created_at": "yesterday"}}, '"yesterday"'),
        ({"headers": {"content-type": "application/json", "vary": "Accept"}}, "the header Allow is None"),
    ],
    ids=["status", "field missing", "unknown field", "form of a field", "header missing"],
)
def test_a_recording_that_does_not_fit_is_found(response: dict[str, Any], problem: str) -> None:
    found = reading(recorded=changed(**response)).misfits
    assert [one for one in found if problem in one]


def test_the_tool_prints_every_part_and_what_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("createCalendar 413 Allow")]
    assert sum("row body-too-large" in line for line in lines) == 7
    assert not [line for line in lines if "NOTHING" in line]
