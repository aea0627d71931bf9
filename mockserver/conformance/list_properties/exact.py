"""Laws of the filters that compare texts: exactly that text, and nothing like it."""

from __future__ import annotations

import unicodedata

from mockserver.conformance.list_pages import CALENDARS, EVENTS, Listing
from mockserver.conformance.list_properties.asking import Filter, judge, key_of
from mockserver.conformance.list_properties.bench import Bench

_UNKNOWN = "conformance.invalid/nothing"
_MOST = 2


def exact_filters(bench: Bench) -> None:
    """Every filter that compares texts: the text itself, texts like it, an unknown one and none."""
    _exact(bench, "deduplication_key", CALENDARS, _keys(bench))
    _exact(bench, "calendar_id", EVENTS, _values(bench, "calendar_id"))
    _exact(bench, "event_id", EVENTS, _values(bench, "id"))
    _exact(bench, "calendar_deduplication_key", EVENTS, _keys_with_events(bench))


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


def _exact(bench: Bench, name: str, listing: Listing, values: list[str]) -> None:
    for rule in ("filter-text", "filter-spelling"):
        if not values:
            bench.unobservable(rule, f"nothing was seen to ask for with {name}")
    if not all(judge(bench, "filter-text", name, [Filter(name, value)], listing=listing) for value in values):
        return
    if bench.is_broken("filter-empty", "filter-exact", field=name):
        return
    unknown = ("", _UNKNOWN, "0")
    if all(judge(bench, "filter-unknown", name, [Filter(name, text)], listing=listing) for text in unknown):
        like: dict[str, str] = {}
        for value in values:
            # Each way once, with the first value that it changes.
            like |= {way: text for way, text in _like(value).items() if way not in like}
        texts = dict.fromkeys(like.values())
        all(judge(bench, "filter-spelling", name, [Filter(name, text)], listing=listing) for text in texts)


def _like(value: str) -> dict[str, str]:
    """Texts that a careless comparison takes for the value, or that a pattern matches, by what was done to it."""
    found = {"case": value.swapcase(), "upper": value.upper(), "lower": value.lower()}
    found |= {"cut": value[:-1], "begun late": value[1:], "longer": f"{value}x"}
    found |= {"blank before": f" {value}", "blank after": f"{value} "}
    found |= {"any letter": f"{value[:-1]}_", "any letters": f"{value[:-1]}%"}
    found |= {form: unicodedata.normalize(form, value) for form in ("NFC", "NFD", "NFKC")}
    return {way: text for way, text in found.items() if text and text != value}
