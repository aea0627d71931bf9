"""What is in a snapshot."""

from __future__ import annotations

from mockserver.domain import outbox
from mockserver.domain.snapshots import restore, take
from tests.projects import CHANGED, make_project, the_calendar

URL = "http://127.0.0.1:9000/"


def test_deliveries_that_wait_wait_again() -> None:
    project = make_project(URL)
    (made,) = outbox.enqueue(project, CHANGED, the_calendar(project))
    kept, agenda = take(project), project.task_queue.tasks()
    outbox.drop(project)
    assert not project.task_queue.tasks()
    restore(project, kept)
    assert project.deliveries.find(made.key).state == "pending"
    assert project.task_queue.tasks() == agenda


def test_a_delivery_that_was_being_sent_is_one_to_be_sent() -> None:
    project = make_project(URL)
    (made,) = outbox.enqueue(project, CHANGED, the_calendar(project))
    task = project.task_queue.take(project.clock.now())
    assert task is not None
    outbox.begin(project, made.key)
    kept = take(project)
    assert project.deliveries.find(made.key).state == "sending"
    epoch = project.deliveries.epoch
    restore(project, kept)
    assert project.deliveries.epoch > epoch
    assert project.deliveries.find(made.key).state == "pending"
    assert [task.subject for task in project.task_queue.tasks()] == [made.key]


def test_what_happens_after_a_restore_does_not_reach_the_snapshot() -> None:
    project = make_project(URL)
    kept = take(project)
    keys = []
    for _ in range(2):
        restore(project, kept)
        project.subscriptions[0] = project.subscriptions[0]._replace(triggers=(CHANGED,))
        (made,) = outbox.enqueue(project, CHANGED, the_calendar(project))
        project.state.drop_calendar(the_calendar(project))
        project.posts.append(1)
        project.sync = "manual"
        keys.append(made.key)
    assert keys[0] == keys[1]
    restore(project, kept)
    assert len(project.state.calendars) == 1
    assert not project.deliveries.select()
    assert not project.posts
    assert len(project.subscriptions[0].triggers) == 2
    assert project.sync == "auto"


def test_a_restored_clock_stands_where_it_stood_or_runs_as_it_ran() -> None:
    project = make_project()
    frozen, now = take(project), project.clock.now()
    project.clock.run()
    project.clock.set(now + 5)
    ahead = take(project)
    project.clock.reset()
    restore(project, ahead)
    assert (project.clock.frozen, project.clock.now()) == (False, now + 5)
    restore(project, frozen)
    assert (project.clock.frozen, project.clock.now()) == (True, now)
