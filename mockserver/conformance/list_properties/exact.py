"""Laws of the filters that compare texts: exactly that text, and nothing like it."""

from __future__ import annotations

import unicodedata

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.list_pages import CALENDARS, EVENTS, Listing
from mockserver.conformance.list_properties.asking import Filter, judge, key_of
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_calendars, all_events

_UNKNOWN = "conformance.invalid/nothing"
_MOST = 2


_RULES = ("filter-text", "filter-unknown", "filter-spelling")
_exactly = law(*_RULES, cost=5, least=3, after=(all_calendars, all_events))


@_exactly
def deduplication_keys(bench: Bench) -> Steps:
    """The filter for calendars by their deduplication key."""
    return _exact(bench, "deduplication_key", CALENDARS, _keys(bench))


@_exactly
def calendar_ids(bench: Bench) -> Steps:
    """The filter for the events of a calendar."""
    return _exact(bench, "calendar_id", EVENTS, _values(bench, "calendar_id"))


@_exactly
def event_ids(bench: Bench) -> Steps:
    """The filter for one event."""
    return _exact(bench, "event_id", EVENTS, _values(bench, "id"))


@_exactly
def keys_of_events(bench: Bench) -> Steps:
    """The filter for the events of a calendar by its deduplication key."""
    return _exact(bench, "calendar_deduplication_key", EVENTS, _keys_with_events(bench))


CHECKS = (deduplication_keys, calendar_ids, event_ids, keys_of_events)


def _values(bench: Bench, name: str) -> list[str]:
    """Some of the texts that events have in a field."""
    found = sorted({str(row[name]) for row in bench.survey.known(EVENTS) if isinstance(row.get(name), str)})
    return bench.random.sample(found, min(_MOST, len(found)))


def _keys(bench: Bench) -> list[str]:
    """Some of the calendars' keys: letters of two cases and odd characters are worth more than others."""
    rows = bench.survey.known(CALENDARS)
    found = sorted({key for row in rows if isinstance(key := row.get("deduplication_key"), str) and len(key) < 400})
    bench.random.shuffle(found)
    found.sort(key=lambda key: key == key.swapcase())
    odd = [key for key in found[1:] if not key.isascii()]
    return [*found[:1], *(odd or found[1:])[:1]]


def _keys_with_events(bench: Bench) -> list[str]:
    """Keys of calendars that have events, the calendars with the most first."""
    counts: dict[str, int] = {}
    for row in bench.survey.known(EVENTS):
        counts[str(row.get("calendar_id"))] = counts.get(str(row.get("calendar_id")), 0) + 1
    ranked = sorted(counts, key=lambda name: -counts[name])[:6]
    keys = [key for name in ranked if (key := key_of(bench, name)) is not None]
    return keys[:1] + bench.random.sample(keys[1:], min(1, len(keys[1:])))


def _exact(bench: Bench, name: str, listing: Listing, values: list[str]) -> Steps:
    """The text itself, texts like it, an unknown one and none."""
    for rule in ("filter-text", "filter-spelling"):
        if not values:
            bench.unobservable(rule, f"nothing was seen to ask for with {name}")
    told = bench.is_broken("filter-empty", "filter-exact", field=name)
    unknown, spelt = ([], []) if told else (["", _UNKNOWN, "0"], _spelt(values))
    rounds: tuple[tuple[str | None, tuple[list[str], ...]], ...] = (
        (IF_SHORT, (values[:1], unknown[:1], spelt[:1])),
        (None, (values[1:], [], spelt[1:2])),
        (None, ([], unknown[1:], spelt[2:])),
    )
    for mark, texts in rounds:
        asked = [(rule, text) for rule, some in zip(_RULES, texts, strict=True) for text in some]
        if not all(judge(bench, rule, name, [Filter(name, text)], listing=listing) for rule, text in asked):
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
