"""Checks of responses in HTML: every operation, by the Accept header and by the parameter `format`."""

from __future__ import annotations

from typing import Any

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.expectations import every
from mockserver.conformance.expectations import header as has_header
from mockserver.conformance.expectations import status as has_status
from mockserver.conformance.guard import BOTS, CALENDARS, EVENTS
from mockserver.conformance.list_pages import rows_in
from mockserver.conformance.recorded_cases.bench import NOBODY, Bench, header

_HTML = header("Accept", "text/html")
_TOLD = ("html-answer", "content-type")
"""What is wrong with one response in HTML is wrong with others."""
_TYPE = "text/html; charset=utf-8"


@check("html-answer", context=Bench, cost=3)
def pages(bench: Bench) -> Steps:
    """What is read, what is not there, and what is asked for wrongly."""
    places = (
        (EVENTS, 200),
        (CALENDARS, 200),
        ("", 200),
        (NOBODY, 404),
        (f"{EVENTS}?ordering=bad", 400),
        (f"{CALENDARS}?cursor=bad", 404),
        (BOTS, 200),
        (f"{BOTS}/bot_0000000000000000", 404),
    )
    for place, code in places:
        path = place or bench.calendar
        status = 404 if path == NOBODY else code
        mark = "&" if "?" in path else "?"
        _ask(bench, "GET", path, status, "Accept", headers=_HTML)
        _ask(bench, "GET", f"{path}{mark}format=api", status, "format")
        yield
    _ask(bench, "GET", CALENDARS, 401, "Accept", headers=_HTML, key=None)


@check("html-answer", context=Bench, cost=5, needs=("write",))
def changes(bench: Bench) -> Steps:
    """A calendar that is created, changed and deleted by somebody who asks for HTML."""
    if not bench.writes:
        return
    _ask(bench, "PATCH", bench.ours, 200, "Accept", headers=_HTML, json={})
    _ask(bench, "PATCH", bench.ours, 400, "Accept", headers=_HTML, json={"metadata": None})
    yield
    # Without a deduplication key: a replay that creates it twice, and sees no id to delete, is not refused.
    made = bench.fields()
    _ask(bench, "POST", CALENDARS, 201, "Accept", headers=_HTML, json=made)
    refused = bench.fields(platform="outlook")
    _ask(bench, "POST", CALENDARS, 400, "Accept", headers=_HTML, json=refused)
    for calendar_id in [row["id"] for row in _rows(bench, made["metadata"])]:
        if calendar_id in getattr(bench.target, "created", ()):
            bench.target.send("DELETE", f"{CALENDARS}/{calendar_id}", headers=_HTML)


def _rows(bench: Bench, metadata: dict[str, str]) -> list[dict[str, Any]]:
    """The new calendars with these metadata: a response in HTML shows no id. The run may delete what has its mark."""
    return [row for row in rows_in(bench.get(CALENDARS)) if row.get("metadata") == metadata]


def _ask(bench: Bench, method: str, path: str, status: int, field: str, **more: Any) -> None:
    operation = bench.answers.place(method, path).operation
    if bench.is_broken(*_TOLD):
        return
    exchange = bench.target.send(method, path, **more)
    bench.took(exchange)
    if exchange.status == 429 or bench.is_told(exchange, right_status=exchange.status == status):
        return
    wanted = every(has_status(status), has_header("Content-Type", _TYPE))
    bench.check("html-answer", wanted, operation=operation, field=field, exchanges=[*bench.origins(exchange), exchange])


CHECKS = (pages, changes)
