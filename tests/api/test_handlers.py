"""Each operation makes a response of what its service returns: the page's links, and which filter is wrong first."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.api import handlers
from mockserver.api.contract import Schemas
from mockserver.api.errors import ApiError
from mockserver.api.handlers import ORDERINGS, Handlers, Request
from mockserver.api.rendered_records import RecordRenderer
from mockserver.api.response import RenderedPage, RenderedRecords
from mockserver.contracts import BOTS, load_contract
from mockserver.domain.calendar_service import CalendarNotFound, CalendarService
from mockserver.domain.pagination import Cursor, InvalidCursor, Page
from mockserver.domain.store import Project
from tests.projects import make_project, the_calendar

URL = "http://127.0.0.1:8000/api/v1/calendar_events"
CONTRACT = load_contract()


@pytest.fixture
def operations() -> Handlers:
    return Handlers(CalendarService(longest={}), RecordRenderer(Schemas(CONTRACT), Schemas(load_contract(BOTS))))


def asked(project: Project, object_id: str = "") -> Request:
    return Request(project, object_id, {}, URL, "", {})


def queried(**query: str) -> Request:
    return asked(make_project())._replace(query=query)


def test_every_operation_of_the_contract_has_a_method_of_its_name() -> None:
    names = {
        operation["operationId"].rpartition(".")[2]
        for path in CONTRACT["paths"].values()
        for method, operation in path.items()
        if method in ("get", "post", "patch", "delete")
    }
    snake = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name) for name in names}
    assert {name for name in snake if not callable(getattr(Handlers, name, None))} == set()


def test_a_calendar_is_read_changed_and_deleted(operations: Handlers) -> None:
    project = make_project()
    one = the_calendar(project)
    changed = operations.update_calendar(asked(project, one.id)._replace(fields={"metadata": {"a": "b"}}))
    assert changed.status == 200
    assert operations.get_calendar(asked(project, one.id)).body == changed.body
    deleted = operations.delete_calendar(asked(project, one.id))
    assert (deleted.status, deleted.body) == (200, None)
    with pytest.raises(CalendarNotFound):
        operations.get_calendar(asked(project, one.id))


def test_the_orderings_are_those_of_the_contract_in_its_order() -> None:
    assert tuple(CONTRACT["components"]["schemas"]["EventOrdering"]["enum"]) == ORDERINGS


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"updated_after": "soon"}, "updated_at_gte"),
        ({"updated_at_gte": "soon", "start_time_gte": "soon"}, "updated_at_gte"),
        ({"start_time_gte": "soon", "end_time_lte": "soon"}, "start_time_gte"),
        ({"end_time_lte": "soon", "ordering": "soon"}, "end_time_lte"),
        ({"ordering": "soon", "cursor": "soon"}, "ordering"),
        ({"event_id": "\0"}, "event_id"),
    ],
)
def test_the_error_is_about_the_first_wrong_parameter(query: dict[str, str], named: str, operations: Handlers) -> None:
    with pytest.raises(ApiError) as refused:
        operations.list_calendar_events(queried(**query))
    assert named in str(refused.value.body)


def test_an_invalid_cursor_is_wrong_before_a_nul_in_a_filter(operations: Handlers) -> None:
    with pytest.raises(InvalidCursor):
        operations.list_calendar_events(queried(cursor="soon", event_id="\0"))


def test_an_empty_new_name_falls_back_to_the_old_one(operations: Handlers) -> None:
    with pytest.raises(ApiError):
        operations.list_calendar_events(queried(updated_at_gte="", updated_after="soon"))
    assert operations.list_calendar_events(queried(updated_at_gte="2027-01-01", updated_after="soon")).status == 200


def links(
    query_string: str, *, next: Cursor | None = None, previous: Cursor | None = None
) -> tuple[str | None, str | None]:
    page: Page[Any] = Page([], next, previous)
    request = asked(make_project())._replace(query_string=query_string)
    body = handlers.page_response(request, page, RenderedRecords("CalendarEvent", [])).body
    assert isinstance(body, RenderedPage)
    return body.next, body.previous


def test_a_page_without_neighbours_has_no_links() -> None:
    assert links("ordering=start_time") == (None, None)


def test_a_link_keeps_every_parameter_but_the_cursor_sorted_by_name() -> None:
    cursor = Cursor(3)
    wanted = f"{URL}?cursor={cursor.encode().replace('=', '%3D')}"
    assert links("", next=cursor) == (wanted, None)
    assert links("start_time_gte=2027-01-01T00:00:00%2B01:00&event_id=&cursor=old", previous=cursor) == (
        None,
        f"{wanted}&event_id=&start_time_gte=2027-01-01T00%3A00%3A00%2B01%3A00",
    )


def test_a_link_repeats_what_the_request_repeated() -> None:
    (link, _) = links("calendar_id=a&calendar_id=b", next=Cursor(3))
    assert str(link).startswith(f"{URL}?calendar_id=a&calendar_id=b&cursor=")
