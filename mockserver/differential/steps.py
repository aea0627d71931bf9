"""Requests with variables in them, which are filled in for each side, and the responses to them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

VARIABLE = re.compile(r"\$\{(\w+)\}")
_ITEM = re.compile(r"/api/v1/calendars/.+")
_ITEM_NAME = "/api/v1/calendars/{id}"
Values: TypeAlias = Mapping[str, str]
"""What the variables mean on one side."""


class Step(NamedTuple):
    """One request. Path, headers and body may contain variables: ${calendar1}, ${tag1}, ${made1}, ${link1}."""

    method: str
    path: str
    """With its query; or a variable that stands for a link of an earlier response."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    key: bool = True
    """Whether the request carries the side's API key."""
    captures: tuple[tuple[str, str], ...] = ()
    """Variables that the response gives a meaning to, each with the JSON pointer of its value."""

    @property
    def operation(self) -> str:
        """What kind of request this is, e.g. GET /api/v1/calendars/{id}."""
        plain = self.path.partition("?")[0]
        if plain.startswith("${link"):
            return f"{self.method} a link"
        return f"{self.method} {_ITEM.sub(_ITEM_NAME, plain)}"

    @property
    def needs(self) -> frozenset[str]:
        """The variables that have to be known before the request can be sent."""
        texts = [self.path, *(value for _, value in self.headers), (self.body or b"").decode("latin-1")]
        return frozenset(name for text in texts for name in VARIABLE.findall(text))

    def filled(self, values: Values) -> Step:
        """The request for one side. Raises KeyError for a variable that has no value there."""
        body = self.body
        if body is not None:
            body = VARIABLE.sub(lambda found: values[found[1]], body.decode("latin-1")).encode("latin-1")
        headers = tuple((name, VARIABLE.sub(lambda found: values[found[1]], value)) for name, value in self.headers)
        return self._replace(path=self._filled_path(values), headers=headers, body=body)

    def _filled_path(self, values: Values) -> str:
        if whole := VARIABLE.fullmatch(self.path):
            return path_of(values[whole[1]])
        plain, mark, query = self.path.partition("?")
        plain = VARIABLE.sub(lambda found: values[found[1]], plain)
        return plain + mark + VARIABLE.sub(lambda found: quote(values[found[1]], safe=""), query)


class Answer(NamedTuple):
    """A response. Header names are in lower case; status 0 means that none came, and `failure` says why."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    failure: str | None = None

    @property
    def json(self) -> Any:
        """The body's JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


def path_of(url: str) -> str:
    """Path and query of a URL or of a path."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def at(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer; None if there is none."""
    for name in pointer.split("/")[1:]:
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document
