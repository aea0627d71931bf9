"""Every answer can be asked why; the request that would have done is one that does."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.contracts import load_contract
from mockserver.control.errors import Refused
from mockserver.control.journal import Filter
from tests.clients import ACME, MAIN_CALENDAR, NEW_CALENDAR, Answered, Client, in_process

CALENDAR = f"/calendars/{MAIN_CALENDAR}"
FORM = "application/x-www-form-urlencoded"


def explained(mock: Mock) -> dict[str, Any]:
    """What is said of the latest exchange."""
    found = mock.explainer.explain(mock.journals.last)
    json.dumps(found)
    return found


def run(mock: Mock, line: str) -> Answered:
    """Sends what a curl line asks for, as a shell with the mock's URL and a key in its environment would."""
    assert line.startswith("curl -sS ")
    words = iter(shlex.split(line)[2:])
    method, body, url = "GET", None, ""
    headers: dict[str, str] = {}
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).replace("$ATTENDEE_API_KEY", ACME).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words).encode()
        else:
            url = word
    assert url.startswith("$ATTENDEE_BASE_URL/api/v1/")
    return Answered(in_process(mock)(method, url.removeprefix("$ATTENDEE_BASE_URL"), headers, body))


def at_pointer(pointer: str) -> Any:
    """The part of the contract that a pointer is about."""
    file, _, path = pointer.partition("#/")
    assert file == "openapi.yaml"
    part: Any = load_contract()
    for step in path.split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        part = part[int(name)] if isinstance(part, list) else part[name]
    return part


REFUSED: list[tuple[str, str, Any, dict[str, str], int, list[str]]] = [
    ("POST", "/calendars", {}, {}, 400, ["client_id", "client_secret", "refresh_token", "platform"]),
    ("POST", "/calendars", {**NEW_CALENDAR, "platform": "outlook"}, {}, 400, ["platform"]),
    ("POST", "/calendars", {**NEW_CALENDAR, "deduplication_key": "user-main"}, {}, 400, ["deduplication_key"]),
    ("POST", "/calendars", {**NEW_CALENDAR, "metadata": {"a": 1}}, {}, 400, ["metadata"]),
    ("POST", "/calendars", {**NEW_CALENDAR, "metadata": {"a": "b" * 1000}}, {}, 400, ["metadata"]),
    ("POST", "/calendars", {**NEW_CALENDAR, "platform_uuid": None}, {}, 400, ["platform_uuid"]),
    ("POST", "/calendars", {**NEW_CALENDAR, "client_id": "c" * 256}, {}, 400, ["client_id"]),
    ("POST", "/calendars", {**NEW_CALENDAR, "more": "x"}, {}, 400, []),
    ("POST", "/calendars", {**NEW_CALENDAR, "metadata": {"a": 'it\'s "$(x)" `y` \\ é'}, "z": 1}, {}, 400, []),
    ("POST", "/calendars", b"{", {}, 400, []),
    ("POST", "/calendars", [1], {}, 400, []),
    ("POST", "/calendars", NEW_CALENDAR, {"content_type": "text/plain"}, 415, []),
    ("PATCH", CALENDAR, {"client_secret": ""}, {}, 400, ["client_secret"]),
    ("PATCH", CALENDAR, {"metadata": {}}, {}, 400, ["metadata"]),
    ("GET", "/calendars/cal_nothing", None, {}, 404, []),
    ("GET", "/calendars/a%20b%22$(c)", None, {}, 404, []),
    ("GET", "/calendars?cursor=bm9uc2Vuc2U&deduplication_key=a%20b", None, {}, 404, ["cursor"]),
    ("GET", "/calendars?format=xml", None, {}, 404, []),
    ("GET", "/calendar_events?start_time_gte=never", None, {}, 400, ["start_time_gte"]),
    ("GET", "/calendar_events?ordering=name&event_id=x", None, {}, 400, ["ordering"]),
    ("GET", "/calendars", None, {"accept": "text/plain"}, 406, []),
    ("GET", "/calendars", None, {"authorization": "Bearer x"}, 401, []),
    ("PUT", CALENDAR, None, {}, 405, []),
    ("GET", "/calendars/", None, {}, 404, []),
    ("GET", "/calendar", None, {}, 404, []),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "fields"), REFUSED, ids=lambda v: str(v)[:40])
def test_a_refusal_says_why_where_and_what_would_do(
    method: str, path: str, body: Any, headers: dict[str, str], status: int, fields: list[str], mock: Mock
) -> None:
    assert Client(mock)(method, path, body, **headers).status == status
    found = explained(mock)
    assert found["why"][0].startswith(f"It was refused with {status}: ")
    assert [field["field"] for field in found["fields"]] == fields
    for pointer in (*found["contract"], *(field["contract"] for field in found["fields"])):
        assert at_pointer(pointer)
    assert found["curl"] is not None
    assert ACME not in found["curl"]
    answered = run(mock, found["curl"])
    assert answered.status in (200, 201)
    assert "x-mock-contract" not in answered.headers


