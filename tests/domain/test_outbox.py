from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from mockserver.domain import outbox
from mockserver.domain.deliveries import (
    MOST_ATTEMPTS,
    Attempt,
    Deliveries,
    Delivery,
    DeliveryFault,
    DeliveryFaultKind,
    DeliveryNotFound,
    DeliveryNotReady,
)
from mockserver.domain.outbox import ATTEMPTS, draw_wait
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import set_active
from tests.projects import CHANGED, DISCONNECTED, NOW, SECOND, make_project, the_calendar

RECORDED = json.loads((Path(__file__).parent.parent / "recorded" / "webhooks.json").read_text("utf-8"))["retry"]
URL = "http://127.0.0.1:9/hook"


def attempt(status: int | None = 500, number: int = 1) -> Attempt:
    error = "" if status else "ReadTimeout"
    return Attempt(number, NOW, URL, (), b"{}", "{}", status, "resp", error, error, 0.1)


def tell(project: Project) -> Delivery:
    """One delivery of the project's calendar."""
    return outbox.enqueue(project, CHANGED, the_calendar(project))[0]


def due_now(project: Project) -> list[str]:
    """The keys whose tasks are taken off the agenda at this instant."""
    keys = []
    while (task := project.task_queue.take(project.clock.now())) is not None:
        keys.append(task.subject)
    return keys


def send(project: Project, delivery: Delivery, status: int | None = 500) -> Delivery:
    """An attempt from its task to what is written down."""
    project.clock.set(max(project.clock.now(), delivery.due))
    assert delivery.key in due_now(project)
    begun = outbox.begin(project, delivery.key)
    assert begun is not None
    assert begun.state == "sending"
    return outbox.record(project, delivery.key, attempt(status, begun.tried + 1))


def with_fault(how: DeliveryFaultKind, seconds: int = 0) -> Callable[[Project, Delivery], DeliveryFault]:
    return lambda _project, _delivery: DeliveryFault("a fault", how, seconds)


def test_every_active_subscription_with_the_trigger_is_told() -> None:
    project = make_project(URL, f"{URL}/2")
    made = outbox.enqueue(project, DISCONNECTED, the_calendar(project))
    assert [delivery.url for delivery in made] == [URL, f"{URL}/2"]
    assert due_now(project) == [delivery.key for delivery in made]
    assert all(UUID(delivery.key).version == 4 for delivery in made)


def test_a_subscription_that_is_off_or_to_another_trigger_is_not_told() -> None:
    project = make_project(URL, f"{URL}/2")
    set_active(project.subscriptions, project.subscriptions[0].id, active=False)
    project.subscriptions[1] = project.subscriptions[1]._replace(triggers=(DISCONNECTED,))
    assert outbox.enqueue(project, CHANGED, the_calendar(project)) == []
    assert len(project.task_queue) == 0


def test_three_attempts_are_made_after_the_waits_that_were_drawn() -> None:
    project = make_project(URL)
    delivery = tell(project)
    waits = delivery.waits
    for number, wait in enumerate(waits, 1):
        at = max(project.clock.now(), delivery.due)
        delivery = send(project, delivery)
        assert (delivery.state, delivery.due, delivery.tried) == ("pending", at + wait * SECOND, number)
    delivery = send(project, delivery)
    assert (delivery.state, delivery.tried) == ("failure", 3)
    assert delivery.responses == ["resp"] * 3
    assert len(project.task_queue) == 0


def test_waits_are_whole_seconds_of_the_recorded_range() -> None:
    random = Random(1)
    assert {draw_wait(random, 0) for _ in range(100)} == {0, 1}
    assert {draw_wait(random, 1) for _ in range(100)} == {0, 1, 2}
    assert max(draw_wait(random, 20) for _ in range(100)) == 600


def test_recorded_waits_are_in_that_range() -> None:
    assert RECORDED["attempts_in_all"] == ATTEMPTS
    for second, third in RECORDED["observed_delays_with_a_worker"]:
        assert round(second) in (0, 1)
        assert round(third) in (0, 1, 2)


def test_the_same_seed_gives_the_same_keys_and_waits() -> None:
    one, other = make_project(URL), make_project(URL)
    first, second = [tell(one) for _ in range(5)], [tell(other) for _ in range(5)]
    assert [(delivery.key, delivery.waits) for delivery in first] == [(made.key, made.waits) for made in second]
    one.reset()
    assert tell(one).key == first[0].key


def test_what_a_receiver_answers_draws_nothing() -> None:
    one, other = make_project(URL), make_project(URL)
    send(one, tell(one), 500)
    send(other, tell(other), 200)
    assert one.random.random() == other.random.random()


def test_a_success_ends_it() -> None:
    project = make_project(URL)
    delivery = send(project, tell(project), 204)
    assert (delivery.state, delivery.tried, len(project.task_queue)) == ("success", 1, 0)


