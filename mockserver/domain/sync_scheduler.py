"""Decides when calendars are synced, runs the syncs, and applies edits and failures to upstreams."""

from __future__ import annotations

from typing import Final

from mockserver.domain import outbox
from mockserver.domain.activity import Activity
from mockserver.domain.calendar_service import CalendarNotFound
from mockserver.domain.calendar_sync import DAY, Synced, refused_credential, sync_calendar
from mockserver.domain.model import Calendar, Failure, Json, Micros, PlannedSync, Remote, Upstream
from mockserver.domain.store import Project
from mockserver.domain.task_queue import Task
from mockserver.domain.timestamps import SECOND, render, render_offset
from mockserver.domain.upstream import Edit, edit_upstream
from mockserver.domain.upstream_failures import LONGEST_WAIT, SLOW, checked

MINUTE: Micros = 60 * SECOND
SCHEDULER: Final = "scheduler"
"""The subject of the task that enqueues daily syncs."""
RETRIES = 6
MOST_WAITING = 20
"""The most syncs of one calendar that wait; a further request is covered by the last of them."""
_UPSTREAM_CHANGE: Final = "upstream change"
_ANSWERED: Final = ", slow answer"
"""Ends the cause of a sync whose platform has taken its time."""
EVENTS_UPDATE: Final = "calendar.events_update"
STATE_CHANGE: Final = "calendar.state_change"


class SyncScheduler:
    """Syncs calendars at the times at which the service does, and makes the webhooks of each sync."""

    def calendar_created(self, project: Project, calendar: Calendar) -> None:
        """Enqueues a sync of a new calendar, due now: it runs after the response."""
        if project.sync == "auto":
            self._enqueue(project, calendar.id, "create")

    def calendar_changed(self, project: Project, calendar: Calendar) -> None:
        """Enqueues a sync after an accepted PATCH, whatever was in it."""
        if project.sync == "auto":
            self._enqueue(project, calendar.id, "patch")

    def calendar_deleted(self, project: Project, calendar: Calendar) -> None:
        """Abandons the syncs of a deleted calendar."""
        project.task_queue.abandon("sync", calendar.id)

    def perform(self, project: Project, task: Task) -> Activity:
        """Runs a sync that is due, and may enqueue another: a retry, or the end of a slow one."""
        now = project.clock.now()
        if task.subject == SCHEDULER:
            return self._enqueue_daily(project, now)
        calendar = project.state.calendars.get(task.subject)
        if calendar is None:
            return Activity(now, "sync", task.subject, "gone", {"cause": task.cause, "why": "the calendar is deleted"})
        if task.cause == _UPSTREAM_CHANGE and not self._is_wanted(project, calendar):
            why = "it is disconnected" if calendar.state == "disconnected" else "a sync has come before it"
            return Activity(now, "sync", calendar.id, "not needed", {"cause": task.cause, "why": why})
        return self._sync(project, calendar, task.cause, task.number)

    def sync_now(self, project: Project, calendar_id: str, cause: str = "on demand") -> Activity:
        """Syncs a calendar at once, also one that is disconnected or of a project whose sync is manual.

        Raises CalendarNotFound.
        """
        calendar = _calendar(project, calendar_id)
        self._note_enqueued(project, calendar_id)
        return self._sync(project, calendar, cause, 0)

    def edit(self, project: Project, calendar_id: str, edit: Edit) -> list[Remote]:
        """Edits the remote calendar and gives the objects that it changed; a sync follows on the next full minute.

        Raises CalendarNotFound, and BadInput for an edit that makes no sense.
        """
        calendar = _calendar(project, calendar_id)
        made = edit_upstream(project, calendar, edit)
        plan = project.state.sync_schedule.of(calendar_id)
        if project.sync == "auto" and plan.requested_at is None:
            now = project.clock.now()
            project.state.sync_schedule.put(plan._replace(requested_at=now))
            project.task_queue.add(_next_minute(now), "sync", calendar_id, _UPSTREAM_CHANGE)
        return made

    def fail(self, project: Project, calendar_id: str, failure: Failure) -> None:
        """Makes the calendar's next syncs fail.

        Raises CalendarNotFound, and BadInput for a failure that such a calendar cannot have.
        """
        calendar = _calendar(project, calendar_id)
        failure = checked(calendar.platform, failure)
        derived = project.state.upstreams.get(calendar_id).derived
        upstream = Upstream(derived, failure, refused_credential(calendar, failure.name))
        project.state.upstreams.put(calendar_id, upstream)

    def heal(self, project: Project, calendar_id: str) -> None:
        """Ends the remote calendar's failure, if it has one.

        Raises CalendarNotFound.
        """
        _calendar(project, calendar_id)
        project.state.upstreams.put(calendar_id, Upstream(project.state.upstreams.get(calendar_id).derived))

    def ask(self, project: Project, calendar_id: str, cause: str) -> None:
        """Enqueues a sync of a calendar, due now, if the project's sync is auto.

        Raises CalendarNotFound.
        """
        _calendar(project, calendar_id)
        if project.sync == "auto":
            self._enqueue(project, calendar_id, cause)

    def rearm(self, project: Project) -> None:
        """Schedules the syncs of a new, reset or restored project whose sync is auto; a second call adds nothing."""
        now, task_queue = project.clock.now(), project.task_queue
        if task_queue.waiting("sync", SCHEDULER):
            task_queue.drop(lambda task: task.kind == "sync" and task.subject == SCHEDULER)
        if project.sync == "manual":
            return
        self._add_scheduler(project, now)
        for plan in project.state.sync_schedule.requested():
            if not task_queue.waiting("sync", plan.calendar_id):
                task_queue.add(_next_minute(now), "sync", plan.calendar_id, _UPSTREAM_CHANGE)

    def _enqueue(self, project: Project, calendar_id: str, cause: str) -> None:
        now = project.clock.now()
        project.state.sync_schedule.put(PlannedSync(now, calendar_id))
        if project.task_queue.waiting("sync", calendar_id) < MOST_WAITING:
            project.task_queue.add(now, "sync", calendar_id, cause)

    def _note_enqueued(self, project: Project, calendar_id: str) -> None:
        project.state.sync_schedule.put(PlannedSync(project.clock.now(), calendar_id))

    def _is_wanted(self, project: Project, calendar: Calendar) -> bool:
        """Whether a changed remote calendar still waits for its sync, which only a connected one gets."""
        if project.state.sync_schedule.of(calendar.id).requested_at is None or calendar.state == "disconnected":
            return False
        self._note_enqueued(project, calendar.id)
        return True

    def _sync(self, project: Project, calendar: Calendar, cause: str, number: int) -> Activity:
        failure = project.state.upstreams.get(calendar.id).failure
        now = project.clock.now()
        if failure is not None and failure.name == SLOW and not cause.endswith(_ANSWERED):
            # A sync writes everything at its end: waiting for a slow answer is the same as being due later.
            due = now + min(failure.seconds, LONGEST_WAIT) * SECOND
            project.task_queue.add(due, "sync", calendar.id, cause + _ANSWERED, number)
            return Activity(now, "sync", calendar.id, "waiting", {"cause": cause, "until": render(due)})
        done = sync_calendar(project, calendar)
        detail: dict[str, Json] = {"cause": cause.removesuffix(_ANSWERED), **_counts(done)}
        if done.outcome == "failed":
            detail["retry_at"] = self._retry(project, calendar, cause, number)
        trigger = _trigger(done)
        detail["webhook"] = trigger
        if trigger is not None:
            outbox.enqueue(project, trigger, done.calendar)
        return Activity(now, "sync", calendar.id, done.outcome, detail)

    def _retry(self, project: Project, calendar: Calendar, cause: str, number: int) -> str | None:
        """Enqueues a retry of a failed sync and returns when it is due; None when there is none, or none left."""
        if project.sync == "manual" or number >= RETRIES:
            return None
        due = project.clock.now() + project.random.randint(0, 1 << number) * SECOND
        project.task_queue.add(due, "sync", calendar.id, "retry", number + 1)
        return render(due)

    def _enqueue_daily(self, project: Project, now: Micros) -> Activity:
        """Enqueues a sync of every connected calendar whose last one was enqueued a day ago or more."""
        enqueued, schedule = 0, project.state.sync_schedule
        if project.sync == "auto":
            for plan in schedule.until(now - DAY):
                calendar = project.state.calendars.get(plan.calendar_id)
                if calendar is None or calendar.state == "disconnected":
                    schedule.put(plan._replace(regular=False))  # only a PATCH or a sync on demand reconnects it
                elif max(plan.enqueued_at, project.started_at) <= now - DAY:
                    self._enqueue(project, plan.calendar_id, "24 h")
                    enqueued += 1
            self._add_scheduler(project, now)
        return Activity(now, "scheduler", project.name, "daily check", {"enqueued": enqueued})

    def _add_scheduler(self, project: Project, now: Micros) -> None:
        first = project.state.sync_schedule.first()
        at = now if first is None else max(first, project.started_at)
        project.task_queue.add(max(at + DAY, now), "sync", SCHEDULER, "24 h")


