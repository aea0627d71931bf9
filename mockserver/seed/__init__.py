"""Fixture files into projects: all of a file or, with an error that says where and why, nothing of it."""

from __future__ import annotations

import gc
from pathlib import Path

from mockserver.domain.model import Micros
from mockserver.domain.store import Project
from mockserver.seed.document import Document
from mockserver.seed.problem import Broken, FixtureError
from mockserver.seed.records import Records

__all__ = ["FixtureError", "load_fixtures"]


def load_fixtures(path: Path, now: Micros) -> list[Project]:
    """The projects of a YAML or JSON file, each with its calendars and events as its baseline.

    `now` is the moment, in microseconds since 1970, that relative times and missing timestamps are taken from. Raises
    FixtureError for whatever is wrong with the file.
    """
    collecting = gc.isenabled()
    gc.disable()  # nothing here is garbage, and looking for it again and again would take longer than the loading
    try:
        document = Document(path)
        try:
            return Records(now).projects(document.value)
        except Broken as problem:
            raise document.error(problem) from None
    finally:
        if collecting:
            gc.enable()
