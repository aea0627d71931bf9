"""A control API that gives canned answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Fake:
    """A mock's control API with one canned answer, that remembers what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answers: list[Any] = []
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: dict[str, str] = {}
        self.url = ""


Run = Callable[..., tuple[int, str, str]]
