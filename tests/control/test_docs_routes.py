"""Health, the contracts and the documentation are served."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.contracts import BOTS, CALENDARS, CONTROL, WEBHOOKS, load_contract
from mockserver.control.docs_routes import BOTS_OPENAPI, CONTROL_OPENAPI, OPENAPI, WEBHOOKS_OPENAPI
from tests.clients import in_process


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


def test_the_served_contract_is_the_one_that_is_enforced(mock: Mock) -> None:
    reply = in_process(mock)("GET", "/__mock__/openapi.json", {}, None)
    assert reply.status == 200
    document = json.loads(reply.body)
    assert document["openapi"] == "3.0.3"
    assert "/api/v1/calendars" in document["paths"]
    assert not any("__mock__" in path for path in document["paths"])


def test_the_contract_of_bots_is_served_apart(mock: Mock) -> None:
    send = in_process(mock)
    shown = json.loads(send("GET", BOTS_OPENAPI, {}, None).body)
    assert {**shown, "servers": []} == {**load_contract(BOTS), "servers": []}
    assert b"/api/v1/bots" not in send("GET", "/__mock__/openapi.json", {}, None).body
    assert send("POST", BOTS_OPENAPI, {}, None).status == 405


def test_the_contract_of_webhooks_is_served_as_it_is_written_but_not_drawn(mock: Mock) -> None:
    send = in_process(mock)
    shown = json.loads(send("GET", WEBHOOKS_OPENAPI, {}, None).body)
    assert {name: part for name, part in shown.items() if name != "servers"} == load_contract(WEBHOOKS)
    assert b"webhooks.json" not in send("GET", "/__mock__/docs/", {}, None).body


@pytest.mark.parametrize("path", [OPENAPI, BOTS_OPENAPI, CONTROL_OPENAPI, WEBHOOKS_OPENAPI])
def test_the_documentation_works_on_any_host_and_port(mock: Mock, path: str) -> None:
    document = json.loads(in_process(mock)("GET", path, {"Host": "mock.example:9999"}, None).body)
    assert [server["url"] for server in document["servers"]] == ["/"]


@pytest.mark.parametrize("name", [CALENDARS, BOTS, CONTROL, WEBHOOKS])
def test_no_line_of_a_description_is_taken_for_a_numbered_list(name: str) -> None:
    texts = list(descriptions(load_contract(name)))
    assert len(texts) > 10
    assert not [text for text in texts if re.search(r"^\s*\d+[.)](\s|$)", text, re.MULTILINE)]


def descriptions(part: Any) -> Iterator[str]:
    for name, inner in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if name == "description" and isinstance(inner, str):
            yield inner
        yield from descriptions(inner)


def test_the_documentation_is_a_page(mock: Mock) -> None:
    reply = in_process(mock)("GET", "/__mock__/docs/", {}, None)
    assert reply.status == 200
    assert b"/__mock__/openapi.json" in reply.body
