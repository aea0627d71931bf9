"""How a report is written: what a reader asked for besides its form."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from mockserver.contracts import data_path

_CONTRACT: Final = "openapi.yaml"


class Style(NamedTuple):
    """What the options of `check` say about all reports."""

    verbose: bool = False
    """With the curl lines of every finding."""
    folder: Path | None = None
    """Where the files of each finding are."""
    at: tuple[str, int | None] | None = None
    """A file of the user's, and a line in it, at which annotations are shown; None: openapi.yaml."""

    def place(self, operation: str) -> tuple[str, int]:
        """The file and the line at which a finding of an operation is shown."""
        if self.at is None:
            return _CONTRACT, line_of(operation)
        file, line = self.at
        return file, line or 1


PLAIN: Final = Style()


@cache
def lines() -> dict[str, int]:
    """The line of each operation, by its operationId."""
    with data_path("openapi.yaml").open(encoding="utf-8") as stream:
        found = (re.match(r"\s*operationId:\s*(\w+)", line) for line in stream)
        return {match[1]: number for number, match in enumerate(found, 1) if match}


def line_of(operation: str) -> int:
    """The line of an operation; the first for what the contract does not have."""
    return lines().get(operation, 1)
