"""The world behind the API: when calendars are synced, what that brings about, and how a person changes the cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mockserver.domain.activity import Activity
from mockserver.domain.calendar_service import CalendarNotFound
from mockserver.domain.calendar_sync import DAY, Synced, refused_credential, sync_calendar
from mockserver.domain.model import Calendar, Failure, Json, Micros, Plan, Remote, Upstream
from mockserver.domain.store import Project
from mockserver.domain.task_queue import Task
from mockserver.domain.timestamps import SECOND, render, render_offset
from mockserver.domain.upstream import Edit, edit_upstream
from mockserver.domain.upstream_failures import LONGEST_WAIT, SLOW, checked

MINUTE: Micros = 60 * SECOND
SCHEDULER: Final = "scheduler"
"""The subject of the task that puts calendars down for their daily sync."""
RETRIES = 6
MOST_WAITING = 20
"""So many syncs of one calendar wait at most; what comes then is one with the last of them."""
_UPSTREAM_CHANGE: Final = "upstream change"
_ANSWERED: Final = ", slow answer"
"""Ends the cause of a sync whose platform has taken its time."""
EVENTS_UPDATE: Final = "calendar.events_update"
STATE_CHANGE: Final = "calendar.state_change"


class SyncScheduler:
    """Syncs the calendars of the projects that it is given, at the times at which the service does."""

    def __init__(self, *, notify: Callable[[Project, str, Calendar], None]) -> None:
        """`notify` is called with a webhook's trigger, and the calendar as it was written, after the state is."""
        self._notify = notify

    def calendar_created(self, project: Project, calendar: Calendar) -> None:
        """Puts a new calendar down for a sync: at once, but later than the answer."""
        if project.sync == "auto":
            self._enqueue(project, calendar.id, "create")

    def calendar_changed(self, project: Project, calendar: Calendar) -> None:
        """Puts a calendar down for a sync after an accepted PATCH, whatever was in it."""
        if project.sync == "auto":
            self._enqueue(project, calendar.id, "patch")

    def calendar_deleted(self, project: Project, calendar: Calendar) -> None:
        """Lets go of what waits for a calendar that is no more."""
        project.agenda.abandon("sync", calendar.id)

    def perform(self, project: Project, task: Task) -> Activity:
        """Does a sync that is due, and may put further ones down: a retry, the end of a slow one."""
        now = project.clock.now()
        if task.subject == SCHEDULER:
            return self._look_round(project, now)
        calendar = project.state.calendars.get(task.subject)
        if calendar is None:
            return Activity(now, "sync", task.subject, "gone", {"cause": task.cause, "why": "the calendar is deleted"})
        if task.cause == _UPSTREAM_CHANGE and not self._is_wanted(project, calendar):
            why = "it is disconnected" if calendar.state == "disconnected" else "a sync has come before it"
            return Activity(now, "sync", calendar.id, "not needed", {"cause": task.cause, "why": why})
        return self._sync(project, calendar, task.cause, task.number)

    def sync_now(self, project: Project, calendar_id: str, cause: str = "on demand") -> Activity:
        """Syncs a calendar at once, also one that is disconnected or of a project that syncs nothing by itself.

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
        plan = project.state.plans.of(calendar_id)
        if project.sync == "auto" and plan.requested_at is None:
            now = project.clock.now()
            project.state.plans.put(plan._replace(requested_at=now))
            project.agenda.add(_next_minute(now), "sync", calendar_id, _UPSTREAM_CHANGE)
        return made

    def fail(self, project: Project, calendar_id: str, failure: Failure) -> None:
        """Lets the remote calendar fail from now on; the service finds out with its next sync.

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
        """Puts a calendar down for a sync that is due now, if the project syncs by itself.

        Raises CalendarNotFound.
        """
        _calendar(project, calendar_id)
        if project.sync == "auto":
            self._enqueue(project, calendar_id, cause)

    def rearm(self, project: Project) -> None:
        """Puts what a new, reset or restored project has to sync by itself on its agenda, once, if it is auto."""
        now, agenda = project.clock.now(), project.agenda
        if agenda.waiting("sync", SCHEDULER):
            agenda.drop(lambda task: task.kind == "sync" and task.subject == SCHEDULER)
        if project.sync == "manual":
            return
        self._add_scheduler(project, now)
        for plan in project.state.plans.requested():
            if not agenda.waiting("sync", plan.calendar_id):
                agenda.add(_next_minute(now), "sync", plan.calendar_id, _UPSTREAM_CHANGE)

    def _enqueue(self, project: Project, calendar_id: str, cause: str) -> None:
        now = project.clock.now()
        project.state.plans.put(Plan(now, calendar_id))
        if project.agenda.waiting("sync", calendar_id) < MOST_WAITING:
            project.agenda.add(now, "sync", calendar_id, cause)

    def _note_enqueued(self, project: Project, calendar_id: str) -> None:
        project.state.plans.put(Plan(project.clock.now(), calendar_id))

    def _is_wanted(self, project: Project, calendar: Calendar) -> bool:
        """Whether a changed remote calendar still waits for its sync, which only a connected one gets."""
        if project.state.plans.of(calendar.id).requested_at is None or calendar.state == "disconnected":
            return False
        self._note_enqueued(project, calendar.id)
        return True

    def _sync(self, project: Project, calendar: Calendar, cause: str, number: int) -> Activity:
        failure = project.state.upstreams.get(calendar.id).failure
        now = project.clock.now()
        if failure is not None and failure.name == SLOW and not cause.endswith(_ANSWERED):
            # All that a sync writes it writes in the end: waiting for an answer is being due later.
            due = now + min(failure.seconds, LONGEST_WAIT) * SECOND
            project.agenda.add(due, "sync", calendar.id, cause + _ANSWERED, number)
            return Activity(now, "sync", calendar.id, "waiting", {"cause": cause, "until": render(due)})
        done = sync_calendar(project, calendar)
        detail: dict[str, Json] = {"cause": cause.removesuffix(_ANSWERED), **_counts(done)}
        if done.outcome == "failed":
            detail["retry_at"] = self._retry(project, calendar, cause, number)
        trigger = _trigger(done)
        detail["webhook"] = trigger
        if trigger is not None:
            self._notify(project, trigger, done.calendar)
        return Activity(now, "sync", calendar.id, done.outcome, detail)

    def _retry(self, project: Project, calendar: Calendar, cause: str, number: int) -> str | None:
        """Puts a failed sync down again, and gives when it is due; None when there is no retry, or none is left."""
        if project.sync == "manual" or number >= RETRIES:
            return None
        due = project.clock.now() + project.random.randint(0, 1 << number) * SECOND
        project.agenda.add(due, "sync", calendar.id, "retry", number + 1)
        return render(due)

    def _look_round(self, project: Project, now: Micros) -> Activity:
        """Puts every connected calendar down for a sync whose last one was put down a day ago or more."""
        enqueued, plans = 0, project.state.plans
        if project.sync == "auto":
            for plan in plans.until(now - DAY):
                calendar = project.state.calendars.get(plan.calendar_id)
                if calendar is None or calendar.state == "disconnected":
                    plans.put(plan._replace(regular=False))  # only a PATCH, or a person, brings it back
                elif max(plan.enqueued_at, project.started_at) <= now - DAY:
                    self._enqueue(project, plan.calendar_id, "24 h")
                    enqueued += 1
            self._add_scheduler(project, now)
        return Activity(now, "scheduler", project.name, "daily check", {"enqueued": enqueued})

    def _add_scheduler(self, project: Project, now: Micros) -> None:
        first = project.state.plans.first()
        at = now if first is None else max(first, project.started_at)
        project.agenda.add(max(at + DAY, now), "sync", SCHEDULER, "24 h")


def next_sync(project: Project, calendar_id: str) -> Micros | None:
    """When the next sync of a calendar that is on the agenda is due; the daily one gets there when its day comes."""
    if not project.agenda.waiting("sync", calendar_id):
        return None
    # A sync that came before the one for a changed upstream leaves nothing for it to do.
    asked = project.state.plans.of(calendar_id).requested_at is not None
    waiting = (
        task.due
        for task in project.agenda.tasks()
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
    """The webhook that a sync brings about; None for a sync that changed nothing, and for one that failed otherwise."""
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
