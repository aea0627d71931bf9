"""Filters that compare texts: exactly that text, and nothing like it."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import Bench
from mockserver.conformance.checks.filters import Filter, judge, key_of
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.pages import all_calendars, all_events
from mockserver.conformance.expectations import each_row
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing, is_page, rows_in
from mockserver.conformance.rules import Rule

_FILTERS = "openapi.yaml, listCalendarEvents.parameters; recorded: list-events-filter"

RULES: tuple[Rule, ...] = (
    Rule("filter-text", "laws", "high", "A text filter shows every row with this text and no other.", _FILTERS),
    Rule(
        "filter-unknown",
        "laws",
        "high",
        "A filter for a text that no row has, or for the empty text, finds nothing.",
        _FILTERS,
    ),
    Rule(
        "filter-spelling", "laws", "high", "A text filter compares exactly: case, spaces, accents, wildcards.", _FILTERS
    ),
    Rule(
        "filter-exact",
        "probes",
        "high",
        "A deduplication key filter must match exactly: not in another case, in part, or with spaces.",
        "openapi.yaml: DeduplicationKey; recordings: list-calendars-dedup-filter",
    ),
)

_UNKNOWN = "conformance.invalid/nothing"
_MOST, _FIRST = 2, 2


_RULES = ("filter-text", "filter-unknown", "filter-spelling")
_exactly = law(*_RULES, cost=5, least=3, after=(all_calendars, all_events))


@_exactly
def deduplication_keys(trial: Trial) -> Steps:
    """The filter for calendars by their deduplication key."""
    return _exact(trial, "deduplication_key", CALENDAR_LIST, _keys(trial))


@_exactly
def calendar_ids(trial: Trial) -> Steps:
    """The filter for the events of a calendar."""
    return _exact(trial, "calendar_id", EVENT_LIST, _values(trial, "calendar_id"))


@_exactly
def event_ids(trial: Trial) -> Steps:
    """The filter for one event."""
    deleted = sorted(str(row["id"]) for row in trial.survey.known(EVENT_LIST) if row.get("is_deleted") is True)
    values = _values(trial, "id")
    return _exact(trial, "event_id", EVENT_LIST, list(dict.fromkeys([*values, *deleted[:1], *deleted[-1:]])))


@_exactly
def keys_of_events(trial: Trial) -> Steps:
    """The filter for the events of a calendar by its deduplication key."""
    return _exact(trial, "calendar_deduplication_key", EVENT_LIST, _keys_with_events(trial))


def _values(trial: Trial, name: str) -> list[str]:
    """Some of the texts that events have in a field."""
    found = sorted({str(row[name]) for row in trial.survey.known(EVENT_LIST) if isinstance(row.get(name), str)})
    return trial.random.sample(found, min(_MOST, len(found)))


def _keys(trial: Trial) -> list[str]:
    """Some of the calendars' keys: letters of two cases and odd characters are worth more than others."""
    rows = trial.survey.known(CALENDAR_LIST)
    found = sorted({key for row in rows if isinstance(key := row.get("deduplication_key"), str) and len(key) < 400})
    trial.random.shuffle(found)
    found.sort(key=lambda key: key == key.swapcase())
    odd = [key for key in found[1:] if not key.isascii()]
    return [*found[:1], *(odd or found[1:])[:1]]


def _keys_with_events(trial: Trial) -> list[str]:
    """Keys of calendars that have events, the calendars with the most first."""
    counts: dict[str, int] = {}
    for row in trial.survey.known(EVENT_LIST):
        counts[str(row.get("calendar_id"))] = counts.get(str(row.get("calendar_id")), 0) + 1
    ranked = sorted(counts, key=lambda name: -counts[name])[:6]
    keys = [key for name in ranked if (key := key_of(trial, name)) is not None]
    # Of calendars that were seen in the list, one whose key a careless reader of queries takes for another.
    known = trial.survey.rows.get(CALENDAR_LIST.operation, {})
    others = [key for name in counts if name in known and (key := key_of(trial, name)) is not None]
    odd = [key for key in others if key not in keys[:1] and not (key.isascii() and key.replace("-", "").isalnum())]
    return keys[:1] + trial.random.sample(keys[1:], min(1, len(keys[1:]))) + odd[:1]


def _exact(trial: Trial, name: str, listing: Listing, values: list[str]) -> Steps:
    """The text itself, texts like it, an unknown one and none."""
    for rule in ("filter-text", "filter-spelling"):
        if not values:
            trial.unobservable(rule, f"nothing was seen to ask for with {name}")
    told = trial.is_broken("filter-empty", "filter-exact", field=name)
    unknown, spelt = ([], []) if told else (["", _UNKNOWN, "0"], _spelt(values))
    rounds: tuple[tuple[str | None, tuple[list[str], ...]], ...] = (
        (IF_SHORT, (values[:1], unknown[:1], spelt[:1])),
        (None, (values[1:], [], spelt[1:2])),
        (None, ([], unknown[1:], spelt[2:])),
    )
    for mark, texts in rounds:
        asked = [(rule, text) for rule, some in zip(_RULES, texts, strict=True) for text in some]
        if not all(judge(trial, rule, name, [Filter(name, text)], listing=listing) for rule, text in asked):
            return
        yield mark


def _spelt(values: list[str]) -> list[str]:
    """Texts like the values: each way once, with the first value that it changes."""
    like: dict[str, str] = {}
    for value in values:
        like |= {way: text for way, text in _like(value).items() if way not in like}
    return list(dict.fromkeys(like.values()))


def _like(value: str) -> dict[str, str]:
    """Texts that a careless comparison takes for the value, or that a pattern matches, by what was done to it."""
    found = {"case": value.swapcase(), "upper": value.upper(), "lower": value.lower()}
    found |= {"cut": value[:-1], "begun late": value[1:], "longer": f"{value}x"}
    found |= {"blank before": f" {value}", "blank after": f"{value} "}
    found |= {"any letter": f"{value[:-1]}_", "any letters": f"{value[:-1]}%"}
    found |= {form: unicodedata.normalize(form, value) for form in ("NFC", "NFD", "NFKC")}
    return {way: text for way, text in found.items() if text and text != value}


@check("filter-exact", context=Bench, cost=5, least=2)
def exact_keys(bench: Bench) -> Steps:
    """Of a key that a calendar has, every other spelling finds nothing but calendars with exactly that spelling."""
    key = _some_key(bench)
    if key is None:
        bench.unobservable("filter-exact", "no calendar has a deduplication key")
        return
    spelt = [key, key.swapcase(), key.upper(), key[:-1], f"{key}x", f" {key}", f"{key} ", "%", "*", "_" * len(key)]
    spelt += [
        f"\t{key}",
        f"{key}\n",
        f"\u3000{key}",
        f"{key}\u200b",
        f"{key}\u0301",
        f'"{key}"',
        f"{key},{key}",
        f"^{key}$",
    ]
    for text in dict.fromkeys(text for text in spelt if text):
        answer = bench.get(f"{CALENDARS}?deduplication_key={quote(text, safe='')}")
        if not is_page(answer):
            continue
        bench.check(
            "filter-exact",
            each_row([None], [["deduplication_key", "=", text]], most=1),
            operation="listCalendars",
            field="deduplication_key",
            exchanges=[answer],
        )
        if text in (key, spelt[_FIRST]):
            yield IF_SHORT if text == key else None


def _some_key(bench: Bench) -> str | None:
    keys = [row.get("deduplication_key") for row in rows_in(bench.get(CALENDARS))]
    return next((key for key in keys if isinstance(key, str) and key), None)
