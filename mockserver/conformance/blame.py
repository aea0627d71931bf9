"""What findings are put down to, so that one cause makes one finding: parts of requests, and other findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from mockserver.conformance.calendar_bodies import MARK
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.findings import Finding

_PLAIN = re.compile(r"[A-Za-z0-9_.:@/ +=-]{0,200}")
_MOST_NAMED = 3
_ID = re.compile(r"/(?:cal|bot)_[A-Za-z0-9]+$")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_TIME = re.compile(r"(?:19|20)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-](0\d|1[0-4]):\d\d)")
_TIMES = frozenset({"updated_at_gte", "updated_after", "start_time_gte", "end_time_lte"})
_ORDERINGS = frozenset({"updated_at", "start_time", "end_time", "created_at"})
_PLAIN_HEADERS = {"accept": ("*/*", "application/json"), "content-type": ("application/json",)}
_REQUIRED = frozenset({"platform", "client_id", "client_secret", "refresh_token"})
_UNKNOWN = "unknown field"
_LARGE = 2**53
"""From here on a number may not be read as it was written."""
_DIGITS = 640
"""Python reads integers that are shorter, whatever limit is set for them."""
_FIELDS = _REQUIRED | {"platform_uuid", "metadata", "deduplication_key"}


class _Part(NamedTuple):
    """A part of a request, and what kind of oddness it has, if that is one that has one cause wherever it stands."""

    name: str
    kind: str | None = None


def suspect(request: Request, known: Mapping[str, Request]) -> str:
    """The part to blame: what is odd, or else what is more than the least that the operation takes; "" for neither.

    `known` are the parts blamed before, with a request that showed it: one of them that is in this request again is
    blamed again, and one that was odd in the same way.
    """
    odd, present = _parts(request)
    if "" in known:
        return ""
    plain = [part.name for part in present if part.name in known and part in _parts(known[part.name])[1]]
    if len(odd) == 1 and request.body and not plain:
        # One odd field alone: its crash is told whatever other fields are odd in the same way.
        return odd[0].name
    # What crashed where it was not odd does so here as well.
    names = [*plain, *(part.name for part in (*odd, *present))]
    again = [name for name in names if name in known]
    if again:
        return again[0]
    kinds = {part.kind for part in odd} - {None}
    for name, earlier in known.items():
        if kinds & {part.kind for part in _parts(earlier)[0]}:
            return name
    if odd:
        return odd[0].name
    several = sorted({part.name for part in present})
    return "+".join(several) if len(several) <= _MOST_NAMED else "query"


def _parts(request: Request) -> tuple[list[_Part], list[_Part]]:
    """The odd parts of a request, and the parts that are there and need not be."""
    odd: list[_Part] = []
    present: list[_Part] = []
    path, _, query = request.path.partition("?")
    if path.endswith("/"):
        odd.append(_Part("path"))
    elif not _PLAIN_ID.fullmatch(unquote(path.rpartition("/")[2])):
        odd.append(_Part("object_id"))
    for name, value in parse_qsl(query, keep_blank_values=True):
        part = _Part(name if _PLAIN_ID.fullmatch(name) else "query", _kind(name, value))
        (present if _is_plain(name, value) else odd).append(part)
    for name, value in request.headers:
        plain = _PLAIN_HEADERS.get(name.lower())
        if plain is None:
            present.append(_Part(name))
        elif value not in plain:
            odd.append(_Part(name, _kind_of_header(name.lower(), value)))
    if request.body:
        _sort_body(request, odd, present)
    return odd, present


def _kind_of_header(name: str, value: str) -> str | None:
    """What is read in one place, wherever it is asked for: HTML, and a body that is not what it is said to be."""
    if name == "accept":
        return "representation"
    return "unreadable" if "charset" in value.lower() else None


def _kind(name: str, value: Any) -> str | None:
    """What is read in one place, wherever it comes in: NULs and other characters, huge numbers, times, HTML."""
    # What is wrong within a cursor is read elsewhere; letters in it that no cursor has are read as those of any text.
    encoded = name == "cursor" and str(value).isascii()
    text = "" if encoded else f"{name} {value}" if not isinstance(value, dict) else str([*value.items()])
    if "\0" in text or "\\x00" in text:
        return "NUL"
    if re.search("[\ud800-\udfff]", text) or "\\ud" in text:
        return "surrogate"
    if not text.isascii():
        return "characters"
    values = value.values() if isinstance(value, dict) else [value]
    if any(isinstance(one, int | float) and not abs(one) < _LARGE for one in values):
        return "number"
    return "time" if name in _TIMES else "representation" if name == "format" else None


def _is_plain(name: str, value: str) -> bool:
    if name in _TIMES:
        return _TIME.fullmatch(value) is not None
    if name == "ordering":
        return value.removeprefix("-") in _ORDERINGS
    if name == "format":
        return value == "json"
    return _PLAIN.fullmatch(value) is not None


def _sort_body(request: Request, odd: list[_Part], present: list[_Part]) -> None:
    data = _read_body(request)
    if not isinstance(data, dict):
        odd.append(_Part("body", "unreadable"))
        return
    for name, value in data.items():
        plain = _is_plain_value(value) if name != "metadata" else _is_plain_metadata(value)
        if not plain or not _PLAIN_ID.fullmatch(name):
            odd.append(_Part(name if name in _FIELDS else _UNKNOWN, _kind(name, value)))
        elif name not in _REQUIRED and not (request.method == "POST" and _is_mark(name, value)):
            present.append(_Part(name if name in _FIELDS else _UNKNOWN))


def _read_body(request: Request) -> Any:
    """The JSON of a body; None where it is none."""
    try:
        return json.loads((request.body or b"").decode("utf-8"), parse_constant=_refuse, parse_int=_number)
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> float:
    """Python reads no integer of more than some 4,000 digits; as a number it is large, whichever."""
    return int(digits) if len(digits) < _DIGITS else float(digits)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _is_plain_value(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value) <= 255


def _is_mark(name: str, value: Any) -> bool:
    """Whether a part of a body is the run's mark, without which nothing is created."""
    return name == "metadata" and value.keys() == {MARK}