def test_the_rule_of_a_field_is_told(mock: Mock, client: Client) -> None:
    client("POST", "/calendars", {**NEW_CALENDAR, "platform": "outlook"})
    assert explained(mock)["fields"] == [
        {
            "field": "platform",
            "rule": "not a valid choice",
            "contract": "openapi.yaml#/components/schemas/CalendarCreate/properties/platform",
        }
    ]
    assert explained(mock)["contract"] == [
        "openapi.yaml#/paths/~1api~1v1~1calendars/post",
        "openapi.yaml#/paths/~1api~1v1~1calendars/post/responses/400",
    ]


def rules(mock: Mock) -> list[tuple[str, str]]:
    """Each field that is named for the latest exchange, with the rule that it broke."""
    return [(field["field"], field["rule"]) for field in explained(mock)["fields"]]


def test_a_rule_that_only_the_database_has_is_told_without_the_name_of_the_field(mock: Mock, client: Client) -> None:
    client("POST", "/calendars", {**NEW_CALENDAR, "client_id": "c" * 256})
    assert rules(mock) == [("client_id", "is longer than 255 characters")]
    client("PATCH", CALENDAR, {"metadata": {"a": "\0"}})
    assert rules(mock) == [("metadata", "holds a NUL or a lone surrogate")]


def test_a_rule_within_a_field_is_told_as_that_of_the_field(mock: Mock, client: Client) -> None:
    bot = {"meeting_url": "https://meet.google.com/abc-defg-hij", "bot_name": "Notes", "bot_image": {"type": "x"}}
    client("POST", "/bots", bot)
    assert rules(mock) == [("bot_image", "type: not a valid choice"), ("bot_image", "data: required")]


def test_strict_mode_tells_the_rule_without_its_own_name(make_mock: Any) -> None:
    strict = make_mock(strict=True)
    client = Client(strict)
    client("POST", "/calendars", {**NEW_CALENDAR, "client_id": 7})
    assert rules(strict) == [("client_id", "breaks type")]
    client("PATCH", CALENDAR, {"metadata": {"a": "\0"}})
    assert rules(strict) == [("metadata", "a breaks pattern")]
    client("GET", "/calendars?deduplication_key=a&deduplication_key=b")
    assert rules(strict) == [("deduplication_key", "given twice")]


def test_a_fault_is_about_no_field(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "status", "status": 429})
    client("POST", "/calendars", {})
    assert rules(mock) == []


def test_what_was_right_is_kept_in_the_line_and_secrets_are_placeholders(mock: Mock, client: Client) -> None:
    fields = {**NEW_CALENDAR, "platform": "outlook", "metadata": {"a": "b"}}
    client("POST", "/calendars", fields)
    line = explained(mock)["curl"]
    body = json.loads(shlex.split(line)[shlex.split(line).index("-d") + 1])
    assert body == {
        "client_id": NEW_CALENDAR["client_id"],
        "client_secret": "YOUR_CLIENT_SECRET",
        "refresh_token": "YOUR_REFRESH_TOKEN",
        "platform": "google",
        "metadata": {"a": "b"},
    }


def test_a_path_like_nothing_has_no_line(mock: Mock, client: Client) -> None:
    client("GET", "/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")
    assert explained(mock)["curl"] is None


def test_what_was_accepted_is_told_with_its_remarks(mock: Mock, client: Client) -> None:
    client("GET", "/calendars?page_size=2")
    assert explained(mock)["why"] == [
        "It was accepted: 200.",
        "The service tolerates what its contract does not allow: unknown query parameter page_size.",
    ]


def evidence(mock: Mock) -> list[tuple[str, str]]:
    """The rows of the ledger that are named for the latest exchange, with their kinds."""
    return [(row["row"], row["kind"]) for row in explained(mock)["evidence"]]


def test_the_rows_of_the_ledger_about_a_refusal_are_named(mock: Mock, client: Client) -> None:
    client("POST", "/calendars", {})
    assert evidence(mock) == [("create-required", "recorded")]
    client("POST", "/calendars", {**NEW_CALENDAR, "deduplication_key": "user-main"})
    assert evidence(mock) == [("create-duplicate", "recorded")]
    client("GET", "/calendars/cal_nothing")
    assert evidence(mock) == [("calendar-not-found", "recorded")]
    client("GET", "/calendar_events?event_id=%00")
    assert evidence(mock) == [("filter-nul", "differential")]
    client("GET", "/calendars?cursor=bad")
    assert evidence(mock) == [("cursor-invalid", "recorded")]


