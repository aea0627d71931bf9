"""What shows that a calendar or a bot is a run's own, where the answer does not carry the run's mark."""

from __future__ import annotations

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from mockserver.conformance.exchange import Exchange

_TELLING = 8
"""Characters; a client id that is longer is nobody else's."""
_CLIENT_ID = re.compile(r'client_id"?\s*[:=]\s*"?([^"&\r\n]{1,300})')


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


def client_id_in(text: str) -> str:
    """The client id in a body of any kind, also in a damaged one; "" for none."""
    found = _CLIENT_ID.search(text)
    return unquote_plus(found[1]).strip() if found is not None else ""


def date_of(exchange: Exchange) -> float | None:
    """The Date of an answer, in seconds since 1970; None where there is none."""
    try:
        return parsedate_to_datetime(exchange.headers.get("date", "")).timestamp()
    except ValueError:
        return None


def created_at(calendar: dict[str, Any]) -> float | None:
    """When a calendar was created, in seconds since 1970 on the target's clock; None where that cannot be read."""
    try:
        return datetime.fromisoformat(str(calendar.get("created_at"))).timestamp()
    except ValueError:
        return None


def _is_just_made(calendar: dict[str, Any], exchange: Exchange) -> bool:
    """Whether created_at is of the time between request and answer, on the clock of the answer's Date."""
    answered, created = date_of(exchange), created_at(calendar)
    if answered is None or created is None:
        return False
    return answered - exchange.seconds - 1 <= created <= answered + 1


def _object(body: bytes | None) -> dict[str, Any]:
    try:
        data = json.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


_HOST: Final = "https://meet.google.com/"
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")
_MARK: Final = 6


def link_of_run(run: str, number: int) -> str:
    """The link of this number; each number below 17,000 has another."""
    rest, last = divmod(number, 26)
    letters = f"{_mark(run)}{chr(97 + rest // 26 % 26)}{chr(97 + rest % 26)}{chr(97 + last)}q"
    return f"{_HOST}{letters[:3]}-{letters[3:7]}-{letters[7:]}"


def is_link_of(run: str, link: str) -> bool:
    """Whether a link carries the mark of a run."""
    return link.startswith(_HOST) and link.removeprefix(_HOST).replace("-", "").startswith(_mark(run))


def _mark(run: str) -> str:
    return run.lower()[:_MARK].translate(_LETTERS).ljust(_MARK, "x")
