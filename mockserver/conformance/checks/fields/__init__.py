"""Fields of a body: what is refused, in which words and which order, and what is taken as what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mockserver.conformance.calendar_bodies import CLIENT, MARK, VOLATILE, marked
from mockserver.conformance.checks import IF_SHORT, Check, Steps, check
from mockserver.conformance.checks.cases import Bench, Case, Holding
from mockserver.conformance.checks.fields.wrong import (
    ALLOWED,
    BLANK,
    LIMITS,
    MISSING,
    NULL,
    REQUIRED,
    SINGLE,
    TAKEN,
    WHITE,
    Wrong,
    more_wrong,
    wrong,
)
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import names, no_row, same_document, status, unless_throttled, where
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.list_pages import is_page
from mockserver.conformance.rules import WRITE, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "field-required",
        "probes",
        "medium",
        "Every missing required field is reported, all of them in one response.",
        "recordings: create-missing-some",
        WRITE,
    ),
    Rule(
        "field-null",
        "probes",
        "medium",
        "A null field is rejected, although responses contain null.",
        "recordings: create-all-null, patch-null",
        WRITE,
    ),
    Rule(
        "field-blank",
        "probes",
        "medium",
        "A text that consists only of white space is rejected.",
        "recordings: create-blank-string, patch-empty-strings",
        WRITE,
    ),
    Rule(
        "field-type",
        "probes",
        "medium",
        "A boolean, list or object is rejected where a text is expected.",
        "recordings: create-types-*, patch-types",
        WRITE,
    ),
    Rule(
        "field-choice",
        "probes",
        "medium",
        "An unknown platform is rejected, and the error repeats it.",
        "recordings: create-platform-values",
        WRITE,
    ),
    Rule(
        "field-length",
        "probes",
        "medium",
        "A text of the maximum length is accepted, a longer one is rejected.",
        "recordings: create-*-length",
        WRITE,
    ),
    Rule(
        "field-characters",
        "probes",
        "medium",
        "A NUL or a lone surrogate in a text is rejected, and the error names it.",
        "recordings: create-nul-characters",
        WRITE,
    ),
    Rule(
        "field-metadata",
        "probes",
        "medium",
        "Metadata must be an object of texts, not empty, and not too long.",
        "recordings: *-metadata-rejected, -size",
        WRITE,
    ),
    Rule(
        "field-unknown",
        "probes",
        "medium",
        "Unknown and read-only fields are rejected, and the error lists them sorted by name.",
        "recordings: create-unexpected-fields",
        WRITE,
    ),
    Rule(
        "field-order",
        "probes",
        "medium",
        "Invalid fields are reported before unknown fields, and those before a deduplication key in use.",
        "recordings: create-dedup-*",
        WRITE,
    ),
    Rule(
        "field-number",
        "probes",
        "medium",
        "A number is accepted as its text.",
        "recordings: create-number-text, create-types-*",
        WRITE,
    ),
    Rule(
        "field-stripped",
        "probes",
        "medium",
        "White space at both ends of a text is removed before the text is checked and stored.",
        "recordings: create-strip-unicode",
        WRITE,
    ),
    Rule(
        "key-taken",
        "probes",
        "medium",
        "A deduplication key that a calendar of the project already has is rejected.",
        "recordings: create-dedup-duplicate",
        WRITE,
    ),
    Rule(
        "refusal-stores-nothing",
        "probes",
        "high",
        "A rejected request creates and changes nothing.",
        "recordings: create-dedup-duplicate, patch-metadata-rejected",
        WRITE,
    ),
    Rule(
        "field-error-order",
        "details",
        "low",
        "Invalid fields are reported in the order of the contract.",
        "openapi.yaml: createCalendar, updateCalendar",
        WRITE,
    ),
)


_AT_ONCE = 6
"""So many bodies are sent in one step."""


def _before(rule: str) -> tuple[str, ...]:
    """What follows from the rules on single fields says nothing new where one of them is broken."""
    return SINGLE if rule == "field-order" else ()


@check("field-required", context=Bench, cost=1, needs=("write",))
def nothing_given(bench: Bench) -> None:
    """A body without any field."""
    told = {name: [MISSING] for name in REQUIRED}
    if bench.writes:
        bench.ask(Case("field-required", "createCalendar", "", "POST", CALENDARS, 400, told, json={}))


def _refused(rule: str) -> Check:
    """The check of the bodies that a rule on fields says are refused."""

    @check(rule, "refusal-stores-nothing", context=Bench, cost=5, least=2, needs=("write",), apart=True)
    def refusals(bench: Bench) -> Steps:
        """With POST and with PATCH, one of each first."""
        if not bench.writes:
            return
        creates = [case for case in wrong("POST") if case.rule == rule]
        updates = [case for case in wrong("PATCH") if case.rule == rule]
        _refuse_creates(bench, creates[:1])
        yield IF_SHORT
        _refuse_updates(bench, updates[:1])
        yield
        _refuse_creates(bench, creates[1:], read_back=False)
        yield
        _refuse_updates(bench, updates[1:], read_back=False)
        more = [[case for case in more_wrong(method) if case.rule == rule] for method in ("POST", "PATCH")]
        for begin in range(0, max(map(len, more)), _AT_ONCE):
            yield
            _refuse_creates(bench, more[0][begin : begin + _AT_ONCE], read_back=begin == 0)
            _refuse_updates(bench, more[1][begin : begin + _AT_ONCE], read_back=False)

    return refusals


REFUSED = {
    rule: _refused(rule)
    for rule in (
        "field-null",
        "field-blank",
        "field-type",
        "field-characters",
        "field-metadata",
        "field-required",
        "field-choice",
        "field-length",
        "field-unknown",
    )
}


@check(
    "field-order", context=Bench, cost=5, needs=("write",), after=tuple(REFUSED[rule] for rule in SINGLE), apart=True
)
def order_of_refusals(bench: Bench) -> Steps:
    """Bodies that are wrong in several ways."""
    if not bench.writes:
        return
    _refuse_creates(bench, [case for case in wrong("POST") if case.rule == "field-order"])
    _refuse_updates(bench, [case for case in wrong("PATCH") if case.rule == "field-order"])
    two = {"platform": ['"x" is not a valid choice.'], "client_id": [BLANK], "refresh_token": [NULL]}
    fields = {**bench.fields(), "platform": "x", "client_id": " ", "refresh_token": None}
    several = Case("field-order", "createCalendar", "", "POST", CALENDARS, 400, two, json=fields)
    bench.took(bench.ask(several._replace(unless=SINGLE)))
    yield
    _refuse_creates(bench, [case for case in more_wrong("POST") if case.rule == "field-order"], read_back=False)
    yield
    _refuse_updates(bench, [case for case in more_wrong("PATCH") if case.rule == "field-order"], read_back=False)
    yield
    for number in range(1, len(REQUIRED)):
        # Some of the required fields missing, the others there; then what is missing beside what is wrong.
        told = {name: [MISSING] for name in REQUIRED[:number]}
        fields = {name: value for name, value in bench.fields().items() if name not in told}
        missing = Case("field-required", "createCalendar", "", "POST", CALENDARS, 400, told, json=fields)
        bench.took(bench.ask(missing))
        wrong_too = {**told, "deduplication_key": [NULL]}
        bench.took(bench.ask(missing._replace(json={**fields, "deduplication_key": None, "x": 1}, body=wrong_too)))


def _refuse_creates(bench: Bench, cases: Sequence[Wrong], *, read_back: bool = True) -> None:
    """`read_back`: sees after the first of them that nothing of it is stored."""
    for one in cases:
        tag = bench.target.tag()
        fields = {**bench.fields(deduplication_key=tag), **one.fields}
        fields = {name: value for name, value in fields.items() if name != one.without}
        case = Case(one.rule, "createCalendar", one.field, "POST", CALENDARS, 400, one.told, json=fields)
        case = case._replace(unless=_before(one.rule))
        refused = bench.ask(case)
        stored = bench.took(refused) or refused.status != 400 or fields.get("deduplication_key") != tag
        if not stored and read_back:
            read_back = False
            _check_nothing_stored(bench, refused, tag)


def _check_nothing_stored(bench: Bench, refused: Exchange, tag: str) -> None:
    listed = bench.get(f"{CALENDARS}?deduplication_key={tag}")
    if not is_page(listed):
        return
    bench.check(
        "refusal-stores-nothing",
        where(status(400, of=refused), no_row({"deduplication_key": tag})),
        operation="createCalendar",
        exchanges=[refused, listed],
    )


def _refuse_updates(bench: Bench, cases: Sequence[Wrong], *, read_back: bool = True) -> None:
    """`read_back`: sees after the first of them that it has changed nothing."""
    calendar = bench.ours
    before = bench.get(calendar) if cases and read_back else None
    if before is not None and before.status != 200:
        return
    for one in cases:
        # Something good beside what is wrong, for it to be stored where a refusal stores anything.
        good = {} if "metadata" in one.fields else marked(bench.target.tag())
        case = Case(one.rule, "updateCalendar", one.field, "PATCH", calendar, 400, one.told)
        refused = bench.ask(case._replace(json={**good, **one.fields}, unless=_before(one.rule)))
        if before is None:
            continue
        after = bench.get(calendar)
        if refused.status != 400:
            before = after
            continue
        if after.status == 200 and before.status == 200:
            unchanged = where(status(400, of=refused), same_document(before, but=VOLATILE, both=True))
            bench.check(
                "refusal-stores-nothing",
                unchanged,
                operation="updateCalendar",
                exchanges=[*bench.origins(before), before, refused, after],
            )
        before = None


@check("key-taken", "field-order", context=Bench, cost=5, needs=("write",), after=(order_of_refusals,), apart=True)
def taken_keys(bench: Bench) -> Steps:
    """A deduplication key that another calendar has."""
    key = bench.target.tag()
    made = bench.create(deduplication_key=key)
    if made is None:
        return
    told: dict[str, list[Any]] = {"deduplication_key": [TAKEN]}
    case = Case("key-taken", "createCalendar", "deduplication_key", "POST", CALENDARS, 400, told)
    for spelt in (key, f" {key}\t"):
        bench.took(bench.ask(case._replace(json=bench.fields(deduplication_key=spelt)), [made]))
    ordered = case._replace(rule="field-order", unless=SINGLE)
    bad = bench.fields(deduplication_key=key, platform="outlook")
    told = {"platform": ['"outlook" is not a valid choice.']}
    bench.took(bench.ask(ordered._replace(json=bad, body=told), [made]))
    extra = {**bench.fields(deduplication_key=key), "foo": 1}
    told = {"non_field_errors": [f"Unexpected field(s): foo. Allowed fields are: {ALLOWED['POST']}"]}
    bench.took(bench.ask(ordered._replace(json=extra, body=told), [made]))
    yield
    number = bench.random.getrandbits(60)
    for first, spellings in (
        (bench.target.tag(), ("{}", f"{WHITE}{{}}{WHITE}", "\n{}", "{}\x85")),
        (number, ("{}", " {}")),
    ):
        made = bench.create(deduplication_key=first)
        if made is None or bench.is_broken("key-taken"):
            return
        for spelt in spellings:
            fields = bench.fields(deduplication_key=spelt.format(first), platform="microsoft", client_id="other")
            bench.took(bench.ask(case._replace(json=fields), [made]))
        told = {"metadata": ["This field may not be null."], "platform": ['"x" is not a valid choice.']}
        wrong_too = {**bench.fields(deduplication_key=str(first)), "metadata": None, "platform": "x"}
        bench.took(bench.ask(ordered._replace(json=wrong_too, body=told), [made]))
        yield


@check(
    "field-length",
    "field-number",
    "field-stripped",
    "field-metadata",
    context=Bench,
    cost=4,
    needs=("write",),
    apart=True,
)
def taken_fields(bench: Bench) -> Steps:
    """What is at a limit, or is no text but counts as one, is taken, and as what: one for each rule first."""
    if not bench.writes:
        return
    tag = bench.target.tag()
    at_limit = {MARK: tag, "pad": "x" * (1000 - len(json.dumps({MARK: tag, "pad": ""})))}
    wanted = _taken(tag, at_limit)
    first = {rule: case for case in reversed(wanted) for rule in case[:1]}
    rest = [case for case in wanted if case not in first.values()]
    for number, (rule, field, given, shown) in enumerate((*first.values(), *rest)):
        if number and number % len(first) == 0:
            yield
        case = Case(rule, "createCalendar", field, "POST", CALENDARS, 201, Holding(shown), json=bench.fields(**given))
        bench.took(bench.ask(case))
    yield
    for number, (rule, field, given, shown) in enumerate(_more_taken(tag)):
        case = Case(rule, "createCalendar", field, "POST", CALENDARS, 201, Holding(shown), json=bench.fields(**given))
        bench.took(bench.ask(case))
        if number % _AT_ONCE == 0:
            yield
    for field, value in _TAKEN_UPDATES:
        taken = Case("field-stripped", "updateCalendar", field, "PATCH", bench.ours, 200, Holding())
        bench.ask(taken._replace(json={field: value}))
    update = Case("field-metadata", "updateCalendar", "metadata", "PATCH", bench.ours, 200, Holding(metadata=at_limit))
    bench.ask(update._replace(json={"metadata": at_limit}))
    counted = Case("field-number", "updateCalendar", "client_secret", "PATCH", bench.ours, 200, Holding())
    bench.ask(counted._replace(json={"client_secret": 12345}))


def _taken(tag: str, at_limit: dict[str, str]) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """By rule and field: what is sent, and what a new calendar then has."""
    wanted: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
    for name, longest in LIMITS.items():
        start = tag if name == "deduplication_key" else CLIENT
        text = start + "\u00e9" * (longest - len(start))
        wanted.append(("field-length", name, {name: text}, {name: text}))
        if name != "deduplication_key":
            wanted.append(("field-stripped", name, {name: f" {'x' * longest} "}, {name: "x" * longest}))
    for number, text in ((0, "0"), (-5, "-5"), (1.5, "1.5"), (12345678901234567890, "12345678901234567890")):
        wanted.append(("field-number", "platform_uuid", {"platform_uuid": number}, {"platform_uuid": text}))
    wanted.append(("field-number", "client_id", {"client_id": 42}, {"client_id": "42"}))
    for blank in (" ", "\u00a0", "\u3000", "\x0b", "\x1f\u2028"):
        for name in ("client_id", "platform_uuid"):
            wanted.append(("field-stripped", name, {name: f"{blank}a b{blank}"}, {name: "a b"}))
    for kept in ("\u200bx\u200b", "\ufeffx", "a\x01b", "\u00e9\U0001f600"):
        wanted.append(("field-stripped", "client_id", {"client_id": kept}, {"client_id": kept}))
    wanted.append(("field-stripped", "metadata", {"metadata": {" k ": " v "}}, {"metadata": {" k ": " v "}}))
    wanted.append(("field-metadata", "metadata", {"metadata": at_limit}, {"metadata": at_limit}))
    return wanted


_KEPT = ("\u180e", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\x01", "\x1b", "\x7f")
"""Characters that look like nothing and are not stripped."""
_TAKEN_UPDATES: tuple[tuple[str, Any], ...] = (
    ("client_secret", f"{WHITE}x{WHITE}"),
    ("refresh_token", "\u200b"),
    ("client_secret", "\u00e9\U0001f600"),
    ("refresh_token", 0),
    ("client_secret", 1.5),
)


def _more_taken(tag: str) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """As _taken: each character that is stripped and that is not, lengths in characters, numbers in every field."""
    wanted: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
    for name in LIMITS:
        wanted.append(("field-stripped", name, {name: f"{WHITE}{tag}{name}{WHITE}"}, {name: f"{tag}{name}"}))
    for name, longest in LIMITS.items():
        text = tag + "\U0001f600" * (longest - len(tag))
        wanted.append(("field-length", name, {name: text}, {name: text}))
    long = f"{tag}l" + "x" * (1023 - len(tag))
    wanted.append(
        ("field-stripped", "deduplication_key", {"deduplication_key": f"\t{long} "}, {"deduplication_key": long})
    )
    for number, kept in enumerate(_KEPT):
        name = list(LIMITS)[number % len(LIMITS)]
        text = f"{kept}{tag}{number}{kept}"
        wanted.append(("field-stripped", name, {name: text}, {name: text}))
    wanted.append(("field-stripped", "client_id", {"client_id": "\u200b"}, {"client_id": "\u200b"}))
    inner = f"a{WHITE}b"
    wanted.append(("field-stripped", "platform_uuid", {"platform_uuid": inner}, {"platform_uuid": inner}))
    numbers: tuple[tuple[str, Any], ...] = (
        ("client_secret", 7),
        ("refresh_token", 1.5),
        ("client_id", -1.5),
        ("platform_uuid", 10**15),
    )
    for name, value in numbers:
        shown = {name: str(value)} if name in LIMITS else {}
        wanted.append(("field-number", name, {name: value}, shown))
    return wanted


@check("field-error-order", context=Bench, cost=2, needs=("write",), apart=True)
def error_order(bench: Bench) -> Steps:
    """Several wrong fields, which were sent in another order than the contract's."""
    for method, operation, schema in (
        ("POST", "createCalendar", "CalendarCreate"),
        ("PATCH", "updateCalendar", "CalendarUpdate"),
    ):
        wanted = list(bench.answers.resolve({"$ref": f"#/components/schemas/{schema}"})["properties"])
        sent = {name: None for name in sorted(wanted, reverse=True)}
        path = CALENDARS if method == "POST" else bench.ours
        exchange = bench.target.send(method, path, json=sent)
        bench.took(exchange)
        right = exchange.status == 400 and isinstance(exchange.json, dict) and set(exchange.json) == set(wanted)
        if right and not bench.is_broken("field-error-order"):
            expectation = unless_throttled(names("", wanted))
            exchanges = [*bench.origins(exchange), exchange]
            bench.check("field-error-order", expectation, operation=operation, exchanges=exchanges)
        yield
    if bench.writes:
        # Good secrets beside what is wrong: the rule on secrets sees whether the error shows them, or a piece of them.
        secrets = {name: bench.target.secret(name) for name in ("client_secret", "refresh_token")}
        bench.target.send("PATCH", bench.ours, json={**secrets, "metadata": None})
        bench.took(bench.target.send("POST", CALENDARS, json=bench.fields(**secrets, platform="outlook")))
