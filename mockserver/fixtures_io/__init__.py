"""Reads fixture files into projects; an error names every mistake and its place, and nothing is loaded then."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mockserver.domain.model import Micros
from mockserver.domain.store import Project, Sync
from mockserver.fixtures_io.document import Document
from mockserver.fixtures_io.problem import Broken, FixtureError
from mockserver.fixtures_io.records import Records
from mockserver.fixtures_io.writing import write_project, write_project_text

__all__ = ["Broken", "FixtureError", "load_fixtures", "read_project", "write_project", "write_project_text"]


def load_fixtures(path: Path, now: Micros, sync: Sync = "auto") -> list[Project]:
    """The projects of a YAML or JSON file, each with its calendars and events as its baseline.

    `now` is the moment, in microseconds since 1970, that relative times and missing timestamps are taken from. `sync`
    is for the projects that do not say how they sync. Raises FixtureError for whatever is wrong with the file.
    """
    with _without_collecting():
        document = Document(path)
        try:
            return Records(now, sync).projects(document.value)
        except Broken as problem:
            raise document.error(problem) from None


def read_project(value: Mapping[str, Any], now: Micros, sync: Sync = "auto") -> Project:
    """The project of a mapping as it stands in the `projects` of a file; all of it or nothing.

    Raises Broken with the place within the project.
    """
    with _without_collecting():
        return Records(now, sync).project(value)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Nothing that is loaded is garbage, and looking for it again and again would take longer than the loading."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
