"""Values that differ between two deployments by nature are paired; everything else must be the same."""

from __future__ import annotations

import pytest

from mockserver.differential.bindings import Bindings, tokens, wholes

ONE, TWO, THREE = "cal_aaaaaaaaaaaaaaaa", "cal_bbbbbbbbbbbbbbbb", "cal_cccccccccccccccc"
NOON, LATER = "2026-11-20T12:00:00.000001Z", "2026-11-20T12:00:05.000001Z"
HOSTS = ("a.example", "b.example:8443")


@pytest.fixture
def bindings() -> Bindings:
    return Bindings(("runaaa", "runbbb"), HOSTS)


def test_an_id_has_one_partner(bindings: Bindings) -> None:
    assert bindings.differ(ONE, TWO) is None
    assert bindings.differ(f"no {ONE} here", f"no {TWO} here") is None
    assert bindings.differ(ONE, THREE) == "the id of another object"
    assert bindings.differ(THREE, TWO) == "the id of another object"


def test_a_value_that_was_the_same_on_both_sides_stays_so(bindings: Bindings) -> None:
    assert bindings.differ(NOON, NOON) is None
    assert bindings.differ(NOON, LATER) == "a time that changed on one side only"
    assert bindings.differ(LATER, NOON) == "a time that changed on one side only"


def test_a_text_that_both_have_is_paired_at_once(bindings: Bindings) -> None:
    assert bindings.differ(ONE, TWO) is None
    assert bindings.bind_same(f"{THREE} at {NOON}")
    assert not bindings.bind_same(f"{ONE}")
    assert bindings.differ(NOON, LATER) is not None
    assert wholes(f"{THREE} at {NOON}") == {THREE, NOON}


def test_known_pairs_are_kept(bindings: Bindings) -> None:
    known = Bindings(("runaaa", "runbbb"), HOSTS, {ONE: TWO})
    assert known.differ(ONE, TWO) is None
    assert known.differ(ONE, ONE) == "the id of another object"


def test_times_have_the_same_form_and_order(bindings: Bindings) -> None:
    assert bindings.differ("2026-11-20T12:00:00Z", NOON) == "another form of time"
    assert bindings.differ(NOON, NOON.replace("Z", "+00:00")) == "another form of time"
    assert bindings.differ(NOON, "2027-01-01T00:00:00.000001Z") is None
    assert bindings.differ(LATER, "2026-12-31T00:00:00.000001Z") == "another order of times"


def test_the_mark_of_the_run_may_differ(bindings: Bindings) -> None:
    assert bindings.differ("conformance-runaaa-1", "conformance-runbbb-1") is None
    assert bindings.differ("conformance-runaaa-1", "conformance-runbbb-2") == "another text"


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [
        ("/api/v1/calendars?cursor=x&q=1", "/api/v1/calendars?cursor=y&q=1", None),
        ("/api/v1/calendars?cursor=x", "/api/v1/calendar_events?cursor=x", "a link to another path"),
        ("/api/v1/calendars?cursor=x&q=1", "/api/v1/calendars?cursor=x", "a link with other parameters"),
        ("/api/v1/calendars?cursor=x&q=1", "/api/v1/calendars?cursor=x&q=2", "a link with another parameter"),
    ],
)
def test_a_link_may_differ_in_its_cursor_only(bindings: Bindings, a: str, b: str, difference: str | None) -> None:
    assert bindings.differ(f"http://{HOSTS[0]}{a}", f"https://{HOSTS[1]}{b}") == difference


def test_a_link_leads_to_the_host_that_was_asked(bindings: Bindings) -> None:
    path = "/api/v1/calendars?cursor=x"
    assert bindings.differ(f"http://{HOSTS[0]}{path}", f"http://internal{path}") == "a link to another host"
    assert bindings.differ("https://zoom.us/j/1", "https://zoom.us/j/2") == "another link"


def test_error_ids_and_waits_may_be_any(bindings: Bindings) -> None:
    one = "Error ID: 4f6f2d0e-5c1b-4a7e-9d3e-2b8c7a1f0e5d"
    assert bindings.differ(one, one.replace("4f6f", "ffff")) is None
    assert bindings.differ("Expected available in 42 seconds.", "Expected available in 1 second.") is None
    assert bindings.differ("Error ID: none", one) == "another text"


def test_a_text_is_cut_into_what_may_differ_and_what_may_not() -> None:
    assert [part.kind for part in tokens(f"event {ONE} at {NOON}")] == ["literal", "id", "literal", "time"]
