"""What a run calls left behind is a calendar that is there, named by its id, with the line that deletes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mockserver.api.request import App
from mockserver.conformance import cleanup
from mockserver.conformance.budget import Budget
from mockserver.conformance.cleanup import clean_up
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.ledger import Ledger, read_ledger
from tests.conformance.staging import create, reached, staged, state_of

UNMARKED = {"platform": "google", "client_id": "none-of-ours", "client_secret": "x", "refresh_token": "y"}


def answering(app: App, status: int, *, body: bytes = b"<h1>", passes: bool = True) -> App:
    """The application, whose POSTs are answered otherwise; `passes`: after it created what was asked for."""

    async def other(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            await app(scope, receive, send)
            return
        if passes:
            await app(scope, receive, _nobody)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return other


async def _nobody(message: Any) -> None:
    """Hears nothing."""


def turning(app: App, is_it: Callable[[Any], bool], status: int, body: bytes = b"{}") -> App:
    """The application, of which some requests are answered by something else."""

    async def other(scope: Any, receive: Any, send: Any) -> None:
        if not is_it(scope):
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return other


@pytest.mark.parametrize("status", [201, 400, 502])
@pytest.mark.parametrize("body", [b"{", json.dumps(UNMARKED).encode()])
def test_posts_that_created_nothing_leave_nothing_behind(status: int, body: bytes) -> None:
    mock = staged()
    before = state_of(mock)
    with reached(answering(mock.asgi, status, passes=False), "remote") as target:
        for _ in range(3):
            target.send("POST", CALENDARS, body=body)
        assert clean_up(target) == []
        assert target.notes == []
        assert target.ledger.unanswered == []
    assert state_of(mock) == before


@pytest.mark.parametrize("status", [201, 400, 500])
def test_a_calendar_that_an_unmarked_post_created_is_named_with_the_line_that_deletes_it(status: int) -> None:
    mock = staged()
    with reached(answering(mock.asgi, status), "remote") as target:
        target.send("POST", CALENDARS, json=UNMARKED)
        (left,) = clean_up(target)
        name = target.send("GET", CALENDARS).json["results"][0]["id"]
    assert left.startswith(f"{name}: it was created while POST #1 was answered {status}")
    assert left.endswith(
        f'curl -X DELETE -H "Authorization: Token $ATTENDEE_API_KEY" in process/api/v1/calendars/{name}'
    )


def test_a_calendar_that_somebody_else_creates_meanwhile_is_nobody_of_the_runs() -> None:
    mock = staged()
    with (
        reached(mock.asgi, "remote") as colleague,
        reached(answering(mock.asgi, 500, passes=False), "remote") as target,
    ):
        target.send("POST", CALENDARS, json=UNMARKED)
        colleague.send("POST", CALENDARS, json={**UNMARKED, "client_id": "a colleague's"})
        assert clean_up(target) == []
        clean_up(colleague)


def test_marked_calendars_of_refused_posts_are_deleted() -> None:
    mock = staged()
    before = state_of(mock)
    with reached(answering(mock.asgi, 400), "remote") as target:
        create(target)
        create(target, deduplication_key=target.tag())
        assert clean_up(target) == []
    assert state_of(mock) == before


def test_a_calendar_that_stays_is_named_with_the_line_that_deletes_it() -> None:
    mock = staged()
    deaf = turning(mock.asgi, lambda scope: scope["method"] == "DELETE", 200)
    pauses: list[float] = []
    with reached(deaf, "remote") as target:
        name = create(target).json["id"]
        (left,) = clean_up(target, sleep=pauses.append)
    assert left.startswith(f"{name}: it is still there after DELETE; curl -X DELETE ")
    assert pauses


@pytest.mark.parametrize(("spent", "rate"), [(600.0, None), (0.0, 0.1)])
def test_cleaning_up_a_slow_target_may_take_as_long_as_it_needs(
    spent: float, rate: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[dict[str, Any]] = []

    class Noted(Budget):
        def __init__(self, **given: Any) -> None:
            budgets.append(given)
            super().__init__(failures=None)

    monkeypatch.setattr(cleanup, "Budget", Noted)
    with reached(staged().asgi, "remote") as target:
        for _ in range(20):
            create(target)
        target.spent, target.rate = spent, rate
        assert clean_up(target) == []
    assert budgets[0]["seconds"] > 20 * 2 * 10
    assert budgets[0]["rate"] == rate


def test_many_calendars_that_stay_are_waited_for_together() -> None:
    mock = staged()
    deaf = turning(mock.asgi, lambda scope: scope["method"] == "DELETE", 200)
    pauses: list[float] = []
    with reached(deaf, "remote") as target:
        names = [create(target).json["id"] for _ in range(8)]
        for name in names[:4]:
            target.send("DELETE", f"{CALENDARS}/{name}")
        assert sorted(left.partition(":")[0] for left in clean_up(target, sleep=pauses.append)) == sorted(names)
    assert sum(pauses) < 12


@pytest.mark.parametrize("lag", [1, 4, 7])
def test_a_read_that_lags_behind_a_delete_is_read_again(lag: int) -> None:
    mock = staged()
    before = state_of(mock)
    stale = {"reads": 0}

    def lags(scope: Any) -> bool:
        is_read = scope["method"] == "GET" and scope["path"].startswith(f"{CALENDARS}/cal_")
        stale["reads"] += is_read
        return is_read and stale["reads"] <= lag

    with reached(turning(mock.asgi, lags, 200), "remote") as target:
        create(target)
        assert clean_up(target, sleep=lambda seconds: None) == []
    assert state_of(mock) == before


@pytest.mark.parametrize("link", ["http://[", "", "::", "http://x/?cursor=a%0D%0Ab", "http://x/?cursor=a b", 7])
def test_a_list_whose_links_lead_nowhere_ends(link: object) -> None:
    mock = staged()
    body = json.dumps({"next": link, "previous": None, "results": []}).encode()
    odd = turning(mock.asgi, lambda scope: scope["path"] == CALENDARS and scope["method"] == "GET", 200, body)
    with reached(odd, "remote") as target:
        create(target)
        assert clean_up(target) == []


def test_a_list_that_cannot_be_read_is_a_note_and_keeps_the_ledger(tmp_path: Path) -> None:
    mock = staged()
    path = tmp_path / "run.jsonl"
    ledger = Ledger("0123abcd", "x", path)
    broken = turning(mock.asgi, lambda scope: scope["path"] == CALENDARS and scope["method"] == "GET", 500)
    with reached(answering(broken, 500, passes=False), "remote", ledger=ledger) as target:
        target.send("POST", CALENDARS, json=UNMARKED)
        assert clean_up(target) == []
        assert f"attendee-mock cleanup --ledger {path}" in target.notes[0]
    old = read_ledger(path)
    assert old is not None
    with reached(mock.asgi, "remote", ledger=old) as target:
        assert clean_up(target) == []
    assert not path.exists()


def test_what_an_unmarked_post_of_a_killed_run_created_is_found_by_its_ledger(tmp_path: Path) -> None:
    mock = staged()
    path = tmp_path / "run.jsonl"
    with reached(answering(mock.asgi, 500), "remote", ledger=Ledger("0123abcd", "x", path)) as target:
        target.send("POST", CALENDARS, json=UNMARKED)
    old = read_ledger(path)
    assert old is not None
    with reached(mock.asgi, "remote", ledger=old) as target:
        assert len(clean_up(target)) == 1
    assert path.exists()


def test_a_calendar_that_is_answered_with_410_is_gone() -> None:
    mock = staged()
    gone: set[str] = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "DELETE":
            gone.add(scope["path"])
        other = turning(mock.asgi, lambda one: one["method"] == "GET" and one["path"] in gone, 410)
        await other(scope, receive, send)

    with reached(app, "remote") as target:
        create(target)
        assert clean_up(target) == []


def test_no_mark_of_a_run_is_the_beginning_of_another() -> None:
    with reached(staged().asgi, "remote") as target:
        tags = [target.tag() for _ in range(1000)]
    assert len({len(tag) for tag in tags}) == 1
    assert len(set(tags)) == 1000


def test_calendars_of_a_far_target_are_deleted_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    mock, sizes = staged(), []
    before = state_of(mock)
    with reached(mock.asgi, "remote") as target:
        for _ in range(20):
            create(target)
        together = target.together

        def counted(calls: Sequence[Callable[[], Any]]) -> list[Any]:
            sizes.append(len(calls))
            return together(calls)

        monkeypatch.setattr(target, "together", counted)
        target.parallel, target.spent = True, target.sent * 1.0
        assert clean_up(target) == []
    assert sizes == [8, 8, 4]
    assert state_of(mock) == before


def test_a_target_that_died_before_anything_was_created_may_have_created_what_was_not_answered() -> None:
    with reached(turning(staged().asgi, lambda scope: True, 503), "remote") as target:
        target.ledger.intend("main")
        target.liveness.died = "the target stopped answering"
        assert clean_up(target) == []
    assert target.notes == ["a POST without an answer may have created a calendar: none is known by its id"]
