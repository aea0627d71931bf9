"""The body of a POST that creates a calendar, and the id in its answer."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.run import Target

Body: TypeAlias = dict[str, Any]
Credentials: TypeAlias = tuple[str, str]
"""A client secret and a refresh token."""

MARK: Final = "conformance_run"
"""The member of the metadata that marks a calendar as one of a run."""
CLIENT: Final = "conformance.invalid"
"""The client id of the calendars of a run; its domain can belong to nobody."""

VOLATILE: Final = (
    "state",
    "connection_failure_data",
    "updated_at",
    "last_successful_sync_at",
    "last_attempted_sync_at",
)
"""What a sync, which may run at any time, changes of a calendar."""


def calendar_body(
    target: Target, *layers: Body, tag: str | None = None, credentials: Credentials | None = None
) -> Body:
    """A body that the service accepts, with the fields of `layers` laid over it in their order.

    Its metadata carry `tag`. The tag and the credentials are fresh ones where none are given.
    """
    secret, token = credentials or fresh_credentials(target)
    body: Body = {
        "platform": "google",
        "client_id": CLIENT,
        "client_secret": secret,
        "refresh_token": token,
        **marked(tag or target.tag()),
    }
    for layer in layers:
        body |= layer
    return body


def fresh_credentials(target: Target) -> Credentials:
    """Credentials that nothing has used before; reports mask them."""
    return target.secret("client_secret"), target.secret("refresh_token")


def marked(tag: str, **more: str) -> Body:
    """The field `metadata` with the mark of a run, for the body of a POST or PATCH."""
    return {"metadata": {MARK: tag, **more}}


def created_id(exchange: Exchange, statuses: tuple[int, ...] = (201,)) -> str | None:
    """The id of the calendar that an answer says was created; None where it does not say so."""
    made = exchange.json if exchange.status in statuses else None
    name = made.get("id") if isinstance(made, dict) else None
    return name if isinstance(name, str) else None
