"""Finds the contracts and the fixtures, in a checkout or in an installed wheel, and parses the contracts."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).parent
CALENDARS = "openapi.yaml"
BOTS = "contracts/bots.yaml"
CONTROL = "contracts/control.yaml"
WEBHOOKS = "contracts/webhooks.yaml"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class PlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with timestamps left as the text that was written."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in PlainLoader.yaml_implicit_resolvers.items()
}


def data_path(name: str) -> Path:
    """Where a file that travels with the package is, e.g. openapi.yaml or fixtures/default.yaml."""
    packed = _PACKAGE / "_data" / name
    return packed if packed.exists() else _PACKAGE.parent / name


def load_contract(name: str = CALENDARS) -> dict[str, Any]:
    """A contract as it is written, with its references unresolved. A new document each time."""
    document: dict[str, Any] = json.loads(contract_text(name))
    return document


def contract_text(name: str = CALENDARS) -> str:
    """A contract as JSON text; the same text, and quickly found again, as long as its file does not change."""
    path = data_path(name)
    return _as_json(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _as_json(path: Path, _changed: int) -> str:
    """The file as JSON text, which is read ten times faster than YAML whenever another mock is made."""
    with path.open("rb") as stream:
        return json.dumps(yaml.load(stream, PlainLoader))  # noqa: S506 -- derives from CSafeLoader
