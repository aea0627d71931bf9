"""What the service's database holds."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from mockserver.domain.jsonb import as_stored
from mockserver.domain.postgres_limits import NotStorable, check_storable


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "four"}, "name"),
        ({"metadata": {"\0": "a"}}, "metadata"),
        ({"metadata": {"a": "\udfff"}}, "metadata"),
    ],
)
def test_what_does_not_fit_is_named_and_not_shown(fields: Any, named: str) -> None:
    with pytest.raises(NotStorable, match=named) as raised:
        check_storable(fields, {"name": 3}, Random(1))
    assert (raised.value.error_id.version, raised.value.field) == (4, named)
    assert "four" not in str(raised.value)


@pytest.mark.parametrize("fields", [{}, {"name": "abc"}, {"name": None}, {"other": "four"}, {"metadata": {"é": "😀"}}])
def test_what_fits_is_let_pass(fields: Any) -> None:
    check_storable(fields, {"name": 3}, Random(1))


def test_metadata_comes_back_the_shortest_names_first() -> None:
    assert list(as_stored({"bb": "", "é": "", "a": "", "ab": ""}) or ()) == ["a", "ab", "bb", "é"]
    assert as_stored(None) is None
