"""Refused requests that would change something if they were not refused: each kind, with each method that writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mockserver.conformance.calendar_bodies import VOLATILE, marked
from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import MISSING_KEY, Bench, Case, header
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import every, no_row, same_document, status, where
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.list_pages import is_page

_JSON = ("Content-Type", "application/json")
_NOTHING_STORED = "refusal-stores-nothing"


class Refusal(NamedTuple):
    """A way to be refused before the body counts: the rule that says so, and what is told."""

    rule: str
    field: str
    status: int
    told: Any
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    key: Key = "main"


_NOT_TAKEN = {"detail": "Could not satisfy the request Accept header."}
_BAD_FORM = {"detail": "Invalid Authorization header. Should have this format: Token <api_key>"}
_BAD_KEY = {"detail": "Invalid or disabled API key"}
_REFUSALS = (
    Refusal("format-parameter", "format", 404, {"detail": "Not found."}, query="?format=yaml"),
    Refusal("accept-refused", "Accept", 406, _NOT_TAKEN, (("Accept", "application/xml"),)),
    Refusal("key-required", "Authorization", 401, MISSING_KEY, key=None),
    Refusal("key-known", "Authorization", 401, _BAD_KEY, header("Authorization", "Token conformance"), key=None),
    Refusal("key-form", "Authorization", 401, _BAD_FORM, header("Authorization", "Bearer conformance"), key=None),
    Refusal("key-disabled", "Authorization", 401, _BAD_KEY, key="disabled"),
    Refusal("accept-first", "Accept", 406, _NOT_TAKEN, (("Accept", "text/plain"),), key=None),
)
_WITH_BODY = (
    Refusal(
        "body-type-refused",
        "Content-Type",
        415,
        {"detail": 'Unsupported media type "text/plain" in request.'},
        (("Content-Type", "text/plain"),),
    ),
    Refusal("body-type-refused", "Content-Type", 415, {"detail": 'Unsupported media type "" in request.'}),
)


def _possible(bench: Bench) -> Iterator[Refusal]:
    for one in _REFUSALS:
        if one.key != "disabled" or (bench.target.disabled_key and not bench.is_broken("key-known")):
            yield one


@check(_NOTHING_STORED, context=Bench, cost=3, needs=("write",), apart=True)
def refused_writes(bench: Bench) -> Steps:
    """A good change, deletion and creation, each refused for something else, and read back."""
    for number, refusal in enumerate(_possible(bench)):
        _refused_delete(bench, refusal)
        if number == 0:
            yield
        _refused_update(bench, refusal)
        yield
        _refused_create(bench, refusal)
        yield
    for refusal in _WITH_BODY:
        _refused_update(bench, refusal)
        _refused_create(bench, refusal)
        yield


def _case(refusal: Refusal, operation: str, method: str, path: str) -> Case:
    """The request of a refusal; its headers name the type of the body where it has one that is taken."""
    headers = refusal.headers
    if method != "DELETE" and refusal.field != "Content-Type":
        headers = (*headers, _JSON)
    case = Case(refusal.rule, operation, refusal.field, method, path + refusal.query, refusal.status, refusal.told)
    return case._replace(headers=headers, key=refusal.key)


def _refused_delete(bench: Bench, refusal: Refusal) -> None:
    made = bench.create()
    if made is None:
        return
    path = f"{CALENDARS}/{made.json['id']}"
    refused = bench.ask(_case(refusal, "deleteCalendar", "DELETE", path), [made])
    _unchanged(bench, "deleteCalendar", [made], made, refused, bench.get(path))


def _refused_update(bench: Bench, refusal: Refusal) -> None:
    made = bench.create()
    if made is None:
        return
    path = f"{CALENDARS}/{made.json['id']}"
    # The first sync comes right after the creation, and may move what a change would move.
    before = bench.get(path)
    if before.status == 200:
        body = _written(marked(bench.target.tag()))
        refused = bench.ask(_case(refusal, "updateCalendar", "PATCH", path)._replace(raw=body), [made])
        _unchanged(bench, "updateCalendar", [made, before], before, refused, bench.get(path))


def _unchanged(
    bench: Bench, operation: str, story: Sequence[Exchange], before: Exchange, refused: Exchange, after: Exchange
) -> None:
    """A sync may move its own fields meanwhile; nothing else is another."""
    if refused.status < 400 or after.status not in (200, 404):
        return
    same = every(status(200), same_document(before, synced=VOLATILE, both=True))
    unchanged = where(status((400, 499), of=refused), same)
    bench.check(_NOTHING_STORED, unchanged, operation=operation, exchanges=[*story, refused, after])


def _refused_create(bench: Bench, refusal: Refusal) -> None:
    key = bench.target.tag()
    body = _written(bench.fields(deduplication_key=key))
    refused = bench.ask(_case(refusal, "createCalendar", "POST", CALENDARS)._replace(raw=body))
    if bench.took(refused) or refused.status < 400 or refused.status == 429:
        return
    listed = bench.get(f"{CALENDARS}?deduplication_key={key}")
    if is_page(listed):
        nothing = where(status((400, 499), of=refused), no_row({"deduplication_key": key}))
        bench.check(_NOTHING_STORED, nothing, operation="createCalendar", exchanges=[refused, listed])


def _written(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()
