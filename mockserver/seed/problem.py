"""What is wrong with a fixture file, said in one line that never shows a secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""The way to a value from the top of the file: the names of fields and the numbers in lists, from 0."""

SECRETS: Final = frozenset({"api_keys", "disabled_api_keys", "webhook_secret", "client_secret", "refresh_token"})
_LONGEST = 60
_MOST_PARTS = 12
_ABSENT: Final = object()


class FixtureError(Exception):
    """Fixtures that cannot be used; its text is one line that says where, what, and how to mend it."""


class Broken(Exception):
    """A value that breaks a rule. The place is filled in from the inside outwards, as the error travels up."""

    def __init__(self, rule: str, value: object = _ABSENT, *, fix: str = "", place: Place = ()) -> None:
        super().__init__(rule)
        self.rule, self.value, self.fix, self.place = rule, value, fix, place

    def within(self, *outer: str | int) -> Broken:
        """The same problem, its place seen from further out."""
        self.place = (*outer, *self.place)
        return self

    def text(self) -> str:
        """Place, rule, value and fix in one line; a secret's value is left out."""
        parts = [self.rule]
        if self.value is not _ABSENT and not SECRETS.intersection(self.place):
            parts[0] += f", not {shown(self.value)}"
        if self.fix:
            parts.append(self.fix)
        return f"{place_text(self.place) or 'the whole file'}: {'; '.join(parts)}"


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
