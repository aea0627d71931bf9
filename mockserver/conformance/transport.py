"""The only way out of a run: each request goes through guard, budget and ledger, over HTTP or in process."""

from __future__ import annotations

import asyncio
import json as jsons
import re
import secrets as chance
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import httpx

from mockserver import __version__
from mockserver.conformance import guard
from mockserver.conformance.budget import Budget
from mockserver.conformance.exchange import Exchange, Key, Request
from mockserver.conformance.ledger import Ledger
from mockserver.conformance.masking import Masker
from mockserver.conformance.run import Stopped

TIMEOUT = 10.0
_ID = re.compile(r"cal_[A-Za-z0-9]{16}")
_MARK = "conf-"
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


class Keys(NamedTuple):
    """The API keys of a run: the project's, another project's, and one of the project's that was disabled."""

    main: str
    other: str | None = None
    disabled: str | None = None


class Reply(NamedTuple):
    """What came back; status 0 and a failure when nothing did."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    failure: str | None = None


class Transport:
    """Sends for a run. What it may send, and how much, is decided here and nowhere else."""

    parallel: bool

    def __init__(self, keys: Keys, limits: guard.Limits, budget: Budget, ledger: Ledger, *, parallel: bool) -> None:
        self.writes, self.live, self.parallel = limits.writes, limits.live, parallel
        self.other_key, self.disabled_key = keys.other is not None, keys.disabled is not None
        self.host: str | None = None
        self.limits, self.budget, self.ledger, self.masker = limits, budget, ledger, Masker()
        self._keys = keys
        self._number = 0
        self._lock = threading.Lock()
        for key in keys:
            if key:
                self.masker.add("key", key)

    @property
    def run_id(self) -> str:
        """What marks everything of this run."""
        return self.ledger.run

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return self._number

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
        """Sends a request. Raises Stopped and Forbidden; see Target."""
        pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        if json is not None:
            body = jsons.dumps(json, ensure_ascii=False).encode("utf-8", "surrogatepass")
            if not any(name.lower() == "content-type" for name, _ in pairs):
                pairs = (*pairs, ("Content-Type", "application/json"))
        request = Request(method, path, pairs, body, key)
        guard.check(method, path, self.ledger.created, self.limits)
        self.budget.take()
        return self._exchange(request)

    def clean(self, method: str, path: str) -> Exchange:
        """Sends what cleaning up needs: the budget does not count, the guard does."""
        guard.check(method, path, self.ledger.created, self.limits)
        return self._exchange(Request(method, path))

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Starts the calls at one moment, each from a thread of its own."""
        barrier = threading.Barrier(len(requests))

        def start(call: Callable[[], Exchange]) -> Exchange:
            barrier.wait(TIMEOUT)
            return call()

        with ThreadPoolExecutor(len(requests)) as pool:
            return [found.result() for found in [pool.submit(start, call) for call in requests]]

    def tag(self) -> str:
        """A fresh text that marks what this run makes."""
        return f"{_MARK}{self.run_id}-{chance.token_hex(4)}"

    def secret(self, kind: str) -> str:
        """A fresh secret, masked from now on."""
        value = f"sec{chance.token_urlsafe(18)}"
        self.masker.add(kind, value)
        return value

    def leaks(self, exchange: Exchange) -> list[str]:
        """The kinds of the secrets that stand in an answer and not in its own request's path."""
        return self.masker.leaks(exchange)

    def close(self) -> None:
        """Lets go of what the transport holds."""

    def _exchange(self, request: Request) -> Exchange:
        creates = request.method == "POST" and unquote(request.path.partition("?")[0]) == guard.CALENDARS
        sent = _document(request.body) if creates else {}
        intent = self.ledger.intend(_text(sent.get("deduplication_key"))) if creates else 0
        started, clock = time.time(), time.perf_counter()
        reply = self._perform(request, self._headers(request))
        seconds = time.perf_counter() - clock
        if creates:
            refused = 400 <= reply.status < 500
            self.ledger.made(intent, self._made(sent, reply), refused=refused)
        if request.method == "DELETE" and reply.status in (200, 204):
            gone = unquote(request.path.partition("?")[0]).rpartition("/")[2]
            if gone in self.ledger.created and request.key == "main":
                self._deleted(gone)
        with self._lock:
            self._number += 1
            number = self._number
        exchange = Exchange(number, request, reply.status, reply.headers, reply.body, started, seconds, reply.failure)
        self.budget.look(exchange, f"{request.method} {request.path[:24]}")
        return exchange

    def _deleted(self, calendar_id: str) -> None:
        """A DELETE was answered well; whether it is gone is for the clean-up to see."""

    def _made(self, sent: Mapping[str, Any], reply: Reply) -> str | None:
        """The id that a POST made, if its answer tells one and it is certainly ours."""
        answered = _document(reply.body) if 200 <= reply.status < 300 else {}
        found = _text(answered.get("id"))
        if found is None or not _ID.fullmatch(found):
            return None
        if not self.live or self.is_ours(answered) or _text(answered.get("client_id")) == _text(sent.get("client_id")):
            return found
        return None

    def is_ours(self, calendar: Mapping[str, Any]) -> bool:
        """Whether a calendar carries this run's mark."""
        mark = f"{_MARK}{self.run_id}"
        metadata = calendar.get("metadata")
        marks = [calendar.get("deduplication_key"), *(metadata.values() if isinstance(metadata, dict) else ())]
        return any(isinstance(text, str) and text.strip().startswith(mark) for text in marks)

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        named = {name.lower() for name, _ in request.headers}
        headers = (
            [] if "user-agent" in named else [("User-Agent", f"attendee-conformance/{__version__} run/{self.run_id}")]
        )
        headers.append(("X-Conformance-Run", self.run_id))
        if request.key is not None and "authorization" not in named:
            headers.append(("Authorization", f"Token {getattr(self._keys, request.key)}"))
        return [*headers, *request.headers]

    def _perform(self, request: Request, headers: list[tuple[str, str]]) -> Reply:
        raise NotImplementedError


