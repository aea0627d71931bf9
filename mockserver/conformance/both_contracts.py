"""Puts the contract of calendars and the contract of bots together, so that answers of both are judged alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mockserver.contracts import BOTS, load_contract

_MARK: Final = "Bots."
"""Stands before the names of the parts of the contract of bots: both contracts have a Detail, for example."""


def with_bots(calendars: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the paths of bots.yaml, and with the parts that they refer to."""
    bots = _renamed(load_contract(BOTS))
    parts = {
        section: {**named, **{f"{_MARK}{name}": part for name, part in bots["components"].get(section, {}).items()}}
        for section, named in calendars["components"].items()
    }
    return {**calendars, "paths": {**calendars["paths"], **bots["paths"]}, "components": parts}


def _renamed(value: Any) -> Any:
    """The same with its references led to the marked names."""
    if isinstance(value, list):
        return [_renamed(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _marked(part) if name == "$ref" and isinstance(part, str) else _renamed(part)
        for name, part in value.items()
    }


def _marked(reference: str) -> str:
    place, slash, name = reference.rpartition("/")
    return f"{place}{slash}{_MARK}{name}"
