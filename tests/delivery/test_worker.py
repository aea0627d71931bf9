"""What falls due is done in order, whoever receives it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mockserver.delivery.http_client import HttpClient, SendResult
from mockserver.domain.activity import Activity
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import set_active
from tests.delivery.workers import OK, Syncs, Wire, make_worker, states, tell, until
from tests.projects import DISCONNECTED, NOW, SECOND, make_project, the_calendar
from tests.receivers.sockets import Behave, Received, hang, out_of_time, receiving, status

RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "webhooks.json").read_text("utf-8"))
HTTP_CASES = {name: case for name, case in RECORDED["cases"].items() if "url" in case}


def as_asked(received: list[Received], code: int, slow: Behave) -> Behave:
    """Answers as the receiver of the recordings did: by the path that was asked for."""
    big = status(code, b"x" * 700)
    plain = status(code)

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last = received[-1].path.rsplit("/", 1)[1]
        await {"big": big, "slow": slow}.get(last, plain)(reader, writer)

    return behave


@pytest.mark.parametrize("name", HTTP_CASES)
def test_every_recorded_receiver_is_sent_to_and_stored_as_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = HTTP_CASES[name]
    slow = out_of_time(monkeypatch, hang)

    async def run() -> tuple[Project, list[Received], str]:
        seen: list[Received] = []
        code = int(case["url"].split("/")[3]) if name != "refused" else 200
        async with receiving(as_asked(seen, code, slow)) as receiver:
            receiver.received = seen
            url = case["url"].replace("8898", str(receiver.port))
            project = make_project(url)
            tell(project)
            await make_worker(HttpClient()).advance(project, 10 * SECOND)
            return project, seen, str(receiver.port)

    project, seen, port = asyncio.run(run())
    (delivery,) = project.deliveries.select()
    stored = json.dumps(delivery.responses).replace(port, "8898")
    assert len(seen) == case["requests_received"]
    assert [one.path for one in seen] == case["paths"]
    assert (delivery.state.capitalize(), delivery.tried) == (case["stored_status"], case["stored_attempt_count"])
    assert json.loads(stored) == case["stored_responses"]
    assert len({one.raw for one in seen}) <= 1
    assert len(project.task_queue) == 0


def test_a_subscription_switched_off_before_the_delivery_fails_it_as_recorded() -> None:
    case = RECORDED["cases"]["deactivated-before-delivery"]
    wire, project = Wire(), make_project("http://127.0.0.1:8898/200/x")
    tell(project)
    set_active(project.subscriptions, project.subscriptions[0].id, active=False)
    happened = asyncio.run(make_worker(wire).settle(project))
    (delivery,) = project.deliveries.select()
    assert (len(wire.sent), delivery.state.capitalize()) == (case["requests_received"], case["stored_status"])
    assert (delivery.tried, delivery.responses) == (case["stored_attempt_count"], case["stored_responses"])
    assert [(one.outcome, one.subject) for one in happened] == [("failure", delivery.key)]


@pytest.mark.parametrize("name", ["inactive-trigger", "other-trigger-only"])
def test_who_did_not_ask_is_not_told(name: str) -> None:
    project = make_project("http://127.0.0.1:8898/200/x")
    if name == "inactive-trigger":
        set_active(project.subscriptions, project.subscriptions[0].id, active=False)
    else:
        project.subscriptions[0] = project.subscriptions[0]._replace(triggers=(DISCONNECTED,))
    assert len(tell(project)) == RECORDED["cases"][name]["deliveries_made"]


def test_a_calendar_deleted_before_the_delivery_is_told_of_without_itself() -> None:
    wire, project = Wire(), make_project("http://127.0.0.1:9/x")
    tell(project)
    project.state.drop_calendar(the_calendar(project))
    asyncio.run(make_worker(wire).settle(project))
    assert list(json.loads(wire.sent[0].body)) == list(RECORDED["cases"]["calendar-deleted-before-delivery"]["body"])
    assert states(project) == ["success"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_that_is_not_public_fails_at_once_where_that_is_asked_for(host: str) -> None:
    url = f"http://{host}:9/x"
    wire, project = Wire(), make_project(url)
    tell(project)
    asyncio.run(make_worker(wire, public_only=True).settle(project))
    (delivery,) = project.deliveries.select()
    assert (delivery.state, delivery.tried, wire.sent) == ("failure", 0, [])
    error = {"status_code": None, "error_type": "PublicURLRequired", "error_message": "Webhook URL must be public"}
    assert delivery.responses == [{**error, "request_url": url}]


def test_what_an_attempt_says_of_the_calendar_is_read_anew_and_what_happened_is_not() -> None:
    wire, project = Wire(500, 200), make_project("http://127.0.0.1:9/x")
    tell(project)
    first = the_calendar(project)

    async def run() -> None:
        worker = make_worker(wire)
        await worker.settle(project)
        changed = first._replace(metadata={"a": "ü"}, state="disconnected", deduplication_key="k")
        project.state.replace_calendar(changed)
        project.webhook_secret = b"another"
        await worker.advance(project, 2 * SECOND)

    asyncio.run(run())
    one, two = (json.loads(webhook.body) for webhook in wire.sent[:2])
    assert (one["idempotency_key"], one["data"]) == (two["idempotency_key"], two["data"])
    assert (one["calendar_metadata"], two["calendar_metadata"]) == (None, {"a": "ü"})
    assert wire.sent[0].headers[6] != wire.sent[1].headers[6]


def test_advancing_stands_still_at_every_due_time() -> None:
    syncs, project = Syncs(), make_project("http://127.0.0.1:9/x")
    project.task_queue.add(NOW + 5, "sync", the_calendar(project).id, "later")
    project.task_queue.add(NOW + 3, "sync", the_calendar(project).id, "sooner")
    project.task_queue.add(NOW + 99, "sync", the_calendar(project).id, "too late")
    happened = asyncio.run(make_worker(Wire(), syncs).advance(project, 10))
    assert syncs.done == [(NOW + 3, "sooner"), (NOW + 5, "later")]
    assert [(one.at, one.what, one.outcome) for one in happened] == [
        (NOW + 3, "sync", "success"),
        (NOW + 3, "delivery", "success"),
        (NOW + 5, "sync", "success"),
        (NOW + 5, "delivery", "success"),
    ]
    assert (project.clock.now(), len(project.task_queue)) == (NOW + 10, 1)


def test_a_clock_that_ran_runs_on_after_it_was_advanced() -> None:
    project = make_project(frozen=False)
    asyncio.run(make_worker(Wire()).advance(project, 7 * SECOND))
    assert (project.clock.frozen, project.clock.now()) == (False, NOW + 7 * SECOND)


def test_no_clock_is_advanced_into_the_past() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        asyncio.run(make_worker(Wire()).advance(make_project(), -1))


def test_retries_are_made_when_the_clock_gets_there() -> None:
    wire, project = Wire(500, 500, 500), make_project("http://127.0.0.1:9/x")
    (delivery,) = tell(project)
    happened = asyncio.run(make_worker(wire).advance(project, 3 * SECOND))
    first, second = delivery.waits
    due = [NOW, NOW + first * SECOND, NOW + (first + second) * SECOND]
    assert [(one.at, one.outcome) for one in happened] == list(zip(due, ["retry", "retry", "failure"], strict=True))
    assert [attempt.at for attempt in project.deliveries.find(delivery.key).attempts] == due


def test_the_same_seed_and_calls_give_the_same_bytes_and_times_whoever_is_slow() -> None:
    async def run(slow: int) -> tuple[list[Activity], list[Any]]:
        project = make_project("http://127.0.0.1:9/a", "http://127.0.0.1:9/b")

        class Uneven(Wire):
            async def send(self, webhook: Any, addresses: Sequence[str] = ()) -> SendResult:
                for _ in range(20 if webhook.url.endswith("ab"[slow]) else 0):
                    await asyncio.sleep(0)
                self.sent.append(webhook)
                return OK._replace(status=500)

        wire = Uneven()
        tell(project, 5)
        happened = await make_worker(wire).advance(project, 5 * SECOND)
        return happened, sorted((webhook.headers, webhook.body) for webhook in wire.sent)

    assert asyncio.run(run(0)) == asyncio.run(run(1))


@pytest.mark.parametrize(("writes", "pauses"), [(False, [0.005, 0.001, 0.001]), (True, [0.005, 0.005, 0.005])])
def test_syncs_leave_more_time_to_requests_while_writes_come_in(
    writes: bool, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep, slept = asyncio.sleep, []

    async def run() -> None:
        syncs, project = Syncs(), make_project()
        for _ in range(3):
            project.task_queue.add(NOW, "sync", the_calendar(project).id, "patch")
        worker = make_worker(Wire(), syncs)

        async def record(seconds: float) -> None:
            if seconds:
                slept.append(seconds)
                if writes:
                    worker.wake(project)
            await sleep(0)

        monkeypatch.setattr(asyncio, "sleep", record)
        worker.wake(project)
        await until(lambda: len(syncs.done) == 3 and not len(project.task_queue))
        await worker.aclose()

    asyncio.run(run())
    assert slept == pauses
