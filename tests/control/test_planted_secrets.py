"""Secrets are put in every place that takes one; no control route ever shows them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.app import Mock
from mockserver.cli.foreground import request_line
from mockserver.domain import outbox
from mockserver.domain.secret_urls import shown_url
from tests.clients import ACME, MAIN_CALENDAR, NEW_CALENDAR, Client
from tests.control.client import Controls
from tests.projects import CHANGED

PLANTED = "pl4nted"
USER = f"http://hook-user:{PLANTED}-password@127.0.0.1:1/hook"
QUERY = f"http://127.0.0.1:1/hook?tenant=7&token={PLANTED}-token&sig={PLANTED}%2Fsig&key={PLANTED}-key#secret={PLANTED}"
MEETING = f"https://us02web.zoom.us/j/81234567890?pwd={PLANTED}-pwd"


def routes(mock: Mock, names: dict[str, list[str]]) -> Iterator[str]:
    """The path of every GET route, with each of its parameters' values."""
    for route in mock.routes:
        paths = [route.template.removeprefix("/__mock__/")] if route.method == "GET" else []
        for name, values in names.items():
            paths = [path.replace(f"{{{name}}}", value) for path in paths for value in values]
        yield from paths


def planted(mock: Mock) -> Controls:
    """The controls of a project full of secrets: subscriptions, deliveries, bots, journal, log."""
    project = mock.store.by_key[ACME]
    project.subscriptions.clear()
    project.clock.freeze()
    ask, client = Controls(mock, ACME), Client(mock)
    for url in (USER, QUERY):
        assert PLANTED not in ask("POST", "subscriptions", {"url": url}).text
    assert PLANTED not in ask("POST", "subscriptions", {"url": QUERY}).text
    created = client("POST", "/calendars", {**NEW_CALENDAR, "client_secret": f"{PLANTED}-client"})
    client("POST", "/bots", {"meeting_url": MEETING, "bot_name": "a", "join_at": "2027-06-01T00:00:00Z"})
    client("POST", "/bots", {"meeting_url": MEETING})
    client("GET", f"/calendars?token={PLANTED}", referer=QUERY)
    client("GET", "/calendars", authorization=f"Token {PLANTED}-somebody")
    outbox.enqueue(project, CHANGED, next(iter(project.state.calendars)))
    for path in ("settle", "clock/advance"):
        body = {"by": "1h"} if path.endswith("advance") else None
        assert PLANTED not in ask("POST", path, body).text
    assert created.status == 201
    return ask


def test_no_route_shows_a_planted_secret(make_mock: Callable[..., Mock], exchanges: list[Any]) -> None:
    mock = make_mock()
    ask = planted(mock)
    keys = [one["key"] for one in ask("GET", "deliveries").body["deliveries"]]
    assert len(keys) == 2
    numbers = [str(number) for number in range(1, mock.journals.last + 1)]
    names = {"calendar": [MAIN_CALENDAR], "key": keys, "id": numbers, "file": ["favicon-32x32.png"]}
    shown = []
    for path in routes(mock, names):
        if not path.startswith("docs/"):
            for query in ("", "?kind=any", "?keyless=true"):
                shown.append(ask("GET", path + query).text)
    shown.append(ask("POST", "requests/near-misses", {"status": 201, "operation": "createBot"}).text)
    shown += [request_line(exchange) for exchange in exchanges]
    for name in (QUERY, USER):
        assert json.dumps(shown).count(shown_url(name)) > 5
    assert MEETING.partition("pwd=")[0] + "pwd=***" in json.dumps(shown)
    assert PLANTED not in json.dumps(shown)
    assert PLANTED not in repr([mock.store.projects, *(list(one.entries) for one in mock.journals._journals.values())])
    asyncio.run(mock.worker.aclose())


def test_a_written_project_has_masked_urls_that_stand_for_the_whole_ones_where_they_came_from(mock: Mock) -> None:
    ask = planted(mock)
    urls = [one.url for one in mock.store.by_key[ACME].subscriptions]
    assert urls == [USER, QUERY]
    assert [one["url"] for one in ask("GET", "fixtures?secrets=true").body["webhooks"]] == urls
    written = ask("GET", "fixtures").body
    assert [one["url"] for one in written["webhooks"]] == [shown_url(url) for url in urls]
    assert ask("PUT", "fixtures", written).status == 200
    assert [one.url for one in mock.store.by_key[ACME].subscriptions] == urls
