"""Page edges that the checks of orderings make: where equal times begin and end."""

from __future__ import annotations

from mockserver.conformance.checks.notation import Cursor, sort_key
from mockserver.conformance.checks.orderings import inside_group
from mockserver.conformance.list_pages import Row


def _rows(*seconds: int) -> list[Row]:
    return [{"id": f"evt_{n}", "updated_at": f"2026-01-01T00:00:{at:02}Z"} for n, at in enumerate(seconds)]


def test_a_cursor_into_a_group_of_equal_times_says_where_the_group_begins_as_a_walk_would() -> None:
    rows = _rows(1, 2, 2, 2, 3)
    forth, back = inside_group(rows, "updated_at", 1, 4, 2, size=100)
    assert forth == Cursor(1, False, sort_key(rows[0], "updated_at"))
    assert back == Cursor(2, True, sort_key(rows[4], "updated_at"))


def test_at_the_ends_of_a_list_only_cursors_that_count_whole_pages_are_made() -> None:
    rows = _rows(*[1] * 130)
    assert inside_group(rows, "updated_at", 0, 130, 1, size=100) == [Cursor(100), Cursor(100, True)]
    assert inside_group(rows[:90], "updated_at", 0, 90, 1, size=100) == []
