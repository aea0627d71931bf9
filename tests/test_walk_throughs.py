"""The walk-throughs in docs/ do what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages import blocks
from tests.walk_through import Page

SERVERS = {"audit.md": 2, "coach.md": 1, "diff.md": 2, "drift.md": 1, "listen.md": 2, "proxy.md": 1, "timeline.md": 1}
"""How many terminals of each page run servers."""
RUN = [block for name in SERVERS for block in blocks(f"docs/{name}", "sh")]
"""Every block that the test below types."""


@pytest.mark.parametrize("name", SERVERS)
def test_a_walk_through_does_what_it_says(name: str, tmp_path: Path) -> None:
    page = Page(name)
    assert len(page.servers) == SERVERS[name]
    assert len(page.servers) + len(page.steps) == len([block for block in RUN if block.page == f"docs/{name}"])
    page.check(tmp_path)
