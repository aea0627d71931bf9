"""The contract is enforced on every answer, in the fast path too."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.api.contract import BrokenContract, Operation, Schemas, compile_route
from mockserver.api.errors import ApiError, Remark
from mockserver.api.gateway import Gateway
from mockserver.api.request import Exchange
from mockserver.api.response import RenderedPage, RenderedRecord, RenderedRecords, Response
from mockserver.api.validation import BodyRules, ContractError
from mockserver.app import Mock
from mockserver.contracts import load_contract
from tests.clients import MAIN_CALENDAR, Client


def gateway_of(mock: Mock) -> Gateway:
    """The gateway in a mock's stack."""
    app: Any = mock.asgi
    while not isinstance(app, Gateway):
        app = app._app
    return app


def replace_handler(mock: Mock, template: str, method: str, handler: Callable[..., Response]) -> None:
    """Puts another handler in the place of an operation's."""
    route, _ = gateway_of(mock)._router.find(template)
    assert route is not None
    operations: Any = route.operations
    operations[method] = replace(operations[method], handler=handler)


UNKNOWN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string", "x-magic": True}}}
NUMBER: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}}
CALENDAR = "/api/v1/calendars/{object_id}"
CALENDARS = "/api/v1/calendars"
GOOD = RenderedRecord("Calendar", b"{}")
CONTRACT = load_contract()
OPERATIONS = {
    (template, method): operation
    for template in (CALENDARS, CALENDAR)
    for method, operation in compile_route(
        Schemas(CONTRACT), template, CONTRACT["paths"][template], lambda method: lambda request: Response(200, None)
    ).operations.items()
}
OFF_CONTRACT = [
    (CALENDAR, {"id": "cal_0000000000000000"}, "required"),
    (CALENDAR, [], "type"),
    (CALENDAR, None, "type"),
    (CALENDAR, RenderedRecord("CalendarEvent", b"{}"), "CalendarEvent"),
    (CALENDAR, RenderedPage(None, None, RenderedRecords("Calendar", [])), "a page"),
    (CALENDARS, RenderedPage(None, None, RenderedRecords(GOOD.schema, [GOOD.text] * 26)), "maxItems"),
    (CALENDARS, RenderedPage(None, None, RenderedRecords("CalendarEvent", [b"{}"])), "items"),
    (CALENDARS, RenderedPage(7, None, RenderedRecords("Calendar", [])), "next"),  # type: ignore[arg-type]
    (CALENDARS, GOOD, "Calendar"),
]


@pytest.mark.parametrize(("template", "body", "named"), OFF_CONTRACT)
def test_an_answer_off_contract_is_a_500_that_names_the_rule(
    template: str, body: Any, named: str, mock: Mock, exchanges: list[Exchange]
) -> None:
    replace_handler(mock, template, "GET", lambda request: Response(200, body))
    path = "/calendars" if template == CALENDARS else f"/calendars/{MAIN_CALENDAR}"
    answered = Client(mock)("GET", path)
    assert answered.status == 500
    assert named in answered.body["detail"]
    assert exchanges[-1].reason is not None
    assert "off contract" in exchanges[-1].reason


def test_a_status_that_the_contract_does_not_know_is_caught(mock: Mock) -> None:
    replace_handler(mock, CALENDAR, "GET", lambda request: Response(203, GOOD))
    answered = Client(mock)("GET", f"/calendars/{MAIN_CALENDAR}")
    assert answered.status == 500
    assert "203" in answered.body["detail"]


def test_a_required_header_that_is_missing_is_caught(mock: Mock) -> None:
    replace_handler(mock, CALENDAR, "GET", lambda request: Response(401, {"detail": "Missing Authorization header"}))
    answered = Client(mock)("GET", f"/calendars/{MAIN_CALENDAR}")
    assert answered.status == 500
    assert "WWW-Authenticate" in answered.body["detail"]


