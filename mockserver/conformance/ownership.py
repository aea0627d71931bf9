"""Whether the answer to a creation shows what was asked for, where it does not carry the run's mark."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mockserver.conformance.exchange import Exchange

_TELLING = 8
"""Characters; a client id that is longer is nobody else's."""


def shows_what_was_asked(exchange: Exchange) -> bool:
    """Whether this calendar was made by this request, and is not an older one that the answer shows by mistake."""
    sent, made = _object(exchange.request.body), exchange.json
    # A number is taken as its text (create-number-text).
    name, metadata = str(sent.get("client_id")).strip(), sent.get("metadata")
    if not isinstance(made, dict) or "client_id" not in sent or made.get("client_id") != name:
        return False
    # A short client id alone could be anybody's; with the very metadata that was sent it is this one, and so it is
    # if it was made in the second of the answer.
    return (
        len(name) > _TELLING
        or (isinstance(metadata, dict) and made.get("metadata") == metadata)
        or _is_just_made(made, exchange)
    )


def _is_just_made(calendar: dict[str, Any], exchange: Exchange) -> bool:
    """Whether created_at is of the time between request and answer, on the clock of the answer's Date."""
    try:
        answered = parsedate_to_datetime(exchange.headers.get("date", "")).timestamp()
        created = datetime.fromisoformat(str(calendar.get("created_at"))).timestamp()
    except ValueError:
        return False
    return answered - exchange.seconds - 1 <= created <= answered + 1


def _object(body: bytes | None) -> dict[str, Any]:
    try:
        data = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
