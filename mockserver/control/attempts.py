"""Attempts to deliver a webhook as entries of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mockserver.control.entries import DeliveryNote
from mockserver.control.journal import Journals
from mockserver.domain.activity import Activity
from mockserver.domain.deliveries import Attempt, Delivery
from mockserver.domain.store import Project

_SENT: Final = ("success", "retry", "failure")


class Recorder:
    """Is told of everything that happens, and writes the attempts down."""

    def __init__(self, journals: Journals) -> None:
        self._journals = journals

    def __call__(self, project: Project, happening: Activity) -> None:
        """Writes down the attempt that was just made, if one was; a duplicate is two."""
        if happening.what != "delivery" or happening.outcome not in _SENT:
            return
        delivery = project.outbox.find(happening.subject)
        if delivery.problem is None:
            for attempt in _latest(delivery):
                self._journals.record_delivery(project, _note(delivery, attempt))


def _latest(delivery: Delivery) -> Iterable[Attempt]:
    return [attempt for attempt in delivery.attempts if attempt.number == delivery.tried]


def _note(delivery: Delivery, attempt: Attempt) -> DeliveryNote:
    return DeliveryNote(
        url=attempt.url,
        trigger=delivery.trigger,
        key=delivery.key,
        attempt=attempt.number,
        calendar_id=delivery.calendar_id,
        headers=[
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in attempt.headers
        ],
        body=attempt.body,
        status=attempt.status,
        sent=attempt.answer.encode("utf-8", "replace"),
        seconds=attempt.seconds,
        problem=f"{attempt.error_type}: {attempt.error_message}" if attempt.error_type else None,
        fault=attempt.fault,
    )
