"""What a rule that compares answers claims of them, so that steps taken again are held against the claim itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.findings import Finding

Claims: TypeAlias = list[list[Any]]
_DEFAULTS: Final = {"/api/v1/calendars": "-created_at", "/api/v1/calendar_events": "-updated_at"}
_ROW = re.compile(r"(\w{4,})\b(.*)", re.DOTALL)


def claims_of(finding: Finding) -> Claims:
    """The claims, as `holding` reads them; [] where the rule is about one answer alone."""
    claim = _OF_RULE.get(finding.rule)
    if claim is None and finding.rule.startswith("filter-"):
        claim = _rows_of_filter
    if claim is None or (claim not in _OF_ONE and len(finding.exchanges) < 2):
        return []
    return claim(finding)


def _same_rows(finding: Finding) -> Claims:
    """The same list, or the same page, as it was read before."""
    *earlier, last = finding.exchanges
    paths = [exchange.request.path for exchange in reversed(earlier)]
    back = paths.index(last.request.path) if last.request.path in paths else 0
    return [["rows", "", "same", back + 1]]


def _same_fields(finding: Finding) -> Claims:
    return [["rows", finding.field, "same", 1]] if finding.field else _same_rows(finding)


def _as_written(finding: Finding) -> Claims:
    """A calendar is as the answer to the last request that wrote it said."""
    *earlier, last = finding.exchanges
    name = finding.field or finding.expected.partition(" ")[0]
    rows = {row["id"]: row for row in _documents(last)}
    for back, exchange in enumerate(reversed(earlier), 1):
        for written in _documents(exchange):
            row = rows.get(written["id"])
            if 200 <= exchange.status < 300 and row is not None and written.get(name) != row.get(name):
                return [["rows", name, "same", back]]
    return []


def _documents(exchange: Exchange) -> list[dict[str, Any]]:
    body = exchange.json if exchange.status < 300 else None
    found = body.get("results") if isinstance(body, dict) and isinstance(body.get("results"), list) else [body]
    return [one for one in found or [] if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _in_order(finding: Finding) -> Claims:
    asked = _ordering(finding.exchanges[-1])
    return [["rows", "", "sorted", asked]] if asked else []


def _ordering(exchange: Exchange) -> str | None:
    parts = urlsplit(exchange.request.path)
    return dict(parse_qsl(parts.query)).get("ordering") or _DEFAULTS.get(parts.path)


def _on_one_page(finding: Finding) -> Claims:
    """Each row on one page: a walk shows none twice, and shows the one that its first step shows to be there."""
    if " is twice" in finding.actual:
        return [["rows", "", "once", ""]]
    row = _ROW.match(finding.actual)
    if " is on no page" in finding.actual and row is not None and _shows(finding.exchanges[0], row[1]):
        page, onwards = finding.exchanges[-1].json, "cursor=" in finding.exchanges[-1].request.path
        ended = [name for name in ("next", "previous") if isinstance(page, dict) and page.get(name) is None]
        # Where the walk ended, a right service may go on instead; a row that is lost on the way is lost.
        end = ended[-1] if onwards and ended else "next" if ended else "walk"
        return [["rows", end, "shows", row[1]]]
    return []


def _rows_of_filter(finding: Finding) -> Claims:
    """A row that the filter does not leave is not shown, one that it leaves is."""
    row = _ROW.match(finding.actual)
    if row is None:
        return []
    if not row[2].startswith(" is not shown"):
        return _hidden(finding)
    asked = _ordering(finding.exchanges[-1])
    return [["rows", asked, "placed", row[1]]] if asked and _shows(finding.exchanges[0], row[1]) else []


def _winner(finding: Finding) -> Claims:
    """Of the creates at one moment one is taken, and the list after them shows one."""
    return [["statuses", "1", "statuses", [201, 400, 400, 400]], ["rows", "", "count", 1]]


def _deleted_once(finding: Finding) -> Claims:
    return [["statuses", "0", "statuses", [200, 404, 404]]]


def _deleted(finding: Finding) -> Claims:
    """Nothing that comes after the changes and the DELETE shows the calendar, if the DELETE was taken."""
    methods = [exchange.request.method for exchange in finding.exchanges]
    after = len(methods) - 1 - max(number for number, method in enumerate(methods) if method in ("PATCH", "DELETE"))
    return [["rows", str(after), "gone", len(methods) - 1 - methods.index("DELETE")]]


def _one_after_the_other(finding: Finding) -> Claims:
    """The metadata is what one of the changes sent, and each change has a time of its own."""
    changes = [exchange for exchange in finding.exchanges if exchange.request.method == "PATCH"]
    bodies = [json.loads(exchange.request.body or b"{}") for exchange in changes]
    sent = [body["metadata"] for body in bodies if "metadata" in body]
    return [
        ["answer", "metadata", "one of", json.dumps(sent)],
        ["answers", "updated_at", "distinct", len(changes)],
    ]


def _untouched(finding: Finding) -> Claims:
    """What was read before the stranger's request is there after it."""
    return [["rows", "metadata", "same", 2]] if finding.exchanges[-1].request.method == "GET" else []


