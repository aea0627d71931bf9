"""Finds openapi.yaml and the fixtures, in a checkout or in an installed wheel, and parses the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).parent
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


def load_contract() -> dict[str, Any]:
    """The contract as it is written, with its references unresolved. A new document each time."""
    with data_path("openapi.yaml").open("rb") as stream:
        document: dict[str, Any] = yaml.load(stream, PlainLoader)  # noqa: S506 -- derives from CSafeLoader
    return document
