"""The problems of a fixture file, one line each, without secrets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""The way to a value from the top of the file: the names of fields and the numbers in lists, from 0."""

SECRETS: Final = frozenset({"api_keys", "disabled_api_keys", "webhook_secret", "client_secret", "refresh_token"})
MOST_PROBLEMS: Final = 20
"""How many problems are listed; the others are counted."""
_LONGEST = 60
_MOST_PARTS = 12
_ABSENT: Final = object()


class FixtureError(Exception):
    """Fixtures that cannot be used. Its text says where, what, and how to mend it: a line, or several for a file."""


class Problem(NamedTuple):
    """One value that breaks a rule."""

    rule: str
    value: object
    fix: str
    place: Place

    def text(self) -> str:
        """Place, rule, value and fix in one line; a secret's value is left out."""
        return f"{place_text(self.place) or 'the whole file'}: {self.without_place()}"

    def without_place(self) -> str:
        """Rule, value and fix in one line."""
        parts = [self.rule]
        if self.value is not _ABSENT and not SECRETS.intersection(self.place):
            parts[0] += f", not {shown(self.value)}"
        if self.fix:
            parts.append(self.fix)
        return "; ".join(parts)


class Problems:
    """What is wrong with fixtures: the first problems, and how many there are besides."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.more = 0

    @property
    def count(self) -> int:
        """How many there are, with those that are not kept."""
        return len(self.found) + self.more

    def add(self, broken: Broken, *outer: str | int) -> Problems:
        """Takes up what is wrong with a value whose place is `outer`."""
        inner = broken.problems
        room = MOST_PROBLEMS - len(self.found)
        self.found += [one._replace(place=(*outer, *one.place)) for one in inner.found[:room]]
        self.more += inner.more + max(0, len(inner.found) - room)
        return self

    def check(self) -> None:
        """Raises Broken with all of them, if there are any."""
        if self.found:
            raise Broken.of(self)


class Broken(Exception):
    """Values that break rules. Their places are filled in from the inside outwards, as the error travels up."""

    def __init__(self, rule: str, value: object = _ABSENT, *, fix: str = "", place: Place = ()) -> None:
        super().__init__(rule)
        self.problems = Problems()
        self.problems.found.append(Problem(rule, value, fix, place))

    @classmethod
    def of(cls, problems: Problems) -> Broken:
        """The error that several problems are."""
        made = cls(problems.found[0].rule)
        made.problems = problems
        return made

    def within(self, *outer: str | int) -> Broken:
        """The same problems, their places seen from further out."""
        return self.moved(lambda place: (*outer, *place))

    def moved(self, where: Callable[[Place], Place]) -> Broken:
        """The same problems in other places."""
        self.problems.found = [one._replace(place=where(one.place)) for one in self.problems.found]
        return self


def added(problems: Problems | None, broken: Broken, *outer: str | int) -> Problems:
    """The problems and this one more. None is none so far: most values are right, and nothing is made for them."""
    return (problems or Problems()).add(broken, *outer)


def place_text(place: Place) -> str:
    """A place as people write it, e.g. projects[0].calendars[2].state."""
    names, secret = [], False
    for part in place[:_MOST_PARTS]:
        names.append(f"[{part}]" if isinstance(part, int) else ".…" if secret else f".{_name(part)}")
        secret = secret or part in SECRETS
    more = "…" if len(place) > _MOST_PARTS else ""
    return "".join(names).removeprefix(".") + more


def _name(part: str) -> str:
    """A name, or the word that it begins with: what follows could be a secret, as in {client_secret:abc}."""
    word = re.match(r"\w{0,60}", part)
    return part if word and word[0] == part else f"{word[0] if word else ''}…"


def shown(value: Any) -> str:
    """A value in a few printable characters."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, dict | list):
        return f"{'a mapping' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, str):
        if any(name in value for name in SECRETS):  # as in the list item client_secret:abc, which is one text to YAML
            return "a text that holds the name of a secret"
        return repr(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…")
    if isinstance(value, int) and value.bit_length() > 128:
        return "a very large number"
    return repr(value)[:_LONGEST]


def did_you_mean(word: object, words: Iterable[str]) -> str:
    """Which of the fields was probably meant, or else all of them."""
    known = sorted(words)
    close = difflib.get_close_matches(str(word)[:_LONGEST].lower(), known, n=1)
    return f"did you mean {close[0]}?" if close else f"the fields here are {', '.join(known)}"
