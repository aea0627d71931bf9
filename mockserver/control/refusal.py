"""What the mock's own controls say to a request that they cannot do: which field is wrong, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Refused(Exception):
    """A control request that is not done. `status` is the HTTP status that says so."""

    def __init__(self, field: str, problem: str, status: int = 400, fix: str = "") -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.status = status
        self.fix = fix


def unknown(field: str, given: object, allowed: Iterable[str]) -> Refused:
    """A name that is none of those there are: it tells them all, and the nearest first."""
    names = sorted(allowed)
    text = str(given)[:80]
    nearest = difflib.get_close_matches(text, names, 1, 0.6)
    meant = f"did you mean {nearest[0]}? " if nearest else ""
    return Refused(field, f"there is no {text!r}; {meant}there are: {', '.join(names) or 'none'}")
