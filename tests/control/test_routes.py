"""What a mock answers outside the API."""

from __future__ import annotations

import json

import pytest

from mockserver.app import Mock
from tests.clients import ACME, MAIN_CALENDAR, in_process

AUTHORIZATION = {"authorization": f"Token {ACME}"}


def test_health_counts_what_there_is(mock: Mock) -> None:
    reply = in_process(mock)("GET", "/__mock__/health", {}, None)
    assert reply.status == 200
    assert json.loads(reply.body) | {"version": ""} == {
        "status": "ok",
        "version": "",
        "projects": 5,
        "calendars": sum(len(project.state.calendars) for project in mock.store.projects),
        "events": sum(len(project.state.events) for project in mock.store.projects),
    }


def test_reset_brings_back_data_counters_and_ids(mock: Mock) -> None:
    send = in_process(mock)
    path = f"/api/v1/calendars/{MAIN_CALENDAR}"
    body = b'{"platform": "google", "client_id": "a", "client_secret": "b", "refresh_token": "c"}'
    headers = {**AUTHORIZATION, "content-type": "application/json"}
    before = send("GET", path, AUTHORIZATION, None).body
    made = json.loads(send("POST", "/api/v1/calendars", headers, body).body)["id"]
    send("DELETE", path, AUTHORIZATION, None)
    assert send("POST", "/__mock__/reset", {}, None).status == 200
    assert send("GET", path, AUTHORIZATION, None).body == before
    assert send("GET", f"/api/v1/calendars/{made}", AUTHORIZATION, None).status == 404
    assert all(not project.posts for project in mock.store.projects)
    assert json.loads(send("POST", "/api/v1/calendars", headers, body).body)["id"] == made


def test_the_served_contract_is_the_one_that_is_enforced(mock: Mock) -> None:
    reply = in_process(mock)("GET", "/__mock__/openapi.json", {}, None)
    assert reply.status == 200
    document = json.loads(reply.body)
    assert document["openapi"] == "3.0.3"
    assert "/api/v1/calendars" in document["paths"]
    assert not any("__mock__" in path for path in document["paths"])


def test_the_documentation_is_a_page(mock: Mock) -> None:
    reply = in_process(mock)("GET", "/__mock__/docs/", {}, None)
    assert reply.status == 200
    assert b"/__mock__/openapi.json" in reply.body


@pytest.mark.parametrize(
    ("method", "path", "status", "named"),
    [
        ("GET", "/", 200, b"/__mock__/docs"),
        ("GET", "/__mock__/nope", 404, b"/__mock__/health"),
        ("GET", "/__mock__/reset", 405, b"takes POST"),
        ("DELETE", "/__mock__/health", 405, b"takes GET or HEAD"),
        ("GET", "/nope", 404, b"<h1>Not Found</h1>"),
        ("POST", "/api", 404, b"<h1>Not Found</h1>"),
    ],
)
def test_other_paths_say_what_there_is(method: str, path: str, status: int, named: bytes, mock: Mock) -> None:
    reply = in_process(mock)(method, path, {}, None)
    assert reply.status == status
    assert named in reply.body