def test_the_row_about_a_remark_is_named(mock: Mock, client: Client) -> None:
    client("GET", "/calendars?page_size=2")
    assert evidence(mock) == [("list-unknown-parameters", "recorded")]
    client("GET", "/calendars?deduplication_key=a&deduplication_key=b")
    assert evidence(mock) == [("list-repeated-parameters", "recorded")]


def test_the_row_about_a_patch_without_fields_is_named(mock: Mock, client: Client) -> None:
    client("PATCH", CALENDAR, {})
    assert evidence(mock) == [("patch-without-fields", "recorded")]
    client("PATCH", CALENDAR, {"metadata": {"a": "b"}})
    assert evidence(mock) == []


def test_a_response_that_a_fault_changed_has_no_evidence(mock: Mock, client: Client) -> None:
    mock.faults.add("Acme", {"kind": "status", "status": 429})
    client("GET", "/calendars")
    assert evidence(mock) == []


def test_every_remark_of_the_mock_has_a_row(mock: Mock, client: Client) -> None:
    client("GET", "/calendar_events?start_time_gte=2026-05-10")
    client("POST", "/calendars", b"client_id=a", content_type=FORM)
    client("GET", CALENDAR, Accept="text/html")
    entries = mock.journals.find("Acme", Filter()).entries
    assert [entry["evidence"] for entry in entries if entry["remarks"]] == [
        ["filter-time-forms"],
        ["body-form"],
        ["accept-html"],
    ]


def test_strict_mode_names_the_field(mock: Mock, make_mock: Any) -> None:
    strict = make_mock(strict=True)
    Client(strict)("POST", "/calendars", {**NEW_CALENDAR, "client_id": 7})
    assert [field["field"] for field in explained(strict)["fields"]] == ["client_id"]
    Client(strict)("GET", "/calendar_events?start_time_gte=2026-05-10")
    assert [field["field"] for field in explained(strict)["fields"]] == ["start_time_gte"]


def test_a_calendar_of_another_project_is_told(mock: Mock, client: Client) -> None:
    theirs = next(iter(mock.store.projects[1].state.listed.down())).id
    client("GET", f"/calendars/{theirs}")
    assert explained(mock)["why"][1:] == ["There is such a calendar in project Globex, and the key is of project Acme."]
    assert theirs not in explained(mock)["curl"]


def test_a_calendar_that_was_deleted_is_told(mock: Mock, client: Client) -> None:
    client("DELETE", CALENDAR)
    client("GET", CALENDAR)
    assert explained(mock)["why"][1:] == ["Exchange 1 deleted it at 2027-01-15T08:00:00Z."]
    mock.reset()
    assert mock.explainer.explain(2)["why"][1].startswith("There is now such a calendar in project Acme")


@pytest.mark.parametrize(
    ("authorization", "told"),
    [
        ("Token acmeNBynNioY6eKvKFo7AcioMD3GRD96", "a disabled key of project Acme"),
        ("Token nobodys", "a key of no project"),
        ("Bearer x", "not 'Token <api key>'"),
    ],
)
def test_a_refused_key_is_told_without_telling_it(authorization: str, told: str, mock: Mock, client: Client) -> None:
    client("GET", CALENDAR, authorization=authorization)
    assert explained(mock)["why"][1] == f"The Authorization header holds {told}."


NOTHING = "nothing changed but updated_at"


def test_a_patch_that_changed_nothing_is_told(mock: Mock, client: Client) -> None:
    metadata = {"metadata": {"a": "b"}}
    sent: list[tuple[Any, bool]] = [(None, True), ({}, True), (metadata, False), (metadata, True)]
    for body, told in [*sent, ({"client_secret": "x"}, False)]:
        client("PATCH", CALENDAR, body)
        assert any(NOTHING in why for why in explained(mock)["why"]) is told
    client("PATCH", CALENDAR, b"metadata=%7B%22a%22%3A%22b%22%7D", content_type=FORM)
    assert not any(NOTHING in why for why in explained(mock)["why"])


def test_without_anything_before_nothing_is_said_of_a_change(mock: Mock, client: Client) -> None:
    client("PATCH", CALENDAR, {"metadata": {"tenant_id": "1234567890", "unicode": "Zoë 😀 ключ"}})
    assert len(explained(mock)["why"]) == 1


def test_what_is_not_there_cannot_be_explained(mock: Mock) -> None:
    with pytest.raises(Refused, match="there is no entry 7"):
        mock.explainer.explain(7)
