"""Which part of a request a server error is put down to, so that one cause makes one finding."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote

from mockserver.conformance.exchange import Request

_PLAIN = re.compile(r"[A-Za-z0-9_.:@/ +=-]{0,200}")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-](0\d|1[0-4]):\d\d)")
_TIMES = frozenset({"updated_at_gte", "updated_after", "start_time_gte", "end_time_lte"})
_ORDERINGS = frozenset({"updated_at", "start_time", "end_time", "created_at"})
_PLAIN_HEADERS = {"accept": ("*/*", "application/json"), "content-type": ("application/json",)}
_REQUIRED = frozenset({"platform", "client_id", "client_secret", "refresh_token"})


def suspect(request: Request, known: Iterable[str]) -> str:
    """The part to blame: what is odd, or else what is more than the least that the operation takes; "" for neither.

    `known` are the parts blamed before: one of them that is in the request again is blamed again.
    """
    odd, present = _parts(request)
    before = set(known)
    if "" in before:
        return ""
    again = [part for part in (*odd, *present) if part in before]
    if again:
        return again[0]
    if odd:
        return odd[0]
    return "+".join(sorted(present))


def _parts(request: Request) -> tuple[list[str], list[str]]:
    """The odd parts of a request, and the parts that are there and need not be."""
    odd: list[str] = []
    present: list[str] = []
    path, _, query = request.path.partition("?")
    if not _PLAIN_ID.fullmatch(unquote(path.rpartition("/")[2])) or not path.isascii():
        odd.append("object_id")
    for name, value in parse_qsl(query, keep_blank_values=True):
        (present if _is_plain(name, value) else odd).append(name if _PLAIN_ID.fullmatch(name) else "query")
    for name, value in request.headers:
        plain = _PLAIN_HEADERS.get(name.lower())
        if plain is None:
            present.append(name)
        elif value not in plain:
            odd.append(name)
    if request.body:
        _sort_body(request.body, odd, present)
    return list(dict.fromkeys(odd)), list(dict.fromkeys(present))


def _is_plain(name: str, value: str) -> bool:
    if name in _TIMES:
        return _TIME.fullmatch(value) is not None
    if name == "ordering":
        return value.removeprefix("-") in _ORDERINGS
    return _PLAIN.fullmatch(value) is not None


def _sort_body(body: bytes, odd: list[str], present: list[str]) -> None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        odd.append("body")
        return
    for name, value in data.items():
        plain = _is_plain_value(value) if name != "metadata" else _is_plain_metadata(value)
        if not plain or not _PLAIN_ID.fullmatch(name):
            odd.append(name if _PLAIN_ID.fullmatch(name) else "body")
        elif name not in _REQUIRED:
            present.append(name)


def _is_plain_value(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= 255


def _is_plain_metadata(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_plain_value(text) for pair in value.items() for text in pair)
