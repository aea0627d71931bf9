"""Which links are links to meetings."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest

from mockserver.domain.url_finder import is_meeting, link_in
from tests.domain.test_meeting_urls import REFUSED, TAKEN

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
        "https://ann@zoom.us:8443/j/1?pwd=a#success",
        "https://teams.microsoft.com/dl/launcher/launcher.html?url=%2F_%23%2Fmeet%2F93%3Fp%3Da&type=meet",
        MEETUP + quote(CONTEXT),
        MEETUP + quote(quote(CONTEXT)),
        "https://teams.microsoft.com/light-meetings/launch?agent=web&coords="
        + b64encode(b'{"conversationId":"19:m","tenantId":"t","organizerId":"o","messageId":"0"}').decode(),
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


@pytest.mark.parametrize(
    "url", [link for link, _, _ in TAKEN if "://" in link and link.startswith("http") and " " not in link]
)
def test_what_a_bot_can_join_is_a_link_and_kept_as_it_is_written(url: str) -> None:
    written = url.partition('"')[0].partition(">")[0]
    if is_meeting(written):
        assert link_in(f"Join {written} now") == written


@pytest.mark.parametrize("url", REFUSED, ids=lambda link: link[:80])
def test_what_no_bot_can_join_is_no_link(url: str) -> None:
    assert not is_meeting(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.zoom.us/my/ann.lee2",
        "https://Zoom.us/j/123456789",
        "https://dod.teams.microsoft.us/meet/1?p=a",
        "https://zoom.us/j/1?tk=https://example.com/x",
        "https://teams.microsoft.com/light-meetings/launch?coords=e30",
        "https://meet.google.com:443/abc",
    ],
)
def test_an_event_has_no_link_from_it(url: str) -> None:
    assert link_in(url) is None


def test_the_first_link_to_a_meeting_is_taken_and_others_are_passed_over() -> None:
    assert link_in("https://example.com https://zoom.us/j/1] https://zoom.us/j/2") == "https://zoom.us/j/1"
    assert link_in(None) is None
    assert link_in('<a href="https://zoom.us/j/1">') == "https://zoom.us/j/1"
