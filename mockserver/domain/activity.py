"""What a project did on schedule or on demand: a sync, or an attempt at a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mockserver.domain.deliveries import Attempt
from mockserver.domain.model import Json, Micros
from mockserver.domain.timestamps import render


class Activity(NamedTuple):
    """Something that fell due and was done."""

    at: Micros
    what: str
    """Its kind: `sync`, `delivery`."""
    subject: str
    """The calendar's id of a sync, the idempotency key of a delivery."""
    outcome: str
    detail: Mapping[str, Json]
    attempts: tuple[Attempt, ...] = ()
    """The POSTs of a delivery that were made now: none when nothing was sent, two of a duplicate."""

    def __repr__(self) -> str:
        """Without the POSTs: their URLs and headers hold secrets."""
        return f"Activity({self.shown()})"

    def shown(self) -> dict[str, Json]:
        """The activity as plain data, without the POSTs."""
        return {
            "at": render(self.at),
            "what": self.what,
            "subject": self.subject,
            "outcome": self.outcome,
            "detail": dict(self.detail),
        }
