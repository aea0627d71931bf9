"""Collects the remarks of all parts of the coach about one journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from mockserver.coach.attempts import attempt_remarks
from mockserver.coach.following import following_remarks
from mockserver.coach.history import Entry, History
from mockserver.coach.objects import object_remarks
from mockserver.coach.remark import RULES, Remark
from mockserver.coach.walks import walk_remarks

_PARTS: Final[tuple[Callable[[History], Iterator[Remark]], ...]] = (
    walk_remarks,
    following_remarks,
    attempt_remarks,
    object_remarks,
)


def remarks(entries: Iterable[Entry], *, skip: Collection[str] = ()) -> list[Remark]:
    """What a client did in these exchanges that goes wrong later: at most one remark a rule, in the rules' order.

    `entries` are those of one project, exchanges and deliveries, as GET /__mock__/requests?kind=any and
    `Journals.find(...).entries` give them. `skip` are ids of rules that are left out. The same mistake in several
    places is one remark with the exchanges of all of them.
    """
    history = History(entries)
    found: dict[str, list[Remark]] = {}
    for part in _PARTS:
        for remark in part(history):
            found.setdefault(remark.rule, []).append(remark)
    return [_merged(found[rule]) for rule in RULES if rule in found and rule not in skip]


def _merged(several: list[Remark]) -> Remark:
    first = several[0]
    exchanges = sorted({number for one in several for number in one.exchanges})
    more = len(several) - 1
    what = first.what if not more else f"{first.what} The same happened {more} more time{'s' if more > 1 else ''}."
    return Remark(first.rule, tuple(exchanges), what)