def _linked(finding: Finding) -> Claims:
    """No link leads to the wrong host that one led to."""
    page = finding.exchanges[-1].json
    links = [page.get(name) for name in ("next", "previous")] if isinstance(page, dict) else []
    wrong = {f"{urlsplit(link).scheme}://{urlsplit(link).netloc}" for link in links if isinstance(link, str)}
    return [["links", "", "not on", sorted(wrong)]] if finding.field == "host" else []


def _upright(finding: Finding) -> Claims:
    statuses = [] if finding.field == "afterwards" else [0]
    refused = finding.expected.startswith("a status of 400")
    return [["status", "", "in", [*statuses, *range(400 if refused else 200, 500)]]]


def _throttled(finding: Finding) -> Claims:
    return [["answers", "retry-after", "throttled", ""]]


def _hidden(finding: Finding) -> Claims:
    row = _ROW.match(finding.actual)
    return [["rows", "", "hides", row[1]]] if row is not None and _shows(finding.exchanges[-1], row[1]) else []


def _shows(exchange: Exchange, row: str) -> bool:
    page = exchange.json
    rows = page.get("results") if isinstance(page, dict) else None
    return isinstance(rows, list) and any(isinstance(one, dict) and one.get("id") == row for one in rows)


_OF_RULE: Final[dict[str, Callable[[Finding], Claims]]] = {
    "list-repeats": _same_rows,
    "parameter-unknown": _same_rows,
    "cursor-spelt": _same_rows,
    "create-stored": _as_written,
    "patch-stored": _as_written,
    "refused-patch-nothing": _as_written,
    "stays-as-written": _as_written,
    "delete-others-stay": _as_written,
    "refused-create-nothing": _as_written,
    "list-fresh": _as_written,
    "patch-partial": _as_written,
    "links-kept": _linked,
    "walk-stable-insert": _same_rows,
    "walk-stable-delete": _same_rows,
    "race-walk": _same_rows,
    "race-one-winner": _winner,
    "race-one-delete": _deleted_once,
    "race-no-resurrection": _deleted,
    "race-no-lost-update": _one_after_the_other,
    "tenant-writes": _untouched,
    "retry-after": _throttled,
    "bytes-broken": _upright,
    "read-changes-nothing": _same_fields,
    "list-is-detail": _same_fields,
    "events-order": _in_order,
    "events-default-order": _in_order,
    "calendars-newest-first": _in_order,
    "page-none-lost": _on_one_page,
    "page-each-once": _on_one_page,
    "page-ties": _on_one_page,
    "page-back": _on_one_page,
    "page-back-ties": _on_one_page,
    "page-forth-again": _on_one_page,
    "order-same-set": _on_one_page,
    "tenant-lists": _hidden,
    "tenant-filters": _hidden,
    "tenant-cursor": _hidden,
    "cursor-position": _hidden,
}
_OF_ONE: Final = (_in_order, _rows_of_filter, _hidden, _linked, _throttled, _upright)
"""Claims that one answer can break."""
