"""One method for each operationId of openapi.yaml: calls a domain service and makes a response of the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs, urlencode

from mockserver.api import errors
from mockserver.api.rendered_records import RecordRenderer
from mockserver.api.response import RenderedPage, RenderedRecords, Response
from mockserver.domain import timestamps
from mockserver.domain.calendar_service import CalendarChanges, CalendarService, NewCalendar
from mockserver.domain.model import Micros
from mockserver.domain.pagination import Cursor, Page, decode
from mockserver.domain.queries import EventQuery
from mockserver.domain.store import EventTime, Project

ORDERINGS = (
    "-updated_at",
    "updated_at",
    "start_time",
    "-start_time",
    "end_time",
    "-end_time",
    "created_at",
    "-created_at",
)
_MORNING = "2025-01-13T10:30:00Z"
_EVENING = "2025-01-13T18:00:00Z"


class Request(NamedTuple):
    """What a handler is given."""

    project: Project
    object_id: str
    """The path's parameter; empty where the path has none."""
    query: Mapping[str, str]
    """The query's parameters, the last of repeated ones."""
    url: str
    """The absolute URL that was asked, without its query."""
    query_string: str
    fields: Mapping[str, Any]
    """The body's fields after validation."""


class Handlers:
    """The operations of the contract."""

    def __init__(self, service: CalendarService, renderer: RecordRenderer) -> None:
        self._service = service
        self._renderer = renderer

    def list_calendars(self, request: Request) -> Response:
        """GET /api/v1/calendars"""
        key = filter_of(request.query, "deduplication_key")
        cursor = cursor_of(request)
        page = self._service.list_calendars(request.project, cursor, key)
        return page_response(request, page, self._renderer.calendars(page.rows))

    def create_calendar(self, request: Request) -> Response:
        """POST /api/v1/calendars"""
        fields = cast(NewCalendar, request.fields)
        return Response(201, self._renderer.calendar(self._service.create_calendar(request.project, fields)))

    def get_calendar(self, request: Request) -> Response:
        """GET /api/v1/calendars/{object_id}"""
        return Response(200, self._renderer.calendar(self._service.get_calendar(request.project, request.object_id)))

    def update_calendar(self, request: Request) -> Response:
        """PATCH /api/v1/calendars/{object_id}"""
        changes = cast(CalendarChanges, request.fields)
        calendar = self._service.update_calendar(request.project, request.object_id, changes)
        return Response(200, self._renderer.calendar(calendar))

    def delete_calendar(self, request: Request) -> Response:
        """DELETE /api/v1/calendars/{object_id}"""
        self._service.delete_calendar(request.project, request.object_id)
        return Response(200, None)

    def list_calendar_events(self, request: Request) -> Response:
        """GET /api/v1/calendar_events; the error is about the first bad parameter in this order."""
        # Empty, it falls back to its old name; errors of either name the new (list-events-updated-after).
        updated = request.query.get("updated_at_gte") or request.query.get("updated_after")
        ordering = request.query.get("ordering", "-updated_at")
        query = EventQuery(
            updated_at_gte=time_of(updated, "updated_at_gte", _MORNING),
            start_time_gte=time_of(request.query.get("start_time_gte"), "start_time_gte", _MORNING),
            end_time_lte=time_of(request.query.get("end_time_lte"), "end_time_lte", _EVENING),
            order=_order(ordering),
            ascending=not ordering.startswith("-"),
        )
        cursor = cursor_of(request)
        query = query._replace(
            event_id=filter_of(request.query, "event_id"),
            calendar_id=filter_of(request.query, "calendar_id"),
            calendar_deduplication_key=filter_of(request.query, "calendar_deduplication_key"),
        )
        page = self._service.list_events(request.project, query, cursor)
        return page_response(request, page, self._renderer.events(page.rows))


def filter_of(query: Mapping[str, str], name: str) -> str | None:
    """A filter that is a text; None where it is not given.

    Raises ApiError with status 400 for a NUL.
    """
    value = query.get(name)
    if value is not None and "\0" in value:
        raise errors.nul_in(name)
    return value


def time_of(text: str | None, name: str, example: str) -> Micros | None:
    """A filter that is a time; None for none.

    Raises ApiError with status 400, with the `example` in it.
    """
    if text is None:
        return None
    instant = timestamps.parse(text)
    if instant is None:
        raise errors.bad_filter(name, example)
    return instant


def _order(ordering: str) -> EventTime:
    if ordering not in ORDERINGS:
        raise errors.bad_ordering(ORDERINGS)
    return cast(EventTime, ordering.removeprefix("-"))


def cursor_of(request: Request) -> Cursor:
    """The page that is asked for.

    Raises InvalidCursor.
    """
    text = request.query.get("cursor")
    return Cursor() if text is None else decode(text)


def page_response(request: Request, page: Page[Any], results: RenderedRecords) -> Response:
    """A page with the links to its neighbours."""
    return Response(200, RenderedPage(_link(request, page.next), _link(request, page.previous), results))


def _escaped(base64: str) -> str:
    """What `quote` gives for base64, of whose characters only these three are escaped."""
    return base64.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def _link(request: Request, cursor: Cursor | None) -> str | None:
    """The URL of a neighbouring page: as asked, parameters sorted, with the cursor in place of the old one."""
    if cursor is None:
        return None
    if not request.query_string:
        return f"{request.url}?cursor={_escaped(cursor.encode())}"
    parameters = parse_qs(request.query_string, keep_blank_values=True)
    parameters["cursor"] = [cursor.encode()]
    return f"{request.url}?{urlencode(sorted(parameters.items()), doseq=True)}"
