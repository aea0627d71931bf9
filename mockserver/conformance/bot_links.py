"""Links to meetings that carry the mark of a run: nobody meets there, and the bots of the run are known by them."""

from __future__ import annotations

from typing import Final

_HOST: Final = "https://meet.google.com/"
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")
_MARK: Final = 6


def link_of_run(run: str, number: int) -> str:
    """The link of this number; each number below 17,000 has another."""
    rest, last = divmod(number, 26)
    letters = f"{_mark(run)}{chr(97 + rest // 26 % 26)}{chr(97 + rest % 26)}{chr(97 + last)}q"
    return f"{_HOST}{letters[:3]}-{letters[3:7]}-{letters[7:]}"


def is_link_of(run: str, link: str) -> bool:
    """Whether a link carries the mark of a run."""
    return link.startswith(_HOST) and link.removeprefix(_HOST).replace("-", "").startswith(_mark(run))


def _mark(run: str) -> str:
    return run.lower()[:_MARK].translate(_LETTERS).ljust(_MARK, "x")
