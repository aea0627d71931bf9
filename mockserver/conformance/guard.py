"""What a run may send: denied unless it cannot touch what the run did not make."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mockserver.conformance.run import Forbidden

CALENDARS = "/api/v1/calendars"
BOTS = "/api/v1/bots"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
PRODUCTION = re.compile(r"(?:^|\.)attendee\.dev$")
_ID = re.compile(r"cal_[A-Za-z0-9]{16}")
_LOOPBACK = re.compile(r"^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$")


class Limits(NamedTuple):
    """How far a run may go. `live` is a service that is not the judge's to break."""

    writes: bool
    live: bool


def is_loopback(url: str) -> bool:
    """Whether a URL leads no further than this machine."""
    return bool(_LOOPBACK.match((urlsplit(url).hostname or "").lower()))


def is_production(url: str) -> bool:
    """Whether a URL leads to the service itself."""
    return bool(PRODUCTION.search((urlsplit(url).hostname or "").lower()))


def check(method: str, target: str, created: frozenset[str] | set[str], limits: Limits) -> None:
    """Lets a request pass or raises Forbidden; `created` holds the ids that this run made, `target` path and query."""
    if method in READING:
        return
    if not limits.writes:
        raise Forbidden(f"{method} changes things, and this run only reads")
    path = unquote(target.partition("?")[0])
    if path == CALENDARS:
        if method != "POST" and limits.live:
            raise Forbidden(f"{method} on the list of calendars is never sent to a live service")
        return
    if path.startswith(CALENDARS + "/"):
        _check_id(method, path[len(CALENDARS) + 1 :].rstrip("/"), created, limits)
        return
    if limits.live or path.rstrip("/") == BOTS:
        raise Forbidden(f"{method} {path[:80]} is outside what a run may change")


def _check_id(method: str, object_id: str, created: frozenset[str] | set[str], limits: Limits) -> None:
    """An id of ours may be changed; so may what can be no id. A stranger's that could be one may not."""
    if object_id in created:
        return
    found = set(_ID.findall(object_id))
    if not limits.live and object_id == "cal_" + "0" * 16:
        return
    if found - set(created) or any(known.lower() == object_id.lower() for known in found):
        raise Forbidden(f"{method} on a calendar that this run did not make")
