"""A record's text is the one that it would have if it were written anew; no record off contract has one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.api.contract import BrokenContract, Schemas
from mockserver.api.rendered_records import RecordRenderer
from mockserver.api.response import encoded, texts_to_json, to_json
from mockserver.api.serializers import CALENDAR_CHANGES, calendar_changes, calendar_document
from mockserver.api.validation import ContractError
from mockserver.app import Mock
from mockserver.contracts import BOTS, load_contract
from mockserver.domain.model import Calendar, Credentials
from mockserver.domain.timestamps import render
from tests.clients import MAIN_CALENDAR, Client
from tests.projects import make_calendar

SCHEMAS, BOT_SCHEMAS = Schemas(load_contract()), Schemas(load_contract(BOTS))
CALENDAR = make_calendar(client_id='100 % of "%b" and %(a)s\u2028', metadata={"a": "b"})
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
TIMES = st.integers(0, 4_000_000_000_000_000)
FAILURES = st.sampled_from(
    [
        None,
        {"error": "100 %", "timestamp": "2026-04-01T11:00:00+00:00"},
        {"timestamp": "2026-04-01T11:00:00+00:00", "error": "100 %"},
    ]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "seq": st.integers(1, 9),
    "platform": st.sampled_from(["google", "microsoft"]),
    "client_id": TEXTS,
    "credentials": st.builds(Credentials, TEXTS, TEXTS),
    "platform_uuid": st.none() | TEXTS,
    "state": st.sampled_from(["connected", "disconnected"]),
    "metadata": st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3),
    "deduplication_key": st.none() | TEXTS,
    "connection_failure_data": FAILURES,
    "created_at": TIMES,
    "updated_at": TIMES,
    "last_successful_sync_at": st.none() | TIMES,
    "last_attempted_sync_at": st.none() | TIMES,
}
CHANGES = st.lists(st.fixed_dictionaries({}, optional=VALUES), max_size=8)
WRONG: dict[str, Any] = {
    "platform": "yahoo",
    "client_id": None,
    "platform_uuid": 7,
    "state": True,
    "metadata": {"a": 1},
    "deduplication_key": ["a"],
    "connection_failure_data": {"error": "no time"},
}


def changed(**fields: Any) -> Calendar:
    """The calendar with these fields, whatever their types."""
    return CALENDAR._replace(**fields)


def renderer() -> RecordRenderer:
    return RecordRenderer(SCHEMAS, BOT_SCHEMAS)


def spliced(calendar: Calendar) -> RecordRenderer:
    """A renderer that has written this calendar into the text of another."""
    found = renderer()
    for other in ({}, {"x": "%s"}):
        found.calendar(calendar._replace(metadata=other))
    found.calendar(calendar)
    return found


def test_every_field_of_a_calendar_but_its_id_is_changed_here() -> None:
    assert VALUES.keys() == {*Calendar._fields} - {"id"}


@given(CHANGES)
def test_a_calendars_text_is_that_of_its_document_whatever_was_changed_before(changes: list[dict[str, Any]]) -> None:
    found, calendar = renderer(), CALENDAR
    for change in changes:
        calendar = calendar._replace(**change)
        if change.keys() & {"updated_at", "state"}:
            # Those that are not looked at leave no text behind.
            assert found.calendar(calendar).text == to_json(calendar_document(calendar))
    assert found.calendars([calendar]).texts == [to_json(calendar_document(calendar))]


@pytest.mark.parametrize("field", WRONG)
@pytest.mark.parametrize("make", [renderer, lambda: spliced(CALENDAR)], ids=["first", "spliced"])
def test_a_calendar_with_any_field_off_contract_has_no_text(field: str, make: Callable[[], RecordRenderer]) -> None:
    found, wrong = make(), changed(**{field: WRONG[field]})
    for _ in range(2):
        with pytest.raises(BrokenContract, match=field):
            found.calendar(wrong)
        with pytest.raises(BrokenContract, match=field):
            found.calendars([wrong])
    again = CALENDAR._replace(updated_at=CALENDAR.updated_at + 1)
    assert found.calendar(again).text == to_json(calendar_document(again))


@pytest.mark.parametrize("field", ["created_at", "updated_at", "last_successful_sync_at", "last_attempted_sync_at"])
@pytest.mark.parametrize("make", [renderer, lambda: spliced(CALENDAR)], ids=["first", "spliced"])
def test_a_calendar_with_any_time_off_contract_has_no_text(
    field: str, make: Callable[[], RecordRenderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = 1_712_345_678_000_000

    def write(instant: int) -> str:
        return "soon" if instant == at else render(instant)

    for module in ("serializers", "rendered_records"):
        monkeypatch.setattr(f"mockserver.api.{module}.render", write)
    with pytest.raises(BrokenContract, match=field):
        make().calendar(changed(**{field: at}))


def test_equal_values_that_are_written_otherwise_are_written_anew() -> None:
    failed = {"error": "e", "timestamp": "2026-04-01T11:00:00+00:00"}
    found = spliced(CALENDAR._replace(connection_failure_data=failed))
    turned = CALENDAR._replace(connection_failure_data=dict(reversed(failed.items())))
    assert found.calendar(turned).text == to_json(calendar_document(turned))
    with pytest.raises(BrokenContract, match="platform_uuid"):
        spliced(CALENDAR._replace(platform_uuid="1")).calendar(CALENDAR._replace(platform_uuid=1))  # type: ignore[arg-type]


def test_what_changes_all_the_time_is_a_part_of_the_document_in_its_order() -> None:
    calendar = CALENDAR._replace(last_successful_sync_at=1, last_attempted_sync_at=2)
    document = calendar_document(calendar)
    assert list(calendar_changes(calendar).items()) == [
        (name, value) for name, value in document.items() if name in CALENDAR_CHANGES
    ]
    assert tuple(calendar_changes(calendar)) == CALENDAR_CHANGES


@pytest.mark.parametrize(
    "more",
    [
        {"minProperties": 1},
        {"maxProperties": 30},
        {"oneOf": [{"required": ["id"]}]},
        {"not": {"required": ["secret"]}},
        {"nullable": True},
        {"properties": {"metadata": {}, "updated_at": {}}},
    ],
)
def test_a_schema_whose_properties_cannot_be_checked_one_by_one_is_refused_at_start(more: dict[str, Any]) -> None:
    contract = load_contract()
    contract["components"]["schemas"]["Calendar"].update(more)
    with pytest.raises(ContractError, match="one by one"):
        RecordRenderer(Schemas(contract), BOT_SCHEMAS)


@given(st.none() | st.dictionaries(TEXTS, TEXTS | st.sampled_from(['"\\\n\x7f\u2028\u2029', "\ud800"]), max_size=4))
def test_an_object_of_texts_is_written_as_any_object_is(texts: dict[str, str] | None) -> None:
    assert encoded(texts_to_json(texts)) == to_json(texts)


@pytest.mark.parametrize("field", WRONG)
def test_a_calendar_that_was_spliced_and_then_breaks_the_contract_is_a_500_and_not_an_answer(
    field: str, mock: Mock
) -> None:
    client, state = Client(mock), mock.store.projects[0].state
    path = f"/calendars/{MAIN_CALENDAR}"
    for metadata in ({"a": "1"}, {"a": "2"}, {"a": "3"}):
        assert client("PATCH", path, {"metadata": metadata}).body["metadata"] == metadata
    calendar = state.calendars.get(MAIN_CALENDAR)
    assert calendar is not None
    state.replace_calendar(calendar._replace(**{field: WRONG[field]}))
    listed = "/calendars?deduplication_key=user-main"
    requests: list[tuple[str, str, Any]] = [("GET", path, None), ("GET", listed, None)]
    if field != "metadata":
        requests.append(("PATCH", path, {"metadata": {"a": "4"}}))
    for request in requests:
        answered = client(*request)
        assert answered.status == 500
        assert field in json.dumps(answered.body)
    state.replace_calendar(calendar)
    assert client("GET", path).body["metadata"] == {"a": "3"}
