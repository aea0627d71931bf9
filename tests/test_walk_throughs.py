"""The walk-throughs in docs/ do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walk_through import Page


@pytest.mark.parametrize("name", ["drift.md", "proxy.md"])
def test_a_walk_through_does_what_it_says(name: str, tmp_path: Path) -> None:
    page = Page(name)
    assert len(page.servers) == 1
    assert len(page.steps) >= 4
    page.check(tmp_path)
