"""A project of a mock in a test: its keys, calendars, clock, webhooks, faults and recorded requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from mockserver.testing.calendars import AttendeeCalendar
from mockserver.testing.clock import ProjectClock
from mockserver.testing.controls import ControlError, Controls, NeedsControls, NoControls
from mockserver.testing.direct import Direct, OverTheApi
from mockserver.testing.journal import Requests
from mockserver.testing.receiver import WebhookReceiver
from mockserver.testing.webhooks import Deliveries, Faults, Subscriptions

__all__ = ["AttendeeProject", "Snapshot", "undelivered", "unless_gone"]

_CREDENTIALS = {
    "client_id": "fake-client-id",
    "client_secret": "fake-client-secret",
    "refresh_token": "fake-refresh-token",
}


class Snapshot:
    """A saved state of a project: data, platforms, scheduled tasks, deliveries, subscriptions and clock."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self.id = str(controls.ask("POST", "snapshots")["id"])

    def restore(self) -> None:
        """Returns the project to the saved state; can be repeated. Faults and recorded requests do not change."""
        self._controls.ask("POST", "snapshots", self.id, "restore")

    def delete(self) -> None:
        """Deletes the snapshot; a project has at most 20."""
        self._controls.ask("DELETE", "snapshots", self.id)


class AttendeeProject:
    """One project: a key, and all that belongs to it. No other project sees any of it.

    Every method is a request to the mock's control API and may be called in any thread. Where the text of a method says
    nothing else, it raises ControlError for what the mock refuses, and NeedsControls, which skips the test, when the
    project is one of a real deployment.
    """

    def __init__(
        self, base_url: str, name: str, api_key: str, webhook_secret: str, controls: Controls, direct: Direct
    ) -> None:
        """Made by AttendeeMock.new_project; `webhook_secret` is empty where it is not known."""
        self.base_url = base_url
        """The URL of the deployment, without /api/v1."""
        self.name = name
        self.api_key = api_key
        self.webhook_secret = webhook_secret
        """Base64, as the service shows it."""
        self.controls = controls
        """The control API for this project, for what has no method here."""
        self._direct = direct
        self._created: list[str] = []
        self.clock = ProjectClock(controls)
        self.faults = Faults(controls)
        self.deliveries = Deliveries(controls)
        self.subscriptions = Subscriptions(controls)
        self.requests = Requests(controls)

    def __repr__(self) -> str:
        return f"<AttendeeProject {self.name!r} at {self.base_url}>"

    @property
    def is_real(self) -> bool:
        """Whether this is a project of a real deployment, which has no controls."""
        return isinstance(self.controls, NoControls)

    @property
    def headers(self) -> dict[str, str]:
        """What a request needs: the Authorization header."""
        return {"Authorization": f"Token {self.api_key}"}

    @property
    def env(self) -> dict[str, str]:
        """The environment variables of an app that uses the project."""
        known = {
            "ATTENDEE_BASE_URL": self.base_url,
            "ATTENDEE_API_KEY": self.api_key,
            "ATTENDEE_WEBHOOK_SECRET": self.webhook_secret,
        }
        return {name: value for name, value in known.items() if value}

    @property
    def bots(self) -> list[dict[str, Any]]:
        """The scheduled bots as the API shows them, the oldest first."""
        return self._direct.bots()

    def calendar(
        self,
        key: str,
        *,
        platform: Literal["google", "microsoft"] | None = None,
        metadata: Mapping[str, str] | None = None,
        **credentials: str,
    ) -> AttendeeCalendar:
        """The calendar with this deduplication key (or id); it is created, connected and synced if there is none.

        `platform` (default: google), `metadata`, and `client_id`, `client_secret`, `refresh_token`, `platform_uuid` are
        for a new one. Creating it is not a recorded request, matches no fault and does not count as a POST. Raises
        ValueError for an existing calendar of another platform.
        """
        found = self._direct.find_calendar(key)
        if found is not None:
            if platform not in (None, found.platform):
                raise ValueError(f"calendar {key!r} is of {found.platform}, not of {platform}; choose another key")
            return AttendeeCalendar(self.controls, found.id, found.key, found.platform)
        chosen = platform or "google"
        if chosen not in ("google", "microsoft"):
            raise ValueError(f"platform: {chosen!r} is unknown; valid: google, microsoft")
        if unknown := credentials.keys() - {"platform_uuid", *_CREDENTIALS}:
            valid = ", ".join((*_CREDENTIALS, "metadata", "platform", "platform_uuid"))
            raise TypeError(f"{sorted(unknown)[0]!r} is unknown; valid: {valid}")
        fields: dict[str, Any] = {"platform": chosen, **_CREDENTIALS, **credentials, "deduplication_key": key}
        calendar_id = self._direct.create_calendar(fields | ({} if metadata is None else {"metadata": metadata}))
        self._created.append(calendar_id)
        if not self.is_real:
            self.settle()
        return AttendeeCalendar(self.controls, calendar_id, key, chosen)

    def settle(self) -> list[dict[str, Any]]:
        """Runs every sync and delivery that is due now, and what becomes due through them, and waits for them."""
        happened: list[dict[str, Any]] = self.controls.ask("POST", "settle")["happened"]
        return happened

    def agenda(self) -> list[dict[str, Any]]:
        """The scheduled syncs and deliveries: `due`, `kind`, `subject`, `cause`, `tried`."""
        tasks: list[dict[str, Any]] = self.controls.ask("GET", "agenda")["tasks"]
        return tasks

    def set_sync(self, mode: Literal["auto", "manual"]) -> None:
        """Syncs calendars on the service's schedule (`auto`), or only on demand (`manual`)."""
        self.controls.ask("POST", "project", "sync-mode", body={"sync": mode})

    def load(self, fixtures: Mapping[str, Any]) -> None:
        """Replaces all data by a project in the format of a fixture file, to which `reset` then returns."""
        self.controls.ask("PUT", "fixtures", body={"calendars": [], **fixtures})

    def reset(self) -> None:
        """Returns data and clock to the project's beginning and removes its faults; recorded requests stay."""
        self.controls.ask("POST", "project", "reset")

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Saves the project's state, and returns to it at the end of the block."""
        saved = Snapshot(self.controls)
        try:
            yield saved
        finally:
            saved.restore()
            saved.delete()

    @contextmanager
    def receive_webhooks(self) -> Iterator[WebhookReceiver]:
        """A receiver that is subscribed to both triggers until the end of the block."""
        if self.is_real:
            raise NeedsControls(f"{self.base_url} is a real deployment: it cannot send webhooks to this machine")
        with WebhookReceiver(self.webhook_secret, sender=self) as receiver:
            subscription = self.subscriptions.add(receiver.url)
            try:
                yield receiver
            finally:
                with unless_gone():
                    self.subscriptions.remove(subscription)

    def why_no_webhook(self, trigger: str | None = None, calendar: str | None = None) -> list[str]:
        """Sentences that say why a webhook did not arrive: deliveries that failed or wait, and what the sync did."""
        made = self.deliveries.find(trigger, calendar=calendar)
        lines = [undelivered(one) for one in made if one["state"] != "success"][-5:]
        if arrived := sum(one["state"] == "success" for one in made):
            many = "1 such delivery has" if arrived == 1 else f"{arrived} such deliveries have"
            lines.append(f"{many} succeeded; wait_for gives each webhook only once")
        if lines:
            return lines
        if calendar is None:
            return ["the project has made no such delivery; a sync after a change of events makes one"]
        try:
            explained = self.controls.ask("GET", "calendars", calendar, "explain")
        except ControlError as error:
            return [str(error)]
        instead = [f"{one['trigger']} was made for it: {one['state']}" for one in explained["made"][-5:]]
        return [*instead, *(f"{one['code']}: {one['text']}" for one in explained["why_none"])]

    def close(self) -> None:
        """Deletes the project, or in a real deployment the calendars that `calendar` created."""
        if self.is_real:
            assert isinstance(self._direct, OverTheApi)
            while self._created:
                self._direct.delete_calendar(self._created.pop())
            return
        with unless_gone():
            self.controls.ask("DELETE", "project")


@contextmanager
def unless_gone() -> Iterator[None]:
    """Passes over a 404: a test may have reset the project or the whole mock, which deletes what it was given."""
    try:
        yield
    except ControlError as error:
        if error.status != 404:
            raise


def undelivered(one: Mapping[str, Any]) -> str:
    """One line about a delivery that did not succeed."""
    why = one["error"] or (f"answered {one['status']}" if one["status"] else "not tried yet")
    due = f", due at {one['due']} on the project's clock" if one["due"] else ""
    return f"delivery of {one['trigger']} for {one['calendar']} to {one['url']}: {one['state']}, {why}{due}"
