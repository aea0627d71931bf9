"""Webhooks keep our copy up to date, and nobody else can."""

import pytest
from notetaker.client import Client
from notetaker.meetings import Meetings
from notetaker.web import create_app, work


@pytest.fixture
def meetings(attendee_env):
    return Meetings(Client())


@pytest.fixture
def app(meetings, attendee_webhooks):
    app = create_app(meetings)
    attendee_webhooks.deliver_to(app, "/webhooks/attendee")
    return app


def test_a_webhook_brings_a_new_meeting(attendee_project, attendee_webhooks, app, meetings):
    ada = attendee_project.calendar("ada")
    ada.add_event("Planning", start="2h")
    ada.sync()
    assert attendee_webhooks.wait_for("calendar.events_update", calendar="ada").answered == 204
    work(app, meetings)
    assert meetings.names() == ["Planning"]


def test_a_sync_without_changes_sends_nothing(attendee_project, attendee_webhooks, app):
    attendee_project.calendar("ada").sync()
    attendee_webhooks.none_expected()


@pytest.mark.parametrize("forged", ["webhook-unsigned", "webhook-old-secret"])
def test_a_forged_webhook_is_refused(attendee_project, attendee_webhooks, app, forged):
    attendee_project.faults.add(kind=forged)
    attendee_project.clock.freeze()
    ada = attendee_project.calendar("ada")
    ada.add_event("Planning", start="2h")
    ada.sync()
    assert attendee_webhooks.wait_for(verify=False).answered == 401
    assert app.config["TO_DO"] == []


@pytest.mark.attendee(faults=[{"kind": "webhook-duplicate"}])
def test_a_webhook_that_comes_twice_is_handled_once(attendee_project, attendee_webhooks, app):
    ada = attendee_project.calendar("ada")
    ada.add_event("Planning", start="2h")
    ada.sync()
    attendee_webhooks.wait_for("calendar.events_update", count=2)
    assert app.config["TO_DO"] == [ada.id]


@pytest.mark.attendee(frozen=True)
def test_a_user_who_revokes_access_has_to_log_in_again(attendee_project, attendee_webhooks, app, meetings):
    ada = attendee_project.calendar("ada")
    ada.revoke()
    attendee_project.clock.advance("25h")
    assert attendee_webhooks.wait_for("calendar.state_change", calendar=ada)["data"]["state"] == "disconnected"
    work(app, meetings)
    assert meetings.must_log_in == {ada.id}
    Client().reconnect(ada.id, "1//new")
    ada.reconnect()
    ada.sync()
    attendee_webhooks.none_expected()
    meetings.refresh(ada.id)
    assert meetings.must_log_in == set()
