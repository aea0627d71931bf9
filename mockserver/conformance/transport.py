"""The only way out: sends what the guard lets through, within the budget, and keeps the book of what is made."""

from __future__ import annotations

import json as jsons
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from mockserver import __version__
from mockserver.conformance.budget import Budget
from mockserver.conformance.connection import DIRECT, Connection
from mockserver.conformance.exchange import Exchange, Key, Request
from mockserver.conformance.guard import BOTS, CALENDARS, EVENTS, SAFE, Guard, Reach
from mockserver.conformance.ledger import Intent, Ledger
from mockserver.conformance.liveness import PATIENCE as PROBE_PATIENCE
from mockserver.conformance.liveness import PROBES, Liveness
from mockserver.conformance.masking import HEADER, Masker
from mockserver.conformance.ownership import client_id_in, date_of, shows_what_was_asked
from mockserver.conformance.run import Stopped
from mockserver.conformance.wires import Reply, Unanswered, Wire

_Outcome = TypeVar("_Outcome")
PATIENCE = 3.0
"""Seconds for an answer to what is no request."""
AT_ONCE = 8
"""So many requests, at most, are under way together; a small deployment has as many workers, or lets some wait."""
_FAR = 0.02
"""Seconds for an answer from which on requests are sent side by side: nearer targets gain nothing by it."""
_SURE = 5
"""After so many requests it is known how long an answer takes."""
_HINDERED = 2
"""So many requests without an answer beside others, which have one alone, show that the target takes one at a time."""
_A_MOMENT, _MANY_TIMES = 2.0, 20
"""So many seconds, or times the usual, may an answer beside others take."""
_LEAST = 0.05
"""Seconds that even the last request before the end of the time box gets."""
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
        connection: Connection = DIRECT,
    ) -> None:
        """The headers of the `connection` go with every request that has none of that name."""
        self.keys, self.writes, self.parallel, self.run_id = keys, writes, parallel, ledger.run
        self.other_key, self.disabled_key = keys.other is not None, keys.disabled is not None
        self.live = reach == "remote"
        self.host = wire.host
        self.takes_bytes = reach == "loopback" and wire.plain and not (wire.base or connection.headers)
        """Whether bytes that are no request can be sent, and may be."""
        self.timeout = connection.timeout
        self.further_headers = bool(connection.headers)
        """Whether every request carries headers for a gateway."""
        self.sent = 0
        self.spent = 0.0
        """Seconds that all exchanges took together."""
        self.rate: float | None = None
        """The most requests a second that the run may send."""
        self.hindered = 0
        """How many requests were answered alone, and not beside others: some servers take one connection at a time."""
        self.notes: list[str] = []
        """What a report has to say of the run besides its findings."""
        self.liveness = Liveness(self._probed)
        self._watched = reach != "in process"
        self.budget, self.ledger, self.masker = budget, ledger, Masker()
        self.guard = Guard(writes=writes, reach=reach)
        self.guard.created.update(ledger.made)
        self._wire = wire
        self._beside = False
        self._tags = 0
        self._lock = threading.Lock()
        self._agent = [
            (b"User-Agent", f"attendee-conformance/{__version__} run/{self.run_id}".encode()),
            (b"X-Conformance-Run", self.run_id.encode()),
            *((_bytes(name), _bytes(value)) for name, value in connection.headers),
        ]
        for key in keys:
            self.masker.add(key)
        for secret in connection.secrets():
            if secret not in ledger.url:
                self.masker.add(secret, HEADER)

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
        request = _composed(method, self._below_base(path), json, body, headers, key)
        self.guard.check(method, request.path, request.headers, request.body)
        self.budget.admit(method)
        intent = self._intend(request)
        timeout = min(self._patience(), max(self.budget.left(), _LEAST))
        started, clock = time.time(), time.perf_counter()
        try:
            reply = self._wire.exchange(
                method,
                request.path.encode("utf-8", "surrogatepass"),
                self._headers(request),
                request.body or b"",
                timeout,
            )
            failure = None
        except Unanswered as reason:
            reply, failure = Reply(0, (), b""), str(reason)
        seconds = time.perf_counter() - clock
        with self._lock:
            self.sent += 1
            # What gets no answer beside others says nothing of how long an answer takes.
            self.spent += 0.0 if self._beside and failure is not None else seconds
            number = self.sent
        exchange = Exchange(
            number, request, reply.status, _joined(reply.headers), reply.body, started, seconds, failure
        )
        self._book(exchange, intent, clock)
        if self._beside and failure is not None:
            return exchange
        self._note(exchange)
        if failure is not None and timeout < self.timeout and seconds >= timeout:
            # The end of the time box cut the request short, which is nobody's fault.
            raise Stopped("the time budget ran out (raise --time-budget)")
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

    def together(self, requests: Sequence[Callable[[], _Outcome]]) -> list[_Outcome]:
        """Starts the calls at one moment, or one after the other where only that is allowed."""
        if not self.parallel or len(requests) < 2:
            return [request() for request in requests]
        return self._wire.together(requests)

    def beside(self, requests: Sequence[Callable[[], _Outcome]]) -> list[_Outcome]:
        """As `together`, for requests that need not be; whoever gets no answer asks again, so nothing follows from it.

        It waits less long: some servers take no second connection before the first one is closed.
        """
        self._beside = True
        try:
            return self.together(requests)
        finally:
            self._beside = False

    def _patience(self) -> float:
        """Seconds for an answer."""
        if not self._beside:
            return self.timeout
        return min(self.timeout, max(_A_MOMENT, _MANY_TIMES * self.spent / max(self.sent, 1)))

    @property
    def is_far(self) -> bool:
        """Whether a run waits for answers most of its time."""
        return self.sent >= _SURE and self.spent / self.sent >= _FAR

    @property
    def at_once(self) -> int:
        """How many requests may be under way together, as far as something is gained by it."""
        able = self.parallel and self.rate is None and self.hindered < _HINDERED
        return AT_ONCE if able and self.is_far else 1

    def tag(self) -> str:
        """A fresh text that carries the run's mark; all are of one length, so that none is the beginning of another."""
        with self._lock:
            self._tags += 1
            return f"conformance-{self.run_id}-{self._tags:06}"

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
        if request.method.upper() != "POST" and plain.startswith((f"{CALENDARS}/", f"{BOTS}/")):
            return None
        text = (request.body or b"").decode("utf-8", "replace")
        try:
            data = jsons.loads(text)
        except (ValueError, RecursionError):
            data = None
        name = data.get("deduplication_key") if isinstance(data, dict) else None
        marked = self.ledger.is_marked(text)
        return self.ledger.intend(request.key, name, marked=marked, client_id="" if marked else client_id_in(text))

    def _book(self, exchange: Exchange, intent: Intent | None, clock: float) -> None:
        """Notes what was made, seen and taken away, before any rule looks at the answer."""
        request = exchange.request
        found = [name.decode("utf-8", "replace") for name in _IDS.findall(exchange.body)]
        if intent is not None:
            good = 200 <= exchange.status < 300
            new = [name for name in found if good and self.guard.is_new(name, clock)] if len(found) < 5 else []
            ours = new if self._is_ours(exchange) else []
            doubtful = [name for name in new if name not in ours]
            self.ledger.answered(intent, exchange.status, ours, doubtful, skew=_skew(exchange))
            self.guard.created.update(ours)
        elif request.method.upper() == "DELETE" and (200 <= exchange.status < 300 or exchange.status == 404):
            self.ledger.took_away(_named_in(request))
        elif request.method == "GET" and exchange.status == 404:
            self.ledger.not_found(_named_in(request), request.key)
        self.guard.saw(found, time.perf_counter())

    def _is_ours(self, exchange: Exchange) -> bool:
        """Whether the answer to a creation shows what was just made, and not something older of somebody else's."""
        return not self.live or self.ledger.is_marked(exchange.text) or shows_what_was_asked(exchange)

    @property
    def died(self) -> str:
        """How the target stopped answering, in one sentence; empty while it answers."""
        return self.liveness.died

    def _below_base(self, path: str) -> str:
        """The path from /api/v1 on: links of pages have the path of the deployment's URL before it."""
        base = self._wire.base
        return path.removeprefix(base) if base and path.startswith(f"{base}/api/") else path

    def _note(self, exchange: Exchange) -> None:
        request = exchange.request
        if self._watched and not self.liveness.note(exchange):
            self.budget.stop(self.died)
            raise Stopped(self.died)
        operation = f"{request.method} {re.sub('/calendars/.*', '/calendars/{id}', request.path.partition('?')[0])}"
        if not self.budget.note(request.method, operation, exchange.status, exchange.headers):
            self.budget.give_up(alive=self._is_alive())

    def _is_alive(self) -> bool:
        """Whether plain requests are answered, so that the failures are those of what was asked."""
        return any(0 < self._probed(path, PROBE_PATIENCE) < 500 for path in (*PROBES, EVENTS))

    def _probed(self, path: str, patience: float) -> int:
        """The status of a plain GET, 0 for no answer; it counts for no budget and no rule."""
        headers = [*self._agent, (b"Authorization", b"Token " + _bytes(self.keys.main))]
        try:
            timeout = min(self.timeout, patience)
            return self._wire.exchange("GET", path.encode(), headers, b"", timeout).status
        except Unanswered:
            return 0


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


def _named_in(request: Request) -> str:
    """The last part of the path, which is the id where a path has one."""
    return request.path.partition("?")[0].rpartition("/")[2]


def _skew(exchange: Exchange) -> float:
    """Seconds by which the target's clock is ahead of ours, as the Date of an answer has it."""
    date = date_of(exchange)
    return 0.0 if date is None else date - exchange.started - exchange.seconds


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
