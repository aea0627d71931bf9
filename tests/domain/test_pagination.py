"""Pages and cursors: text as the service's, and every row exactly once whatever is equal."""

from __future__ import annotations

import base64
import json
from operator import itemgetter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.domain.pagination import Cursor, InvalidCursor, Listing, decode, paginate
from mockserver.domain.sorted_index import SortedIndex

Row = tuple[int, int]
RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "cursors.json").read_text("utf-8"))


def listing(positions: list[int], *, ascending: bool) -> Listing[Row]:
    rows = [(position, number) for number, position in enumerate(positions)]
    index = SortedIndex(lambda row: row, rows)
    return Listing(index, itemgetter(0), ascending=ascending)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@given(st.lists(st.integers(0, 3)), st.booleans(), st.integers(1, 4))
def test_a_walk_shows_each_row_once_in_order_and_so_does_the_walk_back(
    positions: list[int], ascending: bool, size: int
) -> None:
    rows = listing(positions, ascending=ascending)
    wanted = list(rows.walk(Cursor()))
    page = paginate(rows, Cursor(), size)
    assert page.previous is None
    forward, last = list(page.rows), Cursor()
    while page.next is not None:
        last = decode(page.next.encode())
        page = paginate(rows, last, size)
        assert page.previous is not None
        forward += page.rows
    assert forward == wanted
    backward = list(page.rows)
    while page.previous is not None:
        page = paginate(rows, decode(page.previous.encode()), size)
        backward = page.rows + backward
        if page.previous is None and page.next is not None and page.rows:
            following = paginate(rows, page.next, size).rows
            assert not following or following[0] == wanted[wanted.index(page.rows[-1]) + 1]
    assert backward == wanted


@given(st.lists(st.integers(0, 2), min_size=1), st.integers(0, 6), st.booleans(), st.booleans(), st.integers(-1, 3))
def test_the_page_before_a_page_ends_where_it_starts(
    positions: list[int], offset: int, reverse: bool, ascending: bool, position: int
) -> None:
    rows = listing(positions, ascending=ascending)
    wanted = list(rows.walk(Cursor()))
    page = paginate(rows, Cursor(offset, reverse, position), 2)
    for neighbour, step in ((page.next, 1), (page.previous, -1)):
        if neighbour is None or not page.rows or neighbour == Cursor(2, not reverse):
            continue
        found = paginate(rows, neighbour, 2).rows
        edge = wanted.index(page.rows[-1] if step == 1 else page.rows[0]) + step
        inside = 0 <= edge < len(wanted)
        assert bool(found) == inside
        if inside:
            assert (found[0] if step == 1 else found[-1]) == wanted[edge]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Cursor()),
        (encoded("o=2"), Cursor(2)),
        (encoded("r=1&o=2"), Cursor(2, True)),
        (encoded("r=0"), Cursor()),
        (encoded("p=1970-01-01 00:00:01%2B00:00"), Cursor(0, False, 1_000_000)),
        (encoded("p=1970-01-01"), Cursor(0, False, 0, "1970-01-01")),
        (encoded("o= +5 "), Cursor(0 + 5)),
        (encoded("x=1&o=1&o=2"), Cursor(1)),
        ("b\nz0 y", Cursor(2)),
        (encoded(f"o={10**20}"), Cursor(10**12)),
    ],
)
def test_cursors_are_read_leniently(text: str, wanted: Cursor) -> None:
    assert decode(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["bad", "é", encoded("o=-1"), encoded("o=x"), encoded("o="), encoded("r=x"), encoded("p="), encoded("p=soon")],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode(text)


@pytest.mark.parametrize(
    ("text", "size", "shown", "following", "previous"),
    [
        # An empty page leads back with the position as it was written, and without its offset.
        ("p=1971-01-01", 3, [], None, "r=1&p=1971-01-01"),
        ("o=7&p=1971-01-01T00:00:00Z", 3, [], None, "r=1&p=1971-01-01T00%3A00%3A00Z"),
        ("o=3&p=1970-01-01 00:00:02%2B00:00", 3, [], None, "r=1&p=1970-01-01+00%3A00%3A02%2B00%3A00"),
        ("p=1970-01-01 00:00:04%2B00:00", 3, [], None, "r=1&p=1970-01-01+00%3A00%3A04%2B00%3A00"),
        ("o=1000", 3, [], None, "r=1"),
        ("r=1&o=70", 3, [], "", None),
        ("r=1&p=1969-1-1 1:1", 3, [], "p=1969-1-1+1%3A1", None),
        ("r=1&o=2&p=1970-01-01T02:00%2B02:00", 3, [], "p=1970-01-01T02%3A00%2B02%3A00", None),
        # A single row at the end, reached by an offset, passes for a tie with itself.
        ("o=4", 3, [4], None, "o=3&r=1"),
        ("o=1&p=1970-01-01 00:00:02%2B00:00", 3, [4], None, "o=3&r=1"),
        ("o=4&r=1", 3, [0], "o=3", None),
        ("o=3", 3, [3, 4], None, "o=1&r=1&p=1970-01-01+00%3A00%3A04%2B00%3A00"),
        # A position in other words is the same one.
        (
            "p=1970-01-01T00:00",
            2,
            [1, 2],
            "p=1970-01-01+00%3A00%3A02%2B00%3A00",
            "r=1&p=1970-01-01+00%3A00%3A01%2B00%3A00",
        ),
    ],
)
def test_without_equal_positions_links_are_the_services_even_where_it_loses_rows(
    text: str, size: int, shown: list[int], following: str | None, previous: str | None
) -> None:
    page = paginate(listing([second * 1_000_000 for second in range(5)], ascending=True), decode(encoded(text)), size)
    assert [number for _, number in page.rows] == shown
    links = [None if link is None else base64.b64decode(link.encode()).decode() for link in (page.next, page.previous)]
    assert links == [following, previous]


@pytest.mark.parametrize(
    ("text", "shown", "previous"),
    [
        ("o=9&p=1969-01-01", [], "r=1"),
        ("p=1970-01-01 00:00:01%2B00:00", [], "r=1"),
        ("p=1970-01-01T00:00:02Z", [], "r=1&p=1970-01-01T00%3A00%3A02Z"),
        ("o=4", [4], "o=1&r=1"),
        ("o=3", [3, 4], "o=2&r=1"),
    ],
)
def test_with_equal_positions_no_link_loses_a_row(text: str, shown: list[int], previous: str) -> None:
    page = paginate(listing([0, 1_000_000, 1_000_000, 1_000_000, 1_000_000], ascending=True), decode(encoded(text)), 3)
    assert [number for _, number in page.rows] == shown
    assert page.previous is not None
    assert base64.b64decode(page.previous.encode()).decode() == previous


def recorded_cursors() -> list[str]:
    links = [page[way] for walk in RECORDED for page in walk["pages"] for way in ("next", "previous")]
    return [parse_qs(urlsplit(link["url"]).query)["cursor"][0] for link in links if link]


@pytest.mark.parametrize("text", sorted(set(recorded_cursors())))
def test_recorded_cursors_are_written_back_letter_for_letter(text: str) -> None:
    assert decode(text).encode() == text
