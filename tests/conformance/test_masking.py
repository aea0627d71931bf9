"""Whatever a deployment answers, no secret of a run reaches an output, and that it was answered is a finding."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.conformance import check
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.masking import Masker
from mockserver.conformance.reports import FORMS, render
from mockserver.conformance.reports.folder import write_findings
from tests.clients import ACME, GLOBEX
from tests.mutants.table import DISABLED, new_mock

Message = dict[str, Any]
Leak = Callable[[Message, bytes, str], tuple[Message, bytes]]


def _header(write: Callable[[str], str]) -> Leak:
    def leak(start: Message, body: bytes, secret: str) -> tuple[Message, bytes]:
        return {**start, "headers": [*start["headers"], (b"x-debug", write(secret).encode())]}, body

    return leak


def _member(name: str, write: Callable[[str], Any]) -> Leak:
    def leak(start: Message, body: bytes, secret: str) -> tuple[Message, bytes]:
        document = json.loads(body) if body else None
        if not isinstance(document, dict):
            return start, body
        return _sized(start, json.dumps({**document, name: write(secret)}).encode())

    return leak


def _text(start: Message, body: bytes, secret: str) -> tuple[Message, bytes]:
    if start["status"] < 400:
        return start, body
    return _sized(start, b"<pre>settings: " + secret.encode() + b"</pre>" + body)


def _sized(start: Message, body: bytes) -> tuple[Message, bytes]:
    others = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    return {**start, "headers": [*others, (b"content-length", str(len(body)).encode())]}, body


def _coded(text: str) -> str:
    return base64.b64encode(f"x{text}".encode()).decode()


LEAKS: dict[str, Leak] = {
    "a header": _header(str),
    "a header in base64": _header(_coded),
    "a header in hexadecimal": _header(lambda text: text.encode().hex()),
    "a member": _member("client_secret", str),
    "the metadata": _member("metadata", lambda text: {"k": text}),
    "the name of a member": _member("metadata", lambda text: {text: "v"}),
    "a link": _member("next", lambda text: f"http://127.0.0.1:8000/api/v1/calendars?cursor={quote(text, safe='')}"),
    "an error": _member("detail", lambda text: f"cannot refresh {text!r}"),
    "a page of text": _text,
}


def leaking(inner: App, leak: Leak, secrets: list[str], kind: str) -> App:
    """The application, which answers every request with the last secret of a kind that it was sent."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        last: list[str] = []
        for name, value in scope["headers"]:
            if name == b"authorization" and (words := value.decode("latin-1").split()[1:]):
                secrets.append(words[0])
                last += words[:1] if kind == "key" else []

        async def noted() -> Any:
            message = await receive()
            try:
                fields = json.loads(message.get("body") or b"{}")
            except (ValueError, RecursionError):
                fields = {}
            given = fields.get(kind) if isinstance(fields, dict) else None
            if isinstance(given, str) and len(given) > 12:
                secrets.append(given)
                last.append(given)
            return message

        held: list[Any] = []

        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            start, body = held[0], message.get("body", b"")
            if last and last[-1] in KNOWN or (last and kind != "key"):
                start, body = leak(start, body, last[-1])
            await send(start)
            await send({**message, "body": body})

        await inner(scope, noted, changed)

    return app


KNOWN = (ACME, GLOBEX, DISABLED)
FEW, MANY = 200, 1000
"""How many requests a run sends."""


@pytest.mark.parametrize("most", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["key", "client_secret", "refresh_token"])
def test_secrets_that_are_answered_in_every_place_are_in_no_output(kind: str, most: int, tmp_path: Path) -> None:
    secrets: list[str] = []
    places = cycle(LEAKS.values())

    def anywhere(start: Message, body: bytes, secret: str) -> tuple[Message, bytes]:
        return next(places)(start, body, secret) if start["status"] >= 400 or body else (start, body)

    app = leaking(new_mock().asgi, anywhere, secrets, kind)
    report = check(app, key=ACME, other_key=GLOBEX, disabled_key=DISABLED, seed=1, max_requests=most, time_budget=None)
    assert "secrets-not-echoed" in {finding.rule for finding in report.findings}
    outputs = [render(report, form) for form in FORMS]
    outputs += [path.read_text("utf-8") for path in write_findings(report, tmp_path)]
    assert len(outputs) > len(FORMS)
    everything = "\n".join(outputs)
    for secret in {*secrets, *KNOWN}:
        if len(secret) > 12 and secret.isprintable():
            assert secret not in everything
            assert _coded(secret)[2:-4] not in everything
            assert secret.encode().hex() not in everything


@pytest.mark.parametrize("kind", ["key", "client_secret", "refresh_token"])
@pytest.mark.parametrize("place", LEAKS)
def test_a_secret_is_seen_wherever_it_is_answered(place: str, kind: str) -> None:
    masker = Masker()
    masker.add(ACME)
    secret = ACME if kind == "key" else masker.secret(kind)
    start, body = LEAKS[place]({"status": 400, "headers": []}, b'{"detail": "x"}', secret)
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    assert masker.leaks(Exchange(1, Request("GET", "/api/v1/calendars"), 400, headers, body)) == [kind]


def test_a_deduplication_key_stays_readable() -> None:
    masker = Masker()
    masker.add("the-key-of-the-project")
    text = json.dumps({"deduplication_key": "conformance-4711-12", "client_secret": masker.secret("client_secret")})
    assert masker.mask(text) == '{"deduplication_key": "conformance-4711-12", "client_secret": "<secret#1>"}'
    assert masker.mask("Token the-key-of-the-project") == "Token <key#1>"


def test_each_secret_keeps_its_alias_in_whatever_writing() -> None:
    masker = Masker()
    first, second = masker.secret("client_secret"), masker.secret("refresh_token")
    assert masker.mask(f"{second} {first} {quote(second, safe='')} {first.upper()}") == (
        "<secret#2> <secret#1> <secret#2> <secret#1>"
    )


def test_secrets_of_others_are_masked_where_they_are_known_by_their_looks() -> None:
    assert "GOCSPX-abcdefghijkl" not in Masker().mask('{"x": "GOCSPX-abcdefghijkl"}')


def test_what_was_sent_is_no_leak_unless_it_comes_back() -> None:
    masker = Masker()
    masker.add("the-key-of-the-project")
    request = Request("GET", "/api/v1/calendars")
    assert masker.leaks(Exchange(1, request, 200, {"vary": "Accept"}, b'{"results": []}')) == []
    assert masker.leaks(Exchange(1, request, 200, {"x-key": "The-Key-Of-The-Project"}, b"")) == ["key"]
