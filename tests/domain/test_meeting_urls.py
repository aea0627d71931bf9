"""Links to meetings: which are some, and how the service writes them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.domain.meeting_urls import find_meeting

MEET = "https://meet.google.com/abc-defg-hij"
CONTEXT = '{"Tid":"t","Oid":"o"}'
JOIN = f"https://teams.microsoft.com/l/meetup-join/19:m@thread.v2/0?context={CONTEXT}"
QUOTED = quote(CONTEXT)
NUMBER = "https://teams.microsoft.com/meet/2345?p=xyz"
ZOOM = "https://zoom.us/j/123"


def coords(**named: object) -> str:
    """What Teams' light page has as its `coords`: base64 without padding."""
    return base64.b64encode(json.dumps(named).encode()).decode().rstrip("=")


WHOLE = coords(conversationId="19:m@thread.v2", tenantId="t", organizerId="o", messageId="0")
LIGHT = f"https://teams.microsoft.com/light-meetings/launch?agent=web&coords={WHOLE}"

TAKEN = [
    (MEET, "google_meet", MEET),
    (f" {MEET}?authuser=0#x> ", "google_meet", MEET),
    ("meet.google.com/abc-defg-hij", "google_meet", MEET),
    ("//meet.google.com/abc-defg-hij", "google_meet", MEET),
    ("http://meet.google.com/abc-defg-hij/", "google_meet", MEET),
    ("HTTPS://meet.google.com/abc-defg-hij", "google_meet", MEET),
    ("https://ann@meet.google.com/abc-defg-hij", "google_meet", MEET),
    ("https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij", "google_meet", MEET),
    ("https%253A%252F%252Fmeet.google.com%252Fabc-defg-hij", "google_meet", MEET),
    ("https://meet.google.com/ABC", "google_meet", "https://meet.google.com/ABC"),
    ("https://meet.google.com/lookup/abc", "google_meet", "https://meet.google.com/lookup"),
    (f"{MEET}?next=https://example.com", "google_meet", MEET),
    (f"{NUMBER}&anon=true", "teams", NUMBER),
    ("https://teams.live.com/meet/2345?p=xyz", "teams", "https://teams.live.com/meet/2345?p=xyz"),
    ("teams.live.com/meet/2345?p=xyz>", "teams", "https://teams.live.com/meet/2345?p=xyz"),
    ("//teams.microsoft.com/meet/2345?p=xyz", "teams", NUMBER),
    (NUMBER.replace("/meet/", "/dl/launcher/launcher.html?url=/_#/meet/") + "&type=meet", "teams", NUMBER),
    (JOIN, "teams", JOIN),
    (JOIN.replace(CONTEXT, QUOTED), "teams", JOIN),
    (JOIN.replace(CONTEXT, quote(QUOTED)), "teams", JOIN),
    (JOIN.replace(CONTEXT, QUOTED.replace("%7B", "%7b")), "teams", JOIN),
    (JOIN.replace("teams.microsoft", "teams.live"), "teams", JOIN),
    (JOIN.replace(".com/l", ".com/v2/?meetingjoin=true#/l"), "teams", JOIN),
    (JOIN.replace(".com/l", ".com/dl/launcher/launcher.html?url=/_#/l") + "&anon=true", "teams", JOIN),
    (f"{JOIN}&tenantId=a", "teams", JOIN),
    (JOIN.replace(CONTEXT, '{"x":1,"Tid":"t","y": 2,"Oid":"o"}'), "teams", JOIN),
    (LIGHT, "teams", JOIN),
    (f"{LIGHT}%3D&deeplinkId=1", "teams", JOIN),
    (LIGHT.replace("agent=web&", ""), "teams", JOIN),
    (LIGHT.replace("teams.microsoft", "teams.live"), "teams", JOIN),
    (LIGHT.replace(".com/light", ".com/v2/?meetingjoin=true#/light"), "teams", JOIN),
    (f"{ZOOM}?pwd=a1.1&uname=x", "zoom", f"{ZOOM}?pwd=a1.1"),
    ("https://us02web.zoom.com//j/123?tk= t", "zoom", "https://us02web.zoom.us/j/123?tk=t"),
    ("zoom.com/j/123", "zoom", ZOOM),
    ("//zoom.us/j/123", "zoom", ZOOM),
    ("https://zoom.us/j/123.456?pwd=!", "zoom", ZOOM),
    ("https://zoom.us:8443/j/123", "zoom", "https://zoom.us:8443/j/123"),
    ("https://ann:secret@example.zoom.us:443/j/123", "zoom", "https://ann:secret@example.zoom.us:443/j/123"),
    ("https://US02web.zoom.us/j/123", "zoom", "https://US02web.zoom.us/j/123"),
    ("https://example.zoom.us/my/ann2.lee", "zoom", "https://example.zoom.us/my/ann2"),
    ("https://example.zoom.us/my/ann_lee-2", "zoom", "https://example.zoom.us/my/ann_lee-2"),
    ("https://zoom.us/wc/123/join", "zoom", "https://zoom.us/wc/123/join"),
    ("https://zoom.us/s/123?zak=x&pwd=A-b", "zoom", "https://zoom.us/s/123?pwd=A"),
]
REFUSED = [
    "",
    "x",
    "https://",
    "//",
    "https://[",
    "https://[::1]/j/123",
    "https://example.com/not-a-meeting",
    "https://example.com/meet.google.com/abc",
    "https://www.google.com/url?q=https://meet.google.com/abc-defg-hij",
    "https://webex.com/meet/x",
    # Hosts: in capitals, with a port, of governments, and those that only look like one.
    "https://MEET.google.com/ABC-defg-hij",
    "https://Meet.google.com/abc-defg-hij",
    "https://meet.Google.com/abc-defg-hij",
    "https://meet.google.COM/abc-defg-hij",
    "https://meet.google.com:443/abc",
    "https://meet.google.com:80/abc",
    "https://meet.google.com./abc",
    "https://www.meet.google.com/abc-defg-hij",
    "https://meet.google.com.example.com/abc-defg-hij",
    "https://meet.google.com@example.com/abc-defg-hij",
    "https:/meet.google.com/abc-defg-hij",
    "///meet.google.com/abc-defg-hij",
    "https://TEAMS.microsoft.com/meet/1?p=a",
    "https://Teams.microsoft.com/meet/123?p=abc",
    "https://teams.Live.com/meet/1?p=a",
    "https://teams.live.com:443/meet/1?p=a",
    JOIN.replace(".com/", ".com:443/"),
    LIGHT.replace(".com/", ".com:443/"),
    "https://dod.teams.microsoft.us/meet/1?p=a",
    JOIN.replace("teams.microsoft.com", "gov.teams.microsoft.us"),
    LIGHT.replace("teams.microsoft.com", "dod.teams.microsoft.us"),
    "https://teams.microsoft.us/meet/1?p=a",
    "https://x.teams.microsoft.com/meet/1?p=a",
    "https://microsoft.com/meet/1?p=a",
    "https://Zoom.us/j/123",
    "https://zoom.US/j/123",
    "https://us02web.Zoom.us/j/123",
    "https://ZOOM.COM/j/123",
    "https://notzoom.us/j/123",
    "https://zoom.us.example.com/j/123",
    "https://zoom.us@example.com/j/123",
    # Router and parameters.
    "https://meet.google.com/",
    "https://meet.google.com",
    "https://meet.google.com?abc",
    "https://meet.google.com//abc",
    "https://meet.google.com/%",
    "https://teams.microsoft.com/meet/2345",
    "https://teams.microsoft.com/meet/?p=a",
    "https://teams.microsoft.com/meet/1?p=",
    "https://teams.microsoft.com/meet/1?x=2&p=a",
    "https://teams.microsoft.com/meet/1#p=a",
    "https://teams.microsoft.com/l/meetup-join/19:m/0",
    JOIN.replace("/0?", "?"),
    JOIN.replace("context=", "tenantId=a&context="),
    JOIN.replace("context=", "Context="),
    JOIN.replace(CONTEXT, "xyz"),
    JOIN.replace(CONTEXT, '{"Oid":"o","Tid":"t"}'),
    JOIN.replace(CONTEXT, quote('{"Oid":"o","Tid":"t"}')),
    JOIN.replace(CONTEXT, '{"Tid": "t", "Oid": "o"}'),
    JOIN.replace(CONTEXT, quote('{"Tid": "t","Oid": "o"}')),
    JOIN.replace(CONTEXT, '{"Tid" :"t","Oid" :"o"}'),
    JOIN.replace(CONTEXT, '{"Tid":"t"}'),
    JOIN.replace(CONTEXT, '{"Tid":"","Oid":"o"}'),
    JOIN.replace(CONTEXT, '{"tid":"t","oid":"o"}'),
    JOIN.replace(CONTEXT, '{"Tid":1,"Oid":2}'),
    LIGHT.replace(WHOLE, ""),
    LIGHT.replace(WHOLE, coords()),
    LIGHT.replace(WHOLE, coords(conversationId="c", tenantId="t")),
    LIGHT.replace(WHOLE, coords(meetingCode="1", passcode="p")),
    LIGHT.replace(WHOLE, "e"),
    LIGHT.replace(WHOLE, "W10"),
    LIGHT.replace(WHOLE, "eyJ9"),
    LIGHT.replace("coords=", "cords="),
    LIGHT.replace("/launch", ""),
    "https://zoom.us/about",
    "https://zoom.us/j/test",
    "https://zoom.us/?123",
    "https://zoom.us#/j/123",
    "https://example.zoom.us/my/ann.lee2",
    "https://zoom.us/j/!123",
    "https://zoom.us/j/123?tk=https://example.com",
    "https://zoom.us/j/123?tk=https%3A%2F%2Fexample.com",
    "https://zoom.us/j/123?tk=x%2520http%253A%252F%252Fexample.com",
    # Long ones that take no longer than they are long.
    "https://teams.live.com" + "/l/meetup-join/" * 50_000,
    "https://teams.live.com" + "/l/meetup-join/a/b?" * 50_000,
    "https://teams.live.com/l/meetup-join/a/b?context=" + '"Tid":"a"' * 50_000,
    "https://teams.live.com/meet/" * 50_000,
    "https://teams.live.com" + "/meet/?" * 50_000,
    "https://teams.live.com" + "/light-meetings/launch?coords=" * 50_000,
    "https://teams.live.com" + "/light-meetings/launch?" * 50_000,
    "https://teams.live.com" + "/light-meetings/launch/?coords=x" * 50_000,
]


@pytest.mark.parametrize(("link", "platform", "url"), TAKEN)
def test_a_link_to_a_meeting_is_kept_in_one_way(link: str, platform: str, url: str) -> None:
    meeting = find_meeting(link)
    assert meeting is not None
    assert (meeting.platform, meeting.url) == (platform, url)
    assert find_meeting(meeting.url) == meeting


@pytest.mark.parametrize("link", REFUSED, ids=lambda link: link[:80])
def test_a_link_that_leads_to_no_meeting_is_none(link: str) -> None:
    assert find_meeting(link) is None


def test_a_message_other_than_the_first_of_a_thread_is_kept() -> None:
    named = coords(conversationId="19:m@thread.tacv2", tenantId="t", organizerId="o", messageId="1700000000000")
    meeting = find_meeting(LIGHT.replace(WHOLE, named))
    assert meeting is not None
    assert meeting.url.startswith("https://teams.microsoft.com/l/meetup-join/19:m@thread.tacv2/1700000000000?context=")


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    for prefix in ("", "https://zoom.us/", "https://teams.live.com/", "https://meet.google.com/"):
        meeting = find_meeting(prefix + text)
        assert meeting is None or meeting.url.startswith("https://")
