"""One request that the judge sent, and what came back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Key: TypeAlias = Literal["main", "other", "disabled"] | None
"""Whose API key a request carries; None: no Authorization header unless the headers have one."""


@dataclass(frozen=True)
class Request:
    """A request as it is sent, but for the API key, which only the transport knows."""

    method: str
    path: str
    """Path and query as written, from /api/v1 on."""
    headers: tuple[tuple[str, str], ...] = ()
    """In the order sent, values as latin-1 text; no Host or Content-Length, Authorization only when no key is meant."""
    body: bytes | None = None
    key: Key = "main"


@dataclass(frozen=True)
class Exchange:
    """A request, its answer, and its number within the run (from 1)."""

    number: int
    request: Request
    status: int
    """0 when nothing came back: see `failure`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case; several of one name are joined with ", "."""
    body: bytes = b""
    started: float = 0.0
    """Seconds since 1970, UTC, on the judge's clock."""
    seconds: float = 0.0
    failure: str | None = None
    """Why nothing came back: a time-out, a reset connection."""

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body's JSON, or None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None
