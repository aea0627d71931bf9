"""Reads the pages of the docs: their blocks, and the commands in their text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "fixtures/*.md", "examples/**/*.md")
    for page in ROOT.glob(pattern)
    if page.name not in ("CHANGELOG.md", "AGENTS.md")  # one quotes texts as they were, the other quotes these pages
)
_FENCED = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}\S.*\n(?:\n(?= {4}))?(?: {4}.*\n(?:\n(?= {4}))?)*)")


class Block(NamedTuple):
    """A block of a page: where it begins, its language (none if it is indented), and its text."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.text.splitlines()[0]}"


def text_of(page: str) -> str:
    """A page as it is written."""
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, *languages: str) -> list[Block]:
    """The blocks of a page in their order, fenced and indented ones; with languages, only those."""
    text = text_of(page)
    found = []
    for match in _FENCED.finditer(text):
        found.append(Block(page, text[: match.start()].count("\n") + 1, match[1], match[2]))
    # The fences become blank lines: what is indented inside them is no block of its own.
    prose = _FENCED.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in _INDENTED.finditer(prose):
        indented = re.sub(r"^ {4}", "", match[0], flags=re.MULTILINE)
        found.append(Block(page, prose[: match.start()].count("\n") + 1, "", indented))
    return sorted(block for block in found if not languages or block.language in languages)


def block(page: str, start: str) -> Block:
    """The one block of a page that begins with a text."""
    (found,) = [block for block in blocks(page) if block.text.startswith(start)]
    return found


def in_text(page: str) -> list[str]:
    """What a page has between backticks outside its blocks; a line break is a space."""
    text = _INDENTED.sub("\n", _FENCED.sub("", text_of(page)))
    # A cell of a table writes a bar as \|.
    return [" ".join(span.split()).replace("\\|", "|") for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
