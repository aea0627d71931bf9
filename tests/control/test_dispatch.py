"""What a mock answers outside the API."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from mockserver.app import Mock
from tests.clients import ACME, GLOBEX, MAIN_CALENDAR, in_process

AUTHORIZATION = {"authorization": f"Token {ACME}"}


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


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "field"),
    [
        ("GET", "project", None, {}, 400, "project"),
        ("GET", "project?project=nobody", None, {}, 404, "project"),
        ("GET", "project", None, {"authorization": "Token nobodys-key"}, 404, "Authorization"),
        ("GET", "project", None, {"authorization": "Bearer x"}, 400, "Authorization"),
        ("GET", "project?project=FIRST", None, {"authorization": f"Token {GLOBEX}"}, 400, "project"),
        ("GET", "project?projekt=x", None, {}, 400, "query"),
        ("GET", "project?project=a&project=b", None, {}, 400, "project"),
        ("GET", "projects?project=FIRST", None, {}, 400, "query"),
        ("POST", "projects", b"{", {}, 400, "body"),
        ("POST", "projects", b"[]", {}, 400, "body"),
        ("POST", "projects", b"\xff", {}, 400, "body"),
        ("POST", "projects", b"[" * 100_000, {}, 400, "body"),
        ("POST", "projects", b'{"name": NaN}', {}, 400, "body"),
        ("POST", "projects", b'{"name": "a", "name": "b"}', {}, 400, "name"),
        ("POST", "projects", b'{"\\ud800": 1}', {}, 400, "body"),
        ("POST", "projects", b"{}", {"content-type": "text/plain"}, 415, "Content-Type"),
        ("POST", "clock/set", b" " * 1_000_001, AUTHORIZATION, 413, "body"),
        ("POST", "clock/set", b"{}", AUTHORIZATION, 400, "to"),
    ],
)
def test_what_cannot_be_done_says_where_it_is_wrong(
    method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, field: str, mock: Mock
) -> None:
    name = quote(mock.store.by_key[ACME].name)
    sent = {"content-type": "application/json", **headers}
    reply = in_process(mock)(method, f"/__mock__/{path.replace('FIRST', name)}", sent, body)
    answered = json.loads(reply.body)
    assert (reply.status, answered["field"]) == (status, field)
    assert not any(key in reply.body.decode() for key in mock.store.by_key)


def test_a_single_project_need_not_be_chosen(mock: Mock) -> None:
    for project in mock.store.projects[1:]:
        mock.store.remove(project)
    reply = in_process(mock)("GET", "/__mock__/project", {}, None)
    assert json.loads(reply.body)["name"] == mock.store.projects[0].name


def test_head_is_answered_as_get_without_a_body(mock: Mock) -> None:
    reply = in_process(mock)("HEAD", "/__mock__/projects", {}, None)
    assert (reply.status, reply.body) == (200, b"")


def test_what_stands_in_a_path_may_have_any_character(mock: Mock) -> None:
    reply = in_process(mock)("DELETE", "/__mock__/snapshots/a%2Fb%20%C3%A4", AUTHORIZATION, None)
    assert reply.status == 404
    assert json.loads(reply.body)["error"].startswith("'a/b \u00e4' is unknown")


def test_from_elsewhere_every_control_needs_the_token_save_health_documentation_and_page(mock: Mock) -> None:
    mock.guard.listens_on("192.0.2.1")
    send, token = in_process(mock), mock.guard.token or ""
    for route in mock.routes:
        path = route.template.replace("page/{file}", "page/page.css").replace("{file}", "swagger-ui.css")
        given = [send(route.method, path, {"x-control-token": text}, None).status for text in ("", "wrong", token)]
        is_open = path.endswith((".json", "/health")) or "/docs" in path or "/page/" in path or path == "/__mock__/"
        assert given[:2] == ([200, 200] if is_open else [401, 401]), path
        assert given[2] != 401
    assert send("GET", "/api/v1/calendars", AUTHORIZATION, None).status == 200
    assert token not in repr(mock.guard)


def test_the_documentation_offers_all_contracts_and_its_files_are_there(mock: Mock) -> None:
    send = in_process(mock)
    page = send("GET", "/__mock__/docs", {}, None).body.decode()
    for name in ("openapi", "bots", "control"):
        assert f"/__mock__/{name}.json" in page
    for file in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert send("GET", file, {}, None).status == 200
    assert send("GET", "/__mock__/docs/index.j2", {}, None).status == 404
    assert send("GET", "/__mock__/docs/..%2Fx", {}, None).status == 404