def test_no_answer_is_stored_as_the_service_stores_it() -> None:
    project = make_project(URL)
    error = {"error_type": "ReadTimeout", "request_url": URL, "status_code": None, "error_message": "ReadTimeout"}
    assert send(project, tell(project), None).responses == [error]


def test_a_subscription_that_was_switched_off_or_deleted_fails_what_waits() -> None:
    for off in (True, False):
        project = make_project(URL)
        delivery = tell(project)
        if off:
            set_active(project.subscriptions, project.subscriptions[0].id, active=False)
        else:
            project.subscriptions.clear()
        failed = outbox.begin(project, delivery.key)
        assert failed is not None
        assert (failed.state, failed.tried) == ("failure", 0)


def test_what_waits_goes_to_the_new_url_of_its_subscription() -> None:
    project = make_project(URL)
    delivery = tell(project)
    project.subscriptions[0] = project.subscriptions[0]._replace(url=f"{URL}/new")
    begun = outbox.begin(project, delivery.key)
    assert begun is not None
    assert begun.url == f"{URL}/new"


def test_a_held_delivery_waits_for_its_release() -> None:
    project = make_project(URL)
    first, second = tell(project), tell(project)
    outbox.hold(project, first.key)
    assert due_now(project) == [second.key]
    assert project.deliveries.find(first.key).state == "held"
    outbox.release(project, first.key)
    assert due_now(project) == [first.key]


def test_while_everything_is_held_nothing_new_is_sent() -> None:
    project = make_project(URL)
    begun = tell(project)
    assert due_now(project) == [begun.key]
    outbox.begin(project, begun.key)
    first = tell(project)
    outbox.hold(project)
    second = tell(project)
    assert outbox.record(project, begun.key, attempt()).state == "held"
    assert due_now(project) == []
    outbox.release(project)
    project.clock.set(NOW + 2 * SECOND)
    assert sorted(due_now(project)) == sorted([first.key, begun.key, second.key])


def test_a_dropped_delivery_is_never_sent() -> None:
    project = make_project(URL)
    first, second = tell(project), tell(project)
    outbox.hold(project, second.key)
    outbox.drop(project, first.key)
    assert project.deliveries.find(first.key).state == "dropped"
    outbox.drop(project)
    assert (len(project.deliveries), len(project.task_queue)) == (0, 0)


def test_resending_is_one_more_attempt_with_the_same_key_and_data() -> None:
    project = make_project(URL)
    delivery = tell(project)
    for _ in range(3):
        delivery = send(project, delivery)
    project.clock.set(NOW + 100 * SECOND)
    again = outbox.resend(project, delivery.key)
    assert (again.state, again.due, again.data) == ("pending", NOW + 100 * SECOND, delivery.data)
    again = send(project, again)
    assert (again.state, again.tried, again.number) == ("failure", 4, delivery.number)
    assert len(project.task_queue) == 0


def test_of_endless_resending_the_latest_attempts_are_kept() -> None:
    project = make_project(URL)
    delivery = send(project, tell(project), 200)
    for _ in range(20):
        delivery = send(project, outbox.resend(project, delivery.key), 200)
    assert delivery.tried == 21
    assert [one.number for one in delivery.attempts] == list(range(22 - MOST_ATTEMPTS, 22))


def test_what_cannot_be_done_is_said_with_what_can() -> None:
    project = make_project(URL)
    delivery = tell(project)
    with pytest.raises(DeliveryNotReady, match="the delivery is pending") as refused:
        outbox.resend(project, delivery.key)
    assert refused.value.fix == "wait until it is finished"
    with pytest.raises(DeliveryNotReady, match="is pending, not held"):
        outbox.release(project, delivery.key)
    outbox.begin(project, delivery.key)
    with pytest.raises(DeliveryNotReady, match="is sending, not pending or held"):
        outbox.drop(project, delivery.key)
    outbox.record(project, delivery.key, attempt(200))
    with pytest.raises(DeliveryNotReady) as refused:
        outbox.hold(project, delivery.key)
    assert refused.value.fix == "resend it"
    with pytest.raises(DeliveryNotFound):
        project.deliveries.find("nothing")


def test_history_is_bounded_and_says_what_it_forgot() -> None:
    project = make_project(URL)
    project.deliveries = Deliveries(most_finished=3)
    made = [send(project, tell(project), 200) for _ in range(5)]
    assert [delivery.key for delivery in project.deliveries.select()] == [delivery.key for delivery in made[2:]]
    assert project.deliveries.evicted == 2
    with pytest.raises(DeliveryNotFound):
        project.deliveries.find(made[0].key)


def test_a_full_queue_takes_nothing_more_and_says_so() -> None:
    project = make_project(URL)
    project.deliveries = Deliveries(most_open=2)
    made = [tell(project) for _ in range(3)]
    assert [delivery.state for delivery in made] == ["pending", "pending", "dropped"]
    assert made[2].problem
    assert made[2].problem["error_type"] == "QueueFull"
    assert len(due_now(project)) == 2