class HttpTarget(Transport):
    """A deployment at a URL."""

    def __init__(self, url: str, *args: Any, **options: Any) -> None:
        """`url` is scheme and host, e.g. https://staging.example; the rest as for Transport."""
        super().__init__(*args, **options)
        self.url = url.rstrip("/")
        self.host = urlsplit(url).netloc
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _perform(self, request: Request, headers: list[tuple[str, str]]) -> Reply:
        raw = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
        # Given so, the target of the request is sent as it is written, percent escapes untouched.
        url = httpx.URL(self.url).copy_with(raw_path=request.path.encode("utf-8", "replace"))
        try:
            answer = self._client.request(request.method, url, headers=raw, content=request.body)
        except httpx.LocalProtocolError as error:
            raise Unsendable(str(error)) from error
        except httpx.HTTPError as error:
            return Reply(0, failure=f"{type(error).__name__}: {error}")
        return Reply(answer.status_code, dict(answer.headers), answer.content)


class Unsendable(Stopped):
    """The HTTP client refuses to send a request at all: a fault of the judge."""


class AsgiTarget(Transport):
    """An ASGI application in this process: the same, without a socket."""

    def __init__(self, app: App, *args: Any, **options: Any) -> None:
        """The rest as for Transport."""
        super().__init__(*args, **options)
        self.host = "127.0.0.1:8000"
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread of the application."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _perform(self, request: Request, headers: list[tuple[str, str]]) -> Reply:
        call = asyncio.run_coroutine_threadsafe(self._call(request, headers), self._loop)
        try:
            return call.result(TIMEOUT)
        except TimeoutError:
            call.cancel()
            return Reply(0, failure=f"no answer within {TIMEOUT:.0f} s")
        except Unanswered as error:
            return Reply(0, failure=str(error))

    async def _call(self, request: Request, headers: list[tuple[str, str]]) -> Reply:
        target, _, query = request.path.partition("?")
        raw = [(b"host", b"127.0.0.1:8000")] if not any(name.lower() == "host" for name, _ in headers) else []
        raw += [(n.lower().encode("latin-1"), v.encode("latin-1", "replace").strip()) for n, v in headers]
        if request.body is not None:
            raw.append((b"content-length", str(len(request.body)).encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(target),
            "raw_path": target.encode("utf-8", "replace"),
            "query_string": query.encode("utf-8", "replace"),
            "root_path": "",
            "headers": raw,
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
        }
        sent: list[Any] = []
        bodies = iter([{"type": "http.request", "body": request.body or b"", "more_body": False}])

        async def receive() -> Any:
            return next(bodies, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        if not sent:
            raise Unanswered("the application sent nothing")
        named: dict[str, str] = {}
        for name, value in sent[0]["headers"]:
            text = value.decode("latin-1")
            lower = name.decode("latin-1").lower()
            named[lower] = f"{named[lower]}, {text}" if lower in named else text
        return Reply(sent[0]["status"], named, b"".join(message.get("body", b"") for message in sent[1:]))


class Unanswered(Exception):
    """The application ended without an answer."""


def _document(body: bytes | None) -> dict[str, Any]:
    try:
        found = jsons.loads(body or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) else None
