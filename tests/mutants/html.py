"""Mutants that are wrong only where a client asks for HTML."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.api.request import App
from mockserver.app import Mock
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, LIST, ONE, Call, Reply, after, quietly

_HTML = "text/html; charset=utf-8"


def _html(change: Callable[[Call, Reply], None]) -> Callable[[Mock], App]:
    """Changes answers that are HTML."""

    def changed(call: Call, reply: Reply) -> None:
        if reply.headers.get("content-type") == _HTML:
            change(call, reply)

    return after(changed)


def _html_of_get_crashes(call: Call, reply: Reply) -> None:
    if call.is_on(ONE, methods="GET") and reply.status == 200:
        reply.status = 500


def _html_of_error_is_200(call: Call, reply: Reply) -> None:
    if reply.status == 404:
        reply.status = 200


def _html_of_patch_crashes(call: Call, reply: Reply) -> None:
    if call.is_on(ONE, methods="PATCH"):
        reply.status = 500


def _html_untyped(call: Call, reply: Reply) -> None:
    reply.headers["content-type"] = "text/html"


def _html_shows_secret(call: Call, reply: Reply) -> None:
    sent = call.json if call.is_on(LIST, methods="POST") else None
    if isinstance(sent, dict) and isinstance(sent.get("client_secret"), str):
        reply.body += f"<!-- {sent['client_secret']} -->".encode()


def _html_without_allow(call: Call, reply: Reply) -> None:
    if call.is_on(EVENTS):
        reply.headers.pop("allow", None)


def _no_format_api(call: Call) -> None:
    if call.is_on(EVENTS, methods="GET"):
        call.query = call.query.replace("format=api", "format=json")


MUTANTS: tuple[Mutant, ...] = (
    Mutant("html-of-calendar-crashes", "headers", "a calendar as HTML is a server error", _html(_html_of_get_crashes)),
    Mutant("html-of-404-answers-200", "headers", "a 404 as HTML answers 200", _html(_html_of_error_is_200)),
    Mutant(
        "html-of-patch-crashes",
        "headers",
        "a changed calendar as HTML is a server error",
        _html(_html_of_patch_crashes),
    ),
    Mutant("html-without-charset", "headers", "HTML has no charset", _html(_html_untyped)),
    Mutant(
        "html-shows-client-secret", "auth", "a new calendar as HTML shows its client_secret", _html(_html_shows_secret)
    ),
    Mutant("html-of-events-without-allow", "headers", "events as HTML have no Allow", _html(_html_without_allow)),
    Mutant("format-api-ignored", "headers", "format=api gives JSON for events", quietly(_no_format_api)),
)
