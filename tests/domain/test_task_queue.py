from mockserver.domain.task_queue import TaskQueue


def test_tasks_are_taken_in_the_order_in_which_they_fall_due() -> None:
    agenda = TaskQueue()
    for due, subject in ((5, "b"), (3, "a"), (5, "c")):
        agenda.add(due, "sync", subject, "patch")
    assert agenda.next_due() == 3
    assert agenda.take(2) is None
    taken = [task.subject for _ in range(3) if (task := agenda.take(5)) is not None]
    assert taken == ["a", "b", "c"]
    assert agenda.next_due() is None


def test_dropped_tasks_are_never_taken() -> None:
    agenda = TaskQueue()
    for due in range(10):
        agenda.add(due, "sync", str(due % 2), "patch")
    agenda.drop(lambda task: task.subject == "1")
    assert [task.due for task in agenda.tasks()] == [0, 2, 4, 6, 8]


def test_a_task_that_is_put_back_keeps_its_place() -> None:
    agenda = TaskQueue()
    for subject in "ab":
        agenda.add(1, "deliver", subject, "trigger")
    first = agenda.take(1)
    assert first is not None
    agenda.put_back(first)
    assert [task.subject for task in agenda.tasks()] == ["a", "b"]


def test_a_copy_goes_its_own_way() -> None:
    agenda = TaskQueue()
    agenda.add(1, "deliver", "key", "retry", number=1)
    twin = agenda.copy()
    assert agenda.take(1) is not None
    assert (len(agenda), len(twin)) == (0, 1)


def test_what_waits_for_a_subject_is_counted() -> None:
    agenda = TaskQueue()
    for due in range(4):
        agenda.add(due, "sync", str(due % 2), "patch")
    assert (agenda.waiting("sync", "0"), agenda.waiting("deliver", "0")) == (2, 0)
    assert agenda.take(0) is not None
    assert agenda.waiting("sync", "0") == 1
    agenda.drop(lambda task: task.subject == "0")
    assert (agenda.waiting("sync", "0"), agenda.waiting("sync", "1")) == (0, 2)


def test_a_few_abandoned_tasks_stay_and_many_are_taken_off() -> None:
    agenda = TaskQueue()
    agenda.add(0, "sync", "kept", "patch")
    for number in range(64):
        agenda.add(number, "sync", f"gone {number}", "patch")
        agenda.abandon("sync", f"gone {number}")
        agenda.abandon("sync", "never there")
    assert len(agenda) == 65
    assert [agenda.copy().take(0) is not None, agenda.take(0) is not None] == [True, True]
    taken = agenda.take(0)
    assert taken is not None
    assert taken.subject == "gone 0"
    for number in range(2):
        agenda.add(0, "sync", f"more {number}", "patch")
        agenda.abandon("sync", f"more {number}")
    assert len(agenda) == 0
