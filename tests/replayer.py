"""Replays recorded exchanges against anything that answers requests, and says where the answers differ."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

COMPARED = ("content-type", "allow", "www-authenticate", "vary", "location", "retry-after")
_KINDS = {
    "calendar_id": r"cal_[A-Za-z0-9]{16}",
    "event_id": r"evt_[A-Za-z0-9]{16}",
    "bot_id": r"bot_[A-Za-z0-9]{16}",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "int": r"\d+",
    "text": r"[\s\S]*",
    "cursor_url": r"https?://.*[?&]cursor=.*",
}
_PLACEHOLDER = re.compile(r"\$\{(any:)?([a-z0-9_]+)\}")


class Reply(NamedTuple):
    """What was answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes | None], Reply]
"""Sends method, path as written, headers and body."""


def replay(scenario: Mapping[str, Any], send: Send) -> list[str]:
    """Runs a scenario's steps in order; gives the differences, none when all is as recorded."""
    captured: dict[str, str] = {}
    problems = []
    for number, step in enumerate(scenario["steps"], 1):
        check = _check_walk if "walk" in step else _check_exchange
        problems += [f"step {number}: {problem}" for problem in check(step, send, captured)]
    return problems


def _check_exchange(step: Mapping[str, Any], send: Send, captured: dict[str, str]) -> Iterator[str]:
    wanted = step["response"]
    path = _path(step["request"]["path"], captured)
    reply = _send(step["request"], path, send)
    if reply.status != wanted["status"]:
        yield f"status {reply.status}, recorded {wanted['status']}: {reply.body[:300]!r}"
    for name in COMPARED:
        if not _same_header(name, wanted["headers"].get(name), reply.headers.get(name)):
            yield f"{name} {reply.headers.get(name)!r}, recorded {wanted['headers'].get(name)!r}"
    if "text" in wanted:
        if not _fits(wanted["text"], reply.body.decode("utf-8", "replace"), captured):
            yield f"text {reply.body[:300]!r}, recorded {wanted['text']!r}"
        return
    try:
        document = json.loads(reply.body)
    except ValueError:
        yield f"no JSON: {reply.body[:300]!r}"
        return
    if "results" in wanted:
        yield from _page_differences(wanted["results"], document, path, captured)
    else:
        yield from _differences(wanted["body"], document, captured, "")
    for name, pointer in (step.get("capture") or {}).items():
        captured[name] = _at(document, pointer)
    for pointer, relation, other in step.get("assert") or ():
        left = _time_text(_at(document, pointer))
        right = _time_text(_at(document, other) if other.startswith("/") else captured[other[2:-1]])
        if not {">": left > right, ">=": left >= right, "==": left == right}[relation]:
            yield f"{pointer} {left} is not {relation} {right}"


def _check_walk(step: Mapping[str, Any], send: Send, captured: dict[str, str]) -> Iterator[str]:
    walk, wanted = step["walk"], step["expect"]
    follow = walk.get("follow", "next")
    seen: dict[str, list[Any]] = {"page_sizes": [], "ids": [], "statuses": [], "other": []}
    url: str | None = walk["request"]["path"]
    while url is not None and len(seen["statuses"]) < 60:
        last = path = _path(url, captured)
        reply = _send(walk["request"], path, send)
        seen["statuses"].append(reply.status)
        document = json.loads(reply.body)
        ids = [row["id"] for row in document["results"]]
        seen["page_sizes"].append(len(ids))
        seen["ids"] = seen["ids"] + ids if follow == "next" else ids + seen["ids"]
        seen["other"].append(document["previous" if follow == "next" else "next"] is not None)
        url = document[follow]
    for name, found in seen.items():
        if name in wanted and wanted[name] != found:
            yield f"walk {name} {found}, recorded {wanted[name]}"
    if len(set(seen["ids"])) != len(seen["ids"]):
        yield "walk shows a row twice"
    if walk.get("capture_last"):
        captured[walk["capture_last"]] = last


def _send(request: Mapping[str, Any], path: str, send: Send) -> Reply:
    headers = {name: value for name, value in (request.get("headers") or {}).items() if value is not None}
    return send(request["method"], path, headers, _body(request))


def _body(request: Mapping[str, Any]) -> bytes | None:
    if request.get("raw_body_b64") is not None:
        return base64.b64decode(request["raw_body_b64"])
    if request.get("raw_body_repeat"):
        repeat = request["raw_body_repeat"]
        text = repeat["prefix"] + repeat["text"] * repeat["times"] + repeat["suffix"]
        return str(text).encode()
    if request.get("raw_body") is not None:
        return str(request["raw_body"]).encode("utf-8", "surrogatepass")
    if request.get("body") is not None:
        return json.dumps(request["body"], ensure_ascii=False).encode()
    return None


def _path(written: str, captured: Mapping[str, str]) -> str:
    """The path to ask for: captured values filled in, the origin of a captured link taken away."""
    filled = _PLACEHOLDER.sub(lambda match: captured[match[2]], written)
    if filled.startswith("http"):
        parts = urlsplit(filled)
        return parts.path + (f"?{parts.query}" if parts.query else "")
    return filled


def _page_differences(
    wanted: Mapping[str, Any], found: Mapping[str, Any], path: str, captured: Mapping[str, str]
) -> Iterator[str]:
    ids = [row["id"] for row in found["results"]]
    if "ids" in wanted:
        yield from _differences(wanted["ids"], ids, captured, "ids")
    if "id_set" in wanted and sorted(wanted["id_set"]) != sorted(ids):
        yield f"ids {ids}, recorded {wanted['id_set']} in any order"
    for name in ("next", "previous"):
        if name in wanted:
            yield from _differences(wanted[name], found[name], captured, name)
        if found[name] is not None and _parameters(found[name]) != _parameters(path):
            yield f"{name} {found[name]} does not keep the parameters of {path}"


def _parameters(url: str) -> list[tuple[str, str]]:
    return sorted(pair for pair in parse_qsl(urlsplit(url).query, keep_blank_values=True) if pair[0] != "cursor")


def _differences(wanted: Any, found: Any, captured: Mapping[str, str], where: str) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name in wanted.keys() | found.keys():
            if name not in wanted or name not in found:
                yield f"{where}/{name}: {'missing' if name in wanted else 'not recorded'}"
            else:
                yield from _differences(wanted[name], found[name], captured, f"{where}/{name}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, pair in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(*pair, captured, f"{where}/{number}")
    elif isinstance(wanted, str) and isinstance(found, str):
        if not _fits(wanted, found, captured):
            yield f"{where}: {found!r}, recorded {wanted!r}"
    elif isinstance(wanted, bool) != isinstance(found, bool) or wanted != found:
        yield f"{where}: {found!r}, recorded {wanted!r}"


def _fits(wanted: str, found: str, captured: Mapping[str, str]) -> bool:
    pattern, end = "", 0
    for match in _PLACEHOLDER.finditer(wanted):
        pattern += re.escape(wanted[end : match.start()])
        pattern += f"(?:{_KINDS[match[2]]})" if match[1] else re.escape(captured[match[2]])
        end = match.end()
    return re.fullmatch(pattern + re.escape(wanted[end:]), found) is not None


def _same_header(name: str, wanted: str | None, found: str | None) -> bool:
    if wanted is None or found is None:
        return wanted is found
    if name in ("allow", "vary"):
        return sorted(wanted.split(", ")) == sorted(found.split(", "))
    return _fits(wanted, found, {})


def _at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _time_text(text: str) -> str:
    """Timestamps with their fraction written out, so that they compare as text."""
    return text if "." in text else text.replace("Z", ".000000Z")
