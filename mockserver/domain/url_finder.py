"""Finds meeting URLs in texts."""

from __future__ import annotations

import re

from mockserver.domain.meeting_urls import find_meeting

_CANDIDATE = re.compile(r"https?://[^\s<>\"']+")
_CLOSING = ").,;]}>"


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
    return find_meeting(url) is not None
