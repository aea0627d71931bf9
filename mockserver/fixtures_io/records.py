"""Builds projects, calendars and events from the values of a fixture file, and fills in defaults."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from mockserver.domain.model import Calendar, CalendarEvent, Credentials, Micros, Remote, Upstream
from mockserver.domain.store import ALPHABET, Project, State, Sync
from mockserver.domain.upstream import fields_of
from mockserver.domain.upstream_schema import compose
from mockserver.fixtures_io.problem import Broken, Place, Problems, place_text
from mockserver.fixtures_io.rules import Reader, as_written, fields, read_fields, some
from mockserver.fixtures_io.tables import PROJECT, calendar_readers, event_readers
from mockserver.fixtures_io.upstreams import describe

_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


class Records:
    """Reads the values of one file; remembers what must not be there twice."""

    def __init__(self, now: Micros, sync: Sync) -> None:
        self._now, self._sync = now, sync
        self._calendar_readers, self._event_readers = calendar_readers(now), event_readers(now)
        self._ids: set[str] = set()
        self._names: set[str] = set()
        self._keys: dict[str, Place] = {}
        self._problems = Problems()

    def projects(self, value: Any) -> list[Project]:
        """The projects of a whole file.

        Raises Broken with every problem and its place.
        """
        if value is None:
            raise Broken("is empty", fix="write `projects:` and a list of projects")
        written = fields(value, {"projects": lambda given: some(given, as_written)}, ("projects",))
        found = [self._project(project, ("projects", at)) for at, project in enumerate(written["projects"])]
        self._problems.check()
        return [project for project in found if project is not None]

    def project(self, value: Any) -> Project:
        """One project on its own.

        Raises Broken with every problem and its place within the project.
        """
        project = self._project(value, ())
        self._problems.check()
        assert project is not None
        return project

    def _project(self, value: Any, place: Place) -> Project | None:
        """The project in this place of the file, or None where it has no name or no key."""
        given = self._fields(value, PROJECT, ("name", "api_keys"), place)
        name = given.get("name", "")
        if name in self._names:
            self._broken("must be a name that no other project has", name, place=(*place, "name"))
        if name:
            self._names.add(name)
        for field in ("api_keys", "disabled_api_keys"):
            for at, key in enumerate(given.get(field, ())):
                self._claim_key(key, (*place, field, at))
        state = self._state(name, given.get("calendars", []), place)
        if not name or "api_keys" not in given:
            return None
        return Project(
            name=name,
            api_keys=tuple(given["api_keys"]),
            disabled_api_keys=tuple(given.get("disabled_api_keys", ())),
            webhook_secret=given.get("webhook_secret") or hashlib.sha256(f"webhook secret of {name}".encode()).digest(),
            subscriptions=[
                found._replace(id=f"webhook_{_sixteen_letters(f'{name}/webhooks/{at}')}")
                for at, found in enumerate(given.get("webhooks", ()))
            ],
            sync=given.get("sync", self._sync),
            zoom_credentials=given.get("zoom_credentials", False),
            baseline=state,
        )

    def _fields(self, value: Any, readers: Mapping[str, Reader], required: Collection[str], place: Place) -> Any:
        """The fields that can be read; what is wrong with the others is noted."""
        found, problems = read_fields(value, readers, required)
        if problems is not None:
            self._problems.add(Broken.of(problems), *place)
        return found

    def _broken(self, rule: str, value: object, *, place: Place, fix: str = "give it another") -> None:
        self._problems.add(Broken(rule, value, fix=fix, place=place))

    def _state(self, project: str, written: list[Any], outer: Place) -> State:
        calendars: list[Calendar] = []
        events: list[CalendarEvent] = []
        upstreams: dict[str, Upstream] = {}
        remotes: list[Remote] = []
        keys: dict[str, int] = {}
        for at, value in enumerate(written):
            place = (*outer, "calendars", at)
            given = self._fields(value, self._calendar_readers, ("platform",), place)
            calendar = self._calendar(given, at + 1, f"{project}/{at}", place)
            self._add_events(events, given.get("events", []), calendar, f"{project}/{at}", place)
            if calendar is None:
                continue
            try:
                described = describe(given, calendar, self._now)
            except Broken as problem:
                self._problems.add(problem, *place)
                continue
            if described.upstream is not None:
                upstreams[calendar.id] = described.upstream
            remotes += described.remotes
            first = keys.setdefault(calendar.deduplication_key or "", at)
            if calendar.deduplication_key and first != at:
                rule, fix = "must be a key that no other calendar of the project has", f"calendars[{first}] has it"
                self._broken(rule, calendar.deduplication_key, fix=fix, place=(*place, "deduplication_key"))
            calendars.append(calendar)
        # Ids may be double here, which a state cannot have.
        return State() if self._problems.found else State(calendars, events, upstreams, remotes)

    def _calendar(self, given: dict[str, Any], seq: int, position: str, place: Place) -> Calendar | None:
        """The calendar with these fields, or None where it cannot be said of which platform it is."""
        state, broken = given.get("state", "connected"), given.get("connection_failure_data")
        if broken is not None and state == "connected":
            fix, field = "set state: disconnected, or remove it", "connection_failure_data"
            self._problems.add(Broken("a connected calendar has none", fix=fix, place=(*place, field)))
        created_at, updated_at = self._written_at(given, place)
        calendar_id = self._claim_id(given, "cal", position, place)
        if "platform" not in given:
            return None
        return Calendar(
            id=calendar_id,
            seq=seq,
            platform=given["platform"],
            client_id=given.get("client_id", "fake-client-id"),
            credentials=Credentials(
                given.get("client_secret", "fake-client-secret"), given.get("refresh_token", "fake-refresh-token")
            ),
            platform_uuid=given.get("platform_uuid"),
            state=state,
            metadata=given.get("metadata"),
            deduplication_key=given.get("deduplication_key"),
            connection_failure_data=broken,
            created_at=created_at,
            updated_at=updated_at,
            last_successful_sync_at=given.get("last_successful_sync_at", self._now),
            last_attempted_sync_at=given.get("last_attempted_sync_at", self._now),
        )

    def _add_events(
        self, events: list[CalendarEvent], written: list[Any], calendar: Calendar | None, position: str, outer: Place
    ) -> None:
        for at, value in enumerate(written):
            place = (*outer, "events", at)
            given = self._fields(value, self._event_readers, ("start_time", "end_time"), place)
            event = self._event(given, calendar, len(events) + 1, f"{position}/{at}", place)
            if event is not None:
                events.append(event)

    def _event(
        self, given: dict[str, Any], calendar: Calendar | None, seq: int, position: str, place: Place
    ) -> CalendarEvent | None:
        """The event with these fields, or None where they do not make one."""
        start_time, end_time = given.get("start_time"), given.get("end_time")
        if start_time is not None and end_time is not None and end_time < start_time:
            problem = Broken("must not be before start_time", fix="set it to a later time", place=(*place, "end_time"))
            self._problems.add(problem)
        created_at, updated_at = self._written_at(given, place)
        event_id = self._claim_id(given, "evt", position, place)
        if calendar is None or start_time is None or end_time is None:
            return None
        event = CalendarEvent(
            id=event_id,
            seq=seq,
            calendar_id=calendar.id,
            platform_uuid=given.get("platform_uuid", event_id[4:]),
            meeting_url=given.get("meeting_url"),
            start_time=start_time,
            end_time=end_time,
            is_deleted=given.get("is_deleted", False),
            attendees=given.get("attendees", []),
            ical_uid=given.get("ical_uid"),
            name=given.get("name"),
            raw=given.get("raw"),
            bots=given.get("bots", []),
            created_at=created_at,
            updated_at=updated_at,
        )
        if "raw" in given:
            return event
        return event._replace(raw=compose(calendar.platform, fields_of(event), created_at, updated_at))

    def _written_at(self, given: dict[str, Any], place: Place) -> tuple[Micros, Micros]:
        """Creation and update of a record: now, unless one of them says that it must have been another time."""
        created_at, updated_at = given.get("created_at"), given.get("updated_at")
        if created_at is None:
            created_at = self._now if updated_at is None else min(self._now, updated_at)
        if updated_at is None:
            updated_at = max(self._now, created_at)
        if updated_at < created_at:
            problem = Broken(
                "must not be before created_at", fix="set it to a later time", place=(*place, "updated_at")
            )
            self._problems.add(problem)
        return created_at, updated_at

    def _claim_id(self, given: dict[str, Any], prefix: str, position: str, place: Place) -> str:
        """The id that is written, or one that is the same whenever this position in this project is read."""
        found: str = given.get("id") or f"{prefix}_{_sixteen_letters(position)}"
        if found in self._ids:
            self._broken("must be an id that appears only once in the file", found, place=(*place, "id"))
        self._ids.add(found)
        return found

    def _claim_key(self, key: str, place: Place) -> None:
        first = self._keys.setdefault(key, place)
        if first is not place:
            fix = f"it is also {place_text(first)}"
            self._broken("must be a key that appears only once in the file", key, fix=fix, place=place)


def _sixteen_letters(position: str) -> str:
    return hashlib.sha256(position.encode()).digest()[:16].translate(_LETTERS).decode()
