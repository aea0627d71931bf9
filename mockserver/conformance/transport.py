"""The only way out: sends what the guard lets through, within the budget, and keeps the book of what is made."""

from __future__ import annotations

import json as jsons
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from mockserver import __version__
from mockserver.conformance.budget import Budget
from mockserver.conformance.exchange import Exchange, Key, Request
from mockserver.conformance.guard import CALENDARS, SAFE, Guard, Reach
from mockserver.conformance.ledger import Intent, Ledger
from mockserver.conformance.masking import Masker
from mockserver.conformance.ownership import shows_what_was_asked
from mockserver.conformance.wires import Reply, Unanswered, Wire

TIMEOUT = 10.0
PATIENCE = 3.0
"""Seconds for an answer to what is no request."""
_IDS = re.compile(rb'"id"\s*:\s*"([^"\\]{1,200})"')


class Keys(NamedTuple):
    """API keys. `other` belongs to another project, `disabled` is no longer good."""

    main: str
    other: str | None = None
    disabled: str | None = None


class Transport:
    """A target; see run.Target. Made by HttpTarget and AsgiTarget."""

    def __init__(
        self,
        wire: Wire,
        keys: Keys,
        reach: Reach,
        budget: Budget,
        ledger: Ledger,
        *,
        writes: bool,
        parallel: bool,
    ) -> None:
        self.keys, self.writes, self.parallel, self.run_id = keys, writes, parallel, ledger.run
        self.other_key, self.disabled_key = keys.other is not None, keys.disabled is not None
        self.live = reach == "remote"
        self.host = wire.host
        self.takes_bytes = reach == "loopback" and wire.plain
        """Whether bytes that are no request can be sent, and may be."""
        self.timeout = TIMEOUT
        self.sent = 0
        self.budget, self.ledger, self.masker = budget, ledger, Masker()
        self.guard = Guard(writes=writes, reach=reach)
        self.guard.created.update(ledger.made)
        self._wire = wire
        self._tags = 0
        self._lock = threading.Lock()
        self._agent = [
            (b"User-Agent", f"attendee-conformance/{__version__} run/{self.run_id}".encode()),
            (b"X-Conformance-Run", self.run_id.encode()),
        ]
        for key in keys:
            self.masker.add(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of connections; what the run made is not taken away by this."""
        self._wire.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        key: Key = "main",
    ) -> Exchange:
        """Sends a request and gives the exchange. Raises Stopped and Forbidden."""
        request = _composed(method, path, json, body, headers, key)
        self.guard.check(method, path, request.headers, request.body)
        self.budget.admit(method)
        intent = self._intend(request)
        started, clock = time.time(), time.perf_counter()
        try:
            reply = self._wire.exchange(
                method,
                path.encode("utf-8", "surrogatepass"),
                self._headers(request),
                request.body or b"",
                self.timeout,
            )
            failure = None
        except Unanswered as reason:
            reply, failure = Reply(0, (), b""), str(reason)
        seconds = time.perf_counter() - clock
        with self._lock:
            self.sent += 1
            number = self.sent
        exchange = Exchange(
            number, request, reply.status, _joined(reply.headers), reply.body, started, seconds, failure
        )
        self._book(exchange, intent, clock)
        self._note(exchange)
        return exchange

    def send_bytes(self, data: bytes, *, cut: bool = False) -> Exchange:
        """Sends bytes that need not be a request, on a connection of their own; only to a target on this machine.

        `cut`: that nothing more comes is said at once. The method of the exchange's request is RAW, or CUT.
        """
        self.guard.check_raw(data)
        self.budget.admit("GET")
        started, clock = time.time(), time.perf_counter()
        try:
            reply, failure = self._wire.raw(data, PATIENCE, cut=cut), None
        except Unanswered as reason:
            reply, failure = Reply(0, (), b""), str(reason)
        with self._lock:
            self.sent += 1
            number = self.sent
        request = Request("CUT" if cut else "RAW", "/", (), data, None)
        seconds = time.perf_counter() - clock
        return Exchange(number, request, reply.status, _joined(reply.headers), reply.body, started, seconds, failure)

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Starts the calls at one moment, or one after the other where only that is allowed."""
        if not self.parallel or len(requests) < 2:
            return [request() for request in requests]
        return self._wire.together(requests)

    def tag(self) -> str:
        """A fresh text that carries the run's mark."""
        with self._lock:
            self._tags += 1
            return f"conformance-{self.run_id}-{self._tags}"

    def secret(self, kind: str) -> str:
        """A fresh secret, masked in every output."""
        return self.masker.secret(kind)

    def leaks(self, exchange: Exchange) -> list[str]:
        """The kinds of the known secrets that stand in an answer."""
        return self.masker.leaks(exchange)

    def mask(self, text: str) -> str:
        """The text without secrets."""
        return self.masker.mask(text)

    @property
    def created(self) -> frozenset[str]:
        """The ids that this run made."""
        return frozenset(self.guard.created)

    def adopt(self, name: str, key: Key) -> None:
        """Takes an id for ours, since what has it carries the run's mark."""
        self.ledger.found(name, key)
        self.guard.created.add(name)

    def resume(self, ledger: Ledger) -> None:
        """Goes on with the book of an earlier run of the same mark."""
        self.ledger = ledger
        self.guard.created.update(ledger.made)

    def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        given = [(_bytes(name), _bytes(value)) for name, value in request.headers]
        names = {name.lower() for name, _ in given}
        sent = [pair for pair in self._agent if pair[0].lower() not in names]
        if request.key is not None:
            sent.append((b"Authorization", b"Token " + _bytes(getattr(self.keys, request.key) or "")))
        if (request.body is not None or request.method in ("POST", "PUT", "PATCH")) and not names & {
            b"content-length",
            b"transfer-encoding",
        }:
            sent.append((b"Content-Length", str(len(request.body or b"")).encode()))
        return sent + given

    def _intend(self, request: Request) -> Intent | None:
        """Writes down that something may be made by this request, before it is sent."""
        if request.method.upper() in SAFE:
            return None
        plain = request.path.partition("?")[0]
        if request.method.upper() != "POST" and plain.startswith(f"{CALENDARS}/"):
            return None
        text = (request.body or b"").decode("utf-8", "replace")
        try:
            data = jsons.loads(text)
        except (ValueError, RecursionError):
            data = None
        name = data.get("deduplication_key") if isinstance(data, dict) else None
        return self.ledger.intend(request.key, name, marked=self.ledger.is_marked(text))

    def _book(self, exchange: Exchange, intent: Intent | None, clock: float) -> None:
        """Notes what was made, seen and taken away, before any rule looks at the answer."""
        request = exchange.request
        found = [name.decode("utf-8", "replace") for name in _IDS.findall(exchange.body)]
        if intent is not None:
            good = 200 <= exchange.status < 300
            new = [name for name in found if good and self.guard.is_new(name, clock)] if len(found) < 5 else []
            ours = new if self._is_ours(exchange) else []
            self.ledger.answered(intent, exchange.status, ours, [name for name in new if name not in ours])
            self.guard.created.update(ours)
        elif request.method.upper() == "DELETE" and (200 <= exchange.status < 300 or exchange.status == 404):
            self.ledger.took_away(request.path.partition("?")[0].rpartition("/")[2])
        self.guard.saw(found, time.perf_counter())

    def _is_ours(self, exchange: Exchange) -> bool:
        """Whether the answer to a creation shows what was just made, and not something older of somebody else's."""
        return not self.live or self.ledger.is_marked(exchange.text) or shows_what_was_asked(exchange)

    def _note(self, exchange: Exchange) -> None:
        request = exchange.request
        operation = f"{request.method} {re.sub('/calendars/.*', '/calendars/{id}', request.path.partition('?')[0])}"
        if not self.budget.note(request.method, operation, exchange.status, exchange.headers):
            self.budget.give_up(alive=self._is_alive())

    def _is_alive(self) -> bool:
        """Whether plain requests are answered, so that the failures are those of what was asked."""
        headers = [*self._agent, (b"Authorization", b"Token " + _bytes(self.keys.main))]
        for path in (b"/api/v1/calendars", b"/api/v1/calendar_events", b"/api/v1/calendars/cal_0000000000000000"):
            try:
                if self._wire.exchange("GET", path, headers, b"", self.timeout).status < 500:
                    return True
            except Unanswered:
                continue
        return False


def _composed(
    method: str,
    path: str,
    json: Any,
    body: bytes | None,
    headers: Mapping[str, str] | Sequence[tuple[str, str]],
    key: Key,
) -> Request:
    given = list(headers.items() if isinstance(headers, Mapping) else headers)
    names = {name.lower() for name, _ in given}
    if json is not None:
        body = _written(json) if body is None else body
        if "content-type" not in names:
            given.append(("Content-Type", "application/json"))
    return Request(method, path, tuple(given), body, None if "authorization" in names else key)


def _written(json: Any) -> bytes:
    try:
        return jsons.dumps(json, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return jsons.dumps(json).encode()


def _bytes(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _joined(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
