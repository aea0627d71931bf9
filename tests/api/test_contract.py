"""The contract is enforced on every answer, in the fast path too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mockserver.api.answers import Answer, Sealed, SealedPage
from mockserver.api.contract import BrokenContract, Schemas, compile_route
from mockserver.api.gateway import Gateway
from mockserver.api.incoming import Exchange
from mockserver.api.validation import ContractError
from mockserver.app import Mock
from mockserver.spec import load_contract
from tests.clients import MAIN_CALENDAR, Client


def gateway_of(mock: Mock) -> Gateway:
    """The gateway in a mock's stack."""
    app: Any = mock.asgi
    while not isinstance(app, Gateway):
        app = app._app
    return app


def spoil(mock: Mock, template: str, method: str, handler: Callable[..., Answer]) -> None:
    """Puts another handler in the place of an operation's."""
    route, _ = gateway_of(mock)._paths.find(template)
    assert route is not None
    operations: Any = route.operations
    operations[method] = replace(operations[method], handler=handler)


UNKNOWN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string", "x-magic": True}}}
NUMBER: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}}
CALENDAR = "/api/v1/calendars/{object_id}"
CALENDARS = "/api/v1/calendars"
GOOD = Sealed("Calendar", b"{}")
OFF_CONTRACT = [
    (CALENDAR, {"id": "cal_0000000000000000"}, "required"),
    (CALENDAR, [], "type"),
    (CALENDAR, None, "type"),
    (CALENDAR, Sealed("CalendarEvent", b"{}"), "CalendarEvent"),
    (CALENDAR, SealedPage(None, None, []), "a page"),
    (CALENDARS, SealedPage(None, None, [GOOD] * 26), "maxItems"),
    (CALENDARS, SealedPage(None, None, [Sealed("CalendarEvent", b"{}")]), "items"),
    (CALENDARS, SealedPage(7, None, []), "next"),  # type: ignore[arg-type]
    (CALENDARS, GOOD, "Calendar"),
]


@pytest.mark.parametrize(("template", "body", "named"), OFF_CONTRACT)
def test_an_answer_off_contract_is_a_500_that_names_the_rule(
    template: str, body: Any, named: str, mock: Mock, exchanges: list[Exchange]
) -> None:
    spoil(mock, template, "GET", lambda request: Answer(200, body))
    path = "/calendars" if template == CALENDARS else f"/calendars/{MAIN_CALENDAR}"
    answered = Client(mock)("GET", path)
    assert answered.status == 500
    assert named in answered.body["detail"]
    assert exchanges[-1].reason is not None
    assert "off contract" in exchanges[-1].reason


def test_a_status_that_the_contract_does_not_know_is_caught(mock: Mock) -> None:
    spoil(mock, CALENDAR, "GET", lambda request: Answer(203, GOOD))
    answered = Client(mock)("GET", f"/calendars/{MAIN_CALENDAR}")
    assert answered.status == 500
    assert "203" in answered.body["detail"]


def test_a_required_header_that_is_missing_is_caught(mock: Mock) -> None:
    spoil(mock, CALENDAR, "GET", lambda request: Answer(401, {"detail": "Missing Authorization header"}))
    answered = Client(mock)("GET", f"/calendars/{MAIN_CALENDAR}")
    assert answered.status == 500
    assert "WWW-Authenticate" in answered.body["detail"]


def test_a_body_where_there_is_none_is_caught(mock: Mock) -> None:
    spoil(mock, CALENDAR, "DELETE", lambda request: Answer(200, {"detail": "gone"}))
    assert Client(mock)("DELETE", f"/calendars/{MAIN_CALENDAR}").status == 500


def test_a_record_off_contract_is_not_sealed() -> None:
    with pytest.raises(BrokenContract, match="required"):
        Schemas(load_contract()).seal("Calendar", {"id": "cal_0000000000000000"})


def test_a_record_that_breaks_the_contract_is_a_500_and_not_an_answer(mock: Mock) -> None:
    project = mock.store.projects[0]
    calendar = project.state.calendars.get(MAIN_CALENDAR)
    assert calendar is not None
    project.state.replace_calendar(calendar._replace(platform="yahoo"))  # type: ignore[arg-type]
    assert Client(mock)("GET", f"/calendars/{MAIN_CALENDAR}").status == 500
    assert Client(mock)("GET", "/calendars?deduplication_key=user-main").status == 500


def test_a_change_is_seen_at_once_although_texts_are_kept(client: Client) -> None:
    assert client("GET", f"/calendars/{MAIN_CALENDAR}").body["metadata"]["tenant_id"] == "1234567890"
    client("PATCH", f"/calendars/{MAIN_CALENDAR}", {"metadata": {"a": "b"}})
    assert client("GET", f"/calendars/{MAIN_CALENDAR}").body["metadata"] == {"a": "b"}
    assert client("GET", "/calendars?deduplication_key=user-main").body["results"][0]["metadata"] == {"a": "b"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda item: item["post"]["requestBody"]["content"].update({"text/plain": {}}), "only application/json"),
        (lambda item: item["post"]["requestBody"]["content"]["application/json"].update(schema=UNKNOWN), "x-magic"),
        (lambda item: item["post"]["requestBody"]["content"]["application/json"].update(schema=NUMBER), "implemented"),
    ],
)
def test_what_the_code_does_not_implement_is_refused_at_start(change: Callable[[Any], None], problem: str) -> None:
    contract = load_contract()
    item = contract["paths"][CALENDARS]
    item["post"]["requestBody"] = dict(Schemas(contract).resolve(item["post"]["requestBody"]))
    change(item)
    with pytest.raises(ContractError, match=problem):
        compile_route(Schemas(contract), CALENDARS, item, lambda method: lambda request: Answer(200, None))
