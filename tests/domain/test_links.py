"""Which links are links to meetings."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from mockserver.domain.links import is_meeting, link_in

CONTEXT = '{"Tid":"11111111-2222","Oid":"33333333-4444"}'
MEETUP = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context="


@pytest.mark.parametrize(
    "url",
    [
        "https://meet.google.com/abc-defg-hij",
        "http://meet.google.com/abc?authuser=0",
        "https://zoom.us/j/1234567890?pwd=abc",
        "https://us02web.zoom.us/w/99?tk=x",
        "https://acme.zoom.com/j/1",
        "https://teams.microsoft.com/meet/2345678901?p=xyz",
        "https://teams.live.com/meet/93?p=a",
        "https://gov.teams.microsoft.us/meet/93?p=a",
        MEETUP + quote(CONTEXT),
        MEETUP + quote(quote(CONTEXT)),
        "https://teams.microsoft.com/light-meetings/launch?agent=web&coords=eyJ9",
    ],
)
def test_links_to_meetings_are_known(url: str) -> None:
    assert is_meeting(url)
    assert link_in(f"Join ({url}), please") == url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/j/1234567890",
        "https://zoom.us/download",
        "https://notzoom.us/j/1",
        "https://meet.google.com/",
        "https://meet.google.com.example.com/abc",
        "https://teams.microsoft.com/meet/2345678901",
        "https://teams.microsoft.com/l/meetup-join/19/0",
        "https://[broken/j/1",
        "ftp://zoom.us/j/1",
        "",
    ],
)
def test_other_links_are_none(url: str) -> None:
    assert link_in(f"see {url} there") is None


def test_the_first_link_to_a_meeting_is_taken_and_others_are_passed_over() -> None:
    assert link_in("https://example.com https://zoom.us/j/1] https://zoom.us/j/2") == "https://zoom.us/j/1"
    assert link_in(None) is None
    assert link_in('<a href="https://zoom.us/j/1">') == "https://zoom.us/j/1"
