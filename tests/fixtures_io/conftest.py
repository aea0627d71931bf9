"""Loads documents as fixture files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockserver.domain.store import Project
from mockserver.fixtures_io import load_fixtures
from tests.fixtures_io.files import NOW, Load


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a document, or a text, as a file of this name."""

    def load(document: object, name: str = "fixtures.json", now: int = NOW) -> list[Project]:
        path = tmp_path / name
        text = document if isinstance(document, str) else json.dumps(document)
        path.write_text(text, "utf-8")
        return load_fixtures(path, now)

    return load