def test_deliveries_are_listed_in_their_order_from_where_one_looked_last() -> None:
    project = make_project(URL)
    first, second, third = (tell(project) for _ in range(3))
    outbox.drop(project, second.key)
    assert [delivery.key for delivery in project.deliveries.select()] == [first.key, second.key, third.key]
    assert [delivery.key for delivery in project.deliveries.select(after=second.number)] == [third.key]
    assert [delivery.key for delivery in project.deliveries.select(lambda one: one.state == "dropped")] == [second.key]


def test_who_watches_is_told_of_every_change_until_the_end() -> None:
    project = make_project(URL)
    seen: list[str] = []
    unwatch = project.deliveries.watch(lambda delivery: seen.append(delivery.state))
    delivery = tell(project)
    outbox.drop(project, delivery.key)
    unwatch()
    tell(project)
    assert seen == ["pending", "dropped"]


def test_who_watches_is_told_of_what_is_restored() -> None:
    project = make_project(URL)
    delivery = tell(project)
    kept = project.deliveries.copy()
    project.reset()
    seen: list[str] = []
    project.deliveries.watch(lambda restored: seen.append(restored.key))
    project.deliveries.restore(kept)
    assert seen == [delivery.key]


def test_a_reset_forgets_deliveries_and_brings_subscriptions_back() -> None:
    project = make_project(URL)
    delivery = tell(project)
    outbox.hold(project)
    set_active(project.subscriptions, project.subscriptions[0].id, active=False)
    epoch = project.deliveries.epoch
    project.reset()
    assert outbox.begin(project, delivery.key) is None
    assert (len(project.deliveries), project.deliveries.holding, project.deliveries.epoch) == (0, False, epoch + 1)
    assert [subscription.active for subscription in project.subscriptions] == [True]


def test_what_was_broken_off_is_due_again() -> None:
    project = make_project(URL)
    delivery = tell(project)
    task = project.task_queue.take(NOW)
    assert task is not None
    outbox.begin(project, delivery.key)
    for _ in range(2):
        outbox.put_back(project, task)
    assert due_now(project) == [delivery.key]
    assert project.deliveries.find(delivery.key).state == "pending"


def test_a_fault_drops_a_delivery() -> None:
    project = make_project(URL)
    begun = outbox.begin(project, tell(project).key, with_fault("drop"))
    assert begun is not None
    assert (begun.state, begun.fault) == ("dropped", "a fault")


def test_a_fault_holds_a_delivery_and_is_not_asked_again_when_it_is_released() -> None:
    project = make_project(URL)
    delivery = tell(project)
    due_now(project)
    outbox.begin(project, delivery.key, with_fault("hold"))
    assert project.deliveries.find(delivery.key).state == "held"
    outbox.release(project, delivery.key)
    begun = outbox.begin(project, delivery.key, with_fault("hold"))
    assert begun is not None
    assert (begun.state, begun.fault) == ("sending", "a fault")


def test_a_fault_makes_a_delivery_late() -> None:
    project = make_project(URL)
    delivery = tell(project)
    due_now(project)
    outbox.begin(project, delivery.key, with_fault("late", 90))
    assert project.task_queue.next_due() == NOW + 90 * SECOND
    begun = outbox.begin(project, delivery.key, with_fault("late", 90))
    assert begun is not None
    assert begun.state == "sending"


def test_a_reordered_delivery_comes_after_the_next_one_to_its_subscription() -> None:
    project = make_project(URL)
    first, second = tell(project), tell(project)
    due_now(project)
    outbox.begin(project, first.key, with_fault("reorder"))
    outbox.begin(project, second.key)
    assert due_now(project) == []
    outbox.record(project, second.key, attempt(200))
    assert due_now(project) == [first.key]


def test_a_fault_is_asked_for_every_attempt_anew() -> None:
    project = make_project(URL)
    delivery = tell(project)
    asked: list[int] = []

    def find_fault(_: Project, one: Delivery) -> DeliveryFault | None:
        asked.append(one.tried)
        return DeliveryFault("first", "unsigned") if one.tried == 0 else None

    faults = []
    for number in (1, 2):
        begun = outbox.begin(project, delivery.key, find_fault)
        assert begun is not None
        faults.append(begun.next_fault and begun.next_fault.name)
        outbox.record(project, delivery.key, attempt(500, number))
    assert (asked, faults) == ([0, 1], ["first", None])


def test_no_secret_is_in_what_a_delivery_shows() -> None:
    project = make_project(URL)
    shown = repr((project, tell(project)))
    calendar = the_calendar(project)
    for secret in (*calendar.credentials, base64.b64encode(project.webhook_secret).decode()):
        assert secret not in shown