def _is_plain_metadata(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_plain_value(text) for pair in value.items() for text in pair)


_CRASHES = frozenset({"no-server-error", "answer-arrives"})
_TENANTS = frozenset({"tenant-lists", "tenant-get", "tenant-filters", "tenant-cursor"})
_FILTERS = frozenset(
    {
        *("filter-time", "filter-boundary", "filter-fraction", "filter-zone", "filter-loose-time", "filter-alias"),
        *("filter-text", "filter-unknown", "filter-spelling", "filter-combined", "filter-with-order", "filter-exact"),
        *("filter-empty", "filter-walk", "filter-every-order", "filter-pairs", "filter-large", "parts-make-whole"),
        *("order-same-set", "page-ends", "ordering-taken", "bot-in-event"),
    }
)
"""Which rows a list shows: one defect breaks whatever looks at the rows that it is about."""
_PAGES = frozenset(
    {
        *("page-none-lost", "page-each-once", "page-ties", "page-back", "page-back-ties", "page-next-after-previous"),
        *("page-full", "page-ends", "page-first", "page-link-leads", "cursor-position", "links-preserve-query"),
        *("calendars-newest-first", "events-order", "events-default-order", "order-same-set", "list-repeats"),
        *("filter-walk", "filter-every-order", "filter-with-order", "parts-make-whole"),
        *("walk-stable-insert", "walk-stable-delete", "race-walk"),
    }
)
"""In what order a list shows its rows, and on which page."""
_SUBJECTS: tuple[frozenset[str], ...] = (
    _FILTERS,
    _PAGES,
    # Full pages are made with filters.
    *(frozenset({rule, "page-full"}) for rule in ("filter-time", "filter-boundary", "filter-taken")),
    frozenset({"key-required", "key-known", "key-form", "key-disabled", "key-exact", "key-first", "header-odd"}),
    frozenset({"accept-taken", "accept-refused", "accept-first", "format-parameter", "header-odd"}),
    frozenset({"id-unknown", "id-exact", "id-odd", "id-gone", "id-before-body"}),
    frozenset({"id-unknown", "id-gone", "format-parameter"}),
    frozenset({"time-taken", "time-refused", "time-odd", "filter-taken", "filter-first", "parameter-last-wins"}),
    frozenset({"ordering-taken", "ordering-refused", "filter-taken", "filter-first", "parameter-last-wins"}),
    frozenset({"cursor-refused", "cursor-forged", "cursor-encoding", "filter-first", "parameter-last-wins"}),
    _TENANTS,
    frozenset({"create-accepted", "body-type-taken", "text-kept", "field-length", "field-stripped", "dedup-freed"}),
    frozenset({"create-echo", "create-stored", "create-defaults", "text-kept", "field-stripped", "field-length"}),
    # Keys that are changed when they are stored are other keys, or one key.
    frozenset({"create-echo", "dedup-exact"}),
    frozenset({"create-echo", "patch-partial", "patch-replaces-metadata"}),
    frozenset({"field-blank", "form-blank", "body-last-wins"}),
    frozenset({"method-undeclared", "method-text", "method-override"}),
    frozenset({"id-gone", "id-unknown", "id-before-body", "tenant-get", "tenant-writes", "head-as-get"}),
    frozenset({"list-is-detail", "metadata-name-order", "page-rows-whole", "list-fresh"}),
    frozenset({"filter-spelling", "filter-unknown", "filter-exact", "delete-unlisted", "listed-at-once"}),
    frozenset({"patch-accepted", "patch-stored", "patch-partial", "patch-replaces-metadata", "race-no-lost-update"}),
    frozenset({"patch-stored", "stays-as-written", "list-fresh", "list-is-detail", "patch-moves-updated-at"}),
    frozenset({"refusal-stores-nothing", "refused-create-nothing", "refused-patch-nothing", "read-only-fields"}),
    frozenset({"key-taken", "dedup-refused", "dedup-stripped", "dedup-exact", "race-one-winner", "field-order"}),
    frozenset({"delete-accepted", "delete-gone", "delete-unlisted", "id-gone", "race-one-delete"}),
    frozenset({"listed-at-once", "list-fresh", "delete-unlisted", "race-no-resurrection", "race-one-winner"}),
    frozenset({"body-unreadable", "body-odd", "body-no-object", "body-empty", "type-odd"}),
    frozenset({"body-type-refused", "body-type-taken", "type-odd", "form-blank", "body-empty"}),
    frozenset({"field-unknown", "read-only-fields", "field-order", "size-odd"}),
    frozenset({"field-characters", "text-unholdable"}),
    frozenset({"field-length", "size-odd", "create-accepted"}),
    frozenset({"field-number", "number-odd", "field-type"}),
    frozenset({"page-none-lost", "tenant-lists"}),
    frozenset({"listed-at-once", "filter-large", "page-rows-whole", "metadata-name-order"}),
    frozenset({"page-rows-whole", "list-is-detail", "list-fresh"}),
    frozenset(
        {
            *("value-large", "metadata-limit", "field-metadata", "field-length"),
            *("create-accepted", "create-echo", "patch-accepted", "patch-stored"),
        }
    ),
    frozenset({"write-times-ordered", "time-plausible", "time-ordered", "patch-moves-updated-at"}),
    frozenset({"field-required", "field-order", "field-null"}),
    frozenset({"answer-schema", "list-is-detail", "list-fresh", "create-stored", "patch-stored"}),
    frozenset({"html-answer", "content-type", "accept-taken", "format-parameter"}),
    frozenset({"tenant-ids-hidden", "tenant-lists", "tenant-filters", "tenant-get", "key-taken"}),
    frozenset({"bot-changed", "bot-stored", "bot-unknown-ignored", "bot-refusal-changes-nothing"}),
    frozenset({"bot-changed", "bot-field-accepted", "bot-forms"}),
    frozenset({"bot-create-accepted", "bot-stored", "bot-field-accepted", "bot-forms", "bot-in-event"}),
    frozenset({"bot-filter", "bot-filter-empty", "bot-filter-refused", "bots-oldest-first", "bots-pages"}),
    frozenset({"bot-field-refused", "bot-field-characters", "bot-field-order", "bot-join-time"}),
    frozenset({"bot-field-order", "bot-key-taken", "bot-event-decides"}),
    frozenset({"bot-event-unknown", "bot-event-unfit", "bot-event-decides", "bot-in-event"}),
    frozenset({"bot-deleted", "bot-key-freed", "bot-in-event", "bot-delete-body", "bot-id-unknown", "bot-methods"}),
    frozenset({"bot-key-taken", "bot-key-freed", "bot-refusal-makes-nothing"}),
    frozenset({"bot-body-refused", "bot-field-refused"}),
)
"""Rules that look at one subject in several ways: a defect that breaks one on an operation breaks others."""
_ON_ALL: tuple[frozenset[str], ...] = (
    frozenset({"key-required", "key-known", "key-form", "dedup-per-project", "tenant-writes", *_TENANTS}),
    frozenset({"cursor-forged", "cursor-refused", "cursor-encoding"}),
    frozenset({"key-required", "key-known", "key-form", "key-disabled", "bot-key-required", "bot-key-known"}),
    frozenset(
        {"accept-taken", "accept-refused", "accept-first", "format-parameter", "html-answer", "bot-not-acceptable"}
    ),
    frozenset({"method-text", "method-undeclared", "bot-methods"}),
    frozenset({"head-as-get", "bot-methods"}),
    # Both lists have their pages from one place.
    _PAGES,
    frozenset({"links-preserve-query", "page-link-leads", "path-unknown"}),
    frozenset({"delete-accepted", "delete-gone", "delete-unlisted", "id-gone", "id-before-body", "dedup-freed"}),
)
"""Subjects of which a defect of one operation shows on others as well."""
_ELSEWHERE = frozenset({"bot-key-known", "bot-tenants", "bot-event-unknown", "tenant-ids-hidden", "tenant-404-alike"})
_FOLLOWS: Mapping[str, frozenset[str]] = {
    # With no key, or one that is taken for another, one project asks for what is another's.
    # Links repeat a key that stands in a query.
    "key-required": frozenset({"secrets-not-echoed", "html-answer", *_ELSEWHERE}),
    "key-known": frozenset({"tenant-writes", "dedup-per-project", "html-answer", *_TENANTS, *_ELSEWHERE}),
    # A secret in one answer is what another answer lacks.
    "secrets-not-echoed": frozenset(
        {
            *("list-is-detail", "list-fresh", "create-stored", "create-echo", "patch-stored", "patch-partial"),
            *("refusal-stores-nothing", "refused-patch-nothing", "stays-as-written", "page-rows-whole"),
        }
    ),
    # What cannot be read as it is written is not what was sent.
    "answer-json": frozenset({"create-echo", "create-stored", "patch-stored", "patch-replaces-metadata", "text-kept"}),
    "patch-partial": frozenset({"metadata-name-order"}),
    "create-defaults": frozenset({"create-stored", "refusal-stores-nothing", "stays-as-written"}),
    # What is compared with what was read before differs by what reading has changed, or what others have.
    "read-changes-nothing": frozenset(
        {
            *("refusal-stores-nothing", "refused-patch-nothing", "tenant-writes", "stays-as-written", "list-is-detail"),
            *("list-fresh", "patch-stored", "create-stored", "page-rows-whole", "delete-others-stay"),
        }
    ),
    "stays-as-written": frozenset(
        {
            *("refused-create-nothing", "refusal-stores-nothing", "refused-patch-nothing", "delete-others-stay"),
            *("list-fresh", "list-is-detail", "dedup-per-project", "page-rows-whole"),
        }
    ),
    # What is gone and still listed stands on one page and not on the next.
    "delete-unlisted": _PAGES,
    # A client takes the body for the next answer, whatever it asked for then.
    "head-no-body": frozenset({"answer-arrives"}),
}
"""What follows from a broken rule, on whatever operation."""
_EVERYWHERE = frozenset(
    {
        *("key-elsewhere", "method-text", "head-as-get", "parameter-last-wins", "body-type-refused"),
        *("body-unreadable", "accept-taken", "accept-refused", "accept-first", "format-parameter", "html-answer"),
    }
)
"""Rules that say the same of every operation."""
_ALIKE = frozenset({"createCalendar", "updateCalendar"}), frozenset({"getCalendar", "listCalendars"})
"""Operations that read the same fields, and that show the same ones."""
_ANYTHING = frozenset(
    {"html-answer", "fuzz-answer", "fuzz-valid-taken", "fuzz-invalid-refused", "still-answers", "answer-arrives"}
)
"""Rules that any defect of an operation may break as well."""


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, the first of each cause with the others as its symptoms."""
    heads: list[Finding] = []
    for finding in sorted(findings, key=_as_causes):
        cause = next((head for head in heads if _has_the_cause_of(finding, head)), None)
        if cause is None:
            heads.append(finding)
        else:
            cause.symptoms.append(finding)
    return heads


def _as_causes(finding: Finding) -> tuple[bool, bool, int]:
    """Order in which findings may be causes of others.

    What any defect may break is never the cause of what says more, and what a crash breaks not that of the crash.
    """
    order = [*_FOLLOWS]
    place = order.index(finding.rule) if finding.rule in _FOLLOWS else len(order)
    return finding.rule in _ANYTHING, _is_of_a_crash(finding), place


def _has_the_cause_of(finding: Finding, head: Finding) -> bool:
    """Whether one finding is seen on the same answer as another, or says the same of another operation or subject."""
    last, first = finding.exchanges[-1], head.exchanges[-1]
    if last.number == first.number:
        return True
    if finding.rule == head.rule:
        return finding.rule in _EVERYWHERE or any(
            _is_said_again(finding, one) for one in (head, *head.symptoms) if one.rule == finding.rule
        )
    if _follows_from(finding, head):
        return True
    if head.rule in _CRASHES or finding.rule in _CRASHES or not _is_alike(finding, head):
        return head.rule in _CRASHES and _is_of_a_crash(finding) and _place(last.request) == _place(first.request)
    same_field = finding.field == head.field and finding.field in _FIELDS
    return same_field or finding.rule in _ANYTHING or any({finding.rule, head.rule} <= rules for rules in _SUBJECTS)


def _follows_from(finding: Finding, head: Finding) -> bool:
    """Whether a finding follows from another one whatever operations they are of, or from what is wrong with one."""
    last, first = finding.exchanges[-1], head.exchanges[-1]
    if any({finding.rule, head.rule} <= rules for rules in _ON_ALL) or finding.rule in _FOLLOWS.get(head.rule, ()):
        return True
    if last.status == first.status and _tells_of_status(head, finding.operation):
        return True
    # What is never answered with, and what is there but not found, spoils whatever comes across it.
    unfound = head.rule == "create-stored" and first.status == 404
    if (unfound or head.rule == "status-documented") and any(one.status == first.status for one in finding.exchanges):
        return True
    if _is_of_a_form(finding, head) or _is_of_a_form(head, finding) or _is_of_a_race(finding, head):
        return True
    if _is_refused_for(finding, head) or _is_compared_with(finding, first):
        return True
    return head.rule in _CRASHES and any(_crashes_like(one, first) for one in finding.exchanges[:-1])


def _is_of_a_form(finding: Finding, head: Finding) -> bool:
    """Whether a finding is about a field that answers show in a wrong form."""
    name = head.field.rpartition(".")[2]
    if head.rule != "answer-schema" or not name:
        return False
    # A calendar whose id is wrong is not found.
    unfound = name == "id" and any(one.status == 404 for one in finding.exchanges)
    if name == "id" and finding.operation == head.operation and _is_no_row(finding) and _is_no_row(head):
        return True
    # The name of a filter begins with that of the field; a name within another one is another field's.
    named = re.search(rf"(?<![A-Za-z_]){re.escape(name)}(?![A-Za-z])", f"{finding.field} {finding.actual}")
    return unfound or named is not None


def _is_refused_for(finding: Finding, head: Finding) -> bool:
    """Whether a good request is refused that sends a field which is refused in another one."""
    last, first = finding.exchanges[-1], head.exchanges[-1]
    refused = last.status == first.status == 400 and finding.operation == head.operation
    if not refused or not finding.rule.endswith("-accepted") or head.field not in _FIELDS:
        return False
    sent = _read_body(last.request)
    return isinstance(sent, dict) and sent.get(head.field) is not None


def _is_compared_with(finding: Finding, wrong: Exchange) -> bool:
    """Whether HEAD is held against a GET that was answered wrongly."""
    asked = [(one.request.method, one.request.path, one.status) for one in finding.exchanges[:-1]]
    return finding.rule == "head-as-get" and (wrong.request.method, wrong.request.path, wrong.status) in asked


def _is_no_row(finding: Finding) -> bool:
    """Whether a rule is broken by a good answer that is neither a calendar, an event nor a bot, nor a list of them."""
    last = finding.exchanges[-1]
    return last.status in (200, 201) and isinstance(last.json, dict) and not {"id", "results"} & last.json.keys()


def _is_of_a_race(finding: Finding, head: Finding) -> bool:
    """Whether both were seen only in races, and one of them tells of nothing but its answer."""
    return finding.raced and head.raced and not (finding.rule.startswith("race-") and head.rule.startswith("race-"))


def _tells_of_status(finding: Finding, operation: str) -> bool:
    """Whether a finding says something of every answer with its status to an operation."""
    if finding.operation != operation:
        return False
    malformed = finding.rule in ("answer-schema", "error-family") and finding.exchanges[-1].status >= 400
    return malformed or finding.rule == "answer-json" or (finding.rule.endswith("-accepted") and not finding.field)


def _crashes_like(exchange: Exchange, other: Exchange) -> bool:
    """Whether an answer is the crash that another one is."""
    return exchange.status == other.status >= 500 and _place(exchange.request) == _place(other.request)


def _is_alike(finding: Finding, head: Finding) -> bool:
    """Whether two findings are of one operation, or of two that read or show the same fields."""
    return finding.operation == head.operation or {finding.operation, head.operation} in _ALIKE


def _place(request: Request) -> tuple[str, str]:
    """The method and the path without an id."""
    return request.method, _ID.sub("/id", request.path.partition("?")[0])


def _is_of_a_crash(finding: Finding) -> bool:
    """Whether a rule is broken by an answer that is a crash, which a rule on every answer tells."""
    return finding.rule not in _CRASHES and finding.exchanges[-1].status >= 500


def _shown(finding: Finding) -> tuple[str, str]:
    """What is shown, and the field of it, which lists show as well."""
    what = re.search(r"Event|Bot|$", finding.operation)
    return what[0] if what else "", finding.field.removeprefix("results.")


def _is_said_again(finding: Finding, known: Finding) -> bool:
    """Whether two findings of one rule have one cause.

    They do over one field, and on one operation or one like it; crashes over one field and over one kind of value.
    """
    if finding.rule not in _CRASHES:
        return _shown(finding) == _shown(known) or finding.field == known.field or _is_alike(finding, known)
    if finding.field == known.field != "":
        return True
    requests = finding.exchanges[-1].request, known.exchanges[-1].request
    kinds = ({part.kind for part in _parts(request)[0]} - {None} for request in requests)
    return bool(set.intersection(*kinds))
