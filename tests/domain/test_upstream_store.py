"""Remote objects are found by name and by time, and copies go their own way."""

from __future__ import annotations

from mockserver.domain.model import Remote, Upstream
from mockserver.domain.upstream_store import Upstreams


def remote(calendar: str, name: str, start: int | None) -> Remote:
    return Remote(calendar, name, {"id": name}, start, None)


def names(remotes: list[Remote]) -> list[str]:
    return [one.id for one in remotes]


def test_a_list_has_what_begins_in_its_span_and_what_has_no_start() -> None:
    upstreams = Upstreams({}, [remote("cal_b", "other", 3), remote("cal_a", "z", None)])
    for name, start in (("late", 5), ("first", 2), ("before", 1), ("last", 4)):
        upstreams.put_remote(remote("cal_a", name, start))
    assert names(upstreams.listed("cal_a", 2, 5)) == ["z", "first", "last"]
    assert names(upstreams.all("cal_a")) == ["z", "before", "first", "last", "late"]
    upstreams.put_remote(remote("cal_a", "first", 9))
    assert names(upstreams.listed("cal_a", 2, 5)) == ["z", "last"]


def test_what_is_gone_is_in_no_list_and_still_known_as_gone() -> None:
    upstreams = Upstreams({}, [remote("cal_a", "a", 1)])
    upstreams.put_remote(Remote("cal_a", "a", None, None, None))
    assert upstreams.listed("cal_a", 0, 9) == []
    known = upstreams.remote("cal_a", "a")
    assert known is not None
    assert known.document is None
    assert upstreams.remote("cal_a", "b") is None


def test_copies_do_not_see_one_another() -> None:
    upstreams = Upstreams({"cal_a": Upstream(derived=False)}, [remote("cal_a", "a", 1)])
    twin = upstreams.copy()
    twin.drop("cal_a")
    twin.put_remote(remote("cal_b", "b", 1))
    assert twin.get("cal_a").derived
    assert not upstreams.get("cal_a").derived
    assert names(upstreams.all("cal_a")) == ["a"]
    assert (twin.all("cal_a"), upstreams.all("cal_b")) == ([], [])
