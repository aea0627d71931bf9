"""Which representation an Accept header and a `format` parameter lead to."""

from __future__ import annotations

import pytest

from mockserver.api.errors import ApiError
from mockserver.api.negotiation import Representation, negotiate

HTML = Representation("html")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, Representation()),
        ("*/*", Representation()),
        ("APPLICATION/JSON", Representation()),
        ("text/html, application/json", Representation()),
        ("application/json;q=0", Representation()),
        ("*/json", Representation()),
        (",application/json", Representation()),
        ("application/json; indent=4", Representation(indent=4)),
        ("application/json; indent=99", Representation(indent=8)),
        ("application/json; indent=0", Representation()),
        ("application/json; indent=x", Representation()),
        ("application/json, application/json; indent=2", Representation(indent=2)),
        ("*/*; indent=3", Representation(indent=3)),
        ("text/html", HTML),
        ("text/*", HTML),
        ("text/html, */*", HTML),
        ("text/html; level=1, application/json", HTML),
    ],
)
def test_the_most_precise_range_wins_then_json(accept: str | None, wanted: Representation) -> None:
    assert negotiate(accept, None) == wanted


@pytest.mark.parametrize("accept", ["", "application/xml", "json", "*", "a/b/c", "application /json", "/", ";", ","])
def test_what_nothing_fits_is_a_406(accept: str) -> None:
    with pytest.raises(ApiError) as raised:
        negotiate(accept, None)
    assert raised.value.status == 406


@pytest.mark.parametrize(
    ("accept", "name", "wanted"),
    [
        ("*/*", "json", Representation()),
        ("*/*", "api", HTML),
        ("*/*", "", Representation()),
        ("text/html", "", HTML),
        (None, "api", HTML),
        ("text/html", "json", 406),
        ("application/json", "api", 406),
        ("*/*", "xml", 404),
        ("text/html", "JSON", 404),
    ],
)
def test_a_format_comes_before_accept(accept: str | None, name: str, wanted: Representation | int) -> None:
    if isinstance(wanted, int):
        with pytest.raises(ApiError) as raised:
            negotiate(accept, name)
        assert raised.value.status == wanted
    else:
        assert negotiate(accept, name) == wanted
