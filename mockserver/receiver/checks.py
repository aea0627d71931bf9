"""The checks of a receiver: what each sends, what the receiver has to do, why it matters, and the cure."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Group: TypeAlias = Literal["accept", "refuse", "behave"]


class Check(NamedTuple):
    """One check."""

    id: str
    group: Group
    """accept: a genuine webhook that has to be answered 2xx. refuse: a forged one that has to be answered 4xx. behave:
    what the receiver does afterwards."""
    sent: str
    why: str
    cure: str


_VERIFY: Final = "Compute the signature as docs/webhooks.md shows, and answer 400 if the header differs."
_CANONICAL: Final = (
    "Sign json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False, separators=(',', ':')) with the decoded "
    "secret."
)

CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "genuine",
        "accept",
        "a genuine calendar.events_update",
        "Without it, no webhook arrives: the service gives up after three attempts.",
        _CANONICAL,
    ),
    Check(
        "state-change",
        "accept",
        "a genuine calendar.state_change for a disconnected calendar",
        "It is the only message that a user's consent has ended.",
        "Accept every trigger, then look at it; store the state in `data`.",
    ),
    Check(
        "lower-case-header",
        "accept",
        "a genuine webhook whose header is x-webhook-signature",
        "Proxies and HTTP/2 write header names in lower case.",
        "Look headers up without regard to case.",
    ),
    Check(
        "upper-case-header",
        "accept",
        "a genuine webhook whose header is X-WEBHOOK-SIGNATURE",
        "The case of a header's name means nothing in HTTP.",
        "Look headers up without regard to case.",
    ),
    Check(
        "non-ascii",
        "accept",
        "metadata with letters beyond ASCII, escaped in the body as the service escapes them",
        "Users have names such as Zoë: their webhooks are refused.",
        "Sign UTF-8 text without \\u escapes: ensure_ascii=False.",
    ),
    Check(
        "numeric-keys",
        "accept",
        "metadata with the members 9 and 10",
        "JavaScript puts numeric names first and in numeric order: the signature differs for such metadata.",
        "Write the sorted text yourself instead of sorting an object; docs/webhooks.md shows how.",
    ),
    Check(
        "null-metadata",
        "accept",
        "a webhook whose calendar has no metadata and no deduplication key",
        "Both are null for calendars that were created without them.",
        "Accept null in calendar_metadata and calendar_deduplication_key.",
    ),
    Check(
        "deleted-calendar",
        "accept",
        "a webhook about a calendar that was deleted meanwhile: calendar_id, its key and its metadata are absent",
        "A retry may come after the calendar was deleted; an error causes more retries.",
        "Read members with a default, and answer 200 if there is no calendar_id.",
    ),
    Check(
        "unknown-trigger",
        "accept",
        "a genuine webhook with a trigger that does not exist yet",
        "New triggers are added; an error for each causes retries and alarms.",
        "Answer 200 to triggers that you do not know, and do nothing.",
    ),
    Check(
        "unknown-fields",
        "accept",
        "a genuine webhook with additional members",
        "New members are added without notice.",
        "Ignore members that you do not know, but sign the whole content.",
    ),
    Check(
        "rewritten-body",
        "accept",
        "a genuine webhook whose body is written without blanks and in another order",
        "The signature is over the content: a proxy or a new version of the service may write it differently.",
        _CANONICAL,
    ),
    Check(
        "large",
        "accept",
        "a genuine webhook with the largest metadata that the service stores, 1,000 characters",
        "A receiver that refuses or cuts it misses every webhook of such a calendar.",
        "Read the whole body, and let the body parser of this route take at least 64 kB.",
    ),
    Check(
        "keep-alive",
        "accept",
        "an unsigned webhook and then a genuine one on the same connection",
        "A body that was not read is taken for the next request.",
        "Read the whole body before you answer, or close the connection.",
    ),
    Check(
        "retry-accepted",
        "accept",
        "the same idempotency key again, with newer metadata",
        "The service repeats a webhook whose answer was lost; an error causes more retries.",
        "Answer 200 to a key that you have handled.",
    ),
    Check(
        "late-and-out-of-order",
        "accept",
        "a webhook whose data are a day old, after newer ones",
        "Retries and queues change the order.",
        "Answer 200, and read the state from the API instead of trusting `data`.",
    ),
    Check(
        "answered-in-time",
        "accept",
        "all genuine webhooks above",
        "After 10 seconds the service takes the webhook for failed and repeats it.",
        "Put the work into a queue and answer at once.",
    ),
    Check(
        "unsigned",
        "refuse",
        "a webhook without a signature",
        "Whoever knows the URL can send one.",
        "Answer 400 if there is no X-Webhook-Signature.",
    ),
    Check(
        "empty-signature", "refuse", "a webhook with an empty signature", "Whoever knows the URL can send one.", _VERIFY
    ),
    Check(
        "not-json",
        "refuse",
        "a body that is not JSON",
        "An error that nobody handles can stop the whole process; anybody can cause it.",
        "Answer 400 if the body cannot be parsed.",
    ),
    Check(
        "tampered-body",
        "refuse",
        "a genuine signature with a body that was changed",
        "Somebody between the service and you can change what happened.",
        _VERIFY,
    ),
    Check(
        "tampered-header", "refuse", "a signature with one letter changed", "It was not made by the service.", _VERIFY
    ),
    Check(
        "raw-bytes",
        "refuse",
        "a signature over the bytes of the body",
        "The service does not sign so: such a receiver refuses every genuine webhook.",
        _CANONICAL,
    ),
    Check(
        "default-separators",
        "refuse",
        "a signature over sorted JSON with blanks after comma and colon",
        "The service does not sign so: such a receiver refuses every genuine webhook.",
        "Give separators=(',', ':') to json.dumps.",
    ),
    Check(
        "secret-as-text",
        "refuse",
        "a signature made with the secret's text",
        "The service does not sign so: such a receiver refuses every genuine webhook.",
        "Decode the secret from base64 first.",
    ),
    Check(
        "old-secret",
        "refuse",
        "a signature made with another secret",
        "After a leak you change the secret, and the old one must not work any more.",
        "Verify with the current secret only.",
    ),
    Check(
        "forged-with-bot-id",
        "refuse",
        "an unsigned webhook about a bot",
        "A receiver that verifies only some webhooks can be deceived with the others.",
        "Verify the signature before you look at any member, with bot_id or without.",
    ),
    Check(
        "fetches",
        "behave",
        "a genuine calendar.events_update, then a look at the mock's journal",
        "The webhook says only that something changed; the events are in the API.",
        "List the calendar's events after each accepted webhook.",
    ),
    Check(
        "forged-not-handled",
        "behave",
        "an unsigned webhook, then a look at the journal",
        "A forged webhook must not cause any work, whatever the answer is.",
        "Verify first, then handle.",
    ),
    Check(
        "handled-once",
        "behave",
        "the same webhook twice, then a look at the journal",
        "Work that is done twice schedules two bots or sends two messages.",
        "Store idempotency keys that were handled, and skip them.",
    ),
    Check(
        "failed-fetch-repeated",
        "behave",
        "a webhook while the API answers 503, and the same one again afterwards",
        "A key that counts as handled although the work failed loses the change.",
        "Mark the key as handled after the work has succeeded, or repeat the work yourself.",
    ),
    Check(
        "all-pages",
        "behave",
        "a webhook after 101 events were added",
        "A page has 100 rows: the others are never read.",
        "Follow `next` until it is null.",
    ),
    Check(
        "answered-before-work",
        "behave",
        "a webhook while the API is slow",
        "If the API is slow, your answer comes late, and the service repeats the webhook.",
        "Put the work into a queue and answer at once.",
    ),
)
"""Every check, in the order of the report."""

IDS: Final = tuple(check.id for check in CHECKS)
BY_ID: Final = {check.id: check for check in CHECKS}
