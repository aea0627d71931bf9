"""The service's own URL leads to the test's project, from every library, and from nowhere else."""

from __future__ import annotations

import asyncio
import os
import socket
import urllib.request
from typing import Any, NamedTuple

import aiohttp
import httpx
import httpx2
import pytest
import requests

from mockserver.testing import AttendeeProject, intercept
from mockserver.testing.controls import NoControls
from mockserver.testing.direct import OverTheApi
from mockserver.testing.interception import HOST, Intercept
from tests.testing.deployments import echo, serving

SERVICE = f"https://{HOST}"


class Seen(NamedTuple):
    """A response as every library shows it."""

    status: int
    url: str
    content: Any


def with_requests(url: str, headers: dict[str, str], session: Any = requests) -> Seen:
    response = session.get(url, headers=headers, timeout=30)
    assert response.request.url == response.url
    return Seen(response.status_code, response.url, response.json())


def with_requests_session(url: str, headers: dict[str, str]) -> Seen:
    with requests.Session() as session:
        return with_requests(url, headers, session)


def with_httpx(url: str, headers: dict[str, str], library: Any = httpx) -> Seen:
    response = library.get(url, headers=headers)
    return Seen(response.status_code, str(response.url), response.json())


def with_httpx2(url: str, headers: dict[str, str]) -> Seen:
    return with_httpx(url, headers, httpx2)


def with_async_httpx(url: str, headers: dict[str, str], library: Any = httpx) -> Seen:
    async def run() -> Seen:
        async with library.AsyncClient(headers=headers) as client:
            response = await client.get(url)
            return Seen(response.status_code, str(response.url), response.json())

    return asyncio.run(run())


def with_async_httpx2(url: str, headers: dict[str, str]) -> Seen:
    return with_async_httpx(url, headers, httpx2)


def with_aiohttp(url: str, headers: dict[str, str]) -> Seen:
    async def run() -> Seen:
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
            return Seen(response.status, str(response.url), await response.json())

    return asyncio.run(run())


LIBRARIES = [
    with_requests,
    with_requests_session,
    with_httpx,
    with_async_httpx,
    with_httpx2,
    with_async_httpx2,
    with_aiohttp,
]


REFUSALS = (OSError, httpx.ConnectError, httpx2.ConnectError, aiohttp.ClientConnectionError)


@pytest.mark.parametrize("get", LIBRARIES, ids=lambda get: get.__name__)
def test_a_walk_over_pages_goes_to_the_project_from_its_first_url_to_its_last(
    get: Any, attendee_project: AttendeeProject, attendee_intercept: Intercept
) -> None:
    ada = attendee_project.calendar("ada")
    ada.add_event("Standup", start="1h", times=101, every="1h")
    ada.sync()
    url, names = f"{SERVICE}/api/v1/calendar_events?calendar_id={ada.id}", []
    while url:
        seen = get(url, attendee_project.headers)
        assert (seen.status, seen.url) == (200, url)
        names += [event["name"] for event in seen.content["results"]]
        url = seen.content["next"]
        assert url is None or url.startswith(f"{SERVICE}/api/v1/calendar_events?")
    assert names == ["Standup"] * 101
    assert attendee_intercept.rerouted == [f"GET {SERVICE}/api/v1/calendar_events"] * 2
    assert not attendee_intercept.refused
    attendee_project.requests.assert_called("listCalendarEvents", times=2)


@pytest.mark.parametrize("get", LIBRARIES, ids=lambda get: get.__name__)
@pytest.mark.parametrize("url", [f"http://{HOST}/api/v1/calendars", f"{SERVICE}:8443/api/v1/calendars"])
def test_anything_else_to_the_host_is_refused(
    get: Any, url: str, attendee_project: AttendeeProject, attendee_intercept: Intercept
) -> None:
    with pytest.raises(REFUSALS, match="attendee_intercept refused GET"):
        get(url, attendee_project.headers)
    assert attendee_intercept.refused == [f"GET {url.removesuffix('/api/v1/calendars')}"]
    assert not attendee_intercept.rerouted


@pytest.mark.usefixtures("attendee_intercept")
def test_other_ways_to_the_host_find_no_address() -> None:
    with pytest.raises(OSError, match="attendee_intercept refused a connection to app.attendee.dev"):
        urllib.request.urlopen(f"{SERVICE}/api/v1/calendars")
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(HOST.upper().encode() + b".", 443)


@pytest.mark.parametrize("get", LIBRARIES, ids=lambda get: get.__name__)
def test_other_hosts_are_left_alone(get: Any, attendee_project: AttendeeProject, attendee_intercept: Intercept) -> None:
    seen = get(f"{attendee_project.base_url}/api/v1/calendars", attendee_project.headers)
    assert (seen.status, attendee_intercept.rerouted) == (200, [])


def test_bodies_and_keys_stay_as_they_are(attendee_project: AttendeeProject, attendee_intercept: Intercept) -> None:
    body = {"platform": "google", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    for post in (requests.post, httpx.post, httpx2.post):
        assert post(f"{SERVICE}/api/v1/calendars", json=body, headers=attendee_project.headers).status_code == 201
        assert post(f"{SERVICE}/api/v1/calendars", json=body, headers={"Authorization": "Token x"}).status_code == 401
    attendee_project.requests.assert_called("createCalendar", body={"client_id": "a"}, times=3)


def test_proxies_of_the_environment_are_passed_by(
    attendee_project: AttendeeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", "example.com")
    with intercept(attendee_project):
        assert os.environ["no_proxy"] == f"example.com,{HOST},127.0.0.1"
        for get in LIBRARIES:
            assert get(f"{SERVICE}/api/v1/calendars", attendee_project.headers).status == 200
    assert os.environ["no_proxy"] == "example.com"
    assert "NO_PROXY" not in os.environ


def test_afterwards_everything_is_as_before(attendee_project: AttendeeProject) -> None:
    def patched() -> list[object]:
        return [
            socket.getaddrinfo,
            requests.adapters.HTTPAdapter.send,
            httpx.HTTPTransport.handle_request,
            httpx2.AsyncHTTPTransport.handle_async_request,
            aiohttp.BaseConnector.connect,
        ]

    before = patched()
    with intercept(attendee_project):
        assert not {*map(id, before)} & {*map(id, patched())}
    assert patched() == before


@pytest.mark.parametrize("get", LIBRARIES, ids=lambda get: get.__name__)
def test_a_real_deployment_gets_its_own_host_and_path(get: Any) -> None:
    with serving(echo) as url:
        real = AttendeeProject(f"{url}/prefix", "real", "key", "", NoControls(url), OverTheApi(url, "key"))
        with intercept(real):
            seen = get(f"{SERVICE}/api/v1/calendars", real.headers)
    assert seen.content["path"] == "/prefix/api/v1/calendars"
    assert seen.content["headers"]["host"] == url.removeprefix("http://")
    assert "x-forwarded-proto" not in seen.content["headers"]
