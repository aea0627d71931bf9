"""What falls due is done in order, whoever receives it, and nobody else waits for that."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mockserver.delivery.dispatcher import Dispatcher
from mockserver.delivery.http_client import HttpClient, SendResult
from mockserver.delivery.worker import ALL_AT_ONCE, AT_ONCE, Worker
from mockserver.domain import outbox
from mockserver.domain.activity import Activity
from mockserver.domain.clock import FixedClock
from mockserver.domain.deliveries import Deliveries, Delivery
from mockserver.domain.store import Project, Store
from mockserver.domain.subscriptions import set_active
from mockserver.domain.task_queue import Task
from tests.patience import HANGS
from tests.projects import CHANGED, DISCONNECTED, NOW, SECOND, make_project, the_calendar
from tests.receivers.sockets import Behave, Received, Receiver, hang, out_of_time, receiving, reset, status

RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "webhooks.json").read_text("utf-8"))
HTTP_CASES = {name: case for name, case in RECORDED["cases"].items() if "url" in case}
OK = SendResult(200, "", "", "", 0.0)


class Wire:
    """Sends nothing; returns the statuses that it is given, and can be made to wait."""

    def __init__(self, *answers: int) -> None:
        self._answers = list(answers)
        self.sent: list[Any] = []
        self.addresses: list[Sequence[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.under_way = 0
        self.most_at_once = 0

    async def send(self, webhook: Any, addresses: Sequence[str] = ()) -> SendResult:
        self.under_way += 1
        self.most_at_once = max(self.under_way, self.most_at_once)
        self.sent.append(webhook)
        self.addresses.append(addresses)
        try:
            await asyncio.sleep(0)
            await self.open.wait()
        finally:
            self.under_way -= 1
        return OK._replace(status=self._answers.pop(0)) if self._answers else OK


class Syncs:
    """Stands where the simulation does: a sync tells of a change of the calendar."""

    def __init__(self) -> None:
        self.done: list[tuple[int, str]] = []

    def perform(self, project: Project, task: Task) -> Activity:
        now = project.clock.now()
        self.done.append((now, task.cause))
        outbox.enqueue(project, CHANGED, the_calendar(project))
        return Activity(now, "sync", task.subject, "success", {})


def make_worker(wire: Any, syncs: Syncs | None = None, **options: Any) -> Worker:
    dispatcher = Dispatcher(
        wire, **{name: options.pop(name) for name in ("find_fault", "public_only", "resolve") if name in options}
    )
    return Worker(Store([], FixedClock(NOW), 1), syncs, dispatcher, **options)


def tell(project: Project, times: int = 1) -> list[Delivery]:
    return [one for _ in range(times) for one in outbox.enqueue(project, CHANGED, the_calendar(project))]


def states(project: Project) -> list[str]:
    return [delivery.state for delivery in project.deliveries.select()]


async def until(true: Callable[[], bool]) -> None:
    """Lets the loop run until something holds."""
    async with asyncio.timeout(HANGS):
        while not true():
            await asyncio.sleep(0)


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


def test_deliveries_are_sent_together_up_to_a_bound() -> None:
    async def run(drive: bool) -> int:
        wire, project = Wire(), make_project("http://127.0.0.1:9/x")
        tell(project, 100)
        worker = make_worker(wire)
        if drive:
            await worker.settle(project)
        else:
            wire.open.clear()
            worker.wake(project)
            await until(lambda: wire.under_way == AT_ONCE)
            await asyncio.sleep(0)
            wire.open.set()
            await until(lambda: not len(project.deliveries))
            await worker.aclose()
        assert states(project) == ["success"] * 100
        return wire.most_at_once

    assert asyncio.run(run(drive=True)) == AT_ONCE
    assert asyncio.run(run(drive=False)) == AT_ONCE


def test_no_more_are_under_way_than_all_projects_may_have() -> None:
    async def run() -> None:
        wire = Wire()
        projects = [make_project("http://127.0.0.1:9/x", name=str(n)) for n in range(ALL_AT_ONCE // AT_ONCE + 5)]
        worker = make_worker(wire)
        wire.open.clear()
        for project in projects:
            tell(project, AT_ONCE)
            worker.wake(project)
        await until(lambda: len(wire.sent) == ALL_AT_ONCE)
        wire.open.set()
        await until(lambda: not any(len(project.deliveries) for project in projects))
        await worker.aclose()
        assert wire.most_at_once == ALL_AT_ONCE

    asyncio.run(run())


def test_a_receiver_that_hangs_holds_up_no_other() -> None:
    async def run() -> None:
        async with receiving(hang) as bad, receiving(status(200)) as good:
            hanging = make_project(bad.base, good.base)
            other = make_project(good.base, name="B")
            worker = make_worker(HttpClient())
            tell(hanging, 5)
            tell(other, 5)
            worker.wake(hanging)
            worker.wake(other)
            await until(lambda: states(other) == ["success"] * 5 and states(hanging).count("success") == 5)
            assert states(hanging).count("sending") == 5
            await worker.aclose()

    asyncio.run(run())


def test_ten_thousand_deliveries_drain_at_a_cost_that_stays_the_same() -> None:
    def seconds(number: int) -> float:
        project = make_project("http://127.0.0.1:9/x")
        tell(project, number)
        started = time.process_time()
        asyncio.run(make_worker(Wire()).settle(project))
        assert (len(project.deliveries), len(project.deliveries.select())) == (0, 1_000)
        assert project.deliveries.evicted == number - 1_000
        return time.process_time() - started

    few = min(seconds(2_000) for _ in range(3))
    # Five times as many; the rest is for a machine that is busy with something else.
    assert seconds(10_000) < 5 * few * 3


def test_a_thousand_deliveries_drain_over_sockets_while_they_are_made() -> None:
    async def run() -> None:
        async with receiving(status(200)) as receiver:
            project = make_project(receiver.base)
            worker = make_worker(HttpClient())
            for _ in range(10):
                tell(project, 100)
                worker.wake(project)
                await asyncio.sleep(0)
            await until(lambda: not len(project.deliveries))
            assert len(receiver.received) == 1_000
            assert receiver.most_at_once <= 2 * AT_ONCE
            await worker.aclose()

    asyncio.run(run())


def test_what_is_due_is_done_by_itself_while_the_clock_runs() -> None:
    async def run() -> None:
        syncs, project = Syncs(), make_project("http://127.0.0.1:9/x", frozen=False)
        seen: list[str] = []
        worker = make_worker(Wire(), syncs, observe=lambda _, happening: seen.append(happening.what))
        project.task_queue.add(NOW, "sync", the_calendar(project).id, "create")
        project.task_queue.add(NOW + 20_000, "sync", the_calendar(project).id, "24 h")
        worker.wake(project)
        await until(lambda: seen == ["sync", "delivery"])
        assert len(project.task_queue) == 1
        project.clock.set(NOW + 20_000)
        worker.wake(project)
        await until(lambda: seen == ["sync", "delivery"] * 2)
        await until(lambda: len(asyncio.all_tasks()) == 1)

    asyncio.run(run())


def test_a_running_clock_is_waited_for() -> None:
    async def run() -> None:
        project = make_project("http://127.0.0.1:9/x", frozen=False)
        base = FixedClock(NOW)
        store = Store([project], base, 1)
        worker = Worker(store, Syncs(), Dispatcher(Wire()))
        project.task_queue.add(NOW + 1_000, "sync", the_calendar(project).id, "soon")
        worker.start()
        await asyncio.sleep(0)
        base.advance(1_000)
        await until(lambda: states(project) == ["success"])
        await worker.aclose()

    asyncio.run(run())


def test_a_clock_that_stands_still_moves_nothing_by_itself() -> None:
    async def run() -> None:
        wire, project = Wire(500), make_project("http://127.0.0.1:9/x")
        tell(project)
        project.deliveries.select()
        worker = make_worker(wire)
        worker.wake(project)
        await until(lambda: len(asyncio.all_tasks()) == 1)
        (delivery,) = project.deliveries.select()
        done = 2 if delivery.due == NOW else 1
        assert len(wire.sent) == done

    asyncio.run(run())


def test_without_an_event_loop_everything_waits_for_one() -> None:
    wire, project = Wire(), make_project("http://127.0.0.1:9/x")
    worker = make_worker(wire)
    tell(project)
    worker.wake(project)
    assert wire.sent == []
    asyncio.run(worker.settle(project))
    assert states(project) == ["success"]


def test_what_an_event_loop_leaves_behind_is_sent_in_the_next() -> None:
    async def begin(worker: Worker, project: Project, wire: Wire) -> None:
        wire.open.clear()
        worker.wake(project)
        await until(lambda: wire.under_way == 3)

    async def go_on(worker: Worker, project: Project, wire: Wire) -> None:
        wire.open.set()
        worker.wake(project)
        await until(lambda: not len(project.deliveries))

    wire, project = Wire(), make_project("http://127.0.0.1:9/x")
    worker = make_worker(wire)
    tell(project, 3)
    asyncio.run(begin(worker, project, wire))
    assert states(project) == ["pending"] * 3
    asyncio.run(go_on(worker, project, wire))
    assert states(project) == ["success"] * 3
    keys = [json.loads(webhook.body)["idempotency_key"] for webhook in wire.sent]
    assert keys[:3] == keys[3:]


def test_what_was_taken_up_and_never_begun_is_sent_in_the_next_event_loop() -> None:
    async def begin(worker: Worker, project: Project) -> None:
        worker.wake(project)
        await asyncio.sleep(0)

    wire, project = Wire(), make_project("http://127.0.0.1:9/x")
    worker = make_worker(wire)
    tell(project, 2)
    asyncio.run(begin(worker, project))
    assert wire.sent == []
    asyncio.run(worker.settle(project))
    assert states(project) == ["success"] * 2


def test_a_closed_pump_leaves_nothing_running_and_loses_nothing() -> None:
    async def run() -> None:
        wire, project = Wire(), make_project("http://127.0.0.1:9/x")
        worker = make_worker(wire)
        wire.open.clear()
        tell(project, 20)
        worker.wake(project)
        await until(lambda: wire.under_way == AT_ONCE)
        await worker.aclose()
        assert len(asyncio.all_tasks()) == 1
        assert states(project) == ["pending"] * 20
        assert len(project.task_queue) == 20
        worker.wake(project)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_a_reset_forgets_what_is_under_way() -> None:
    async def run(go: Callable[[Worker, Project], Awaitable[object]]) -> None:
        wire, project = Wire(500), make_project("http://127.0.0.1:9/x")
        worker = make_worker(wire)
        wire.open.clear()
        tell(project)
        going = asyncio.ensure_future(go(worker, project))
        await until(lambda: wire.under_way == 1)
        project.reset()
        (again,) = tell(project)
        outbox.hold(project)
        wire.open.set()
        await going
        await until(lambda: wire.under_way == 0)
        assert project.deliveries.select() == [again._replace(state="held")]
        assert (project.clock.frozen, project.clock.now()) == (False, NOW)

    async def wake(worker: Worker, project: Project) -> None:
        worker.wake(project)

    asyncio.run(run(lambda worker, project: worker.advance(project, SECOND)))
    asyncio.run(run(wake))


def test_advancing_waits_for_what_is_under_way() -> None:
    async def run() -> None:
        wire, project = Wire(500, 200), make_project("http://127.0.0.1:9/x")
        worker = make_worker(wire)
        wire.open.clear()
        tell(project)
        worker.wake(project)
        await until(lambda: wire.under_way == 1)
        advancing = asyncio.create_task(worker.advance(project, 5 * SECOND))
        await asyncio.sleep(0)
        wire.open.set()
        happened = await advancing
        assert [one.outcome for one in happened] == ["success"]
        assert len(wire.sent) == 2

    asyncio.run(run())


@pytest.mark.parametrize("order", ["after", "before"])
def test_a_setting_sends_the_first_webhook_before_the_answer(order: str) -> None:
    async def run() -> bool:
        syncs, wire, project = Syncs(), Wire(), make_project("http://127.0.0.1:9/x")
        worker = make_worker(wire, syncs, first_webhook=order)
        project.task_queue.add(NOW, "sync", the_calendar(project).id, "create")
        await worker.before_response(project)
        return len(wire.sent) == 1

    assert asyncio.run(run()) is (order == "before")


def test_an_answer_does_not_wait_for_a_receiver_that_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        project = make_project("http://127.0.0.1:9/x")

        class Asks(Wire):
            async def send(self, webhook: Any, addresses: Sequence[str] = ()) -> SendResult:
                await worker.before_response(project)
                return await super().send(webhook)

        worker = make_worker(Asks(), first_webhook="before")
        tell(project)
        async with asyncio.timeout(HANGS):
            await worker.before_response(project)
        assert states(project) == ["success"]

    monkeypatch.setattr("mockserver.delivery.worker.LONGEST_BEFORE", 2 * HANGS)
    asyncio.run(run())


def test_an_answer_waits_only_so_long_for_a_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        wire, project = Wire(), make_project("http://127.0.0.1:9/x")
        worker = make_worker(wire, first_webhook="before")
        wire.open.clear()
        tell(project)
        await worker.before_response(project)
        assert states(project) != ["success"]
        wire.open.set()
        await until(lambda: states(project) == ["success"])

    monkeypatch.setattr("mockserver.delivery.worker.LONGEST_BEFORE", 0.01)
    asyncio.run(run())


def test_a_connection_that_is_reset_is_tried_again() -> None:
    async def run() -> Receiver:
        async with receiving(reset) as receiver:
            project = make_project(receiver.base)
            project.deliveries = Deliveries()
            tell(project)
            await make_worker(HttpClient()).advance(project, 3 * SECOND)
            assert states(project) == ["failure"]
            return receiver

    assert len(asyncio.run(run()).received) == 3
