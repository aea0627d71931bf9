"""Which links lead to a meeting that a bot can join, and the one way in which the service writes each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile
from string import ascii_letters, digits
from typing import Any, Literal, NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from mockserver.domain.model import Micros
from mockserver.domain.timestamps import to_datetime

_YEARS_AHEAD = 3

_PLAIN = frozenset(ascii_letters + digits)
_TEAMS_HOSTS = frozenset(
    {"teams.microsoft.com", "teams.live.com", "gov.teams.microsoft.us", "dod.teams.microsoft.us"},
)
_LONGEST = 4096
"""Longer links are none: reading them would take long, and no calendar writes such."""


class Meeting(NamedTuple):
    """A meeting's platform, and its link as the service keeps it."""

    platform: Literal["google_meet", "teams", "zoom"]
    url: str


def find_meeting(text: str) -> Meeting | None:
    """The meeting that a link leads to, or None where it leads to none that a bot can join.

    A link that was percent-encoded once or twice is read too. One with a second link in it is none.
    """
    found = (meeting for link in _readings(text) if (meeting := _read(link)) is not None)
    return next((meeting for meeting in found if not _hides_a_link(meeting.url)), None)


def _readings(text: str) -> Iterator[str]:
    """The link as it stands, decoded once and decoded twice."""
    link = text.strip().rstrip(">")
    if len(link) <= _LONGEST:
        once = unquote(link)
        yield from (link, once, unquote(once))


def _hides_a_link(url: str) -> bool:
    rest = unquote(unquote(url.removeprefix("https://"))).lower()
    return "http://" in rest or "https://" in rest


def _read(link: str) -> Meeting | None:
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
        host = parts.hostname or ""
    except ValueError:
        return None
    if host == "meet.google.com":
        code = _leading(parts.path[1:], _PLAIN | {"-"})
        return Meeting("google_meet", f"https://meet.google.com/{code}") if code else None
    if host in _TEAMS_HOSTS:
        return _read_teams(host, link)
    if host in ("zoom.us", "zoom.com") or host.endswith((".zoom.us", ".zoom.com")):
        return _read_zoom(host, parts)
    return None


def _read_teams(host: str, link: str) -> Meeting | None:
    """A Teams link names a thread, a message and who invited, or else a number and a passcode.

    Where it stands in the link does not matter: some have it behind a `#`.
    """
    _, joins, rest = link.partition("/l/meetup-join/")
    if joins:
        thread, _, rest = rest.partition("/")
        message, _, query = rest.partition("?")
        context = _json_object(query.partition("context=")[2])
        tenant, organizer = context.get("Tid"), context.get("Oid")
        if not (thread and message and tenant and organizer):
            return None
        host = "teams.microsoft.com" if host == "teams.live.com" else host
        told = f'{{"Tid":"{tenant}","Oid":"{organizer}"}}'
        return Meeting("teams", f"https://{host}/l/meetup-join/{thread}/{message}?context={told}")
    number, _, query = link.partition("/meet/")[2].partition("?")
    passcode = query.partition("&")[0].removeprefix("p=").partition(" ")[0] if query.startswith("p=") else ""
    return Meeting("teams", f"https://{host}/meet/{number}?p={passcode}") if number and passcode else None


def _json_object(text: str) -> dict[str, Any]:
    """The JSON object that a text begins with; an empty one where it begins with none."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _read_zoom(host: str, parts: SplitResult) -> Meeting | None:
    """A Zoom link keeps its host, the plain part of its path, password and registrant's token."""
    path = _leading(parts.path, _PLAIN | {"/", "_", "-"})
    if not any(character in digits for character in path):
        return None
    asked = parse_qs(parts.query)
    token = asked.get("tk", [""])[0].strip()
    kept = {"pwd": _password(asked.get("pwd", [""])[0]), "tk": token}
    query = "&".join(f"{name}={value}" for name, value in kept.items() if value)
    if host.endswith("zoom.com"):
        host = host.removesuffix("com") + "us"
    steps = "/".join(step for step in path.split("/") if step)
    return Meeting("zoom", f"https://{host}/{steps}" + (f"?{query}" if query else ""))


def _password(text: str) -> str:
    """Letters and digits, and a point with a number behind them where there is one."""
    word = _leading(text, _PLAIN)
    number = _leading(text[len(word) + 1 :], frozenset(digits))
    return f"{word}.{number}" if word and number and text[len(word)] == "." else word


def _leading(text: str, allowed: frozenset[str]) -> str:
    """The longest beginning of a text that is of these characters."""
    return "".join(takewhile(allowed.__contains__, text))


def join_time_problem(join_at: Micros, now: Micros) -> Literal["past", "far"] | None:
    """Why a bot cannot be scheduled for a time: it is past, or more than three years ahead; None when it can."""
    if join_at < now:
        return "past"
    today = to_datetime(now)
    try:
        limit = today.replace(year=today.year + _YEARS_AHEAD)
    except ValueError:
        limit = today.replace(year=today.year + _YEARS_AHEAD, day=28)
    return "far" if join_at > now + (limit - today) // timedelta(microseconds=1) else None
