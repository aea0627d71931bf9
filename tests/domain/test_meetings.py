"""Links to meetings: which are some, and how the service writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.domain.meetings import find_meeting

MEET = "https://meet.google.com/abc-defg-hij"
JOIN = 'https://teams.microsoft.com/l/meetup-join/19:m@thread.v2/0?context={"Tid":"t","Oid":"o"}'


@pytest.mark.parametrize(
    ("link", "platform", "url"),
    [
        (MEET, "google_meet", MEET),
        (f" {MEET}?authuser=0#x> ", "google_meet", MEET),
        ("meet.google.com/abc-defg-hij", "google_meet", MEET),
        ("http://MEET.google.com/abc-defg-hij/", "google_meet", MEET),
        ("https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij", "google_meet", MEET),
        (
            "https://teams.microsoft.com/meet/2345?p=xyz&anon=true",
            "teams",
            "https://teams.microsoft.com/meet/2345?p=xyz",
        ),
        ("https://teams.live.com/meet/2345?p=xyz", "teams", "https://teams.live.com/meet/2345?p=xyz"),
        (JOIN, "teams", JOIN),
        (JOIN.replace("{", "%7b").replace('"', "%22"), "teams", JOIN),
        (JOIN.replace("teams.microsoft", "teams.live"), "teams", JOIN),
        (JOIN.replace(".com/l", ".com/v2/?meetingjoin=true#/l"), "teams", JOIN),
        ("https://zoom.us/j/123?pwd=a1.1&uname=x", "zoom", "https://zoom.us/j/123?pwd=a1.1"),
        ("https://us02web.zoom.com//j/123?tk= t", "zoom", "https://us02web.zoom.us/j/123?tk=t"),
        ("zoom.com/j/123", "zoom", "https://zoom.us/j/123"),
        ("https://zoom.us/j/123.456?pwd=!", "zoom", "https://zoom.us/j/123"),
    ],
)
def test_a_link_to_a_meeting_is_kept_in_one_way(link: str, platform: str, url: str) -> None:
    meeting = find_meeting(link)
    assert meeting is not None
    assert (meeting.platform, meeting.url) == (platform, url)
    assert find_meeting(meeting.url) == meeting


@pytest.mark.parametrize(
    "link",
    [
        "",
        "x",
        "https://",
        "https://[",
        "https://example.com/not-a-meeting",
        "https://meet.google.com/",
        "https://www.meet.google.com/abc-defg-hij",
        "https://meet.google.com.example.com/abc-defg-hij",
        "https://teams.microsoft.com/meet/2345",
        "https://teams.microsoft.com/l/meetup-join/19:m/0",
        "https://zoom.us/about",
        "https://notzoom.us/j/123",
        "https://zoom.us/j/123?tk=https://example.com",
        "https://meet.google.com/" + "a" * 4096,
        "https://teams.live.com" + "/l/meetup-join/" * 270,
        "https://teams.live.com/l/meetup-join/a/b?context=" + '"Tid":"a"' * 440,
        "https://teams.live.com/meet/" * 140,
    ],
)
def test_a_link_that_leads_to_no_meeting_is_none(link: str) -> None:
    assert find_meeting(link) is None


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    for prefix in ("", "https://zoom.us/", "https://teams.live.com/", "https://meet.google.com/"):
        meeting = find_meeting(prefix + text)
        assert meeting is None or meeting.url.startswith("https://")
