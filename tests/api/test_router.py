"""A path leads to the route of its contract, and to nothing when no contract and no list of paths has it."""

from __future__ import annotations

import pytest

from mockserver.api.router import Router
from mockserver.app import Mock
from tests.api.test_contract import gateway_of

ONE = "/api/v1/calendars/{object_id}"
BOT = "/api/v1/bots/{object_id}"


@pytest.fixture(scope="module")
def router() -> Router:
    return gateway_of(Mock())._router


@pytest.mark.parametrize(
    ("path", "template", "object_id"),
    [
        ("/api/v1/calendars", "/api/v1/calendars", ""),
        ("/api/v1/calendar_events", "/api/v1/calendar_events", ""),
        ("/api/v1/bots", "/api/v1/bots", ""),
        ("/api/v1/calendars/cal_1", ONE, "cal_1"),
        ("/api/v1/calendars/é ?%", ONE, "é ?%"),
        ("/api/v1/bots/bot_1", BOT, "bot_1"),
        ("/api/v1/bots/bot_1/leave", "/api/v1/bots/{object_id}/leave", "bot_1"),
    ],
)
def test_a_path_leads_to_its_route(path: str, template: str, object_id: str, router: Router) -> None:
    route, found = router.find(path)
    assert route is not None
    assert (route.template, found) == (template, object_id)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/api/v1/",
        "/api/v1/calendars/",
        "/api/v1/calendars//",
        "/api/v1/calendars/cal_1/",
        "/api/v1/calendars/cal_1/events",
        "/api/v1/calendarss",
        "/api/v1/Calendars",
        "/api/v1/bots/bot_1/no-such",
        "/api/v1/bots//leave",
    ],
)
def test_other_paths_have_no_route(path: str, router: Router) -> None:
    assert router.find(path)[0] is None


def test_a_path_that_is_not_imitated_has_methods_and_no_operation(router: Router) -> None:
    route, _ = router.find("/api/v1/bots/bot_1/leave")
    assert route is not None
    assert (route.allow, dict(route.operations)) == ("POST, OPTIONS", {})


def test_a_route_allows_the_methods_of_its_operations_and_those_that_follow_from_them(router: Router) -> None:
    route, _ = router.find("/api/v1/calendars/cal_1")
    assert route is not None
    assert set(route.operations) == {"GET", "PATCH", "DELETE"}
    assert route.allow == "GET, PATCH, DELETE, HEAD, OPTIONS"
