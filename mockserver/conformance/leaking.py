"""The rule on credentials: none in any answer, by value or by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.conformance.answers import Verdict
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.run import Run

_RULE = "secret-unanswered"
_NAMES = re.compile(rb'"(client_secret|refresh_token|access_token|api_key)"\s*:')
_LOOKS_SECRET = re.compile(r"^(GOCSPX-|1//0|ya29\.)")
_CLIENTS_OWN = frozenset({"metadata", "raw"})
"""Members that hold what clients or their calendars' platforms put there, under whatever names."""


def judge(run: Run, exchange: Exchange) -> Iterator[Verdict]:
    """The tests of one answer, its headers included."""
    leaks = getattr(run.target, "leaks", None)
    told = leaks(exchange) if leaks is not None else []
    for kind in told:
        yield Verdict(_RULE, False, str(kind), "no credential", f"{kind} in the answer")
    named = _named(exchange.json, own=False) if exchange.status < 400 and _NAMES.search(exchange.body) else None
    if named is not None and not told:
        yield Verdict(_RULE, False, named, "no such member", f"a member {named}")
    elif not told:
        yield Verdict(_RULE, True)


def _named(value: Any, *, own: bool) -> str | None:
    """The first member that is named like a credential; in what is the client's own, only if it looks like one too."""
    if isinstance(value, list):
        return next((name for item in value if (name := _named(item, own=own)) is not None), None)
    if not isinstance(value, dict):
        return None
    for name, item in value.items():
        looks_secret = not own or (isinstance(item, str) and _LOOKS_SECRET.match(item) is not None)
        if looks_secret and name in ("client_secret", "refresh_token", "access_token", "api_key"):
            return str(name)
        inner = _named(item, own=own or name in _CLIENTS_OWN)
        if inner is not None:
            return inner
    return None
