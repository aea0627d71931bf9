"""What a control route is: a method, a path with places in it, and the function that answers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, TypeAlias

from mockserver.domain.store import Project

_LARGE = 2_000


class Call(NamedTuple):
    """A request to the controls, read and checked as far as its route says."""

    project: Project
    """The chosen project; of a route that needs none, any."""
    names: Mapping[str, str]
    """What stands in the places of the path, percent-decoded."""
    query: Mapping[str, str]
    body: Mapping[str, Any]


class Reply(NamedTuple):
    """An answer: JSON, or the bytes of another type."""

    status: int
    body: Any
    content_type: str = "application/json"


def is_large(value: Any) -> bool:
    """Whether it takes long to do something with all of a JSON value, so that it is better done in a thread."""
    todo, seen = [value], 0
    while todo and seen < _LARGE:
        part = todo.pop()
        if isinstance(part, dict):
            seen += len(part)
            todo += part.values()
        elif isinstance(part, list):
            seen += len(part)
            todo += part
        elif isinstance(part, str):
            seen += len(part) // 100
    return seen >= _LARGE


Handler: TypeAlias = Callable[[Call], Coroutine[Any, Any, Reply]]


class Route(NamedTuple):
    """One method of one path, e.g. POST /__mock__/calendars/{calendar}/sync. Handlers raise Refused."""

    method: str
    template: str
    handler: Handler
    query: frozenset[str] = frozenset()
    """The names of the parameters that it takes, `project` apart; any other is refused."""
    fields: frozenset[str] | None = frozenset()
    """The names of the members that its body may have; None leaves the check to the handler."""
    required: frozenset[str] = frozenset()
    """Those of them that must be there."""
    of_project: bool = True
    """Whether it needs a project to be chosen."""
    most: int = 1_000_000
    """The largest body that it takes, in bytes."""
