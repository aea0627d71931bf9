"""Checks of a new bot: what it shows when it is made, read and listed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from mockserver.conformance.bots.bench import BotBench, id_of, probe
from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import same_document
from mockserver.conformance.guard import BOTS, path_of
from mockserver.conformance.recorded_cases.bench import Holding


@check("bot-create-accepted", "bot-stored", context=BotBench, cost=6, least=2, needs=("write",))
def creation(bench: BotBench) -> Steps:
    """A bot with every field that shows, and one with the fewest, as they are answered, read and listed."""
    key, link, at = bench.target.tag(), bench.link(), bench.at()
    sent = bench.bot_fields(meeting_url=link, join_at=at, deduplication_key=key)
    shown = {"meeting_url": link, "join_at": at, "deduplication_key": key, "metadata": sent["metadata"]}
    made = made_of(bench, "bot-create-accepted", "body", sent, {"state": "scheduled", "events": [], **shown})
    if made is None or bench.is_broken("bot-create-accepted"):
        return
    bench.work_with(made)
    changes = getattr(bench.target, "changes", 0)
    yield IF_SHORT
    if getattr(bench.target, "changes", 0) != changes:
        # Others may have changed or deleted it: what is read has to be as it was made.
        made = bench.create() or made
    for path in (path_of(id_of(made)), f"{BOTS}?{urlencode({'meeting_url': made.json.get('meeting_url', link)})}"):
        again = bench.get(path)
        if not bench.is_told(again, right_status=True):
            one = (
                same_document(made, again) if path != path.partition("?")[0] else same_document(made, again, both=True)
            )
            bench.check("bot-stored", one, "getBot" if "?" not in path else "listBots", [made, again])
    yield
    # A run has to find again what it made: its mark is in the link where metadata are left out.
    least = bench.bot_fields("metadata", deduplication_key=bench.target.tag())
    made_of(bench, "bot-create-accepted", "metadata", least, {"metadata": None})


def made_of(bench: BotBench, rule: str, field: str, sent: dict[str, Any], shown: dict[str, Any]) -> Exchange | None:
    """Makes a bot, and holds the answer against what it has to show; None where no bot was made."""
    exchange = bench.ask(probe(rule, "createBot", field, "POST", BOTS, 201, Holding(shown))._replace(json=sent))
    return exchange if bench.took(exchange) else None


CHECKS = (creation,)
