"""How a worker shares an event loop: what is sent at once, what waits for what, and what a closed loop leaves."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from mockserver.delivery.dispatcher import Dispatcher
from mockserver.delivery.http_client import HttpClient, SendResult
from mockserver.delivery.worker import ALL_AT_ONCE, AT_ONCE, Worker
from mockserver.domain import outbox
from mockserver.domain.clock import FixedClock
from mockserver.domain.deliveries import Deliveries
from mockserver.domain.store import Project, Store
from tests.delivery.workers import Syncs, Wire, make_worker, states, tell, until
from tests.patience import HANGS
from tests.projects import NOW, SECOND, make_project, the_calendar
from tests.receivers.sockets import Receiver, hang, receiving, reset, status


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
