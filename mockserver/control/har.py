"""The journal as an HTTP archive (HAR 1.2), which browsers' network panels and many tools open."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from mockserver import __version__
from mockserver.control.entries import Shown

_OWN = (
    "id",
    "kind",
    "project",
    "operation",
    "reason",
    "remarks",
    "evidence",
    "fault",
    "trigger",
    "idempotency_key",
    "attempt",
)


def har(entries: Iterable[Shown]) -> dict[str, Any]:
    """Entries of the journal, in their order, as an archive; they are masked already.

    What HAR has no place for is under names that begin with an underscore, as HAR wants it. A status 0 is no answer.
    """
    creator = {"name": "attendee-mockserver", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "pages": [], "entries": [_entry(entry) for entry in entries]}}


def _entry(entry: Shown) -> dict[str, Any]:
    milliseconds = round(entry["seconds"] * 1000, 3)
    return {
        "startedDateTime": entry["time"],
        "time": milliseconds,
        "request": _request(entry),
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        **{f"_{name}": entry[name] for name in _OWN if name in entry},
    }


def _request(entry: Shown) -> dict[str, Any]:
    request = entry["request"]
    url = _url(entry)
    archived = {
        "method": entry["method"],
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request["headers"]),
        "queryString": _pairs(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": request["bytes"],
    }
    if request["body"] is not None:
        text = {"mimeType": _header(request, "content-type"), "text": request["body"], "params": []}
        archived["postData"] = {**text, "comment": "only its beginning"} if request["cut"] else text
    return archived


def _response(entry: Shown) -> dict[str, Any]:
    response = entry["response"]
    content = {"size": response["bytes"], "mimeType": _header(response, "content-type")}
    if response["body"] is not None:
        content["text"] = response["body"]
    status = entry["status"] or 0
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(response["headers"]),
        "content": content,
        "redirectURL": _header(response, "location"),
        "headersSize": -1,
        "bodySize": response["bytes"],
    }


def _url(entry: Shown) -> str:
    if "url" in entry:
        return str(entry["url"])
    host = _header(entry["request"], "host") or "localhost"
    return f"http://{host}{quote(entry['path'])}" + (f"?{entry['query']}" if entry["query"] else "")


def _pairs(pairs: Iterable[tuple[str, str] | list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header(message: Shown, wanted: str) -> str:
    return next((value for name, value in message["headers"] if name.lower() == wanted), "")
