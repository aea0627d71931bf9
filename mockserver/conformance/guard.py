"""What a run may send: everything else is refused before a byte of it leaves."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from mockserver.conformance.run import Forbidden

Reach: TypeAlias = Literal["in process", "loopback", "remote"]
CALENDARS: Final = "/api/v1/calendars"
EVENTS: Final = "/api/v1/calendar_events"
BOTS: Final = "/api/v1/bots"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WELL_FORMED = re.compile(r"cal_[a-z0-9]{16}", re.IGNORECASE)
_NOBODYS = re.compile(r"(?:cal|bot)_(.)\1{15}")
_IMPOSSIBLE = re.compile(r"conformance-no-such-[a-z0-9-]{1,40}")
_OVERRIDES = re.compile(r"(x-)?(http-)?method(-override)?|x-http-method(-override)?")
_REWRITES = frozenset({"x-original-url", "x-rewrite-url", "x-forwarded-uri", "x-original-uri", "x-forwarded-prefix"})
_FRAMING = frozenset({"content-length", "transfer-encoding", "upgrade", "expect", "connection", "trailer"})
_SECOND_REQUEST = re.compile(rb"\b[A-Za-z]{1,20} \S{0,2000} ?HTTP/\d")
_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1|[^.]+\.localhost")
_PRODUCTION = re.compile(r"(.*\.)?attendee\.dev\.?")


_ITEM = re.compile(rf"(?:{CALENDARS}/|{BOTS}/(?!.*/))(.*)", re.DOTALL)
"""The path of one calendar or bot: paths below a bot lead to what a bot does in its meeting."""
_AHEAD = 180 * 86_400
"""Seconds: a bot on somebody's deployment joins at the earliest this long after it was made, and is deleted before."""


class Limits(NamedTuple):
    """How far a run may go. `live` is a service that is not the judge's to break."""

    writes: bool
    live: bool


def is_loopback(url: str) -> bool:
    """Whether a URL leads no further than this machine."""
    return _LOOPBACK.fullmatch((urlsplit(url).hostname or "").lower()) is not None


def is_production(url: str) -> bool:
    """Whether a URL leads to the service itself."""
    return _PRODUCTION.fullmatch((urlsplit(url).hostname or "").lower()) is not None


def is_of_bots(path: str) -> bool:
    """Whether a path leads to bots."""
    plain = unquote(path.partition("?")[0])
    return plain == BOTS or plain.startswith(f"{BOTS}/")


def path_of(name: str) -> str:
    """The path of what a run made, by its id."""
    return f"{BOTS if name.startswith('bot_') else CALENDARS}/{quote(name, safe='')}"


def leads_elsewhere(name: str) -> bool:
    """Whether a header of this name could make a service take another method or path."""
    return name.strip().lower() in _REWRITES or _OVERRIDES.fullmatch(name.strip().lower()) is not None


