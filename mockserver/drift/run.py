"""One comparison: reads the files, compares, and gives the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from mockserver.contracts import CALENDARS, data_path, load_contract
from mockserver.drift.compare import compare
from mockserver.drift.difference import Difference, Differences, Source
from mockserver.drift.document import Document, SubjectError, load, openapi_document
from mockserver.drift.har import Recorded, is_har, recorded
from mockserver.drift.known import Entry, sort_out
from mockserver.drift.observe import Observer, unobserved
from mockserver.drift.record import Recorder
from mockserver.drift.surface import Surface

_USAGE: Final = "give an OpenAPI document, a HAR file, or one of each"


@dataclass
class Coverage:
    """How much of the contract a recording shows."""

    exchanges: int = 0
    judged: int = 0
    operations: int = 0
    of_operations: int = 0
    statuses: int = 0
    of_statuses: int = 0
    unobserved: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What one comparison found."""

    documents: dict[Source, Document]
    recording: str | None
    new: list[Difference]
    known: list[tuple[Difference, Entry]]
    expired: list[Entry]
    unseen: list[Entry]
    coverage: Coverage | None
    not_compared: int = 0
    """How many operations of the published document are on paths that the contract does not have."""


@dataclass
class Subjects:
    """The files of one comparison."""

    published: Document | None = None
    recording: Path | None = None
    exchanges: Sequence[Recorded] = ()


def read_subjects(paths: Sequence[Path]) -> Subjects:
    """Reads the files, whose order does not matter. Raises SubjectError."""
    subjects = Subjects()
    for path in paths:
        loaded = load(path)
        if is_har(loaded.data):
            if subjects.recording is not None:
                raise SubjectError(f"{path}: is a second HAR file; {_USAGE}")
            subjects.recording, subjects.exchanges = path, recorded(path, loaded.data)
        elif isinstance(loaded.data, dict) and "openapi" in loaded.data:
            if subjects.published is not None:
                raise SubjectError(f"{path}: is a second OpenAPI document; {_USAGE}")
            subjects.published = openapi_document(path, loaded)
        else:
            raise SubjectError(f"{path}: {_what(loaded.data)}; {_USAGE}")
    return subjects


def _what(data: object) -> str:
    if isinstance(data, dict) and "swagger" in data:
        return "is Swagger 2.0, which drift does not read: convert it to OpenAPI 3.0"
    return "is neither an OpenAPI document (it has no `openapi`) nor a HAR file (it has no `log`)"


def contract_document() -> Document:
    """Our contract as a document with lines, which are only read when a report names them."""
    path = data_path(CALENDARS)
    return Document(CALENDARS, load_contract(), lambda: _lines(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=1)
def _lines(path: Path, _changed: int) -> yaml.Node | None:
    return load(path).root


def drift(subjects: Subjects, entries: Sequence[Entry], today: date, contract: Document | None = None) -> Report:
    """Compares the files with the contract. `contract` is another document to compare with, in tests."""
    ours = Surface(contract or contract_document())
    documents: dict[Source, Document] = {"contract": ours.document}
    surfaces: dict[Source, Surface] = {"contract": ours}
    differences = Differences()
    recorder = Recorder(differences)
    not_compared = 0
    if subjects.published is not None:
        published = Surface(subjects.published)
        documents["published"], surfaces["published"] = subjects.published, published
        compare(published, ours, recorder)
        not_compared = sum(path not in ours.paths for _, path in published.operations)
    coverage = _observed(subjects, surfaces, recorder) if subjects.recording is not None else None
    found = differences.finished(recorded=coverage is not None)
    sorted_out = sort_out(found, entries, today)
    recording = str(subjects.recording) if subjects.recording is not None else None
    return Report(documents, recording, *sorted_out, coverage, not_compared)


def _observed(subjects: Subjects, surfaces: dict[Source, Surface], recorder: Recorder) -> Coverage:
    observer = Observer(surfaces, recorder)
    for exchange in subjects.exchanges:
        observer.observe(exchange)
    ours = surfaces["contract"].operations.values()
    documented = {(one.name, status) for one in ours for status in one.responses}
    seen = {(name, str(status)) for name, statuses in observer.statuses.items() for status in statuses}
    return Coverage(
        len(subjects.exchanges),
        observer.judged,
        len(observer.statuses),
        len(surfaces["contract"].operations),
        len(documented & seen),
        len(documented),
        sorted(unobserved(observer, surfaces["contract"])),
    )
