"""What a test hears when the mock refuses something, or is not there at all."""

from __future__ import annotations

import unittest
from pathlib import Path

import pytest

from mockserver.testing import AttendeeMock, AttendeeProject, ControlError, NeedsControls, Unreachable
from mockserver.testing.controls import CURES, Controls, NoControls


def test_a_refusal_names_the_argument_and_the_cure_in_python(attendee_project: AttendeeProject) -> None:
    with pytest.raises(ControlError, match=r"kind: 'statsu' is unknown; did you mean status\? valid: ") as raised:
        attendee_project.faults.add(kind="statsu")
    assert (raised.value.status, raised.value.field) == (400, "kind")
    with pytest.raises(ControlError, match=r"by: a clock is advanced by 0 or more; move it back with clock\.set\(\)"):
        attendee_project.clock.advance("-1h")


@pytest.mark.parametrize("written", [written for written, _ in CURES])
def test_every_text_that_is_put_into_pythons_terms_is_one_of_the_control_api(written: str) -> None:
    sources = (Path(__file__).parents[2] / "mockserver" / "control").glob("*.py")
    assert any(written in source.read_text("utf-8") for source in sources)


def test_all_mistakes_of_fixtures_are_listed(attendee_mock: AttendeeMock) -> None:
    broken = {"calendars": [{"platform": "gogle"}, {"platform": "google", "state": "lost"}]}
    with pytest.raises(ControlError) as raised:
        attendee_mock.new_project(fixtures=broken)
    assert "fixtures.calendars[0].platform: " in str(raised.value)
    assert "fixtures.calendars[1].state: " in str(raised.value)


def test_a_port_where_nobody_listens_is_named() -> None:
    with pytest.raises(Unreachable, match=r"nothing answers at http://127\.0\.0\.1:1 \(connection refused\)"):
        Controls("http://127.0.0.1:1").ask("GET", "health")


@pytest.mark.parametrize("url", ["http://127.0.0.1:port", "http://127.0.0.1:99999"])
def test_a_text_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Unreachable):
        Controls(url).ask("GET", "health")


def test_controls_of_a_real_deployment_skip_the_test() -> None:
    controls = NoControls("https://staging.example.com")
    assert controls.of_project("key") is controls
    with pytest.raises(NeedsControls, match=r"https://staging.example.com is a real deployment") as raised:
        controls.ask("POST", "clock", "freeze")
    assert isinstance(raised.value, unittest.SkipTest)
