"""Laws of the filters that compare texts: exactly that text, and nothing like it."""

from __future__ import annotations

import unicodedata

from mockserver.conformance.checks import Steps
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing
from mockserver.conformance.list_properties.asking import Filter, judge, key_of
from mockserver.conformance.list_properties.bench import Trial
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_calendars, all_events

_UNKNOWN = "conformance.invalid/nothing"
_MOST, _FIRST = 2, 2


_exactly = law("filter-text", "filter-unknown", "filter-spelling", cost=5, after=(all_calendars, all_events))


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
    return _exact(trial, "event_id", EVENT_LIST, _values(trial, "id"))


@_exactly
def keys_of_events(trial: Trial) -> Steps:
    """The filter for the events of a calendar by its deduplication key."""
    return _exact(trial, "calendar_deduplication_key", EVENT_LIST, _keys_with_events(trial))


CHECKS = (deduplication_keys, calendar_ids, event_ids, keys_of_events)


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
    return keys[:1] + trial.random.sample(keys[1:], min(1, len(keys[1:])))


def _exact(trial: Trial, name: str, listing: Listing, values: list[str]) -> Steps:
    """The text itself, texts like it, an unknown one and none."""
    for rule in ("filter-text", "filter-spelling"):
        if not values:
            trial.unobservable(rule, f"nothing was seen to ask for with {name}")
    if not all(judge(trial, "filter-text", name, [Filter(name, value)], listing=listing) for value in values):
        return
    if trial.is_broken("filter-empty", "filter-exact", field=name):
        return
    spelt = _spelt(values)
    unknown = ("", _UNKNOWN, "0")
    for some, others in ((unknown[:1], spelt[:_FIRST]), (unknown[1:], spelt[_FIRST:])):
        asked = [*(("filter-unknown", text) for text in some), *(("filter-spelling", text) for text in others)]
        if not all(judge(trial, rule, name, [Filter(name, text)], listing=listing) for rule, text in asked):
            return
        yield


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
