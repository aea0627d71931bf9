"""Bots: the operations of bots.yaml, with rules and checks of their own."""

from __future__ import annotations

from mockserver.conformance.checks import Check
from mockserver.conformance.checks.bots import (
    changing,
    entrance,
    fields,
    keys_in_use,
    lists,
    of_events,
    operations,
    values,
)
from mockserver.conformance.rules import READ, WRITE, Need, Rule, Severity

_BETWEEN: frozenset[Need] = WRITE | {"other-key"}
_LIST, _CREATE, _UPDATE = "bots.yaml: listBots", "bots.yaml: createBot", "bots.yaml: updateBot"


def _rule(
    rule_id: str, sentence: str, source: str, severity: Severity = "medium", needs: frozenset[Need] = WRITE
) -> Rule:
    return Rule(rule_id, "bots", severity, sentence, source, needs)


RULES: tuple[Rule, ...] = (
    _rule(
        "bot-key-required",
        "An operation on bots without an API key is answered with 401, whatever it asks for.",
        "bots.yaml: UnauthorizedOnBots",
        "high",
        READ,
    ),
    _rule(
        "bot-key-known",
        "An operation on bots rejects a key that is unknown, disabled or in another form.",
        "bots.yaml: UnauthorizedOnBot",
        needs=READ,
    ),
    _rule(
        "bot-not-acceptable",
        "An Accept header that allows no format of the service is answered with 406, before the key is looked at.",
        "bots.yaml: NotAcceptableOnBots",
    ),
    _rule(
        "bot-id-unknown",
        "An id that no bot of the project has is answered with 404.",
        "bots.yaml: BotNotFound",
        needs=READ,
    ),
    _rule(
        "bot-methods",
        "HEAD of bots answers like GET, OPTIONS describes the path, other methods are refused.",
        "bots.yaml: headers",
        needs=READ,
    ),
    _rule(
        "bot-filter-refused",
        "An invalid filter of bots is reported, the first one in the contract's order.",
        _LIST,
        needs=READ,
    ),
    _rule("bot-create-accepted", "A valid body schedules a bot, which is answered with its fields.", _CREATE, "high"),
    _rule(
        "bot-stored",
        "A bot is read and listed as it was answered when it was created or changed.",
        "bots.yaml: Bot",
        "medium",
    ),
    _rule("bots-oldest-first", "Bots are listed oldest first.", _LIST),
    _rule("bots-pages", "The links between pages of 25 bots lead to each bot once, and back again.", _LIST, "medium"),
    _rule("bot-filter", "A filter lists exactly the bots that match it and every other filter.", _LIST, "medium"),
    _rule("bot-filter-empty", "An empty filter of bots is ignored.", _LIST),
    _rule(
        "bot-in-event",
        "A bot for an event has the event's link and time, and shows in its bots as long as it is there.",
        _CREATE,
        "medium",
    ),
    _rule("bot-event-decides", "A bot for an event is refused a link or a time of its own.", _CREATE),
    _rule(
        "bot-event-unknown", "An event that the project does not have is reported before every other problem.", _CREATE
    ),
    _rule(
        "bot-event-unfit",
        "An event without a link to a meeting, or whose time is past or too far ahead, is refused a bot.",
        _CREATE,
    ),
    _rule("bot-key-taken", "A deduplication key of a scheduled bot of the project is in use.", _CREATE),
    _rule("bot-key-freed", "Deleting a bot frees its deduplication key.", "bots.yaml: deleteBot"),
    _rule("bot-changed", "A change of a bot changes the fields that it names and no other.", _UPDATE, "medium"),
    _rule("bot-unknown-ignored", "A change of a bot ignores unknown fields.", _UPDATE),
    _rule("bot-refusal-changes-nothing", "A refused change of a bot changes nothing.", _UPDATE, "medium"),
    _rule("bot-refusal-makes-nothing", "A refused bot is not made, and its key stays free.", _CREATE, "medium"),
    _rule("bot-deleted", "A deleted bot is gone from every answer.", "bots.yaml: deleteBot", "medium"),
    _rule(
        "bot-body-refused",
        "A body for bots of another type, or one that is no JSON object, is refused in the words of its problem.",
        _UPDATE,
    ),
    _rule("bot-delete-body", "DELETE of a bot ignores its body.", "bots.yaml: deleteBot", "low"),
    _rule("bot-forms", "Forms for bots are read like JSON.", "recordings: bot-form-encoded", "low"),
    _rule(
        "bot-field-refused",
        "An invalid field of a bot is reported by its name, one inside a field by both names.",
        "bots.yaml: BotCreate",
    ),
    _rule(
        "bot-field-accepted",
        "A valid field of a bot is accepted, and shown as the contract says.",
        "bots.yaml: BotCreate",
    ),
    _rule(
        "bot-field-characters",
        "A NUL or lone surrogate in a text of a bot is refused, and nothing fails over it.",
        "bots.yaml: BotCreate",
        "medium",
    ),
    _rule(
        "bot-field-order",
        "Invalid fields of a bot are reported together, before unknown ones and before a key in use.",
        _CREATE,
    ),
    _rule("bot-join-time", "A bot joins in the future, at most three years ahead.", "bots.yaml: JoinTime"),
    _rule(
        "bot-tenants",
        "A bot of another project is answered as if it did not exist.",
        "bots.yaml: ObjectId",
        "high",
        _BETWEEN,
    ),
)

CHECKS: tuple[Check, ...] = (
    lists.creation,
    *lists.CHECKS,
    *operations.CHECKS,
    *fields.CHECKS,
    *entrance.CHECKS,
    *values.CHECKS,
    *changing.CHECKS,
    *keys_in_use.CHECKS,
    *of_events.CHECKS,
)
