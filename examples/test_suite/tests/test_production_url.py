"""The address of the service is the default, and that is what is used in production."""

from notetaker.client import Client


def test_without_a_setting_the_client_asks_the_service(attendee_project, attendee_intercept, monkeypatch):
    monkeypatch.delenv("ATTENDEE_BASE_URL", raising=False)
    monkeypatch.setenv("ATTENDEE_API_KEY", attendee_project.api_key)
    Client().connect("ada", "1//token")
    assert attendee_intercept.rerouted == [
        "GET https://app.attendee.dev/api/v1/calendars",
        "POST https://app.attendee.dev/api/v1/calendars",
    ]
