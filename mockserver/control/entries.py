"""What the journal keeps of an exchange or a delivery, and how that is shown: as plain data without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mockserver.api.request import Cut, Exchange
from mockserver.control.masking import Known, Masker
from mockserver.domain import timestamps
from mockserver.domain.activity import Activity
from mockserver.domain.deliveries import Attempt
from mockserver.domain.model import Micros
from mockserver.domain.secret_urls import shown_url, url_secrets
from mockserver.domain.store import Project
from mockserver.evidence import ledger

Shown: TypeAlias = dict[str, Any]
"""An entry as plain data; nothing in it is secret."""
Pairs: TypeAlias = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True)
class DeliveryEntry:
    """One attempt to deliver a webhook; `status` is None where no answer came, and `problem` then says why."""

    url: str = field(repr=False)
    trigger: str
    key: str
    """The idempotency key, the same for every attempt of a delivery."""
    attempt: int
    """From 1."""
    calendar_id: str | None
    headers: Pairs = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    status: int | None = None
    sent_headers: Pairs = field(default=(), repr=False)
    """The receiver's headers, and below its body."""
    sent: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    problem: str | None = field(default=None, repr=False)
    fault: str | None = None
    """The kind of fault that this attempt was sent with."""
    project: Project | None = field(default=None, repr=False)
    number: int = 0
    at: Micros = 0
    size: int = field(default=0, repr=False)
    cut: Cut | None = field(default=None, repr=False)


Entry: TypeAlias = Exchange | DeliveryEntry


def entry_of_attempt(project: Project, activity: Activity, attempt: Attempt) -> DeliveryEntry:
    """The entry of one POST of a delivery."""
    calendar_id = activity.detail["calendar_id"]
    return DeliveryEntry(
        url=attempt.url,
        trigger=str(activity.detail["trigger"]),
        key=activity.subject,
        attempt=attempt.number,
        calendar_id=None if calendar_id is None else str(calendar_id),
        headers=[
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in attempt.headers
        ],
        body=attempt.body,
        status=attempt.status,
        sent=attempt.answer.encode("utf-8", "replace"),
        seconds=attempt.seconds,
        problem=f"{attempt.error_type}: {attempt.error_message}" if attempt.error_type else None,
        fault=attempt.fault,
        project=project,
    )


def show(entry: Entry, known: Known) -> Shown:
    """An entry as plain data."""
    project = entry.project.name if entry.project is not None else None
    masker = known.masker(project, *(url_secrets(entry.url) if isinstance(entry, DeliveryEntry) else ()))
    hidden = masker.hidden
    shown = _show(entry, masker, known)
    # Again if need be: a secret that was met late is now also hidden where it was met early.
    return shown if masker.hidden is hidden else _show(entry, masker, known)


def _show(entry: Entry, masker: Masker, known: Known) -> Shown:
    return _exchange(entry, masker, known) if isinstance(entry, Exchange) else _delivery(entry, masker)


def _exchange(entry: Exchange, masker: Masker, known: Known) -> Shown:
    cut = entry.cut or Cut(len(entry.body), len(entry.sent))
    authorization = dict(entry.headers).get(b"authorization")
    return {
        **_head(entry, "exchange"),
        "method": masker.text(entry.method),
        "path": masker.text(entry.path),
        "query": masker.query(entry.query.decode("utf-8", "replace")),
        "operation": entry.operation,
        "key": known.about(authorization),
        "request": _message(masker, entry.headers, entry.body, cut.body, is_answer=False),
        "status": entry.status,
        "response": _message(masker, entry.sent_headers, entry.sent, cut.sent, is_answer=True),
        "reason": None if entry.reason is None else masker.without_known(entry.reason),
        "remarks": [masker.without_known(remark) for remark in entry.remarks],
        "evidence": ledger().of_remarks(entry.remarks) if entry.remarks else [],
        "seconds": round(entry.seconds, 6),
        "fault": None if entry.fault is None else {"name": entry.fault.name, "kind": entry.fault.kind},
    }


def _delivery(entry: DeliveryEntry, masker: Masker) -> Shown:
    cut = entry.cut or Cut(len(entry.body), len(entry.sent))
    address, _mark, query = shown_url(entry.url).partition("?")
    return {
        **_head(entry, "delivery"),
        "method": "POST",
        "url": masker.text(address) + (f"?{masker.query(query)}" if query else ""),
        "trigger": entry.trigger,
        "idempotency_key": entry.key,
        "attempt": entry.attempt,
        "calendar_id": entry.calendar_id,
        "request": _message(masker, entry.headers, entry.body, cut.body, is_answer=True),
        "status": entry.status,
        "response": _message(masker, entry.sent_headers, entry.sent, cut.sent, is_answer=True),
        "reason": None if entry.problem is None else masker.text(entry.problem),
        "seconds": round(entry.seconds, 6),
        "fault": None if entry.fault is None else {"name": entry.fault, "kind": entry.fault},
    }


def _head(entry: Entry, kind: str) -> Shown:
    return {
        "id": entry.number,
        "kind": kind,
        "project": entry.project.name if entry.project is not None else None,
        "time": timestamps.render(entry.at),
    }


def _message(masker: Masker, headers: Pairs, body: bytes, length: int, *, is_answer: bool) -> Shown:
    """Headers and body of a message; `length` is how long the body was before it was cut."""
    content_type = dict(headers).get(b"content-type", b"").decode("latin-1")
    shown = masker.body(body, content_type, is_answer=is_answer) if body else None
    message: Shown = {
        "headers": masker.headers(headers),
        "body": None if shown is None else shown.text,
        "bytes": length,
        "cut": length > len(body),
    }
    if shown is not None and shown.is_json:
        message["json"] = shown.value
    return message
