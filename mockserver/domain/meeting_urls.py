"""Recognises the URLs of meetings that a bot can join, and normalises them as the service does.

A host counts in the case and form in which it is written: `Zoom.us` is not Zoom (bot-links-refused).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile
from string import ascii_letters, digits
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from mockserver.domain.model import Micros
from mockserver.domain.timestamps import to_datetime

_YEARS_AHEAD = 3

_PLAIN = frozenset(ascii_letters + digits)
_PASSCODE = re.compile(r"p=([^& ]+)")
_TENANT = re.compile(r'"Tid":"([^"]+)"')
_ORGANIZER = re.compile(r'"Oid":"([^"]+)"')
_COORDS = re.compile(r"coords=([^&]+)")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_ORIGIN = re.compile(r"(?:[A-Za-z0-9+.-]+:)?//")
_AUTHORITY = re.compile(r"[^/?#]*")
_MEET = "meet.google.com"
_TEAMS = frozenset({"teams.microsoft.com", "teams.live.com"})
_ZOOM = ("zoom.us", "zoom.com")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""What browsers take for a dot in a host, and the service in Zoom's."""


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
    once = unquote(link)
    yield from (link, once, unquote(once))


def _hides_a_link(url: str) -> bool:
    rest = unquote(unquote(url.removeprefix("https://"))).lower()
    return "http://" in rest or "https://" in rest


def _read(link: str) -> Meeting | None:
    """The meeting of a link that may lack its scheme, or begin with `//`."""
    origin = _ORIGIN.match(link)
    rest = link[origin.end() :] if origin else link
    authority = _AUTHORITY.match(rest)
    assert authority is not None  # it may be empty
    host = authority[0].rpartition("@")[2]
    if host == _MEET:
        code = _leading(rest[authority.end() + 1 :], _PLAIN | {"-"}) if rest[authority.end() :][:1] == "/" else ""
        return Meeting("google_meet", f"https://{_MEET}/{code}") if code else None
    if host in _TEAMS:
        return _read_teams(host, rest)
    # Of Zoom only the domain counts: any port, user and name before it are fine, and kept.
    name = host.partition(":")[0].strip().translate(_DOTS).rstrip(".")
    if name in _ZOOM or name.endswith(tuple(f".{domain}" for domain in _ZOOM)):
        return _read_zoom(rest)
    return None


def _read_teams(host: str, link: str) -> Meeting | None:
    """A Teams link names a thread, a message and who invited, or else a number and a passcode.

    Where it stands in the link does not matter: some have it behind a `#`.
    """
    named = _meetup_join(link) or _light_meeting(link)
    if named is not None:
        thread, message, tenant, organizer = named
        context = f'{{"Tid":"{tenant}","Oid":"{organizer}"}}'
        return Meeting("teams", f"https://teams.microsoft.com/l/meetup-join/{thread}/{message}?context={context}")
    for number, query in _paths(link, "/meet/"):
        passcode = _PASSCODE.match(link, query)
        if number and passcode:
            return Meeting("teams", f"https://{host}/meet/{number}?p={passcode[1]}")
    return None


def _paths(link: str, step: str) -> Iterator[tuple[str, int]]:
    """What follows `step` up to the next question mark, and where its query begins; once a question mark at most."""
    place = link.find(step)
    while place >= 0:
        asked = link.find("?", place)
        if asked < 0:
            return
        yield link[place + len(step) : asked], asked + 1
        place = link.find(step, asked)


def _meetup_join(link: str) -> tuple[str, str, str, str] | None:
    """Thread, message, tenant and organizer of a link that has its context as first parameter.

    The context is looked through as text: the tenant before the organizer, without blanks (bot-links-refused).
    """
    for path, query in _paths(link, "/l/meetup-join/"):
        thread, _, message = path.partition("/")
        if not (thread and message and link.startswith("context=", query)):
            continue
        tenant = _TENANT.search(link, query)
        organizer = _ORGANIZER.search(link, tenant.end()) if tenant else None
        # Any later context is a part of this one.
        return (thread, message, tenant[1], organizer[1]) if tenant and organizer else None
    return None


def _light_meeting(link: str) -> tuple[str, str, str, str] | None:
    """Thread, message, tenant and organizer of a link that holds them as JSON in base64."""
    for path, query in _paths(link, "/light-meetings/launch"):
        if path:
            continue
        coords = _COORDS.search(link, query)
        if coords is None:
            return None
        text = _NOT_BASE64.sub("", coords[1].replace("-", "+").replace("_", "/"))
        try:
            named = json.loads(base64.b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, ValueError, RecursionError):
            return None
        if not isinstance(named, dict):
            return None
        thread, tenant, organizer = (named.get(name) for name in ("conversationId", "tenantId", "organizerId"))
        return (thread, named.get("messageId") or "0", tenant, organizer) if thread and tenant and organizer else None
    return None


def _read_zoom(link: str) -> Meeting | None:
    """A Zoom link keeps its host, the plain part of its path, password and registrant's token."""
    try:
        parts = urlsplit(f"https://{link}")
    except ValueError:
        return None
    path = _leading(parts.path, _PLAIN | {"/", "_", "-"})
    if not any(character in digits for character in path):
        return None
    asked = parse_qs(parts.query)
    token = asked.get("tk", [""])[0].strip()
    kept = {"pwd": _password(asked.get("pwd", [""])[0]), "tk": token}
    query = "&".join(f"{name}={value}" for name, value in kept.items() if value)
    host = parts.netloc
    if host == "zoom.com" or host.endswith(".zoom.com"):
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
