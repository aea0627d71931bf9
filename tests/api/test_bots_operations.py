"""Bots over HTTP: changes, lists and filters, other methods, and how the contract holds both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.api.bots import STATES
from mockserver.api.request import Exchange
from mockserver.api.response import RenderedPage, RenderedRecord, RenderedRecords, Response
from mockserver.app import Mock
from mockserver.contracts import BOTS, load_contract
from mockserver.domain.clock import FixedClock
from mockserver.settings import Rate
from tests.api.bot_requests import AT, FOR_LINK, LINK, MEET, TEAMS, bots_of, for_event, post
from tests.api.test_contract import replace_handler
from tests.clients import EMPTY, GLOBEX, NEW_CALENDAR, Client


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, {}),
        (None, {}),
        ({"join_at": "2028-02-01T00:00:00Z"}, {"join_at": "2028-02-01T00:00:00Z"}),
        ({"meeting_url": "meet.google.com/xyz-abcd-efg"}, {"meeting_url": "https://meet.google.com/xyz-abcd-efg"}),
        ({"meeting_url": "https://zoom.us/j/1?pwd=a&x=y"}, {"meeting_url": "https://zoom.us/j/1?pwd=a"}),
        ({"metadata": {"a": "b"}}, {"metadata": {"a": "b"}}),
        ({"bot_name": "Minutes"}, {}),
        ({"foo": 1, "deduplication_key": "other", "state": "ended"}, {}),
        ({"recording_settings": {"format": "mp3"}}, {}),
    ],
)
def test_a_scheduled_bot_can_be_changed_and_unknown_fields_are_passed_over(
    changes: Any, shown: Any, client: Client
) -> None:
    made = client("POST", "/bots", for_event(MEET, deduplication_key="k")).body
    answered = client("PATCH", f"/bots/{made['id']}", changes)
    assert (answered.status, answered.body) == (200, {**made, **shown})
    assert bots_of(client, MEET) == [answered.body]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"join_at": "2020-01-01T00:00:00Z"}, {"join_at": ["join_at cannot be in the past"]}),
        ({"join_at": None}, {"join_at": ["This field may not be null."]}),
        ({"bot_name": " "}, {"bot_name": ["This field may not be blank."]}),
        ({"meeting_url": "https://example.com/x"}, {"meeting_url": ["Invalid meeting URL"]}),
        ({"metadata": None}, {"metadata": ["This field may not be null."]}),
        ({"metadata": {}}, {"metadata": ["Metadata must have at least one key"]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_a_change_that_is_refused_changes_nothing(changes: Any, problem: Any, client: Client) -> None:
    made = post(client)
    answered = client("PATCH", f"/bots/{made.body['id']}", changes)
    assert (answered.status, answered.body) == (400, problem)
    assert client("GET", f"/bots/{made.body['id']}").text == made.text


@pytest.mark.parametrize("key", [GLOBEX, EMPTY])
def test_another_project_sees_nothing_of_a_bot(key: str, mock: Mock) -> None:
    made = post(Client(mock), deduplication_key="k").body
    other = Client(mock, key)
    for method in ("GET", "PATCH", "DELETE"):
        answered = other(method, f"/bots/{made['id']}", b"{" if method == "PATCH" else None)
        assert (answered.status, answered.body) == (404, {"error": "Bot not found"})
    assert other("GET", "/bots").body["results"] == []
    assert other("POST", "/bots", {**FOR_LINK, "deduplication_key": "k"}).status == 201


def test_bots_come_oldest_first_25_a_page_with_links_both_ways(client: Client, clock: FixedClock) -> None:
    made = []
    for _ in range(30):
        clock.advance(1_000_000)
        made.append(post(client).body["id"])
    first = client("GET", "/bots?states=scheduled").body
    assert [bot["id"] for bot in first["results"]] == made[:25]
    assert first["previous"] is None
    second = client("GET", first["next"].partition("/api/v1")[2]).body
    assert [bot["id"] for bot in second["results"]] == made[25:]
    assert second["next"] is None
    back = client("GET", second["previous"].partition("/api/v1")[2]).body
    assert back["results"] == first["results"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abc"),
        ("?meeting_url=&deduplication_key=&join_at_after=&join_at_before=", "abc"),
        ("?meeting_url=https://meet.google.com/abc-defg-hij", "ac"),
        ("?deduplication_key=b", "b"),
        ("?deduplication_key=nope", ""),
        ("?states=scheduled&states=ended", "abc"),
        ("?states=ended", ""),
        ("?join_at_after=2028-01-01T10:00:00Z", "bc"),
        ("?join_at_before=2028-01-03T10:00:00Z", "ab"),
        ("?join_at_after=2028-01-01T10:00:00Z&join_at_before=2028-01-03T10:00:00Z", "b"),
    ],
)
def test_bots_are_found_by_every_filter(query: str, found: str, client: Client) -> None:
    post(client, deduplication_key="a")
    post(client, deduplication_key="b", join_at="2028-01-02T10:00:00Z", meeting_url=f"{LINK}x")
    post(client, deduplication_key="c", join_at="2028-01-03T10:00:00Z")
    answered = client("GET", f"/bots{query}")
    assert [bot["deduplication_key"] for bot in answered.body["results"]] == list(found)


@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ("states=", 400, {"error": f"Invalid state: . Valid states are: {', '.join(STATES)}"}),
        (
            "states=scheduled&states=x&join_at_after=y",
            400,
            {"error": f"Invalid state: x. Valid states are: {', '.join(STATES)}"},
        ),
        (
            "join_at_before=y&join_at_after=y",
            400,
            {"error": "Invalid join_at_after format. Use ISO 8601 format (e.g., 2024-01-18T12:34:56Z)"},
        ),
        (
            "join_at_before=y&cursor=bad",
            400,
            {"error": "Invalid join_at_before format. Use ISO 8601 format (e.g., 2024-01-18T12:34:56Z)"},
        ),
        ("cursor=bad&meeting_url=%00", 404, {"detail": "Invalid cursor"}),
        ("meeting_url=%00", 400, {"error": "Null characters are not allowed in meeting_url."}),
    ],
)
def test_a_filter_that_is_wrong_is_told(query: str, status: int, problem: Any, client: Client) -> None:
    answered = client("GET", f"/bots?{query}")
    assert (answered.status, answered.body) == (status, problem)


def test_the_states_of_the_filter_are_those_of_the_contract() -> None:
    assert tuple(load_contract(BOTS)["components"]["schemas"]["BotState"]["enum"]) == STATES


def test_head_options_and_methods_that_are_none(client: Client) -> None:
    made = post(client).body
    lists, one = "GET, POST, HEAD, OPTIONS", "GET, PATCH, DELETE, HEAD, OPTIONS"
    for path, allow, name in (("/bots", lists, "Bot List Create"), (f"/bots/{made['id']}", one, "Bot Detail")):
        head, options, put = client("HEAD", path), client("OPTIONS", path), client("PUT", path, {})
        assert (head.status, head.text, head.headers["allow"]) == (200, "", allow)
        assert (options.status, options.body["name"]) == (200, name)
        assert (put.status, put.body) == (405, {"detail": 'Method "PUT" not allowed.'})
        assert client("PUT", path, {}, authorization=None).status == 401
    fields = client("OPTIONS", "/bots").body["actions"]["POST"]
    assert fields["join_at"] == {"type": "datetime", "required": True, "read_only": False, "label": "Join at"}
    assert fields["meeting_url"] == {"type": "string", "required": False, "read_only": True, "label": "Meeting url"}
    assert "actions" not in client("OPTIONS", f"/bots/{made['id']}").body


@pytest.mark.parametrize(
    ("template", "methods"),
    load_contract(BOTS)["x-not-imitated"].items(),
    ids=lambda part: str(part).rpartition("/")[2],
)
def test_what_bots_do_once_they_join_is_not_imitated_and_says_so(
    template: str, methods: list[str], client: Client
) -> None:
    path = template.removeprefix("/api/v1").replace("{object_id}", "bot_0000000000000000")
    for method in methods:
        answered = client(method, path, b"nonsense" if method != "GET" else None)
        assert answered.status == 501
        assert answered.body["detail"].startswith("attendee-mockserver does not imitate ")
        assert method in answered.headers["allow"].split(", ")
        assert client(method, path, authorization=None).status == 401
    assert client("PUT", path).status == 405
    assert client("OPTIONS", path).status == 200


@pytest.mark.parametrize("path", ["/bots/", "/bots//leave", "/bots/x/nope", "/bots/x/leave/", "/calendars/x/leave"])
def test_other_paths_under_bots_are_unknown(path: str, client: Client) -> None:
    assert client("POST", path).body == {"error": "Not found"}


def test_posts_of_bots_and_calendars_use_up_one_limit(make_mock: Callable[..., Mock]) -> None:
    client = Client(make_mock(post_rate=Rate(3, 60)))
    assert client("POST", "/calendars", NEW_CALENDAR).status == 201
    assert client("POST", "/bots", b"{").status == 400
    assert client("POST", "/bots/x/leave").status == 501
    for path in ("/bots", "/bots/x/leave", "/calendars"):
        assert client("POST", path, {}).status == 429


def test_a_reset_takes_back_what_became_of_bots(mock: Mock) -> None:
    client = Client(mock)
    first = client("POST", "/bots", for_event(MEET, deduplication_key="k")).text
    mock.reset()
    assert client("GET", "/bots").body["results"] == bots_of(client, MEET) == []
    assert client("POST", "/bots", for_event(MEET, deduplication_key="k")).text == first


TOLERATED = [
    ({**FOR_LINK, "join_at": "2028-01-01"}, "join_at"),
    (for_event(MEET, meeting_url=""), "body: "),
    ({**FOR_LINK, "bot_name": 5}, "bot_name breaks type"),
]


@pytest.mark.parametrize(("body", "named"), TOLERATED)
def test_what_is_tolerated_is_marked_and_strict_mode_refuses_it(
    body: Any, named: str, client: Client, make_mock: Callable[..., Mock]
) -> None:
    answered = client("POST", "/bots", body)
    assert answered.status == 201
    assert named in answered.headers["x-mock-contract"]
    strict = Client(make_mock(strict=True))
    assert strict("POST", "/bots", body).status == 400
    assert strict("GET", "/bots").body["results"] == []


def test_a_conforming_request_is_never_marked(make_mock: Callable[..., Mock]) -> None:
    client = Client(make_mock(strict=True))
    made = client("POST", "/bots", for_event(TEAMS)).body
    for method, path, body in (
        ("POST", "/bots", FOR_LINK),
        ("GET", "/bots?states=scheduled&states=ended&join_at_after=2028-01-01T00:00:00Z", None),
        ("PATCH", f"/bots/{made['id']}", {"join_at": AT, "later": 1}),
        ("DELETE", f"/bots/{made['id']}", None),
    ):
        answered = client(method, path, body)
        assert answered.status in (200, 201)
        assert "x-mock-contract" not in answered.headers


BOT = "/api/v1/bots/{object_id}"
LIST = "/api/v1/bots"
GOOD = RenderedRecord("Bot", b"{}")


@pytest.mark.parametrize(
    ("template", "answer", "named"),
    [
        (BOT, Response(200, {"id": "bot_0000000000000000"}), "required"),
        (BOT, Response(200, None), "type"),
        (BOT, Response(200, RenderedRecord("Calendar", b"{}")), "Calendar"),
        (BOT, Response(203, GOOD), "203"),
        (BOT, Response(401, {"detail": "Missing Authorization header"}), "WWW-Authenticate"),
        (LIST, Response(200, RenderedPage(None, None, RenderedRecords(GOOD.schema, [GOOD.text] * 26))), "maxItems"),
        (LIST, Response(200, RenderedPage(None, None, RenderedRecords("Calendar", [b"{}"]))), "items"),
    ],
)
def test_an_answer_off_contract_is_a_500_that_names_the_rule(
    template: str, answer: Response, named: str, mock: Mock, exchanges: list[Exchange]
) -> None:
    replace_handler(mock, template, "GET", lambda request: answer)
    answered = Client(mock)("GET", "/bots" if template == LIST else "/bots/bot_0000000000000000")
    assert answered.status == 500
    assert named in answered.body["detail"]
    assert "off contract" in (exchanges[-1].reason or "")


def test_a_bot_that_breaks_the_contract_is_a_500_and_not_an_answer(mock: Mock) -> None:
    client = Client(mock)
    made = post(client).body
    bots = mock.store.projects[0].state.bots
    bot = bots.get(made["id"])
    assert bot is not None
    bots.put(bot.id, bot._replace(state="asleep"))
    assert client("GET", f"/bots/{made['id']}").status == 500
    assert client("GET", "/bots").status == 500


def test_a_bots_text_is_never_in_a_reason(client: Client, exchanges: list[Exchange]) -> None:
    for body in (for_event("secret"), {**FOR_LINK, "meeting_url": "secret", "join_at": "secret"}):
        assert client("POST", "/bots", body).status == 400
        assert "secret" not in (exchanges[-1].reason or "")
