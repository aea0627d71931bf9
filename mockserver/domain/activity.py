"""What a project did by itself: a sync, a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mockserver.domain.model import Json, Micros


class Activity(NamedTuple):
    """Something that fell due and was done."""

    at: Micros
    what: str
    """Its kind: `sync`, `delivery`."""
    subject: str
    """The calendar's id of a sync, the idempotency key of a delivery."""
    outcome: str
    detail: Mapping[str, Json]
