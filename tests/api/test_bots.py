"""What a scheduled bot may be over HTTP: what is accepted, and which words refuse the rest."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from mockserver.api.bodies import Body
from mockserver.api.bots import BotBodies
from mockserver.api.errors import ApiError
from mockserver.api.validation import BodyRules
from mockserver.app import Mock
from tests.api.bot_requests import (
    AT,
    CANCELLED,
    DICTIONARY,
    FAR,
    FOR_LINK,
    FORM,
    LINK,
    MEET,
    NO_MEETING,
    NO_TIME,
    PAST,
    REQUIRED,
    ZOOM,
    bots_of,
    for_event,
    post,
)
from tests.clients import Answered, Client


@pytest.mark.parametrize(
    ("event_id", "problem"),
    [
        (NO_MEETING, {"meeting_url": ["Invalid meeting URL"]}),
        (PAST, {"join_at": ["join_at cannot be in the past"]}),
        (FAR, {"join_at": ["join_at cannot be more than 3 years in the future"]}),
        (["a"], {"error": "Calendar event with id ['a'] does not exist in this project."}),
        ({"a": None}, {"error": "Calendar event with id {'a': None} does not exist in this project."}),
        ("\0", {"error": "Calendar event with id \0 does not exist in this project."}),
        ("\ud800", {"error": "Calendar event with id \ud800 does not exist in this project."}),
        (-1, {"error": "Calendar event with id -1 does not exist in this project."}),
    ],
)
def test_an_event_that_no_bot_can_join_is_refused(event_id: Any, problem: Any, client: Client) -> None:
    answered = client("POST", "/bots", for_event(event_id))
    assert (answered.status, answered.body) == (400, problem)
    assert client("GET", "/bots").body["results"] == []


def test_a_cancelled_event_can_be_joined_all_the_same(client: Client) -> None:
    made = client("POST", "/bots", for_event(CANCELLED))
    assert made.status == 201
    assert bots_of(client, CANCELLED) == [made.body]


def test_a_zoom_bot_needs_credentials_of_the_project(mock: Mock) -> None:
    client = Client(mock)
    first, again = (client("POST", "/bots", for_event(ZOOM)) for _ in range(2))
    assert first.status == 400
    assert first.body["error"].startswith("Zoom App credentials are required to create a Zoom bot. Please add Zoom")
    assert first.text == again.text
    mock.store.projects[0].zoom_credentials = True
    made = client("POST", "/bots", for_event(ZOOM))
    assert (made.status, made.body["meeting_url"]) == (201, "https://zoom.us/j/1234567890?pwd=abc")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"meeting_url": LINK},
            "meeting_url should not be provided when calendar_event_id is specified. The meeting URL",
        ),
        ({"join_at": AT}, "join_at should not be provided when calendar_event_id is specified. The join time"),
        ({"join_at": AT, "meeting_url": LINK, "bot_name": None}, "meeting_url should not be provided"),
    ],
)
def test_what_the_event_decides_is_not_to_be_given(fields: Any, words: str, client: Client) -> None:
    answered = client("POST", "/bots", for_event(MEET, **fields))
    assert answered.status == 400
    assert answered.body["error"].startswith(words)
    assert client("POST", "/bots", for_event(MEET, meeting_url="", join_at=None)).status == 201


def test_an_event_may_have_several_bots_which_show_in_it_and_do_not_move_its_updated_at(client: Client) -> None:
    before = client("GET", f"/calendar_events?event_id={MEET}").body["results"][0]
    first = client("POST", "/bots", for_event(MEET)).body
    second = client("POST", "/bots", for_event(MEET, metadata={"b": "2", "a": "1"})).body
    assert list(second["metadata"]) == ["a", "b"]
    after = client("GET", f"/calendar_events?event_id={MEET}").body["results"][0]
    assert after == {**before, "bots": [first, second]}
    client("PATCH", f"/bots/{first['id']}", {"metadata": {"c": "3"}})
    assert [bot["metadata"] for bot in bots_of(client, MEET)] == [{"c": "3"}, second["metadata"]]
    client("DELETE", f"/bots/{first['id']}")
    assert bots_of(client, MEET) == [second]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"join_at": None}, {"join_at": ["This field may not be null."]}),
        ({"join_at": ""}, NO_TIME),
        ({"join_at": 1830000000}, NO_TIME),
        ({"join_at": True}, NO_TIME),
        ({"join_at": "tomorrow"}, NO_TIME),
        ({"join_at": "2020-01-01T00:00:00Z"}, {"join_at": ["join_at cannot be in the past"]}),
        (
            {"join_at": "2030-01-15T08:00:00.000001Z"},
            {"join_at": ["join_at cannot be more than 3 years in the future"]},
        ),
        ({"join_at": "9999-12-31T23:59:59-05:00"}, {"join_at": ["Datetime value out of range."]}),
        ({"meeting_url": "x"}, {"meeting_url": ["Invalid meeting URL"]}),
        ({"meeting_url": 5}, {"meeting_url": ["Invalid meeting URL"]}),
        ({"meeting_url": " "}, {"meeting_url": ["This field may not be blank."]}),
        ({"bot_name": []}, {"bot_name": ["Not a valid string."]}),
        ({"bot_name": "\U0001f600"}, {"bot_name": ["Bot name cannot contain emojis or rare script characters."]}),
        ({"deduplication_key": None}, {"deduplication_key": ["This field may not be null."]}),
        ({"deduplication_key": ""}, {"deduplication_key": ["This field may not be blank."]}),
        ({"metadata": {"a": "x" * 1000}}, {"metadata": ["Metadata must be less than 1000 characters"]}),
        ({"zoom_settings": None}, {"zoom_settings": ["This field may not be null."]}),
        ({"zoom_settings": "x"}, {"zoom_settings": ["'x' is not of type 'object'"]}),
        ({"webhooks": {}}, {"webhooks": ["{} is not of type 'array'"]}),
        ({"bot_name": "", "join_at": "x"}, {"bot_name": ["This field may not be blank."], **NO_TIME}),
    ],
)
def test_fields_are_refused_in_the_services_words(fields: Any, problem: Any, client: Client) -> None:
    answered = post(client, **fields)
    assert (answered.status, answered.body) == (400, problem)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"join_at": "2028-01-01"}, {"join_at": "2028-01-01T00:00:00Z"}),
        ({"join_at": "2028-01-01T10:00:00.5+02:00"}, {"join_at": "2028-01-01T08:00:00.500000Z"}),
        ({"join_at": "2030-01-15T08:00:00Z"}, {"join_at": "2030-01-15T08:00:00Z"}),
        ({"meeting_url": f" {LINK}?authuser=1 "}, {"meeting_url": LINK}),
        ({"deduplication_key": " 7 "}, {"deduplication_key": "7"}),
        ({"deduplication_key": 7}, {"deduplication_key": "7"}),
        ({"calendar_event_id": 0}, {}),
        ({"transcription_settings": {"deepgram": {}}, "webhooks": []}, {}),
    ],
)
def test_what_is_taken_is_shown_as_the_service_keeps_it(fields: Any, shown: Any, client: Client) -> None:
    made = post(client, **fields)
    assert made.status == 201
    assert made.body == {**made.body, "state": "scheduled", "events": [], **shown}
    assert client("GET", f"/bots/{made.body['id']}").text == made.text


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    "fields", [{"bot_name": "n" * 256}, {"meeting_url": f"{LINK}{'x' * 500}"}, {"metadata": {"a": "\0"}}]
)
def test_what_the_database_cannot_hold_is_told_with_an_error_id(method: str, fields: Any, client: Client) -> None:
    path = "/bots" if method == "POST" else f"/bots/{post(client).body['id']}"
    answered = client(method, path, {**FOR_LINK, **fields})
    verb = {"POST": "creating", "PATCH": "patching"}[method]
    assert answered.status == 400
    assert answered.body["error"].startswith(f"An error occurred while {verb} the bot. Error ID: ")


def test_external_storage_needs_credentials_that_the_project_lacks(client: Client) -> None:
    answered = post(client, external_media_storage_settings={"bucket_name": "b"})
    assert answered.status == 400
    assert answered.body["error"].startswith("External media storage credentials are required")


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"[]", 400, {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        (b"null", 400, {"non_field_errors": ["No data provided"]}),
        (b"", 400, {"meeting_url": ["This field is required."], "bot_name": ["This field is required."]}),
        (b"x", 400, {"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"}),
        (b'{"calendar_event_id": ' + b"[" * 900 + b"1" + b"]" * 900 + b"}", 400, None),
    ],
)
def test_a_body_that_is_no_object_is_refused(body: bytes, status: int, problem: Any, client: Client) -> None:
    answered = client("POST", "/bots", body)
    assert answered.status == status
    assert problem is None or answered.body == problem


def test_an_event_id_nested_too_deeply_to_be_written_is_refused_all_the_same(mock: Mock) -> None:
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    rules = BodyRules({"properties": {}})
    with pytest.raises(ApiError, match="calendar_event_id: nested too deeply"):
        BotBodies(mock.bot_service).read_new(mock.store.projects[0], rules, Body(for_event(nested)))


def test_a_bot_that_would_join_at_once_is_not_imitated(client: Client) -> None:
    answered = client("POST", "/bots", {"bot_name": "Notes", "meeting_url": LINK})
    assert answered.status == 501
    assert "does not imitate bots that join at once" in answered.body["detail"]


def test_a_form_with_a_link_is_read_and_one_with_an_event_breaks_the_service_off(client: Client) -> None:
    def send(**fields: str) -> Answered:
        return client("POST", "/bots", urlencode({"bot_name": "Notes", **fields}).encode(), content_type=FORM)

    assert send(meeting_url=LINK, join_at=AT, metadata='{"a": "b"}').body["metadata"] == {"a": "b"}
    assert send(calendar_event_id="nope").status == 400
    assert send(calendar_event_id=MEET, meeting_url=LINK).status == 400
    assert send(calendar_event_id=MEET, join_at=AT).status == 500
    assert send(meeting_url=LINK, join_at="").status == 501


def test_a_multipart_form_with_a_file_may_name_an_event(client: Client) -> None:
    def part(name: str, value: str, more: str = "") -> str:
        return f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'

    fields = part("bot_name", "Notes") + part("calendar_event_id", MEET)
    kind = "multipart/form-data; boundary=B"
    assert client("POST", "/bots", f"{fields}--B--\r\n".encode(), content_type=kind).status == 500
    for file, status in (("null", 201), ("[]", 400)):
        sent = fields + part("zoom_settings", "{}", f'; filename="{file}"')
        answered = client("POST", "/bots", f"{sent}--B--\r\n".encode(), content_type=kind)
        assert answered.status == status
    assert answered.body == {"zoom_settings": ["[] is not of type 'object'"]}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"bot_image": None}, {"bot_image": ["This field may not be null."]}),
        ({"bot_image": 1.5}, {"bot_image": {"non_field_errors": [f"{DICTIONARY} float."]}}),
        ({"bot_image": False}, {"bot_image": {"non_field_errors": [f"{DICTIONARY} bool."]}}),
        ({"bot_image": [{}]}, {"bot_image": {"non_field_errors": [f"{DICTIONARY} list."]}}),
        ({"bot_image": {"type": "image/png"}}, {"bot_image": {"data": ["This field is required."]}}),
        ({"bot_image": {"data": "x", "type": None}}, {"bot_image": {"type": ["This field may not be null."]}}),
        (
            {"bot_image": {"type": "image/gif", "data": []}},
            {"bot_image": {"type": ['"image/gif" is not a valid choice.'], "data": ["Not a valid string."]}},
        ),
        ({"bot_image": {"x": 1}}, {"bot_image": {"type": ["This field is required."], "data": [REQUIRED]}}),
        ({"bot_chat_message": None}, {"bot_chat_message": ["This field may not be null."]}),
        ({"bot_chat_message": 0}, {"bot_chat_message": {"non_field_errors": [f"{DICTIONARY} int."]}}),
        ({"bot_chat_message": {"message": None}}, {"bot_chat_message": {"message": ["This field may not be null."]}}),
        ({"bot_chat_message": {"message": " "}}, {"bot_chat_message": {"message": ["This field may not be blank."]}}),
        ({"bot_chat_message": {"message": {}}}, {"bot_chat_message": {"message": ["Not a valid string."]}}),
        (
            {"bot_image": "x", "bot_chat_message": [], "webhooks": 1.5},
            {
                "bot_image": {"non_field_errors": [f"{DICTIONARY} str."]},
                "bot_chat_message": {"non_field_errors": [f"{DICTIONARY} list."]},
                "webhooks": ["1.5 is not of type 'array'"],
            },
        ),
        ({"rtmp_settings": {}}, {"rtmp_settings": ["'destination_url' is a required property"]}),
        ({"rtmp_settings": {"destination_url": "x"}}, {"rtmp_settings": ["'stream_key' is a required property"]}),
        ({"rtmp_settings": []}, {"rtmp_settings": ["[] is not of type 'object'"]}),
        *(
            ({name: value}, {name: [f"{shown} is not of type 'object'"]})
            for name in ("zoom_settings", "recording_settings", "callback_settings")
            for value, shown in ((1, "1"), (True, "True"), ("x", "'x'"), ([1, "a"], "[1, 'a']"), (0.5, "0.5"))
        ),
    ],
)
def test_a_field_with_fields_of_its_own_is_refused_inside_itself(fields: Any, problem: Any, client: Client) -> None:
    answered = post(client, **fields)
    assert (answered.status, answered.body) == (400, problem)


def test_what_is_within_a_field_is_taken_when_it_is_whole(client: Client) -> None:
    whole = {
        "bot_image": {"type": "image/png", "data": "iVBORw0KGgo="},
        "bot_chat_message": {"message": "hi", "to": "x"},
    }
    assert post(client, **whole, rtmp_settings={"destination_url": "rtmp://x", "stream_key": "k"}).status == 201


def test_a_form_brings_fields_within_a_field_by_their_full_names(client: Client) -> None:
    def send(method: str = "POST", path: str = "/bots", **fields: str) -> Answered:
        return client(method, path, urlencode(fields).encode(), content_type=FORM)

    assert send(**FOR_LINK, bot_image="x", bot_chat_message="[]", zoom_settings="null", webhooks="null").status == 201
    assert send(**FOR_LINK, zoom_settings="").body == {"zoom_settings": ["Value must be valid JSON."]}
    answered = send(**FOR_LINK, **{"bot_image.type": "image/png"})
    assert answered.body == {"bot_image": {"data": [REQUIRED]}}
    answered = send(**FOR_LINK, **{"bot_chat_message.message": "hi"})
    assert answered.body["non_field_errors"][0].startswith("Unexpected field(s): bot_chat_message.message. Allowed")
    path = f"/bots/{post(client).body['id']}"
    assert send("PATCH", path, **{"bot_image.type": "image/png", "bot_image.data": "x"}).status == 200
    assert send("PATCH", path, bot_image="x").status == 200
    assert client("PATCH", path, {"bot_image": "x"}).body == {"bot_image": {"non_field_errors": [f"{DICTIONARY} str."]}}


@pytest.mark.parametrize(
    "fields",
    [
        {"meeting_url": 5},
        {"meeting_url": 1.5},
        {"meeting_url": True},
        {"meeting_url": []},
        {"meeting_url": {}},
        {"zoom_settings": "x"},
        {"zoom_settings": 5},
        {"transcription_settings": []},
        {"automatic_leave_settings": 0},
        {"calendar_event_id": "\ud800"},
        {"calendar_event_id": "\0"},
        {"calendar_event_id": {"a": "\ud800"}},
        {"bot_name": "\ud800"},
        {"metadata": {"\u0001": "\0"}},
        {"deduplication_key": "\0"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_breaks_the_service_off_is_a_400_in_its_dialect(method: str, fields: Any, client: Client) -> None:
    path = f"/bots/{post(client).body['id']}" if method == "PATCH" else "/bots"
    body = fields if method == "PATCH" or "calendar_event_id" in fields else {**FOR_LINK, **fields}
    answered = client(method, path, {"bot_name": "Notes", **body})
    passed_over = method == "PATCH" and not body.keys() & {"meeting_url", "bot_name", "metadata", "join_at"}
    assert answered.status == (200 if passed_over else 400)
    assert answered.headers["content-type"] == "application/json"


@pytest.mark.parametrize("written", ["iso-8601", "ISO-8601", "Iso-8601", "i\u017fo-8601"])
def test_the_name_of_the_time_format_is_read_as_a_time_long_past(written: str, client: Client) -> None:
    assert post(client, join_at=written).body == {"join_at": ["join_at cannot be in the past"]}
    assert post(client, join_at=f" {written}").body == NO_TIME
    assert post(client, join_at=f"{written}\n").body == NO_TIME


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/bots/a%00", "/bots/%00"])
def test_an_id_with_a_nul_is_refused(method: str, path: str, client: Client) -> None:
    answered = client(method, path, b"{" if method == "PATCH" else None)
    assert (answered.status, answered.body) == (400, {"error": "Null characters are not allowed in object_id."})
