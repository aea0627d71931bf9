"""Whatever a run asks for, and wherever it is killed: what is not the run's stays, and nothing of the run does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.api.request import App
from mockserver.conformance.budget import Budget
from mockserver.conformance.checks import every_response, lifecycle, races
from mockserver.conformance.cleanup import clean_up
from mockserver.conformance.guard import CALENDARS, Reach
from mockserver.conformance.ledger import Ledger, read_ledger
from mockserver.conformance.recorder import Watched
from mockserver.conformance.registry import HOSTILE, LAWS, PROBES
from mockserver.conformance.run import Forbidden, Run, Stopped
from mockserver.conformance.runner import take
from mockserver.contracts import load_contract
from tests.clients import MAIN_CALENDAR as FOREIGN
from tests.conformance.staging import create, reached, state_of
from tests.mutants.table import new_mock

METHODS = ("POST", "PUT", "PATCH", "DELETE", "TRACE", "MERGE", "delete", "Patch")
TWISTS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    lambda name: "".join(f"%{ord(letter):02x}" for letter in name),
    lambda name: name.swapcase(),
    lambda name: f"{name}/",
    lambda name: f"/{name}",
    lambda name: f"%2F{name}",
    lambda name: f"x/../{name}",
    lambda name: f"x%2F..%2F{name}",
    lambda name: f"{name}%20",
    lambda name: f"%20{name}",
    lambda name: f"{name}%00",
    lambda name: f"{name};x",
    lambda name: f"{name}.json",
    lambda name: f"{name}#",
    lambda name: name[:-1],
    lambda name: "%25" + name,
    lambda name: f"?id={name}",
)
BASES = (f"{CALENDARS}/", CALENDARS, "/api/v1//calendars/", "/API/v1/calendars/", "/__mock__/reset", "/api/v1/")
HEADERS = ((), (("X-HTTP-Method-Override", "DELETE"),), (("X-Method-Override", "PATCH"),), (("X-Original-URL", "/"),))


class Lenient:
    """A deployment that takes whatever it can for a change to a stranger's calendar, and notes it."""

    def __init__(self) -> None:
        self.touched: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        names = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        method = next((value for name, value in names.items() if "override" in name), scope["method"]).upper()
        if method not in ("GET", "HEAD", "OPTIONS") and FOREIGN[:-1].lower() in scope["path"].lower():
            self.touched.append(f"{method} {scope['path']}")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@settings(max_examples=400)
@given(
    method=st.sampled_from((*METHODS, "GET")),
    base=st.sampled_from(BASES),
    twist=st.sampled_from(TWISTS),
    headers=st.sampled_from(HEADERS),
    reach=st.sampled_from(("loopback", "remote")),
    key=st.sampled_from(("main", "other")),
)
def test_no_request_that_could_change_a_strangers_calendar_leaves(
    method: str, base: str, twist: Callable[[str], str], headers: Any, reach: Reach, key: Any
) -> None:
    service = Lenient()
    with reached(service, reach) as target:
        target.guard.saw([FOREIGN], 0.0)
        with contextlib.suppress(Forbidden):
            target.send(method, base + twist(FOREIGN), headers=headers, json={"metadata": {"a": "b"}}, key=key)
    assert service.touched == []


@settings(max_examples=60)
@given(method=st.text(max_size=8), path=st.text(max_size=60), reach=st.sampled_from(("loopback", "remote")))
def test_whatever_is_asked_for_strangers_data_stays(method: str, path: str, reach: Reach) -> None:
    mock = new_mock()
    before = state_of(mock)
    with reached(mock.asgi, reach) as target:
        for where in (path, f"/api/v1/{path}", f"{CALENDARS}/{path}", f"{CALENDARS}/{FOREIGN}{path}"):
            for verb in (method, "DELETE", "PATCH"):
                with contextlib.suppress(Forbidden):
                    target.send(verb, where, json={"metadata": {"a": "b"}})
    assert state_of(mock) == before


@pytest.mark.parametrize("reach", ["in process", "loopback", "remote"])
@pytest.mark.parametrize("part", [PROBES, HOSTILE, LAWS, races, lifecycle])
def test_a_run_leaves_nothing_and_touches_nothing(part: Any, reach: Reach) -> None:
    mock = new_mock()
    before = state_of(mock)
    with reached(mock.asgi, reach) as target:
        share = iter([9.0] * 20 + [0.0] * 100_000)
        run = Run(target, load_contract(), random=Random(3), share=lambda: next(share))
        run.target = Watched(target, run, every_response.look, lambda: None)
        with contextlib.suppress(Stopped, Forbidden):
            take(run, part)
        assert not [one for one in target.ledger.asked.values() if one.ids and not one.marked]
        assert clean_up(target) == []
    assert state_of(mock) == before