def test_a_body_where_there_is_none_is_caught(mock: Mock) -> None:
    replace_handler(mock, CALENDAR, "DELETE", lambda request: Response(200, {"detail": "gone"}))
    assert Client(mock)("DELETE", f"/calendars/{MAIN_CALENDAR}").status == 500


def test_a_record_off_contract_is_not_sealed() -> None:
    with pytest.raises(BrokenContract, match="required"):
        Schemas(load_contract()).render("Calendar", {"id": "cal_0000000000000000"})


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
        compile_route(Schemas(contract), CALENDARS, item, lambda method: lambda request: Response(200, None))


TEXT = st.text(max_size=5) | st.sampled_from(["", " ", "\t\u2003\x1c", "a\0", "\ud800", "é" * 170, "x" * 1200, " a "])
VALUE = st.one_of(TEXT, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(TEXT, max_size=2))
METADATA = st.dictionaries(TEXT, TEXT, max_size=4) | st.dictionaries(TEXT, VALUE, max_size=3) | VALUE
METADATA |= st.integers(60, 90).map(lambda length: {"é": "é" * length, "a": "\U0001f600" * (length - 40)})
METADATA |= st.integers(980, 995).map(lambda length: {"a": "x" * length})
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    name: TEXT | VALUE for name in ("platform_uuid", "client_id", "client_secret", "refresh_token", "deduplication_key")
}
FIELDS |= {"platform": st.sampled_from(["google", "microsoft", "yahoo", " google"]) | VALUE, "metadata": METADATA}
SOME = st.fixed_dictionaries({}, optional={**FIELDS, "unknown": TEXT})
WHOLE = st.fixed_dictionaries({name: st.text("ab ", min_size=1) for name in ("client_id", "client_secret")})
OBJECTS = SOME | st.builds(
    lambda least, more: {**least, "refresh_token": " t ", "platform": "google", **more}, WHOLE, SOME
)
BODIES = st.builds(lambda value, escaped: json.dumps(value, ensure_ascii=escaped), OBJECTS | VALUE, st.booleans())
RAW = BODIES.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=9)
RAW |= st.builds(
    lambda text, at: (text[:at] + text[at + 1 :]).encode("utf-8", "surrogatepass"), BODIES, st.integers(0, 30)
)
RAW |= st.builds(lambda one, other: (one[:-1] + "," + other[1:]).encode("utf-8", "surrogatepass"), BODIES, BODIES)
RAW |= st.integers(16_000, 17_000).map(lambda blanks: b'{"refresh_token":' + b" " * blanks + b'" a "}')


def outcome(operation: Operation, raw: bytes, read: Any = None) -> Any:
    """What comes of a body: its fields and what is remarked on, or the refusal."""
    remarks: list[Remark] = []
    try:
        return list(operation.read_fields("application/json", raw, remarks, read).items()), remarks
    except ApiError as error:
        return error.status, error.body, error.reason, remarks


@pytest.mark.parametrize(("template", "method"), [(CALENDARS, "POST"), (CALENDAR, "PATCH")])
@given(raw=RAW)
def test_the_short_way_through_a_body_comes_to_the_same_as_the_long_one(template: str, method: str, raw: bytes) -> None:
    # A reader of a body's own takes the long way, whatever the contract allows.
    operation = OPERATIONS[template, method]
    assert outcome(operation, raw) == outcome(operation, raw, BodyRules.apply)


@pytest.mark.parametrize("metadata", [{"a": "x" * 991}, {"a": "x" * 992}, {"é": "é" * 164}, {"é": "é" * 165}])
def test_the_length_of_metadata_which_the_contract_cannot_say_is_checked_the_short_way_too(metadata: Any) -> None:
    operation, raw = OPERATIONS[CALENDAR, "PATCH"], json.dumps({"metadata": metadata}).encode()
    assert operation.body_remarks({"metadata": metadata}) == []
    assert outcome(operation, raw) == outcome(operation, raw, BodyRules.apply)
    assert (outcome(operation, raw)[0] == 400) is (len(json.dumps(metadata)) > 1000)
