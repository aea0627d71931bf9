"""Entries of a journal, written by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

START = datetime(2027, 1, 15, 8, tzinfo=UTC)
OPERATIONS = {
    ("GET", "calendar_events"): "listCalendarEvents",
    ("GET", "calendars"): "listCalendars",
    ("POST", "calendars"): "createCalendar",
    ("GET", "calendars/"): "getCalendar",
    ("PATCH", "calendars/"): "updateCalendar",
    ("POST", "bots"): "createBot",
    ("DELETE", "bots/"): "deleteBot",
}


class Written:
    """A journal; times are seconds from its start."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def call(
        self,
        method: str,
        path: str,
        at: float,
        *,
        status: int = 200,
        sent: Any = None,
        answer: Any = None,
        headers: Any = (),
        cut: int = 0,
        **query: str,
    ) -> Written:
        """A request and its response; `cut` is how much of the response's body is kept."""
        kind = path.partition("/")[0] + ("/" if "/" in path else "")
        text = json.dumps(answer)
        response = {"headers": [list(pair) for pair in headers], "body": text[: cut or None], "cut": bool(cut)}
        if not cut:
            response["json"] = answer
        shown = {"method": method, "path": f"/api/v1/{path}", "query": urlencode(query), "status": status}
        request = {"headers": [], "body": sent and json.dumps(sent), "json": sent, "cut": False}
        return self._add(
            "exchange", at, operation=OPERATIONS[method, kind], request=request, response=response, **shown
        )

    def page(self, at: float, next_cursor: str | None, *rows: Any, cut: int = 0, **query: str) -> Written:
        """A page of events with a link to the next one."""
        rest = {name: value for name, value in query.items() if name != "cursor"}
        link = f"http://127.0.0.1/api/v1/calendar_events?{urlencode({'cursor': next_cursor, **rest})}"
        answer = {"next": link if next_cursor else None, "previous": None, "results": list(rows)}
        more: Any = {**query, "answer": answer, "cut": cut}
        return self.call("GET", "calendar_events", at, **more)

    def webhook(self, at: float, *, status: int = 200, key: str = "key", attempt: int = 1, **fields: Any) -> Written:
        """An attempt to deliver a webhook."""
        fields = {"trigger": "calendar.events_update", "calendar_id": "cal_a", **fields}
        body = {"data": {"state": fields.pop("state", "connected")}}
        request = {"json": body}
        return self._add("delivery", at, status=status, idempotency_key=key, attempt=attempt, request=request, **fields)

    def _add(self, kind: str, at: float, **fields: Any) -> Written:
        time = (START + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")
        self.entries.append({"id": len(self.entries) + 1, "kind": kind, "time": time, "seconds": 0.001, **fields})
        return self


def event(number: int, at: float = 0, **fields: Any) -> Any:
    """A row of a list of events; `at` is when it was updated."""
    updated = (START + timedelta(seconds=at)).isoformat()
    return {"id": f"evt_{number:08}", "calendar_id": "cal_a", "updated_at": updated, "is_deleted": False, **fields}
