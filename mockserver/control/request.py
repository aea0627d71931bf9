"""What a control request brings: its query and its JSON body, held against what its route takes."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

from mockserver.api.bodies import LARGE, has_many_tokens
from mockserver.api.errors import ApiError
from mockserver.api.request import Receive, parse_query, read_body
from mockserver.control.refusal import Refused, unknown
from mockserver.control.routing import Route

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_JSON = "application/json"
_MOST_TOKENS, _MOST_IN_OBJECT = 30_000, 50
"""JSON with more tokens than that has to consist of objects: between two of them other threads have their turn."""


def header(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    """A header as text, or None."""
    found = next((value for given, value in headers if given == name), None)
    return None if found is None else found.decode("latin-1").strip()


def query_of(query_string: bytes, route: Route) -> dict[str, str]:
    """The parameters of a query, `project` included.

    Raises Refused for one that the route does not take, and for one that is there twice.
    """
    allowed = route.query | {"project"} if route.of_project else route.query
    found: dict[str, str] = {}
    for name, value in parse_query(query_string):
        if name not in allowed:
            raise unknown("query", name, allowed)
        if name in found:
            raise Refused(name, "is there twice", fix="give it once")
        found[name] = value
    return found


async def body_of(receive: Receive, headers: list[tuple[bytes, bytes]], route: Route) -> dict[str, Any]:
    """The members of the body; none at all is an empty object.

    Raises Refused, with 413 or 415 where that is the reason, and Disconnected.
    """
    if route.method not in _WITH_BODY:
        return {}
    try:
        raw = await read_body(receive, header(headers, b"content-length"), route.most)
    except ApiError as problem:
        raise Refused("body", f"is larger than {route.most} bytes", problem.status, "send less") from None
    if raw:
        content_type = (header(headers, b"content-type") or "none").partition(";")[0].strip().lower()
        if content_type != _JSON and not content_type.endswith("+json"):
            fix = f"send JSON with Content-Type: {_JSON}"
            raise Refused("Content-Type", f"is {content_type[:80]}", 415, fix)
    body = {}
    if raw:
        body = await asyncio.to_thread(_parsed, raw) if len(raw) > LARGE else _parsed(raw)
    _check(body, route)
    return body


def _parsed(raw: bytes) -> dict[str, Any]:
    fix = 'send one JSON object, e.g. {"by": "25h"}'
    try:
        text = raw.decode("utf-8")
        if has_many_tokens(text, _MOST_TOKENS) and has_many_tokens(text, _MOST_IN_OBJECT * text.count("{")):
            raise Refused("body", f"has more than {_MOST_IN_OBJECT} values for each of its objects", fix="send less")
        body = json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except (ValueError, RecursionError) as problem:
        reason = str(problem) if isinstance(problem, json.JSONDecodeError) else type(problem).__name__
        raise Refused("body", f"is not JSON: {reason}", fix=fix) from None
    if not isinstance(body, dict):
        raise Refused("body", "is not a JSON object", fix=fix)
    return body


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name, count in Counter(names).items() if count > 1)
        raise Refused(again[:80], "is there twice in one object", fix="keep one of them")
    return found


def _check(body: Mapping[str, Any], route: Route) -> None:
    """Raises Refused for a member that the route does not know, and for one that is missing."""
    if route.fields is not None:
        for name in body:
            if name not in route.fields:
                raise unknown("body", name, route.fields)
    for name in sorted(route.required):
        if name not in body:
            raise Refused(name, "is missing", fix="add it to the body")
