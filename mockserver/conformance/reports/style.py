"""How a report is written: what a reader asked for besides its form."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from mockserver.conformance.reports.places import line_of

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
