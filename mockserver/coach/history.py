"""A journal's entries as the coach reads them: calls of the API and deliveries of webhooks, in their order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

Entry: TypeAlias = Mapping[str, Any]
"""An entry as /__mock__/requests and Journals.find give it."""

LISTS: Final = ("listCalendars", "listCalendarEvents", "listBots")
_NEXT: Final = re.compile(r'"next": ?(null|"(?:[^"\\]|\\.)*")')
_RESULTS: Final = re.compile(r'"results": ?\[')


@dataclass(frozen=True)
class ApiCall:
    """One request to the API and its response."""

    entry: Entry = field(repr=False)
    number: int
    time: datetime
    """On the project's clock, when the response was sent."""

    @property
    def operation(self) -> str | None:
        """The operationId."""
        operation: str | None = self.entry["operation"]
        return operation

    @property
    def status(self) -> int:
        """The status; 0 where the connection ended without a response."""
        return self.entry["status"] or 0

    @property
    def begun(self) -> datetime:
        """When the request had arrived."""
        return self.time - timedelta(seconds=self.entry["seconds"])

    @cached_property
    def params(self) -> dict[str, str]:
        """The query's parameters; of one that is repeated the last, which is the one that counts."""
        return dict(parse_qsl(self.entry["query"], keep_blank_values=True))

    @property
    def filters(self) -> dict[str, str]:
        """The query's parameters without the cursor."""
        return {name: value for name, value in self.params.items() if name != "cursor"}

    @property
    def object_id(self) -> str:
        """The last piece of the path, where the operation is about one object."""
        return str(self.entry["path"]).rstrip("/").rpartition("/")[2]

    @cached_property
    def sent(self) -> Mapping[str, Any]:
        """The fields of the request's body, JSON or a form; empty where there are none."""
        request = self.entry["request"]
        found = request.get("json")
        if found is None and request["body"]:
            found = dict(parse_qsl(request["body"], keep_blank_values=True))
        return found if isinstance(found, dict) else {}

    @cached_property
    def answer(self) -> Mapping[str, Any]:
        """The response's object; empty where it is none, or where the journal has only its beginning."""
        found = self.entry["response"].get("json")
        return found if isinstance(found, dict) else {}

    @cached_property
    def next_params(self) -> dict[str, str] | None:
        """The parameters of the link to the next page; None on the last page."""
        link = self.answer.get("next")
        if not self.answer and (found := _NEXT.search(self.text)):
            link = json.loads(found[1])
        return dict(parse_qsl(urlsplit(link).query, keep_blank_values=True)) if isinstance(link, str) else None

    @cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of a page, as many as the journal has kept."""
        found = self.answer.get("results")
        if found is None and not self.answer:
            found = list(_first_rows(self.text))
        return [row for row in found or [] if isinstance(row, dict)]

    @property
    def cut(self) -> bool:
        """Whether the journal has only the beginning of the response."""
        return bool(self.entry["response"]["cut"])

    @property
    def text(self) -> str:
        """The response's body."""
        return self.entry["response"]["body"] or ""

    @property
    def signature(self) -> tuple[str, str, str, str]:
        """What is the same for a request and its repetition."""
        entry = self.entry
        return entry["method"], entry["path"], entry["query"], entry["request"]["body"] or ""

    def header(self, name: str) -> str | None:
        """A header of the response."""
        return next((value for given, value in self.entry["response"]["headers"] if given.lower() == name), None)


@dataclass(frozen=True)
class WebhookAttempt:
    """One attempt to deliver a webhook."""

    entry: Entry = field(repr=False)
    number: int
    time: datetime

    @property
    def trigger(self) -> str:
        """calendar.events_update or calendar.state_change."""
        return str(self.entry["trigger"])

    @property
    def calendar_id(self) -> str | None:
        """The calendar's id."""
        found: str | None = self.entry["calendar_id"]
        return found

    @property
    def accepted(self) -> bool:
        """Whether the receiver answered 2xx."""
        return 200 <= (self.entry["status"] or 0) < 300

    @property
    def begun(self) -> datetime:
        """When it was sent."""
        return self.time - timedelta(seconds=self.entry["seconds"])

    @property
    def data(self) -> Mapping[str, Any]:
        """The calendar's state in the body."""
        body = self.entry["request"].get("json")
        data = body.get("data") if isinstance(body, dict) else None
        return data if isinstance(data, dict) else {}


class History:
    """All calls and attempts of a journal."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """`entries` may come in any order; those that are no calls of the API are left out."""
        self.calls: list[ApiCall] = []
        self.attempts: list[WebhookAttempt] = []
        self.steps: list[ApiCall | WebhookAttempt] = []
        """Both in their order."""
        for entry in sorted(entries, key=lambda one: int(one["id"])):
            number, time = int(entry["id"]), datetime.fromisoformat(entry["time"])
            if entry["kind"] == "delivery":
                attempt = WebhookAttempt(entry, number, time)
                self.attempts.append(attempt)
                self.steps.append(attempt)
            else:
                call = ApiCall(entry, number, time)
                self.calls.append(call)
                self.steps.append(call)
        self.end = max((one.time for one in self.steps), default=None)

    def of(self, *operations: str) -> list[ApiCall]:
        """The calls of these operations."""
        return [call for call in self.calls if call.operation in operations and call.entry["method"] != "HEAD"]

    @cached_property
    def keys(self) -> dict[str, str]:
        """The id of each calendar whose deduplication key the journal shows, by this key."""
        found: dict[str, str] = {}
        for call in self.of("listCalendars", "getCalendar", "createCalendar", "updateCalendar"):
            for one in (call.answer, *call.rows):
                if isinstance(one.get("deduplication_key"), str) and isinstance(one.get("id"), str):
                    found[one["deduplication_key"]] = one["id"]
        return found

    def concerns(self, call: ApiCall, calendar_id: str | None) -> bool:
        """Whether the call reads this calendar or its events; a list without a filter reads those of all."""
        if call.operation == "getCalendar":
            return call.object_id == calendar_id
        asked = call.params.get("calendar_id")
        key = call.params.get("calendar_deduplication_key", call.params.get("deduplication_key"))
        if asked is None and key is not None:
            asked = self.keys.get(key)
        return asked in (None, calendar_id)


def _first_rows(text: str) -> Iterator[Any]:
    """The whole rows at the beginning of a page that was cut."""
    found = _RESULTS.search(text)
    if found is None:
        return
    decoder, at = json.JSONDecoder(), found.end()
    while at < len(text):
        try:
            row, at = decoder.raw_decode(text, at)
        except ValueError:
            return
        yield row
        while at < len(text) and text[at] in ", \n":
            at += 1
