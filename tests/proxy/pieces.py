"""Bytes of exchanges, and the frames in which they pass."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from mockserver.drift.document import Document
from mockserver.drift.run import contract_document
from mockserver.proxy import frames
from mockserver.proxy.frames import Frame
from mockserver.proxy.har import HarFile
from mockserver.proxy.judging import Judge
from mockserver.proxy.watching import Watch

KEY = "acmezictyO3S8ktCJsCRGI4TPrXdUeV1"
ALLOW = {"listCalendars": "GET, POST, HEAD, OPTIONS", "getCalendar": "GET, PATCH, DELETE, HEAD, OPTIONS"}
CALENDAR: dict[str, Any] = {
    "id": "cal_abcdef1234567890",
    "platform": "google",
    "client_id": "client",
    "platform_uuid": None,
    "state": "connected",
    "metadata": None,
    "deduplication_key": None,
    "connection_failure_data": None,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "last_successful_sync_at": None,
    "last_attempted_sync_at": None,
}
NEW = {"platform": "google", "client_id": "client", "client_secret": "GOCSPX-planted", "refresh_token": "1//0planted"}
PATH = "/api/v1/calendars/cal_abcdef1234567890"


def request(method: str = "GET", target: str = PATH, body: Any = None, **headers: str) -> bytes:
    """A request; a body that is no bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {"Host": "proxy.example", "Authorization": f"Token {KEY}"}
    given |= {"Content-Type": "application/json", "Content-Length": str(len(data))} if data else {}
    return message(f"{method} {target} HTTP/1.1", given | headers, data)


def response(body: Any = CALENDAR, status: int = 200, operation: str = "getCalendar", **headers: str) -> bytes:
    """A response as the service sends it."""
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {"Content-Length": str(len(data)), "Allow": ALLOW[operation], "Vary": "Accept"}
    given |= {"Content-Type": "application/json"} if data else {}
    return message(f"HTTP/1.1 {status} Text", given | {n.replace("_", "-"): v for n, v in headers.items()}, data)


def message(start: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [start, *(f"{name}: {value}" for name, value in headers.items() if value), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def exchange(sent: bytes, answered: bytes, *, connection: int = 1, at: float = 100.0) -> Iterator[Frame]:
    """The frames of one exchange that takes 5 ms."""
    yield Frame(frames.CLIENT, connection, at, sent)
    yield Frame(frames.SERVER, connection, at + 0.005, answered)


@cache
def contract() -> Document:
    """The contract, read once."""
    return contract_document()


class Watched:
    """What the recording process makes of frames, with a clock that is not behind."""

    def __init__(self, pieces: Iterable[Frame], har: HarFile | None = None, now: float = 100.0) -> None:
        self.out = io.StringIO()
        self.watch = Watch("http://target.example", self.out, har, clock=lambda: now, judge=Judge(contract()))
        self.watch.run(pieces)

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()

    @property
    def rules(self) -> dict[str, str]:
        """The rules of the findings with their levels."""
        return {one.found.rule: one.found.level for one in self.watch.findings.values()}
