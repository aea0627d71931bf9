"""What a control route is: a method, a path template and a handler; and the table that finds the routes of a path."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from mockserver.domain.store import Project

_LARGE = 2_000
_Parts: TypeAlias = tuple[str, ...]


class Call(NamedTuple):
    """A control request whose query and body are what its route takes."""

    project: Project
    """The chosen project; an empty one when the route needs none."""
    names: Mapping[str, str]
    """The path parameters, percent-decoded."""
    query: Mapping[str, str]
    body: Mapping[str, Any]


class Reply(NamedTuple):
    """An answer: JSON, the bytes of another type, or pieces of them that come in their own time."""

    status: int
    body: Any
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Handler: TypeAlias = Callable[[Call], Coroutine[Any, Any, Reply]]


class Route(NamedTuple):
    """One method of one path, e.g. POST /__mock__/calendars/{calendar}/sync. Handlers raise Refused."""

    method: str
    template: str
    handler: Handler
    query: frozenset[str] = frozenset()
    """The query parameters that it takes besides `project`; any other is refused."""
    fields: frozenset[str] | None = frozenset()
    """The fields that its body may have; None leaves the check to the handler."""
    required: frozenset[str] = frozenset()
    """The fields that its body must have."""
    of_project: bool = True
    """Whether it works on one project."""
    most: int = 1_000_000
    """The largest body that it takes, in bytes."""


class RouteTable:
    """Routes by path: those without parameters in a dict, the others by the number of their segments."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.templates: dict[str, dict[str, Route]] = {}
        for route in routes:
            self.templates.setdefault(route.template, {})[route.method] = route
        self._by_length: dict[int, list[_Parts]] = {}
        for template in self.templates:
            if "{" in template:
                parts = tuple(template.split("/"))
                self._by_length.setdefault(len(parts), []).append(parts)

    def find(self, path: str) -> tuple[Mapping[str, Route], dict[str, str]] | None:
        """The routes of a raw path by method, and its path parameters; None for an unknown path."""
        methods = self.templates.get(path)
        if methods is not None and "{" not in path:
            return methods, {}
        parts = path.split("/")
        for template in self._by_length.get(len(parts), ()):
            names = _names(template, parts)
            if names is not None:
                return self.templates["/".join(template)], names
        return None


def _names(template: _Parts, parts: list[str]) -> dict[str, str] | None:
    names = {}
    for wanted, given in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            if not given:
                return None
            names[wanted[1:-1]] = unquote(given)
        elif wanted != given:
            return None
    return names


def is_large(value: Any) -> bool:
    """Whether a JSON value is so large that work on all of it belongs in a thread."""
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
