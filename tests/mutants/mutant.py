"""What a mutant is: one seeded defect, put into one mock."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mockserver.api.request import App
from mockserver.app import Mock


class Mutant(NamedTuple):
    """A defect. `apply` puts it into a mock of its own and gives the application to judge."""

    id: str
    """Says the defect in short, e.g. create-ignores-dedup-key; unique among all mutants, and never changed."""
    area: str
    defect: str
    apply: Callable[[Mock], App]
