"""The nearest request that the contract allows, as a line for a shell: nothing in it is secret, all else is kept."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import jsonschema_rs

from mockserver.api.bodies import Body
from mockserver.api.errors import ApiError
from mockserver.api.validation import BodyRules, ContractError
from mockserver.control.entries import Shown
from mockserver.control.masking import MASK, names_a_secret
from mockserver.control.operations import Place

_TAKEN = "deduplication_key: already taken"


def nearest_valid(entry: Shown, place: Place, object_id: str | None = None) -> str:
    """A curl line for the operation at `place`; it takes the URL and the key from the environment.

    What the contract does not allow of the request is left out or put right from the contract's own examples;
    `object_id` is the id to use in the path if the request's own is none.
    """
    words = ["curl", "-sS"]
    if place.method != "GET":
        words += ["-X", place.method]
    words += ["-H", '"Authorization: Token $ATTENDEE_API_KEY"']
    fields = _fields(entry, place)
    if fields is not None:
        text = json.dumps(fields, ensure_ascii=False)
        words += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(text)]
    query = urlencode(_query(entry, place))
    path = _path(entry, place, object_id) + (f"?{query}" if query else "")
    return " ".join([*words, f'"$ATTENDEE_BASE_URL{path}"'])


def _path(entry: Shown, place: Place, object_id: str | None) -> str:
    prefix, opened, _ = place.template.partition("{")
    if not opened:
        return prefix
    own = entry["path"].removeprefix(prefix)
    own = own if entry["path"].startswith(prefix) and own and MASK not in own else ""
    return prefix + quote(object_id or own or str(place.parameters()[0].get("example", "ID")), safe="")


def _query(entry: Shown, place: Place) -> dict[str, str]:
    """The parameters that the contract knows, the last of those given twice, each with a value that it allows."""
    given = dict(parse_qsl(entry["query"], keep_blank_values=True))
    kept = {}
    for parameter in place.parameters():
        name = parameter["name"]
        if parameter["in"] != "query" or name not in given:
            continue
        schema = place.schemas.resolve(parameter["schema"])
        fits = _is_valid(place.schemas.compile(schema), given[name]) and MASK not in given[name]
        if name == "cursor" and entry["status"] == 404:
            continue
        kept[name] = given[name] if fits and given[name] else str(parameter.get("example", ""))
    return kept


def _fields(entry: Shown, place: Place) -> dict[str, Any] | None:
    """The body's fields; None where the operation takes no body."""
    known = place.fields()
    if not known:
        return None
    given = entry["request"].get("json")
    given = given if isinstance(given, dict) else {}
    examples, required = place.examples(), place.required()
    kept: dict[str, Any] = {}
    for name, rule in known.items():
        if names_a_secret(name):
            if name in given or name in required:
                kept[name] = f"YOUR_{name.upper()}"
        elif name in given and _is_fit(name, given[name], rule, place):
            kept[name] = given[name]
        elif name in required or name in given:
            kept[name] = examples.get(name, rule.get("example", "example"))
    if entry["reason"] is not None and _TAKEN in entry["reason"] and "deduplication_key" in kept:
        kept["deduplication_key"] += "-2"
    return kept


def _is_fit(name: str, value: Any, rule: Mapping[str, Any], place: Place) -> bool:
    """Whether both the contract and the service take a field's value, and it was not masked."""
    if MASK in json.dumps(value) or not _is_valid(place.schemas.compile(rule), value):
        return False
    try:
        BodyRules({"properties": {name: rule}}).apply(Body({name: value}))
    except ApiError:
        return False
    except ContractError:
        # A field of a kind that other rules look after: the contract's word has to do.
        return True
    return True


def _is_valid(validator: jsonschema_rs.Draft4Validator, value: Any) -> bool:
    try:
        return validator.is_valid(value)
    except ValueError:
        return False
