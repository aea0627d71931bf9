"""The rules of scheduled bots, without any HTTP."""

from __future__ import annotations

import pytest

from mockserver.domain.bot_service import (
    BotChanges,
    BotKeyTaken,
    BotNotFound,
    BotNotStorable,
    BotService,
    CredentialsMissing,
    NewBot,
)
from mockserver.domain.clock import FixedClock, ProjectClock
from mockserver.domain.meeting_urls import join_time_problem
from mockserver.domain.store import Project
from mockserver.domain.timestamps import parse

NOW = 1_800_000_000_000_000
DAY = 86_400_000_000
FIELDS: NewBot = {"bot_name": "Notes", "meeting_url": "https://meet.google.com/a", "join_at": NOW + DAY}


@pytest.fixture
def scheduling() -> BotService:
    return BotService(longest={"bot_name": 5})


@pytest.fixture
def project() -> Project:
    return Project("Acme", ("key",), clock=ProjectClock(FixedClock(NOW)))


def test_a_new_bot_is_scheduled(scheduling: BotService, project: Project) -> None:
    bot = scheduling.create_bot(project, FIELDS)
    assert (bot.state, bot.event_id, bot.created_at) == ("scheduled", None, NOW)
    assert scheduling.get_bot(project, bot.id) is bot


def test_a_refused_bot_leaves_nothing_behind(scheduling: BotService, project: Project) -> None:
    scheduling.create_bot(project, {**FIELDS, "deduplication_key": "k"})
    with pytest.raises(BotKeyTaken):
        scheduling.create_bot(project, {**FIELDS, "deduplication_key": "k"})
    with pytest.raises(BotNotStorable):
        scheduling.create_bot(project, {**FIELDS, "bot_name": "Minutes"})
    with pytest.raises(CredentialsMissing):
        scheduling.create_bot(project, {**FIELDS, "meeting_url": "https://zoom.us/j/1"})
    assert len(project.state.bots) == 1


def test_a_key_is_free_again_once_its_bot_is_gone(scheduling: BotService, project: Project) -> None:
    bot = scheduling.create_bot(project, {**FIELDS, "deduplication_key": "k"})
    scheduling.delete_bot(project, bot.id)
    with pytest.raises(BotNotFound):
        scheduling.delete_bot(project, bot.id)
    assert scheduling.create_bot(project, {**FIELDS, "deduplication_key": "k"}).id != bot.id


def test_an_update_keeps_what_it_does_not_name(scheduling: BotService, project: Project) -> None:
    bot = scheduling.create_bot(project, {**FIELDS, "metadata": {"a": "b"}})
    changes: BotChanges = {"join_at": NOW + 2 * DAY}
    changed = scheduling.update_bot(project, bot.id, changes)
    assert changed == bot._replace(join_at=NOW + 2 * DAY, updated_at=changed.updated_at)
    assert changed.updated_at > bot.updated_at


@pytest.mark.parametrize(
    ("now", "join_at", "problem"),
    [
        ("2026-01-01T00:00:00Z", "2025-12-31T23:59:59.999999Z", "past"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", None),
        ("2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z", None),
        ("2026-01-01T00:00:00Z", "2029-01-01T00:00:00.000001Z", "far"),
        ("2028-02-29T12:00:00Z", "2031-02-28T12:00:00Z", None),
        ("2028-02-29T12:00:00Z", "2031-02-28T12:00:01Z", "far"),
        ("2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "far"),
    ],
)
def test_a_bot_joins_within_three_years(now: str, join_at: str, problem: str | None) -> None:
    at, to = parse(now), parse(join_at)
    assert at is not None
    assert to is not None
    assert join_time_problem(to, at) == problem