def next_sync(project: Project, calendar_id: str) -> Micros | None:
    """When a calendar's next sync in the task queue is due; the daily one enters the queue on its day."""
    if not project.task_queue.waiting("sync", calendar_id):
        return None
    # A sync that came before the one for a changed upstream leaves nothing for it to do.
    asked = project.state.sync_schedule.of(calendar_id).requested_at is not None
    waiting = (
        task.due
        for task in project.task_queue.tasks()
        if task.kind == "sync" and task.subject == calendar_id and (asked or task.cause != _UPSTREAM_CHANGE)
    )
    return next(waiting, None)


def _next_minute(now: Micros) -> Micros:
    return (now // MINUTE + 1) * MINUTE


def _calendar(project: Project, calendar_id: str) -> Calendar:
    calendar = project.state.calendars.get(calendar_id)
    if calendar is None:
        raise CalendarNotFound
    return calendar


def _trigger(done: Synced) -> str | None:
    """The trigger of the webhook that a sync causes; None when it changed nothing or failed otherwise."""
    if done.outcome == "disconnected":
        return STATE_CHANGE
    return EVENTS_UPDATE if done.created or done.updated or done.deleted else None


def _counts(done: Synced) -> dict[str, Json]:
    """The numbers that the service's own task reports, and what went wrong."""
    if done.outcome != "synced":
        return {"error": done.error}
    return {
        "created_count": done.created,
        "updated_count": done.updated,
        "deleted_count": done.deleted,
        "checked_individually_count": done.checked,
        "total_remote_events": done.remote,
        "total_local_events": done.local,
        "time_window_start": render_offset(done.window.start),
        "time_window_end": render_offset(done.window.end),
    }
