"""Which part of a request a server error is put down to, so that one cause makes one finding."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from mockserver.conformance.exchange import Request

_PLAIN = re.compile(r"[A-Za-z0-9_.:@/ +=-]{0,200}")
_MOST_NAMED = 3
_PLAIN_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_TIME = re.compile(r"(?:19|20)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-](0\d|1[0-4]):\d\d)")
_TIMES = frozenset({"updated_at_gte", "updated_after", "start_time_gte", "end_time_lte"})
_ORDERINGS = frozenset({"updated_at", "start_time", "end_time", "created_at"})
_PLAIN_HEADERS = {"accept": ("*/*", "application/json"), "content-type": ("application/json",)}
_REQUIRED = frozenset({"platform", "client_id", "client_secret", "refresh_token"})
_FIELDS = _REQUIRED | {"platform_uuid", "metadata", "deduplication_key"}


class _Part(NamedTuple):
    """A part of a request, and what kind of oddness it has, if that is one that has one cause wherever it stands."""

    name: str
    kind: str | None = None


def suspect(request: Request, known: Mapping[str, Request]) -> str:
    """The part to blame: what is odd, or else what is more than the least that the operation takes; "" for neither.

    `known` are the parts blamed before, with a request that showed it: one of them that is in this request again is
    blamed again, and one that was odd in the same way.
    """
    odd, present = _parts(request)
    if "" in known:
        return ""
    names = [part.name for part in (*odd, *present)]
    again = [name for name in names if name in known]
    if again:
        return again[0]
    kinds = {part.kind for part in odd} - {None}
    for name, earlier in known.items():
        if kinds & {part.kind for part in _parts(earlier)[0]}:
            return name
    if odd:
        return odd[0].name
    several = sorted({part.name for part in present})
    return "+".join(several) if len(several) <= _MOST_NAMED else "query"


def _parts(request: Request) -> tuple[list[_Part], list[_Part]]:
    """The odd parts of a request, and the parts that are there and need not be."""
    odd: list[_Part] = []
    present: list[_Part] = []
    path, _, query = request.path.partition("?")
    if path.endswith("/"):
        odd.append(_Part("path"))
    elif not _PLAIN_ID.fullmatch(unquote(path.rpartition("/")[2])):
        odd.append(_Part("object_id"))
    for name, value in parse_qsl(query, keep_blank_values=True):
        part = _Part(name if _PLAIN_ID.fullmatch(name) else "query", _kind(name, value))
        (present if _is_plain(name, value) else odd).append(part)
    for name, value in request.headers:
        plain = _PLAIN_HEADERS.get(name.lower())
        if plain is None:
            present.append(_Part(name))
        elif value not in plain:
            odd.append(_Part(name))
    if request.body:
        _sort_body(request.body, odd, present)
    return odd, present


def _kind(name: str, value: Any) -> str | None:
    """NULs, lone surrogates and other characters, and times, are each read in one place, wherever they come in."""
    text = "" if name == "cursor" else f"{name} {value}" if not isinstance(value, dict) else str([*value.items()])
    if "\0" in text or "\\x00" in text:
        return "NUL"
    if re.search("[\ud800-\udfff]", text) or "\\ud" in text:
        return "surrogate"
    if not text.isascii():
        return "characters"
    return "time" if name in _TIMES else None


def _is_plain(name: str, value: str) -> bool:
    if name in _TIMES:
        return _TIME.fullmatch(value) is not None
    if name == "ordering":
        return value.removeprefix("-") in _ORDERINGS
    return _PLAIN.fullmatch(value) is not None


def _sort_body(body: bytes, odd: list[_Part], present: list[_Part]) -> None:
    try:
        data = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        odd.append(_Part("body"))
        return
    for name, value in data.items():
        plain = _is_plain_value(value) if name != "metadata" else _is_plain_metadata(value)
        if not plain or not _PLAIN_ID.fullmatch(name):
            odd.append(_Part(name if name in _FIELDS else "body", _kind(name, value)))
        elif name not in _REQUIRED:
            present.append(_Part(name))


def _is_plain_value(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= 255


def _is_plain_metadata(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_plain_value(text) for pair in value.items() for text in pair)
