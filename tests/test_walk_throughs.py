"""The walk-throughs in docs/ do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walk_through import Page


@pytest.mark.parametrize(
    ("name", "servers", "steps"),
    [
        ("audit.md", 2, 1),
        ("coach.md", 1, 1),
        ("diff.md", 2, 3),
        ("drift.md", 1, 4),
        ("listen.md", 2, 1),
        ("proxy.md", 1, 4),
        ("timeline.md", 1, 2),
    ],
)
def test_a_walk_through_does_what_it_says(name: str, servers: int, steps: int, tmp_path: Path) -> None:
    page = Page(name)
    assert len(page.servers) == servers
    assert len(page.steps) >= steps
    page.check(tmp_path)