def test_a_run_that_only_reads_sends_nothing_else() -> None:
    mock = new_mock()
    before = state_of(mock)
    with reached(mock.asgi, "remote", writes=False) as target:
        for method in METHODS:
            with pytest.raises(Forbidden):
                target.send(method, CALENDARS, json={})
    assert state_of(mock) == before


class Killed(BaseException):
    """Stands for a signal."""


def _dying(app: App, *, at: str, count: int) -> App:
    """The application, whose client is killed before or after the request of that number is handled."""
    seen = 0

    async def dying(scope: Any, receive: Any, send: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == count and at == "before":
            raise Killed
        await app(scope, receive, send)
        if seen == count and at == "after":
            raise Killed

    return dying


def _clean_later(app: App, path: Path) -> None:
    old = read_ledger(path) if path.exists() else None
    if old is not None:
        with reached(app, "remote", ledger=old) as target:
            assert clean_up(target) == []


@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("torn", [False, True])
def test_after_a_kill_the_ledger_is_enough_to_clean_up(tmp_path: Path, at: str, count: int, torn: bool) -> None:
    mock = new_mock()
    before = state_of(mock)
    path = tmp_path / "run.jsonl"
    with reached(_dying(mock.asgi, at=at, count=count), "remote", ledger=Ledger("0123abcd", "x", path)) as target:
        with contextlib.suppress(Killed):
            create(target, deduplication_key=target.tag())
            create(target)
            create(target, deduplication_key=target.tag())
            clean_up(target)
    if torn and path.exists():
        path.write_bytes(path.read_bytes() + b'{"what": "inte')
    _clean_later(mock.asgi, path)
    assert state_of(mock) == before
    assert not path.exists()


@pytest.mark.parametrize("field", ["client_id", "deduplication_key", "metadata"])
def test_a_calendar_whose_answer_nobody_saw_is_known_by_its_mark(field: str) -> None:
    mock = new_mock()
    before = state_of(mock)
    with reached(_dying(mock.asgi, at="after", count=1), "remote") as target:
        mark = target.tag()
        with contextlib.suppress(Killed):
            create(target, **{"metadata": {"a": "b"}, field: {"a": mark} if field == "metadata" else mark})
        assert clean_up(target) == []
    assert state_of(mock) == before


def test_cleaning_up_goes_on_after_it_was_killed_itself(tmp_path: Path) -> None:
    mock = new_mock()
    before = state_of(mock)
    path = tmp_path / "run.jsonl"
    with reached(mock.asgi, "remote", ledger=Ledger("0123abcd", "x", path)) as target:
        for _ in range(5):
            create(target)
    for count in range(1, 6):
        old = read_ledger(path)
        assert old is not None
        with reached(_dying(mock.asgi, at="after", count=count), "remote", ledger=old) as target:
            with pytest.raises(Killed):
                clean_up(target)
    _clean_later(mock.asgi, path)
    assert state_of(mock) == before


def test_a_stranger_that_a_create_is_answered_with_is_not_ours() -> None:
    mock = new_mock()
    answered = mock.asgi
    stranger = f"{CALENDARS}/{FOREIGN}"

    async def confused(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            scope = {**scope, "method": "GET", "path": stranger, "raw_path": stranger.encode()}
        await answered(scope, receive, send)

    before = state_of(mock)
    with reached(confused, "remote") as target:
        create(target)
        assert target.created == frozenset()
        with pytest.raises(Forbidden):
            target.send("DELETE", stranger)
        assert clean_up(target) == []
    assert state_of(mock) == before


def test_another_runs_calendars_are_not_ours() -> None:
    mock = new_mock()
    with reached(mock.asgi, "remote") as other, reached(mock.asgi, "remote") as target:
        theirs = create(other, deduplication_key=other.tag()).json["id"]
        create(target)
        assert clean_up(target) == []
        assert target.send("GET", f"{CALENDARS}/{theirs}").status == 200


def test_the_other_projects_key_may_try_what_is_ours() -> None:
    mock = new_mock()
    with reached(mock.asgi, "remote") as target:
        ours = create(target).json["id"]
        assert target.send("DELETE", f"{CALENDARS}/{ours}", key="other").status == 404
        assert clean_up(target) == []
        assert target.send("GET", f"{CALENDARS}/{ours}").status == 404


def test_cleaning_up_goes_on_when_the_budget_is_used_up() -> None:
    mock = new_mock()
    before = state_of(mock)
    with reached(mock.asgi, "remote") as target:
        target.budget = Budget(requests=2)
        create(target)
        create(target)
        with pytest.raises(Stopped):
            create(target)
        assert clean_up(target) == []
    assert state_of(mock) == before
