"""Generates fixtures of any size with realistic calendars and events; the same random seed gives the same ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, TextIO, TypeAlias

from mockserver.domain.model import Micros
from mockserver.domain.store import new_id
from mockserver.domain.timestamps import SECOND, render, render_offset

Record: TypeAlias = dict[str, Any]

BASE: Micros = 1_780_300_800_000_000
"""2026-06-01T08:00:00Z, a Monday: the time around which everything happens."""

_MINUTE, _HOUR, _DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
_LISTS = ("projects", "calendars", "events")
_NAMES = (
    *("Daily stand-up", "Weekly sync", "Sprint planning", "Retrospective", "1:1", "Interview", "Customer call", None),
    *("All hands", "Überblick – déjà vu", "日本語の会議", "Встреча команды", "Q&A <internal>", "", None),
)
_PEOPLE = ("Ada Byron", "Zoë Müller", "Lee Park", "Ana Conceição", "山田太郎", "Sam O'Neil", None)
_LINKS = (
    *("https://meet.google.com/abc-{:04}-xyz", "https://us02web.zoom.us/j/8{:010}?pwd=Zm9vYmFy"),
    "https://teams.microsoft.com/meet/2{:012}?p=aBcDeF",
)
_CLIENT_IDS = {"google": "{}-example.apps.googleusercontent.com", "microsoft": "3f2504e0-4f89-41d3-9a0c-{:012}"}
_FAILURE = "{} Authentication error: {{'error': 'invalid_grant', 'error_description': 'Token has been revoked.'}}"
_MINUTES = (15, 15, 30, 30, 30, 45, 60, 60, 90, 120)


def make_fixtures(projects: int, calendars: int, events: int, random_seed: int, *, base: Micros = BASE) -> Record:
    """Fixtures with so many projects, and so many calendars and events in each, the events spread over the calendars.

    All times are absolute and lie around `base`, in microseconds since 1970. Without calendars there are no events.
    """
    rows = _projects(projects, calendars, events, Random(random_seed), base)
    return _whole({"projects": rows}, *_LISTS)


def write_fixtures(
    stream: TextIO, projects: int, calendars: int, events: int, random_seed: int, *, base: Micros = BASE
) -> None:
    """Writes what `make_fixtures` makes as ASCII JSON, one record a line, and never holds more than one of them."""
    rows = _projects(projects, calendars, events, Random(random_seed), base)
    stream.writelines(_text({"projects": rows}, *_LISTS))
    stream.write("\n")


def _whole(record: Record, *lists: str) -> Record:
    """The record with lists in place of the generators under these names, each inside the one before."""
    if not lists:
        return record
    return {**record, lists[0]: [_whole(row, *lists[1:]) for row in record[lists[0]]]}


def _text(record: Record, *lists: str) -> Iterator[str]:
    """The record as JSON, piece by piece, with generators under these names, each inside the one before."""
    if not lists:
        yield json.dumps(record)
        return
    plain = json.dumps({name: value for name, value in record.items() if name != lists[0]})
    yield f'{plain[:-1]}{", " if len(record) > 1 else ""}"{lists[0]}": ['
    for number, row in enumerate(record[lists[0]]):
        yield ",\n" if number else "\n"
        yield from _text(row, *lists[1:])
    yield "]}"


def _projects(projects: int, calendars: int, events: int, random: Random, base: Micros) -> Iterator[Record]:
    """Projects whose calendars and events are generators; they must be taken in order, as they share one `random`."""
    for number in range(1, projects + 1):
        yield {
            "name": f"Project {number}",
            "api_keys": ["YOUR_API_KEY_HERE" if number == 1 else f"YOUR_API_KEY_HERE_{number}"],
            "calendars": _calendars(calendars, events, random, base),
        }


def _calendars(calendars: int, events: int, random: Random, base: Micros) -> Iterator[Record]:
    created_at = base - 400 * _DAY
    for number in range(calendars):
        if number % 10:  # every tenth is as old as the one before: ties are part of real data
            created_at += random.randrange(300 * _DAY // calendars)
        platform = random.choice(("google", "google", "microsoft"))
        yield {
            "id": new_id("cal", random),
            "platform": platform,
            "client_id": _CLIENT_IDS[platform].format(number),
            "platform_uuid": f"{platform}-team-{number}" if number % 10 == 9 else None,
            "metadata": {"tenant_id": str(number)} if number % 4 else None,
            "deduplication_key": f"user-{number:04}" if number % 7 else None,
            "created_at": render(created_at),
            "updated_at": render(created_at + random.randrange(90 * _DAY)),
            **_connection(platform, base - random.randrange(_DAY), broken=number % 12 == 11),
            "events": _events(events // calendars + (number < events % calendars), platform, random, base),
        }


def _connection(platform: str, synced_at: Micros, *, broken: bool) -> Record:
    attempted_at = render(synced_at)
    return {
        "state": "disconnected" if broken else "connected",
        "connection_failure_data": {"error": _FAILURE.format(platform.title()), "timestamp": render_offset(synced_at)}
        if broken
        else None,
        "last_successful_sync_at": render(synced_at - 7 * _DAY) if broken else attempted_at,
        "last_attempted_sync_at": attempted_at,
    }


def _events(events: int, platform: str, random: Random, base: Micros) -> Iterator[Record]:
    for _ in range(events):
        chance = random.random()
        platform_uuid = new_id("evt", random)[4:]
        start_time, end_time = _times(random, base - base % _DAY, all_day=chance < 0.04)
        created_at = base - random.randrange(60 * _DAY)
        # One in eight was last touched by the same sync as others, hence at the same time.
        updated_at = base if chance > 0.875 else created_at + random.randrange(base - created_at + 1)
        number = random.randrange(10_000)
        yield {
            "id": new_id("evt", random),
            "platform_uuid": platform_uuid,
            "meeting_url": random.choice(_LINKS).format(number) if number % 3 else None,
            "start_time": render(start_time),
            "end_time": render(end_time),
            "is_deleted": number % 13 == 0,
            "attendees": _attendees(random) if number % 17 else None,
            "ical_uid": f"{platform_uuid}@google.com" if platform == "google" else None,
            "name": random.choice(_NAMES),
            "created_at": render(created_at),
            "updated_at": render(updated_at),
        }


def _times(random: Random, midnight: Micros, *, all_day: bool) -> tuple[Micros, Micros]:
    """A time within five weeks before and eight weeks after, in office hours unless it is all day."""
    day = midnight + random.randrange(-35, 56) * _DAY
    if all_day:
        return day, day + _DAY
    start_time = day + 8 * _HOUR + random.randrange(40) * 15 * _MINUTE
    return start_time, start_time + random.choice(_MINUTES) * _MINUTE


def _attendees(random: Random) -> list[Record]:
    people = random.sample(_PEOPLE, random.randrange(4))
    return [{"email": f"user{random.randrange(100)}@example.com", "name": name} for name in people]
