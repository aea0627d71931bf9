"""Which texts hold a link to a meeting that a bot could join."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_CANDIDATE = re.compile(r"https?://[^\s<>\"']+")
_CLOSING = ").,;]}>"
_TEAMS = frozenset({"teams.microsoft.com", "teams.live.com", "gov.teams.microsoft.us", "dod.teams.microsoft.us"})
_TEAMS_MEETING = re.compile(
    r"/meet/[^?]+\?p=[^&\s]+"
    r"|/l/meetup-join/[^/]+/[^?]+\?context=.*\"Tid\":\"[^\"]+\".*\"Oid\":\"[^\"]+\""
    r"|/light-meetings/launch\?.*coords=[^&]+"
)
_MEET_MEETING = re.compile(r"//meet\.google\.com(?::\d+)?/[A-Za-z0-9-]+", re.IGNORECASE)
_TIMES_ESCAPED = 3


def link_in(text: str | None) -> str | None:
    """The first link to a meeting in a text, as it is written there, without the punctuation that closes on it."""
    if not text:
        return None
    for found in _CANDIDATE.finditer(text):
        url = found[0].rstrip(_CLOSING)
        if is_meeting(url):
            return url
    return None


def is_meeting(url: str) -> bool:
    """Whether a URL leads to a Google Meet, Microsoft Teams or Zoom meeting, be it percent-escaped or not."""
    for _ in range(_TIMES_ESCAPED):
        if _leads_to_a_meeting(url):
            return True
        url = unquote(url)
    return False


def _leads_to_a_meeting(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if host in ("zoom.us", "zoom.com") or host.endswith((".zoom.us", ".zoom.com")):
        return any(letter.isdigit() for letter in parts.path)
    if host == "meet.google.com":
        return _MEET_MEETING.search(url) is not None
    return host in _TEAMS and _TEAMS_MEETING.search(url) is not None
