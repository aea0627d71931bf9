"""Several checks under way at once: what they may expect of one another, and of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pytest

from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.run import Forbidden, Stopped
from mockserver.conformance.side_by_side import Jobs, SideBySide
from mockserver.conformance.transport import AT_ONCE
from tests.conformance.fakes import FakeTarget

CALENDARS = "/api/v1/calendars"


class Waves(FakeTarget):
    """Notes the paths of the requests that it is asked for at one moment."""

    parallel = True
    at_once = AT_ONCE

    def __init__(self, answer: Callable[[Request], tuple[int, Any]] = lambda request: (200, {})) -> None:
        super().__init__(answer)
        self.waves: list[list[str]] = []
        self.size = 1
        """How many requests are under way now."""

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        first, self.size = len(self.requests), len(requests)
        exchanges = [request() for request in requests]
        self.size = 1
        self.waves.append([request.path for request in self.requests[first:]])
        return exchanges


def beside(target: FakeTarget, spoilt: list[tuple[Exchange, Sequence[Exchange]]] | None = None) -> SideBySide:
    noted = [] if spoilt is None else spoilt
    return SideBySide(target, lambda exchange, wave: noted.append((exchange, wave)))


def one_by_one(jobs: Iterable[Callable[[], object]]) -> Jobs:
    return partial(next, iter(jobs), None)


def read(target: SideBySide, *paths: str) -> list[int]:
    return [target.send("GET", path).status for path in paths]


def test_the_requests_that_checks_wait_for_go_out_together() -> None:
    waves = Waves()
    target = beside(waves)
    target.run(one_by_one(partial(read, target, f"/{name}1", f"/{name}2") for name in "abc"))
    assert waves.waves == [["/a1", "/b1", "/c1"], ["/a2", "/b2", "/c2"]]


def test_as_soon_as_one_check_is_over_another_begins_and_never_are_there_too_many() -> None:
    waves = Waves()
    target = beside(waves)
    long, short = partial(read, target, "/1", "/2", "/3"), partial(read, target, "/1")
    target.run(one_by_one([long, *[short] * (AT_ONCE + 1)]))
    assert [len(wave) for wave in waves.waves] == [AT_ONCE, 3]
    assert len(waves.requests) == AT_ONCE + 4


def test_only_one_check_runs_at_a_time() -> None:
    target, running, most = beside(Waves()), 0, 0

    def job() -> None:
        nonlocal running, most
        for _ in range(20):
            running += 1
            most = max(most, running)
            running -= 1
            target.send("GET", CALENDARS)

    target.run(one_by_one(job for _ in range(AT_ONCE)))
    assert most == 1


def test_what_changes_something_waits_until_no_check_is_in_the_middle_of_reading() -> None:
    waves = Waves()
    target = beside(waves)

    def writes() -> None:
        target.send("GET", "/before")
        target.send("POST", CALENDARS)
        target.send("GET", "/after")

    jobs: list[Callable[[], object]] = [
        writes,
        partial(read, target, *(f"/{number}" for number in range(5))),
        *[writes] * AT_ONCE,
    ]
    target.run(one_by_one(jobs))
    seen = [request.path for request in waves.requests]
    assert seen.index(CALENDARS) > seen.index("/4")
    assert [path for path in seen if path in (CALENDARS, "/after")] == [CALENDARS, "/after"] * (AT_ONCE + 1)
    assert all(CALENDARS not in wave for wave in waves.waves)


def test_a_target_that_takes_one_request_at_a_time_gets_one() -> None:
    waves = Waves()
    waves.at_once = 1
    target = beside(waves)
    target.run(one_by_one(partial(read, target, f"/{name}") for name in "ab"))
    assert not waves.waves
    assert [request.path for request in waves.requests] == ["/a", "/b"]


def test_what_writes_apart_goes_out_together() -> None:
    waves = Waves()
    target = beside(waves)

    def writes() -> None:
        target.send("POST", CALENDARS)

    target.run(one_by_one([writes, writes]), apart=True)
    target.run(one_by_one([writes, writes]))
    assert waves.waves == [[CALENDARS, CALENDARS]]


def test_a_group_of_requests_and_bytes_that_are_no_request_wait_also_where_checks_write_apart() -> None:
    waves = Waves()
    target = beside(waves)

    def races() -> None:
        target.together([partial(target.target.send, "POST", CALENDARS)] * 2)
        target.send_bytes(b"x")

    target.run(one_by_one([partial(read, target, "/1", "/2"), races]), apart=True)
    assert [request.path for request in waves.requests] == ["/1", "/2", CALENDARS, CALENDARS, "/"]


def test_answers_are_numbered_in_the_order_of_the_checks() -> None:
    class Reversed(Waves):
        def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
            return super().together(requests[::-1])[::-1]

    target, numbers = beside(Reversed()), []
    jobs = [lambda: numbers.append(target.send("GET", CALENDARS).number)] * 3
    target.run(one_by_one(jobs))
    assert numbers == [1, 2, 3]


def test_without_other_checks_it_is_the_target_itself() -> None:
    waves = Waves()
    target = beside(waves)
    assert read(target, "/one", "/two") == [200, 200]
    assert not waves.waves
    assert not target.beside


@pytest.mark.parametrize("status", [0, 500, 503])
def test_what_fails_beside_others_is_asked_again_alone(status: int) -> None:
    waves = Waves(lambda request: (status if request.path == "/bad" and waves.size > 1 else 200, {}))
    spoilt: list[tuple[Exchange, Sequence[Exchange]]] = []
    target, seen = beside(waves, spoilt), []

    def bad() -> None:
        seen.append((target.send("GET", "/bad").status, target.beside))

    def good() -> None:
        seen.append((target.send("GET", "/good").status, target.beside))

    target.run(one_by_one([bad, good]))
    assert seen == [(200, False), (200, True)]
    assert [(one.status, [other.request.path for other in wave]) for one, wave in spoilt] == [
        (status, ["/bad", "/good"])
    ]


def test_a_delete_that_fails_is_not_asked_again_for_it_works_only_once() -> None:
    waves = Waves(lambda request: (500 if request.method == "DELETE" else 200, {}))
    target, seen = beside(waves), []
    jobs = [lambda: seen.append(target.send("DELETE", "/one").status), lambda: seen.extend(read(target, "/two"))]
    target.run(one_by_one(jobs), apart=True)
    assert seen == [500, 200]
    assert len(waves.requests) == 2


def test_what_fails_alone_too_counts() -> None:
    waves = Waves(lambda request: (500 if request.path == "/bad" else 200, {}))
    spoilt: list[tuple[Exchange, Sequence[Exchange]]] = []
    target, seen = beside(waves, spoilt), []
    target.run(one_by_one([lambda: seen.append(read(target, "/bad")), lambda: seen.append(read(target, "/good"))]))
    assert seen == [[500], [200]]
    assert not spoilt


def test_a_check_that_fails_ends_the_others_and_says_so() -> None:
    waves = Waves()
    target, ends = beside(waves), []

    def fails() -> None:
        read(target, "/one")
        raise Stopped("the time is up")

    def goes_on() -> None:
        try:
            read(target, *["/two"] * 50)
        except Stopped as reason:
            ends.append(str(reason))

    with pytest.raises(Stopped, match="the time is up"):
        target.run(one_by_one([fails, goes_on, goes_on]))
    assert ends == ["another check has ended the run"] * 2
    assert len(waves.requests) == 3


def test_what_the_target_refuses_is_told_to_the_check_that_asked_for_it() -> None:
    class Refusing(Waves):
        def send(self, method: str, path: str, **given: Any) -> Exchange:
            if path == "/forbidden":
                raise Forbidden("not this")
            return super().send(method, path, **given)

    target, seen = beside(Refusing()), []

    def forbidden() -> None:
        with pytest.raises(Forbidden):
            read(target, "/forbidden")
        seen.append("refused")

    target.run(one_by_one([forbidden, lambda: seen.append(str(read(target, "/one", "/two")))]))
    assert seen == ["refused", "[200, 200]"]


def test_ctrl_c_ends_every_check() -> None:
    class Interrupted(Waves):
        def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
            raise KeyboardInterrupt

    target, ends = beside(Interrupted()), []

    def job() -> None:
        try:
            read(target, "/one")
        finally:
            ends.append("over")

    with pytest.raises(KeyboardInterrupt):
        target.run(one_by_one([job] * 3))
    assert ends == ["over"] * 3
