"""Reads the exchanges of a HAR 1.2 file, as browsers, mitmproxy, the journal and `attendee-mock proxy` write it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from mockserver.drift.document import SubjectError

_ABSENT: Final = object()


@dataclass(frozen=True)
class Message:
    """The headers and the body of a request or a response."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; of several with one name, the last one."""
    text: str | None = None
    """The body; "" for none, None where the file does not have it all."""

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def _json(self) -> Any:
        try:
            return json.loads(self.text or "")
        except (ValueError, RecursionError):
            return _ABSENT

    @property
    def has_json(self) -> bool:
        """Whether the body is there and is JSON."""
        return self._json is not _ABSENT

    @property
    def json(self) -> Any:
        """The body's JSON, where `has_json` holds."""
        return self._json


@dataclass(frozen=True)
class Recorded:
    """One exchange of a recording."""

    number: int
    """Its place in the file, from 1."""
    method: str
    path: str
    """Decoded, without the query."""
    query: Sequence[tuple[str, str]]
    request: Message
    status: int
    """0 where no response came."""
    response: Message

    @property
    def line(self) -> str:
        """Method, path and status, without the query, which may have secrets."""
        return f"{self.method} {self.path} {self.status}"


def is_har(data: Any) -> bool:
    """Whether data looks like a HAR file."""
    return isinstance(data, Mapping) and isinstance(data.get("log"), Mapping)


def recorded(path: Path, data: Any) -> list[Recorded]:
    """The exchanges of a file. Raises SubjectError."""
    entries = data["log"].get("entries")
    if not isinstance(entries, list):
        raise SubjectError(f"{path}: is not a HAR file: log.entries must be a list")
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_exchange(number, entry))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else "it cannot be read"
            raise SubjectError(f"{path}: entry {number} is not an entry of HAR 1.2: {what}") from None
    if not found:
        raise SubjectError(
            f"{path}: has no entries; record some traffic first, e.g. with `attendee-mock proxy --record`"
        )
    return found


def _exchange(number: int, entry: Mapping[str, Any]) -> Recorded:
    request, response = entry["request"], entry["response"]
    url = urlsplit(request["url"])
    return Recorded(
        number,
        str(request["method"]).upper(),
        unquote(url.path),
        parse_qsl(url.query, keep_blank_values=True),
        Message(_headers(request), _sent(request)),
        int(response["status"]),
        Message(_headers(response), _answered(response)),
    )


def _headers(message: Mapping[str, Any]) -> dict[str, str]:
    return {str(pair["name"]).lower(): str(pair["value"]) for pair in message.get("headers") or ()}


def _sent(request: Mapping[str, Any]) -> str | None:
    data = request.get("postData")
    if not data:
        return "" if request.get("bodySize", 0) in (0, -1) else None
    if data.get("comment"):
        # The journal and the proxy say here that they kept only the beginning.
        return None
    text = data.get("text")
    return str(text) if text is not None else None


def _answered(response: Mapping[str, Any]) -> str | None:
    content = response.get("content") or {}
    text = content.get("text")
    if text is None or content.get("comment"):
        return "" if content.get("size", 0) in (0, -1) and text is None else None
    if content.get("encoding") != "base64":
        return str(text)
    try:
        return base64.b64decode(text).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
