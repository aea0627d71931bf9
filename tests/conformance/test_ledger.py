"""The ledger of a run: what is known of what it made, while it runs and after it was killed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.conformance.ledger import Ledger, read_ledger

_NAMES = st.sampled_from(["cal_1", "cal_2", "cal_3"])
_CREATIONS = st.tuples(
    st.just("create"), st.booleans(), st.sampled_from([None, 0, 201, 400, 404, 500]), st.lists(_NAMES, max_size=2)
)
_NEWS = st.tuples(st.sampled_from(["took_away", "came_back", "found"]), _NAMES)
_SETTLING = st.tuples(st.just("settle"), st.integers(0, 5))


def _kept(ledger: Ledger, events: list[tuple[Any, ...]]) -> set[int]:
    """Writes drawn events down; gives the numbers of the creations that were settled."""
    settled = set()
    for what, *facts in events:
        if what == "create":
            marked, status, ids = facts
            intent = ledger.intend("main", ledger.run, marked=marked)
            if status is not None:
                ledger.answered(intent, status, ids if status == 201 else [], [])
        elif what == "settle":
            for intent in list(ledger.asked.values())[: facts[0]]:
                ledger.settle(intent)
                settled.add(intent.number)
        elif what == "found":
            ledger.found(facts[0], "main")
        else:
            getattr(ledger, what)(facts[0])
    return settled


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(_CREATIONS, _NEWS, _SETTLING), max_size=12))
def test_what_is_there_and_what_is_unanswered_follows_from_the_events_also_after_a_kill(
    events: list[tuple[Any, ...]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        ledger = Ledger("0123abcd", "x", path)
        # A creation begins the file.
        settled = _kept(ledger, [("create", True, 400, []), *events])
        read = read_ledger(path)
        assert read is not None
        for one in (ledger, read):
            unclear = [intent for intent in one.asked.values() if not intent.ids and intent.number not in settled]
            assert one.alive == {name: key for name, key in one.made.items() if name not in one.gone}
            assert one.unanswered == [one for one in unclear if one.status in (None, 0, 201, 500)]
        assert read.alive == ledger.alive
