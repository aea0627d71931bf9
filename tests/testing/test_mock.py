"""The mock behind the tests: in this process, elsewhere, or exchanged for a real deployment."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.server import running
from mockserver.settings import Settings
from mockserver.testing import AttendeeMock, AttendeeProject, NeedsControls, Unreachable
from tests.clients import over_http
from tests.testing.deployments import KEY, deployment, echo, serving


def calendars(project: AttendeeProject) -> list[Any]:
    reply = over_http(project.base_url)("GET", "/api/v1/calendars", project.headers, None)
    found: list[Any] = json.loads(reply.body)["results"]
    return found


def test_a_mock_runs_from_its_start_to_its_end() -> None:
    mock = AttendeeMock(Settings(sync="manual"))
    with pytest.raises(NeedsControls, match="the mock does not run in this process"):
        _ = mock.asgi
    with mock, mock:
        url = mock.url
        assert mock.settings is not None
        assert mock.new_project().calendar("ada").sync()["outcome"] == "synced"
    assert mock.url == ""
    with pytest.raises(Unreachable):
        AttendeeMock.connect(url)


def test_a_mock_is_an_async_context_manager() -> None:
    async def run() -> int:
        async with AttendeeMock() as mock:
            project = mock.new_project()
            async with httpx.AsyncClient(transport=httpx.ASGITransport(mock.asgi), base_url="http://mock") as client:
                return (await client.get("/api/v1/calendars", headers=project.headers)).status_code

    assert asyncio.run(run()) == 200


def test_requests_to_the_application_are_answered_by_the_running_mock(
    attendee_asgi: Any, attendee_project: AttendeeProject
) -> None:
    ada = attendee_project.calendar("ada")

    async def run() -> list[Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(attendee_asgi), base_url="http://mock") as client:
            client.headers.update(attendee_project.headers)
            patched = await client.patch(f"/api/v1/calendars/{ada.id}", json={"metadata": {"a": "b"}})
            assert patched.status_code == 200
            answers = await asyncio.gather(*(client.get("/api/v1/calendars") for _ in range(20)))
            return [answer.json()["results"][0]["metadata"] for answer in answers]

    assert asyncio.run(run()) == [{"a": "b"}] * 20
    assert calendars(attendee_project)[0]["metadata"] == {"a": "b"}
    attendee_project.requests.assert_called("updateCalendar", times=1)


def test_the_application_answers_a_lifespan_and_ends_with_its_mock() -> None:
    with AttendeeMock() as mock:
        bridge, sent = mock.asgi, []

        async def live() -> None:
            messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

            async def receive() -> Any:
                return next(messages)

            async def send(message: Any) -> None:
                sent.append(message["type"])

            await bridge({"type": "lifespan"}, receive, send)

        asyncio.run(live())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(RuntimeError, match="the mock is not running"):
        bridge.run(lambda: None)


def test_relative_times_of_fixtures_count_from_the_projects_time(attendee_mock: AttendeeMock) -> None:
    events = [{"start_time": "now+1h", "end_time": "now+2h"}]
    fixtures = {"calendars": [{"platform": "google", "deduplication_key": "ada", "events": events}]}
    for frozen in (True, False):
        project = attendee_mock.new_project(fixtures=fixtures, now="2027-01-15T08:00:00Z", frozen=frozen)
        assert project.clock.frozen is frozen
        reply = over_http(project.base_url)("GET", "/api/v1/calendar_events", project.headers, None)
        assert json.loads(reply.body)["results"][0]["start_time"] == "2027-01-15T09:00:00Z"
        project.close()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("projects: []", "projects: a test takes a file with one project; this file has 0"),
        ("projects: [{name: a}, {name: b}]", "projects: a test takes a file with one project; this file has 2"),
        ("other: 1", "projects: a test takes a file with one project; this file has 0"),
    ],
)
def test_a_file_has_one_project(text: str, problem: str, tmp_path: Path, attendee_mock: AttendeeMock) -> None:
    file = tmp_path / "data.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=problem):
        attendee_mock.new_project(fixtures=file)


def test_a_project_that_cannot_be_furnished_does_not_stay(attendee_mock: AttendeeMock) -> None:
    before = attendee_mock.new_project()
    count = len(before.controls.ask("GET", "projects")["projects"])
    with pytest.raises(Exception, match="kind"):
        attendee_mock.new_project(faults=[{"kind": "none"}])
    assert len(before.controls.ask("GET", "projects")["projects"]) == count


def test_a_mock_elsewhere_makes_projects_as_well() -> None:
    with running(Settings()) as server, AttendeeMock.connect(f"{server.url}/") as mock:
        project = mock.new_project("mine", frozen=True)
        assert (mock.url, mock.is_real, mock.settings, mock.take_errors()) == (server.url, False, None, [])
        ada = project.calendar("ada")
        assert project.calendar("ada").id == project.calendar(ada.id).id == ada.id
        assert (ada.sync()["outcome"], project.bots) == ("synced", [])
        assert len(project.requests) == 0
        with pytest.raises(NeedsControls, match="does not run in this process"):
            _ = mock.asgi
        with pytest.raises(Exception, match="POST /api/v1/calendars was answered 400: "):
            project.calendar("bob", client_id=" ")
        project.close()
        assert "mine" not in [one["name"] for one in project.controls.ask("GET", "projects")["projects"]]


def test_a_real_deployment_has_one_project_and_no_controls() -> None:
    with deployment() as url, AttendeeMock.connect(url, api_key=KEY, webhook_secret="c2VjcmV0") as mock:
        project = mock.new_project("any")
        assert (mock.is_real, project.is_real) == (True, True)
        assert project.env["ATTENDEE_WEBHOOK_SECRET"] == "c2VjcmV0"
        count = len(calendars(project))
        ada = project.calendar("a new user", platform="microsoft")
        assert project.calendar(ada.id).platform == project.calendar("a new user").platform == "microsoft"
        assert len(calendars(project)) == count + 1
        for use in (ada.sync, project.settle, lambda: project.clock.now, project.requests.find, lambda: mock.asgi):
            with pytest.raises(NeedsControls):
                use()
        with pytest.raises(NeedsControls, match="it cannot send webhooks to this machine"), project.receive_webhooks():
            pass
        with pytest.raises(NeedsControls, match="it takes no fixtures, sync, now, frozen or faults"):
            mock.new_project(frozen=True)
        project.close()
        assert len(calendars(project)) == count
        assert project.calendar("cal_unknown000000000").id


def test_a_deployment_without_a_key_and_a_port_without_one_are_errors() -> None:
    with serving(echo) as url, pytest.raises(ValueError, match="is a real deployment; set ATTENDEE_API_KEY"):
        AttendeeMock.connect(url)
    with pytest.raises(Unreachable, match="nothing answers at http://127.0.0.1:1"):
        AttendeeMock.connect("http://127.0.0.1:1")


def test_errors_of_the_mocks_own_server_are_kept_apart_by_mock() -> None:
    log = logging.getLogger("mockserver.http")
    with AttendeeMock() as one, AttendeeMock() as other:
        one.asgi.run(lambda: log.error("the application failed", exc_info=ValueError("x")))
        assert one.take_errors() == ["the application failed: ValueError('x')"]
        assert one.take_errors() == other.take_errors() == []
