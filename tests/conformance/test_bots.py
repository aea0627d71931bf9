"""The judge's rules of bots: kept by the mock, broken by mutants, and safe on somebody's deployment."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.conformance.checks import bots
from mockserver.conformance.cleanup import clean_up
from mockserver.conformance.guard import BOTS, path_of
from mockserver.conformance.ownership import is_link_of, link_of_run
from mockserver.conformance.run import Forbidden
from tests.conformance.judging import judged, of, told
from tests.conformance.staging import reached, state_of
from tests.mutants.bots import MUTANTS
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
    "bot-last-state-counts": ("bot-filter", "listBots", "states"),
    "bot-key-filter-shows-foreign-bots": ("bot-tenants", "listBots", "deduplication_key"),
    "bot-fields-checked-before-event": ("bot-event-unknown", "createBot", "bot_name"),
}


@pytest.mark.parametrize("name", list(FOUND)[:4])
def test_a_mutant_breaks_one_rule(name: str) -> None:
    assert told(judged(of(MUTANTS, name), bots)) == [FOUND[name]]


@pytest.mark.long
@pytest.mark.parametrize("name", list(FOUND)[4:])
def test_another_mutant_breaks_one_rule(name: str) -> None:
    assert told(judged(of(MUTANTS, name), bots)) == [FOUND[name]]


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
