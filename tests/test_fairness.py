"""Nothing that a single request brings keeps the others from being answered."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest

from mockserver.api import response
from mockserver.api.bodies import Body
from mockserver.api.validation import BodyRules
from mockserver.app import Mock
from mockserver.control.masking import Secrets
from mockserver.domain.store import Project, Store
from mockserver.settings import Settings
from tests.clients import ACME, NEW_CALENDAR, Client, in_process
from tests.control.client import Controls

FORM = "application/x-www-form-urlencoded"
PART = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
BODIES = {
    "escapes": (FORM, b"platform=" + b"%41" * 700_000),
    "boundaries": ("multipart/form-data; boundary=b", b"--b" * 700_000),
    "parts": ("multipart/form-data; boundary=b", PART * 30_000),
}


async def turns_while(mock: Mock, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, int]:
    """The status of a request, and how many turns of the event loop others had while it was worked on."""
    target, _, query = path.partition("?")
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "scheme": "http",
        "method": method,
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    working = asyncio.ensure_future(mock.asgi(scope, receive, send))
    turns = 0
    while not working.done():
        await asyncio.sleep(0)
        turns += 1
    await working
    return sent[0]["status"], turns


@pytest.mark.parametrize(("content_type", "body"), BODIES.values(), ids=BODIES.keys())
def test_others_have_their_turns_while_a_large_body_is_read(content_type: str, body: bytes, mock: Mock) -> None:
    headers = {"authorization": f"Token {ACME}", "content-type": content_type}
    status, turns = asyncio.run(turns_while(mock, "POST", "/api/v1/calendars", headers, body))
    assert status == 400
    assert turns > 20


def test_others_have_their_turns_while_a_long_query_is_read(mock: Mock) -> None:
    path = f"/api/v1/calendars?deduplication_key={'%41' * 330_000}"
    status, turns = asyncio.run(turns_while(mock, "GET", path, {"authorization": f"Token {ACME}"}, b""))
    assert status == 200
    assert turns > 5


def test_others_have_their_turn_between_the_check_of_a_large_body_and_its_refusal(
    mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    had: list[str] = []
    apply = BodyRules.apply

    def noted(rules: BodyRules, body: Body) -> dict[str, Any]:
        asyncio.get_running_loop().call_soon(had.append, "turn of others")
        return apply(rules, body)

    monkeypatch.setattr(BodyRules, "apply", noted)

    def written(value: Any) -> str:
        had.append("text")
        return json.dumps(value)

    monkeypatch.setattr(response, "to_text", written)
    for size, expected in ((70_000, ["turn of others", "text"]), (70, ["text", "turn of others"])):
        had.clear()
        headers = {"authorization": f"Token {ACME}", "content-type": FORM}
        status, _ = asyncio.run(turns_while(mock, "POST", "/api/v1/calendars", headers, b"platform=" + b"%" * size))
        assert status == 400
        assert had == expected


def test_a_small_request_is_answered_without_a_turn_of_others(mock: Mock) -> None:
    headers = {"authorization": f"Token {ACME}", "content-type": "application/json"}
    for method, path, body in (
        ("GET", "/api/v1/calendars", b""),
        ("POST", "/api/v1/calendars", json.dumps(NEW_CALENDAR).encode()),
        ("GET", "/__mock__/requests", b""),
        ("GET", "/__mock__/project", b""),
    ):
        status, turns = asyncio.run(turns_while(mock, method, path, headers, body))
        assert status < 300
        assert turns <= 2


def test_others_have_their_turns_while_large_fixtures_are_read_and_written(mock: Mock) -> None:
    events = [{"start_time": "now+1h", "end_time": "now+2h", "name": f"{n}"} for n in range(3_000)]
    body = json.dumps({"calendars": [{"platform": "google", "events": events}]}).encode()
    headers = {"authorization": f"Token {ACME}", "content-type": "application/json"}
    for method, sent in (("PUT", body), ("GET", b"")):
        status, turns = asyncio.run(turns_while(mock, method, "/__mock__/fixtures", headers, sent))
        assert status == 200
        assert turns > 5
    assert len(Controls(mock, ACME)("GET", "fixtures").body["calendars"][0]["events"]) == 3_000


def test_others_have_their_turns_while_a_journal_is_masked(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock()
    for number in range(20):
        Client(mock)("POST", "/calendars", {**NEW_CALENDAR, "metadata": {f"{number}-{n}": "x" for n in range(1000)}})
    for path in ("requests", "requests.har", "requests/near-misses"):
        method, body = ("POST", b'{"path": "/api/v1/calendar"}') if "near" in path else ("GET", b"")
        headers = {"authorization": f"Token {ACME}", "content-type": "application/json"}
        status, turns = asyncio.run(turns_while(mock, method, f"/__mock__/{path}", headers, body))
        assert status == 200
        assert turns > 5


def test_secrets_of_many_projects_are_worked_out_once_and_found_without_asking_for_each() -> None:
    projects = [Project(f"p{n}", (f"key-number-{n}",), webhook_secret=f"signing-{n:06}".encode()) for n in range(1000)]
    mock = Mock(Settings(), projects=projects)
    in_process(mock)("GET", "/api/v1/calendars", {"x-note": "see signing-000777 and key-number-999"}, None)
    first = mock.journals.secrets.known().signing()
    shown = Controls(mock)("GET", "requests?keyless=true&project=p1").text
    assert "see *** and ***" in shown
    assert mock.journals.secrets.known().signing() is first
    mock.store.remove(projects[777])
    projects[5].webhook_secret = b"another-secret"
    now = mock.journals.secrets.known().signing()
    assert now.hide("signing-000777 another-secret signing-000005 signing-000006") == (
        "signing-000777 *** signing-000005 ***"
    )


def test_the_secrets_of_a_store_without_projects_are_none() -> None:
    known = Secrets(Store([], Mock(Settings(), projects=[]).clock, 1)).known()
    assert known.masker(None).text("anything at all") == "anything at all"


def test_projects_that_a_reset_deletes_are_freed_one_after_the_other(mock: Mock) -> None:
    async def alive_in_each_turn() -> set[int]:
        headers = {"authorization": f"Token {ACME}", "content-type": "application/json"}
        for _ in range(60):
            await turns_while(mock, "POST", "/__mock__/projects", headers, b"{}")
        made = [weakref.ref(project) for project in mock.store.projects if project.name.startswith("world-")]
        assert len(made) == 60
        resetting = asyncio.ensure_future(turns_while(mock, "POST", "/__mock__/reset", headers, b""))
        alive = set()
        while not resetting.done():
            await asyncio.sleep(0)
            alive.add(sum(one() is not None for one in made))
        return alive

    assert len(asyncio.run(alive_in_each_turn())) >= 3
