"""The public names of mockserver.testing."""

from __future__ import annotations

import inspect

import pytest

import mockserver.testing


@pytest.mark.parametrize("name", mockserver.testing.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(mockserver.testing, name)
    assert name in dir(mockserver.testing)
    assert inspect.getdoc(found)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mockserver.testing' has no attribute 'AttendeMock'"):
        _ = mockserver.testing.AttendeMock


@pytest.mark.parametrize("name", ["AttendeeProject", "AttendeeCalendar", "WebhookReceiver", "Requests", "AttendeeMock"])
def test_every_public_method_is_documented(name: str) -> None:
    members = inspect.getmembers(getattr(mockserver.testing, name))
    undocumented = [one for one, value in members if one[0] != "_" and callable(value) and not inspect.getdoc(value)]
    assert not undocumented
