"""Differences: what each source says of one thing, and how much it matters to a client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from mockserver.drift.document import Pointer
from mockserver.drift.kinds import Level, effect_of, level_of

Source: TypeAlias = Literal["published", "contract"]
LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "info")


@dataclass
class Seen:
    """What the recording shows of a difference."""

    text: str = ""
    """What the first exchange that shows it has."""
    entry: int = 0
    """The number of that exchange in the recording, from 1."""
    request: str = ""
    """Its method, path and status."""
    times: int = 0
    """How many exchanges show it."""
    last: int = 0
    """The number of the latest of them."""


@dataclass
class Difference:
    """One contradiction. Its id is what it is and where; never its text."""

    kind: str
    where: str
    detail: str = ""
    """A status or media type that makes the level: undocumented 2xx matter more than 4xx."""
    operations: set[str] = field(default_factory=set)
    says: dict[Source, str] = field(default_factory=dict)
    """What each document says, in words."""
    wrong: set[Source] = field(default_factory=set)
    """The documents that the difference contradicts."""
    places: dict[Source, Pointer] = field(default_factory=dict)
    """Where the documents say it."""
    seen: Seen = field(default_factory=Seen)
    level: Level = "error"
    is_open: bool = False
    """Whether the contract only says less than the published document, so that only a recording can show it."""
    is_unconfirmed: bool = False
    """Whether there is a recording, and it does not show the difference."""

    @property
    def id(self) -> str:
        """The same in each run, for files of known differences."""
        return f"{self.kind}:{self.where}"

    @property
    def effect(self) -> str:
        """What it does to a client."""
        return effect_of(self.kind)


class Differences:
    """The differences of one run, each once, however often and by whatever it is found."""

    def __init__(self) -> None:
        self._found: dict[str, Difference] = {}

    def add(self, kind: str, where: str, operation: str, *, detail: str = "", is_open: bool = False) -> Difference:
        """The difference of this kind at this place, with one more operation that has it."""
        new = Difference(kind, where, detail, is_open=is_open)
        found = self._found.setdefault(new.id, new)
        found.is_open = found.is_open and is_open
        found.operations.add(operation)
        return found

    def get(self, id: str) -> Difference | None:
        """The difference with an id, if it was found."""
        return self._found.get(id)

    def finished(self, *, recorded: bool) -> list[Difference]:
        """All of them, the worst first.

        With a recording, what it does not show is info, and nothing at all where the contract only says less.
        """
        found = [one for one in self._found.values() if one.seen.times or not (recorded and one.is_open)]
        for one in found:
            one.is_unconfirmed = recorded and not one.seen.times
            is_uncertain = one.is_unconfirmed or (one.is_open and not one.seen.times)
            one.level = "info" if is_uncertain else level_of(one.kind, one.detail)
        return sorted(found, key=lambda one: (LEVELS.index(one.level), one.is_unconfirmed, one.id))


def at_least(level: Level, differences: Iterable[Difference]) -> list[Difference]:
    """Those that matter at least as much."""
    wanted = LEVELS[: LEVELS.index(level) + 1]
    return [one for one in differences if one.level in wanted]
