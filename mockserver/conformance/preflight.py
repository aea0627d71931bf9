"""Whether a target can be tested at all, asked before anything else; and if not, why, in one line."""

from __future__ import annotations

from urllib.parse import urlsplit

from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.transport import Transport


class Untestable(Exception):
    """The target cannot be tested; the text says what is wrong and what to do."""


def check_url(url: str) -> None:
    """Raises Untestable for what is no URL of a deployment."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Untestable(f"{url!r} is no URL of a deployment; write scheme and host, e.g. https://staging.example")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise Untestable(f"{url!r} has more than scheme and host; leave the rest away: {parts.scheme}://{parts.netloc}")


def preflight(target: Transport) -> None:
    """Asks for the list of calendars with each key.

    Raises Untestable.
    """
    first = target.send("GET", CALENDARS)
    if first.status == 0:
        raise Untestable(f"nothing answers: {first.failure}")
    if first.status in (401, 403):
        raise Untestable("the API key is refused; give the key of a project in ATTENDEE_API_KEY")
    page = first.json
    if first.status == 404 and not isinstance(page, dict):
        raise Untestable("there is no Attendee API at this URL: /api/v1/calendars is not found")
    if first.status < 500 and not isinstance(page, dict):
        raise Untestable(f"this is no Attendee API: /api/v1/calendars answers {first.status} and no JSON")
    if target.other_key:
        other = target.send("GET", CALENDARS, key="other")
        if other.status in (401, 403):
            raise Untestable("the other API key is refused; give the key of another project in ATTENDEE_OTHER_API_KEY")
