"""What the coach can say: a rule's name, the risk, and the cure; and a remark, which is a rule with its exchanges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

_MOST_SHOWN: Final = 12


class Rule(NamedTuple):
    """What every remark of one kind has in common."""

    title: str
    risk: str
    cure: str


RULES: Final[Mapping[str, Rule]] = {
    "first-page-only": Rule(
        "the client reads only the first page",
        "A page has at most 100 rows: the client never sees the others.",
        "Follow `next` until it is null.",
    ),
    "walk-abandoned": Rule(
        "the client stops before the last page",
        "The rows of the pages that it did not read are missing, and a watermark taken from this walk skips them for "
        "good.",
        "Follow `next` until it is null. If a page fails, request it again or begin the walk again, and keep the old "
        "watermark until the walk is complete.",
    ),
    "filters-changed": Rule(
        "the client changes the filters between two pages",
        "A cursor is a position in one list. In another list it skips rows or repeats them.",
        "Request the URL in `next` unchanged.",
    ),
    "watermark-late": Rule(
        "the watermark is later than the start of the walk before it",
        "The next walk does not return an event that changed while the client was reading.",
        "Use the newest updated_at of the rows, or the time before the first request; subtract a minute.",
    ),
    "updated-after": Rule(
        "the client uses updated_after",
        "It is the old name of updated_at_gte and deprecated; the service ignores it where both are given.",
        "Write updated_at_gte.",
    ),
    "webhook-not-followed": Rule(
        "the client does not list the events after a webhook",
        "calendar.events_update says only that something changed: the client keeps showing the old events.",
        "After each accepted calendar.events_update, list the calendar's events with updated_at_gte.",
    ),
    "polling": Rule(
        "the client polls although nothing changed",
        "It sends requests for nothing, learns of a change late, and comes near to the rate limit.",
        "Subscribe to calendar.events_update and calendar.state_change. Poll only as a fallback, every few hours.",
    ),
    "no-fallback": Rule(
        "the client depends on webhooks alone",
        "The service gives up on a webhook after three attempts; the client learns of the change with the next one.",
        "Also list every calendar's events every few hours, with the watermark of the last complete walk.",
    ),
    "retried-at-once": Rule(
        "the client retries without a pause",
        "An overloaded service gets more load, and a request over the limit is refused again.",
        "After 429, wait as long as Retry-After says. After 5xx, wait, and double the wait each time.",
    ),
    "retried-forever": Rule(
        "the client does not stop retrying",
        "One request that cannot succeed blocks the others and uses up the rate limit.",
        "Give up after a few attempts, report the failure, and try again later.",
    ),
    "deleted-event-used": Rule(
        "the client schedules a bot for a deleted event",
        "Deleted events stay in the list with is_deleted true. A bot joins a meeting that was cancelled.",
        "Look at is_deleted of every row, and remove the event on your side when it is true.",
    ),
    "post-to-reconnect": Rule(
        "the client reconnects a calendar by POST",
        "The service creates a second calendar with new ids, or refuses the deduplication key; the old one stays "
        "disconnected.",
        "Send the new refresh_token with PATCH /api/v1/calendars/{id}.",
    ),
    "two-bots": Rule(
        "the client schedules two bots for one meeting",
        "Two bots join. This happens after a retry, or when an event is moved: its bot moves with it.",
        "Give each bot a deduplication_key made from the event's id, and look at the event's `bots` before you create "
        "one.",
    ),
    "secret-in-url": Rule(
        "the client writes a secret into a URL",
        "URLs are kept in access logs, proxies and error reports.",
        "Send the key in `Authorization: Token KEY`, and everything else that is secret in the body.",
    ),
    "id-parsed": Rule(
        "the client takes an id apart",
        "An id has no meaning. Case, prefix and length belong to it and may change for new objects.",
        "Store ids as texts of any length, and send them back exactly as they came.",
    ),
}
"""Every rule, by its id."""


@dataclass(frozen=True)
class Remark:
    """One mistake of a client, and the exchanges that show it."""

    rule: str
    """One of RULES."""
    exchanges: tuple[int, ...]
    """Their numbers in the journal, ascending: `attendee-mock requests show 17` prints one."""
    what: str
    """What happened in these exchanges, in one sentence."""

    @property
    def risk(self) -> str:
        """What goes wrong later."""
        return RULES[self.rule].risk

    @property
    def cure(self) -> str:
        """What to do instead."""
        return RULES[self.rule].cure

    def as_dict(self) -> dict[str, Any]:
        """The remark as plain data, for JSON."""
        return {**asdict(self), "exchanges": list(self.exchanges), "risk": self.risk, "cure": self.cure}

    def __str__(self) -> str:
        return f"{self.rule} ({numbers(self.exchanges)}): {self.what} Risk: {self.risk} Cure: {self.cure}"


def numbers(exchanges: Iterable[int]) -> str:
    """Numbers of exchanges as in the request log, e.g. #3, #17; of many the first ones."""
    listed = list(exchanges)
    shown = ", ".join(f"#{number}" for number in listed[:_MOST_SHOWN])
    return shown if len(listed) <= _MOST_SHOWN else f"{shown} and {len(listed) - _MOST_SHOWN} more"
