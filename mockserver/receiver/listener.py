"""Receives webhooks, verifies each signature, and answers or forwards them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import socketserver
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from mockserver.testing.signature import signature_header, signature_problem

_LONGEST_BODY: Final = 20_000_000
_MOST_KEYS: Final = 10_000
_MOST_READ: Final = 1_000_000
_PAUSE: Final = 60.0
"""Seconds after which a sender that sends nothing is cut off."""
_TIMEOUT: Final = 10.0
_NOT_FORWARDED: Final = frozenset({"host", "content-length", "connection", "transfer-encoding", "accept-encoding"})


class ForwardAnswer(NamedTuple):
    """What the endpoint answered to a webhook that was forwarded to it."""

    status: int | None
    seconds: float
    problem: str = ""
    body: bytes = b""
    content_type: str = "text/plain"


class ReceivedWebhook(NamedTuple):
    """A webhook that came in, and what was answered. Nothing in it is secret."""

    number: int
    trigger: str | None
    calendar_id: str | None
    state: str | None
    key: str | None
    times: int
    """How often this idempotency key has come, this time included."""
    size: int
    """Bytes of the body."""
    problem: str | None
    """What is wrong with the signature; None where it is right."""
    answered: int
    forwarded: ForwardAnswer | None = None

    def __str__(self) -> str:
        named = [
            self.trigger or "no trigger",
            self.calendar_id or "no calendar",
            self.state or "",
            self.key or "no key",
        ]
        parts = [f"#{self.number}", *(part for part in named if part)]
        if self.times > 1:
            parts.append(f"repeated, {self.times} times now")
        parts.append("signature ok" if self.problem is None else f"signature wrong because {self.problem}")
        if self.forwarded is not None:
            came = self.forwarded.problem or f"answered {self.forwarded.status} after {self.forwarded.seconds:.2f} s"
            parts.append(f"your endpoint: {came}")
        return "  ".join([*parts, f"answered {self.answered}"])

    def as_dict(self) -> dict[str, Any]:
        """The webhook as plain data."""
        shown = self._asdict() | {"signature": "ok" if self.problem is None else f"wrong because {self.problem}"}
        del shown["problem"]
        if self.forwarded is not None:
            kept = ("status", "seconds", "problem")
            shown["forwarded"] = {name: getattr(self.forwarded, name) or None for name in kept}
        return shown


class Listener:
    """A receiver of webhooks on a port of this machine."""

    def __init__(
        self,
        secret: str,
        *,
        answer: int | None = None,
        forward: str | None = None,
        heard: Callable[[ReceivedWebhook], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secret` is base64 text. `answer` is the status for every webhook.

        Without `answer`, the status is that of the endpoint at the URL `forward`, or else 200. `heard` is called with
        each webhook, one at a time. Raises ValueError for a secret or URL that is none.
        """
        signature_problem(b"{}", "x", secret)  # a wrong secret is found now, and not with the first webhook
        self._secret, self._answer, self._heard, self._clock = secret, answer, heard, clock
        self._forward = None if forward is None else _endpoint(forward)
        self._lock = threading.Lock()
        self._count = 0
        self._keys: OrderedDict[str, int] = OrderedDict()

    def serve(self, host: str, port: int) -> ListenerServer:
        """The server, bound to the address and not yet running; port 0 takes a free one. Raises OSError."""
        listener = self

        class Handler(_Handler):
            receive = listener.receive

        return ListenerServer(host, port, Handler)

    def receive(self, headers: Sequence[tuple[str, str]], body: bytes) -> ForwardAnswer:
        """Takes in a webhook; what it returns is the answer."""
        problem = signature_problem(body, signature_header(dict(headers)), self._secret)
        forwarded = None if self._forward is None else self._pass_on(self._forward, headers, body)
        status = self._answer
        if status is None:
            status = 200 if forwarded is None else forwarded.status or 502
        with self._lock:
            self._count += 1
            webhook = self._read(body, problem, status, forwarded)
            self._heard(webhook)
        if forwarded is None or self._answer is not None:
            return ForwardAnswer(status, 0.0)
        return forwarded._replace(status=status)

    def _read(self, body: bytes, problem: str | None, status: int, forwarded: ForwardAnswer | None) -> ReceivedWebhook:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        members = content if isinstance(content, dict) else {}
        data = members.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        key = _text(members.get("idempotency_key"))
        return ReceivedWebhook(
            self._count,
            _text(members.get("trigger")),
            _text(members.get("calendar_id")),
            _text(state),
            key,
            1 if key is None else self._times(key),
            len(body),
            problem,
            status,
            forwarded,
        )

    def _times(self, key: str) -> int:
        times = self._keys[key] = self._keys.pop(key, 0) + 1
        if len(self._keys) > _MOST_KEYS:
            self._keys.popitem(last=False)
        return times

    def _pass_on(self, url: _Url, headers: Sequence[tuple[str, str]], body: bytes) -> ForwardAnswer:
        """Sends the webhook to the endpoint, the same bytes with the same headers."""
        connect = http.client.HTTPSConnection if url.tls else http.client.HTTPConnection
        connection = connect(url.host, url.port, timeout=_TIMEOUT)
        started = self._clock()
        try:
            connection.putrequest("POST", url.target, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in _NOT_FORWARDED:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            # An endpoint may answer before it has read everything, and close: the answer is there nevertheless.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(body)
            answer = connection.getresponse()
            content, kind = answer.read(_MOST_READ), answer.getheader("Content-Type") or "text/plain"
            return ForwardAnswer(answer.status, self._clock() - started, "", content, kind)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            return ForwardAnswer(None, self._clock() - started, f"no answer ({reason.lower()})")
        finally:
            connection.close()


class _Url(NamedTuple):
    tls: bool
    host: str
    port: int | None
    target: str


def _endpoint(url: str) -> _Url:
    """Where a URL leads. Raises ValueError for what is no http or https URL."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is not the URL of an endpoint; write it as http://127.0.0.1:8080/webhook")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Url(parts.scheme == "https", parts.hostname, parts.port, target)


def _text(value: Any) -> str | None:
    """A short text in one printable line; what is no text is none."""
    if not isinstance(value, str):
        return None
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in value[:100])


class ListenerServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A bound HTTP server; `serve_forever` runs it and `shutdown` ends that."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        """Binds to the address. Raises OSError."""
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PAUSE
    receive: Callable[[Sequence[tuple[str, str]], bytes], ForwardAnswer]

    def do_POST(self) -> None:
        """Reads the webhook and answers it."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and int(length) <= _LONGEST_BODY):
            self.close_connection = True
            self._write(ForwardAnswer(413 if length.isdecimal() else 411, 0.0))
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return
        self._write(type(self).receive(self.headers.items(), body))

    def do_GET(self) -> None:
        """Answers that only POST is possible."""
        self._write(ForwardAnswer(405, 0.0, body=b"POST webhooks here.\n"), Allow="POST")

    def _write(self, answer: ForwardAnswer, **headers: str) -> None:
        self.send_response(answer.status or 502)
        for name, value in {
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Writes nothing: `heard` reports what came in."""
