"""Writes exchanges as a HAR 1.2 file, one after the other; the file is a whole archive after each of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from mockserver import __version__
from mockserver.proxy.parsing import Passed
from mockserver.proxy.shown import Shown, ShownBody, media_type

_END: Final = "\n]}}\n"


class HarFile:
    """An archive that grows."""

    def __init__(self, path: Path, target_url: str) -> None:
        """Creates the file, or empties it. Raises OSError."""
        self._stream = path.open("w+b")
        self._target_url = target_url
        self.entries = 0
        log = {"version": "1.2", "creator": {"name": "attendee-mock proxy", "version": __version__}, "pages": []}
        start = json.dumps({"log": log})[:-2]
        self._stream.write(f'{start}, "entries": [{_END}'.encode())
        self._stream.flush()

    def add(self, passed: Passed, shown: Shown, findings: Iterable[str]) -> None:
        """Adds an exchange. `findings` are texts for people, under a name of our own as HAR allows."""
        entry = json.dumps(_entry(passed, shown, self._target_url, list(findings)), ensure_ascii=False)
        self._stream.seek(-len(_END), 2)
        comma = "," if self.entries else ""
        self._stream.write(f"{comma}\n{entry}{_END}".encode("utf-8", "replace"))
        self._stream.flush()
        self.entries += 1

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()


def _entry(passed: Passed, shown: Shown, target_url: str, findings: list[str]) -> dict[str, Any]:
    send = _milliseconds(passed.started, passed.sent)
    wait = _milliseconds(max(passed.sent, passed.started), passed.answered)
    receive = _milliseconds(passed.answered, passed.ended)
    entry = {
        "startedDateTime": datetime.fromtimestamp(passed.started, UTC).isoformat(timespec="milliseconds"),
        "time": round(send + wait + receive, 3),
        "request": _request(passed, shown, target_url),
        "response": _response(passed, shown),
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": send, "wait": wait, "receive": receive},
        "connection": str(passed.connection),
    }
    if findings:
        entry["_findings"] = findings
    if passed.failure:
        entry["_error"] = passed.failure
    return entry


def _milliseconds(since: float, until: float) -> float:
    return round(max(until - since, 0.0) * 1000, 3) if since and until else 0.0


def _request(passed: Passed, shown: Shown, target_url: str) -> dict[str, Any]:
    url = shown.target if "://" in shown.target.partition("?")[0] else f"{target_url}{shown.target}"
    request: dict[str, Any] = {
        "method": passed.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(shown.request_headers),
        "queryString": _pairs(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": passed.request.size,
    }
    if passed.request.size:
        data = {"mimeType": passed.header(b"content-type", response=False), "text": shown.request.text or ""}
        request["postData"] = _noted(data, shown.request)
    return request


def _response(passed: Passed, shown: Shown) -> dict[str, Any]:
    content: dict[str, Any] = {"size": passed.response.size, "mimeType": media_type(passed, response=True)}
    if shown.response.text:
        content["text"] = shown.response.text
    return {
        "status": passed.status,
        "statusText": passed.phrase,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(shown.response_headers),
        "content": _noted(content, shown.response),
        "redirectURL": next((value for name, value in shown.response_headers if name.lower() == "location"), ""),
        "headersSize": -1,
        "bodySize": passed.response.size,
    }


def _noted(part: dict[str, Any], body: ShownBody) -> dict[str, Any]:
    return {**part, "comment": f"the body is {body.note}"} if body.note else part


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
