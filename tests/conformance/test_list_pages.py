"""Pages of the two lists: read strictly where a page is judged, leniently where it is looked through."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.list_pages import (
    CALENDAR_LIST,
    Unreadable,
    cursor_of,
    ids_in,
    is_page,
    link_of,
    link_path,
    page_of,
    rows_in,
)
from tests.conformance.fakes import exchange

NEXT = "http://host/api/v1/calendars?deduplication_key=a%20b&cursor=cD0x"
GOOD = {"next": NEXT, "previous": None, "results": [{"id": "cal_1"}, {"id": "cal_2"}]}


def answered(document: Any, status: int = 200) -> Exchange:
    return exchange(1, "GET", CALENDAR_LIST.path, status, document)


def test_a_page_has_its_rows_and_its_links() -> None:
    page = page_of(CALENDAR_LIST, (), answered(GOOD))
    assert (page.ids, page.next, page.previous) == (["cal_1", "cal_2"], NEXT, None)


def test_an_empty_page_is_a_page() -> None:
    assert page_of(CALENDAR_LIST, (), answered({"next": None, "previous": None, "results": []})).rows == ()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"results": None},
        {"results": {}},
        {**GOOD, "results": [{"id": "cal_1"}, {"id": 2}]},
        {**GOOD, "results": [{"id": "cal_1"}, "cal_2"]},
        {**GOOD, "next": 1},
    ],
)
def test_what_is_no_page_throughout_is_unreadable(document: Any) -> None:
    with pytest.raises(Unreadable, match="was answered with 200"):
        page_of(CALENDAR_LIST, (), answered(document))


def test_a_page_of_another_status_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="was answered with 500"):
        page_of(CALENDAR_LIST, (), answered(GOOD, 500))
    assert not is_page(answered(GOOD, 500))


def test_looking_through_a_page_passes_over_rows_without_an_id() -> None:
    mixed = answered({**GOOD, "results": [{"id": "cal_1"}, {"id": 2}, {}, "x", {"id": "cal_3"}]})
    assert is_page(mixed)
    assert ids_in(mixed) == [row["id"] for row in rows_in(mixed)] == ["cal_1", "cal_3"]


@pytest.mark.parametrize("document", [None, [], {}, {"results": 1}, "text"])
def test_what_is_no_page_has_no_rows_and_no_links(document: Any) -> None:
    assert (rows_in(answered(document)), link_of(document), is_page(answered(document))) == ([], None, False)


def test_a_link_is_followed_by_path_and_query_and_its_last_cursor_counts() -> None:
    assert link_path(NEXT) == "/api/v1/calendars?deduplication_key=a%20b&cursor=cD0x"
    assert cursor_of(link_of(GOOD)) == "cD0x"
    assert cursor_of("http://host/api/v1/calendars?cursor=a&cursor=b%3D") == "b="
    assert cursor_of("http://host/api/v1/calendars?cursor=") is None
    assert cursor_of(None) is None
