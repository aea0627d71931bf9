"""Where in openapi.yaml an operation stands."""

from __future__ import annotations

import re
from functools import cache

from mockserver.contracts import data_path


@cache
def lines() -> dict[str, int]:
    """The line of each operation, by its operationId."""
    with data_path("openapi.yaml").open(encoding="utf-8") as stream:
        found = (re.match(r"\s*operationId:\s*(\w+)", line) for line in stream)
        return {match[1]: number for number, match in enumerate(found, 1) if match}


def line_of(operation: str) -> int:
    """The line of an operation; the first for what the contract does not have."""
    return lines().get(operation, 1)
