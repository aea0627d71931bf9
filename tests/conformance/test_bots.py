"""The judge's rules of bots: kept by the mock, broken by mutants, and safe on somebody's deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mockserver.conformance.blame import grouped
from mockserver.conformance.checks import bots
from mockserver.conformance.checks.bots.bench import instant
from mockserver.conformance.cleanup import clean_up
from mockserver.conformance.guard import BOTS, path_of
from mockserver.conformance.ownership import is_link_of, link_of_run
from mockserver.conformance.run import Forbidden
from tests.conformance.judging import judged, of, sampled, told
from tests.conformance.staging import reached, state_of
from tests.mutants import bots_narrow
from tests.mutants.bots import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.table import new_mock

LINK, FAR, SOON = "https://meet.google.com/abc-defg-hij", "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


def test_the_mock_keeps_every_rule_of_bots() -> None:
    run = judged(new_mock().asgi, bots)
    assert told(run) == []
    assert {rule.id for rule in bots.RULES} - run.findings.exercised.keys() == set()


def test_a_run_that_only_reads_tests_the_rules_that_need_no_bot() -> None:
    mock = new_mock()
    before = state_of(mock)
    run = judged(mock.asgi, bots, writes=False)
    assert told(run) == []
    readable = {rule.id for rule in bots.RULES if "write" not in rule.needs}
    assert {rule for rule in run.findings.exercised if rule.startswith("bot")} == readable
    assert state_of(mock) == before


FOUND = {
    "bot-page-has-24": ("bots-pages", "listBots", ""),
    "bot-patch-merges-metadata": ("bot-changed", "updateBot", "metadata"),
    "bot-delete-stays-in-event": ("bot-in-event", "listCalendarEvents", "deleted"),
    "bot-settings-of-any-type": ("bot-field-refused", "createBot", "callback_settings"),
    "bot-last-state-counts": ("bot-filter-refused", "listBots", "states"),
    "bot-key-filter-shows-foreign-bots": ("bot-tenants", "listBots", "deduplication_key"),
    "bot-fields-checked-before-event": ("bot-event-unknown", "createBot", "bot_name"),
}


@pytest.mark.parametrize("name", list(FOUND)[:4])
def test_a_mutant_breaks_one_rule(name: str) -> None:
    assert causes(MUTANTS, name) == [FOUND[name]]


@pytest.mark.long
@pytest.mark.parametrize("name", list(FOUND)[4:])
def test_another_mutant_breaks_one_rule(name: str) -> None:
    assert causes(MUTANTS, name) == [FOUND[name]]


NARROW = {
    "bot-states-ignored-beside-key": ("bot-filter", "listBots", "states"),
    "bot-join-at-filter-drops-fraction": ("bot-filter", "listBots", "join_at_after"),
    "bot-key-filter-composes": ("bot-filter", "listBots", "deduplication_key"),
    "bots-ordered-by-time-to-join": ("bots-oldest-first", "listBots", ""),
    "bot-full-page-has-next": ("bots-pages", "listBots", "full"),
    "bot-patch-moves-to-end": ("bots-oldest-first", "listBots", "changed"),
    "bot-patch-image-drops-metadata": ("bot-changed", "updateBot", "bot_image"),
    "bot-patch-of-two-keeps-link": ("bot-changed", "updateBot", "join_at"),
    "bot-refused-patch-stores-time": ("bot-refusal-changes-nothing", "updateBot", "bot_image"),
    "bot-event-shows-old-link": ("bot-in-event", "listCalendarEvents", "meeting_url"),
    "bot-event-of-any-project": ("bot-event-unknown", "createBot", "calendar_event_id"),
    "bot-cancelled-event-unknown": ("bot-in-event", "createBot", "calendar_event_id"),
    "bot-event-over-accepted": ("bot-event-unfit", "createBot", "meeting_url"),
    "bot-event-own-time-ignored": ("bot-event-decides", "createBot", "join_at"),
    "bot-key-taken-in-any-case": ("bot-key-taken", "createBot", "deduplication_key"),
    "bot-key-taken-by-other-project": ("bot-tenants", "createBot", "deduplication_key"),
    "bot-key-free-after-change": ("bot-key-taken", "createBot", "deduplication_key"),
    "bot-delete-takes-whole-meeting": ("bot-deleted", "deleteBot", "others"),
    "bot-foreign-delete-deletes": ("bot-tenants", "deleteBot", "object_id"),
    "bot-head-of-bad-cursor-answers-200": ("bot-methods", "listBots", "HEAD"),
    "bot-offset-minutes-lost": ("bot-field-accepted", "createBot", "join_at"),
    "bot-patch-metadata-unescaped": ("bot-field-refused", "updateBot", "metadata"),
    "bot-name-measured-in-bytes": ("bot-field-accepted", "createBot", "bot_name"),
    "bot-joins-within-1094-days": ("bot-field-accepted", "createBot", "join_at"),
    "bot-large-number-crashes": ("no-server-error", "createBot", "unknown field"),
    "bot-patch-reads-plain-text": ("bot-body-refused", "updateBot", "body"),
    "bot-delete-takes-any-key": ("bot-key-known", "deleteBot", "Authorization"),
    "bot-key-before-accept": ("bot-not-acceptable", "updateBot", "Accept"),
    "bot-id-before-method": ("bot-methods", "getBot", "POST"),
    "bot-cursor-before-filters": ("bot-filter-refused", "listBots", "join_at_before"),
}


@pytest.mark.parametrize(("name", "finding"), sampled(NARROW.items(), 4))
def test_a_defect_in_a_corner_is_found_as_what_it_is(name: str, finding: tuple[str, str, str]) -> None:
    assert causes(bots_narrow.MUTANTS, name) == [finding]


def test_each_defect_in_a_corner_is_tried() -> None:
    assert NARROW.keys() == {mutant.id for mutant in bots_narrow.MUTANTS}


def causes(mutants: Sequence[Mutant], name: str) -> list[tuple[str, str, str]]:
    """What a mutant is found for, without what follows from it."""
    heads = grouped(judged(of(mutants, name), bots).findings.broken.values())
    return [(one.rule, one.operation, one.field) for one in heads]


@pytest.mark.parametrize(
    "fields",
    [
        {"meeting_url": LINK},
        {"meeting_url": LINK, "join_at": SOON},
        {"meeting_url": LINK, "join_at": "tomorrow"},
        {"meeting_url": LINK, "join_at": FAR, "calendar_event_id": "evt_0000000000000000"},
    ],
)
def test_on_somebodys_deployment_no_bot_is_made_that_could_join_a_meeting(fields: dict[str, Any]) -> None:
    with reached(new_mock().asgi, "remote") as target, pytest.raises(Forbidden, match="bot"):
        target.send("POST", BOTS, json={"bot_name": "Notes", **fields})


def test_only_bots_of_the_run_are_changed_and_they_never_join_soon() -> None:
    mock = new_mock()
    bot = {"bot_name": "Notes", "meeting_url": LINK, "join_at": "2028-06-01T00:00:00Z"}
    with reached(mock.asgi, "in process") as other:
        theirs = other.send("POST", BOTS, json=bot).json["id"]
    with reached(mock.asgi, "remote") as target:
        for method in ("PATCH", "DELETE"):
            with pytest.raises(Forbidden, match="not a calendar or bot that this run made"):
                target.send(method, path_of(theirs), json={})
        target.guard.created.add(theirs)
        with pytest.raises(Forbidden, match="before it is deleted"):
            target.send("PATCH", path_of(theirs), json={"join_at": SOON})
        with pytest.raises(Forbidden):
            target.send("POST", f"{BOTS}/{theirs}/leave")


def test_bots_are_deleted_in_the_end_also_those_whose_answer_nobody_saw() -> None:
    mock = new_mock()
    with reached(mock.asgi, "in process") as target:
        bot = {"bot_name": "Notes", "join_at": "2028-06-01T00:00:00Z"}
        links = [link_of_run(target.run_id, number) for number in range(2)]
        assert target.send("POST", BOTS, json={**bot, "meeting_url": links[0]}).status == 201
        with reached(mock.asgi, "in process") as unseen:
            assert unseen.send("POST", BOTS, json={**bot, "meeting_url": links[1]}).status == 201
        assert len(target.ledger.made) == 1
        assert clean_up(target) == []
    assert len(mock.store.projects[0].state.bots) == 0


def test_a_link_carries_the_mark_of_its_run() -> None:
    links = {link_of_run("a1b2c3d4e5f6", number) for number in range(2000)}
    assert len(links) == 2000
    assert all(is_link_of("a1b2c3d4e5f6", link) for link in links)
    assert not any(is_link_of("b1b2c3d4e5f6", link) for link in links)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("2028-01-06T10:00:00Z", True),
        ("2028-01-06T10:00:00.500000Z", True),
        ("2028-01-06T10:00:00.000000Z", False),
        ("2028-01-06T10:00:00.5Z", False),
        ("2028-01-06T10:00:00+00:00", False),
        ("2028-13-06T10:00:00Z", False),
        (None, False),
    ],
)
def test_no_bot_is_made_for_an_event_whose_time_is_in_a_wrong_form(text: str | None, is_one: bool) -> None:
    """A bot shows the time in the right form, which would be held against it."""
    assert (instant(text) is not None) == is_one