class Guard:
    """Knows what the run made, and refuses whatever could change anything else."""

    def __init__(self, *, writes: bool, reach: Reach, now: Callable[[], float] = time.time) -> None:
        """`now` gives the seconds since 1970."""
        self.writes, self.reach, self._now = writes, reach, now
        self.created: set[str] = set()
        """Ids that this run made, those that are gone included."""
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def saw(self, ids: Iterable[str], at: float) -> None:
        """Notes ids that an answer showed, and when it was there."""
        with self._lock:
            for name in ids:
                self._seen.setdefault(name, at)

    def is_new(self, name: str, asked: float) -> bool:
        """Whether nobody had seen the id when it was asked for a new calendar: an old one is not ours to touch."""
        with self._lock:
            return self._seen.get(name, asked) >= asked

    def check(self, method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes | None = None) -> None:
        """Raises Forbidden for what the run may not send."""
        self._check_framing(method, path, headers, body or b"")
        methods = {method.upper(), *_overriding(path, headers, body or b"")}
        unsafe = methods - SAFE
        if not unsafe:
            return
        if not self.writes:
            raise Forbidden(f"{'/'.join(sorted(unsafe))} in a run that only reads")
        if any(name.lower() in _REWRITES for name, _ in headers):
            raise Forbidden("a change with a header that may lead it elsewhere")
        for name in sorted(unsafe):
            reason = self._refusal(name, path)
            if reason:
                raise Forbidden(f"{name} {path[:100]!a}: {reason}")
        if self.reach == "remote" and is_of_bots(path) and not methods <= {"DELETE"}:
            self._check_bot(method, body or b"")

    def check_raw(self, data: bytes) -> None:
        """Raises Forbidden for bytes in which any server could find a request that changes something."""
        if self.reach == "remote":
            raise Forbidden("broken requests are only for a target on this machine")
        if re.search(rb"delete|patch|put|post|method", data, re.IGNORECASE) or data.count(b"HTTP/") > 1:
            raise Forbidden("bytes that could be read as a change")

    def _check_framing(self, method: str, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        texts = [method, path, *(part for pair in headers for part in pair)]
        if any("\r" in text or "\n" in text for text in texts):
            raise Forbidden("a line end where it could start another request")
        if " " in method or not method or not path.startswith(("/", "*")):
            raise Forbidden("not a method and a path")
        framed = any(name.strip().lower() in _FRAMING or not name.strip() for name, _ in headers)
        if framed and (self.reach == "remote" or method.upper() not in SAFE or body):
            raise Forbidden("a header that changes where the request ends")
        if self.reach != "in process" and _SECOND_REQUEST.search(body):
            raise Forbidden("a body that could be read as another request")

    def _refusal(self, method: str, path: str) -> str | None:
        """Why a method that may change something must not go to the path; None if it may."""
        plain = unquote(path.partition("?")[0])
        if method == "POST" and plain in (CALENDARS, f"{CALENDARS}/", BOTS):
            return None
        item = _ITEM.fullmatch(plain)
        if item is not None:
            return self._refusal_of_item(item[1])
        if self.reach == "in process":
            return None if plain.startswith("/api/v1/") and not self._names_others(plain) else "not a path of the API"
        if self.reach == "remote":
            return "only calendars that this run made may be changed"
        return "a change to a whole collection" if method == "DELETE" or plain not in (CALENDARS, EVENTS) else None

    def _refusal_of_item(self, name: str) -> str | None:
        if name in self.created or _IMPOSSIBLE.fullmatch(name):
            return None
        if self.reach != "remote" and _NOBODYS.fullmatch(name) and name not in self._seen:
            return None
        return "not a calendar or bot that this run made"

    def _check_bot(self, method: str, body: bytes) -> None:
        """Raises Forbidden for a bot that could join a meeting before it is deleted, or one for somebody's event."""
        try:
            fields = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict) or fields.get("calendar_event_id"):
            raise Forbidden("a bot for somebody's event, or a body that may be read as one")
        if method.upper() != "PATCH" or "join_at" in fields:
            try:
                joins = datetime.fromisoformat(str(fields.get("join_at"))).timestamp()
            except (ValueError, OverflowError):
                joins = 0.0
            if joins < self._now() + _AHEAD:
                raise Forbidden("a bot that could join a meeting before it is deleted")

    def _names_others(self, text: str) -> bool:
        """Whether there is an id in the text that could be somebody's."""
        found = _WELL_FORMED.findall(unquote(text))
        return any(name not in self.created and not _NOBODYS.fullmatch(name) for name in found)


def _overriding(path: str, headers: Sequence[tuple[str, str]], body: bytes) -> set[str]:
    """Methods that a service could take instead of the one that is sent."""
    found = [value for name, value in headers if _OVERRIDES.fullmatch(name.strip().lower())]
    found += [value for name, value in parse_qsl(path.partition("?")[2]) if name.lower() in ("_method", "method")]
    found += [match.decode() for match in re.findall(rb"_method=([A-Za-z]+)", body)]
    return {value.strip().upper() for value in found if value.strip()}
