"""Which entries of the journal are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from mockserver.api.request import Exchange
from mockserver.control.entries import Entry, Shown
from mockserver.control.refusal import Refused, unknown

KINDS = ("exchange", "delivery")
_LONGEST_PATH = 1000


class Filter(NamedTuple):
    """What an entry must be like; None asks for nothing. A delivery has no path and no operation."""

    method: str | None = None
    path: str | None = None
    """The path without its query; * stands for any characters."""
    operation: str | None = None
    status: str | None = None
    """A status, or a class of them such as 4xx; 0 is an exchange that had no answer."""
    since: int = 0
    """Only entries with a higher number."""
    kind: str | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether it is one of those that are asked for."""
        if entry.number <= self.since:
            return False
        if isinstance(entry, Exchange):
            return self.kind != "delivery" and self._takes_exchange(entry)
        asks_of_exchanges = self.kind == "exchange" or self.path is not None or self.operation is not None
        return not asks_of_exchanges and self.method in (None, "POST") and self._takes_status(entry.status)

    def takes_shown(self, shown: Shown) -> bool:
        """Whether the path and status of an entry that is shown are those that are asked for."""
        path_fits = self.path is None or fnmatchcase(shown.get("path", ""), self.path)
        return path_fits and self._takes_status(shown["status"])

    def _takes_exchange(self, entry: Exchange) -> bool:
        return (
            (self.operation is None or entry.operation == self.operation)
            and (self.method is None or entry.method == self.method)
            and self._takes_status(entry.status)
            and (self.path is None or fnmatchcase(entry.path, self.path))
        )

    def _takes_status(self, status: int | None) -> bool:
        if self.status is None:
            return True
        text = str(status or 0)
        return text == self.status or f"{text[0]}xx" == self.status


def parse_filter(parameters: Mapping[str, str], operations: Collection[str]) -> Filter:
    """The filter that is written in a query's parameters.

    Raises Refused for a parameter that is none, and for a value that no entry can have.
    """
    for name in parameters:
        if name not in Filter._fields:
            raise unknown("parameter", name, Filter._fields)
    given = dict(parameters)
    if "operation" in given and given["operation"] not in operations:
        raise unknown("operation", given["operation"], operations)
    if "kind" in given and given["kind"] not in KINDS:
        raise unknown("kind", given["kind"], KINDS)
    since = given.pop("since", "0")
    if not (since.isascii() and since.isdecimal() and len(since) < 16):
        raise Refused("since", "write the id of a journal entry, e.g. 17")
    status = given.get("status")
    if status is not None and status != "0" and not _is_status(status):
        raise Refused("status", "write a status such as 404, a class such as 4xx, or 0 for no answer")
    if len(given.get("path", "")) > _LONGEST_PATH:
        raise Refused("path", f"is longer than {_LONGEST_PATH} characters", fix="write a shorter pattern with *")
    method = given.pop("method", None)
    # An empty method or path asks for nothing.
    asked = {name: value for name, value in given.items() if value}
    return Filter(method=method.upper() if method else None, since=int(since), **asked)


def _is_status(text: str) -> bool:
    return len(text) == 3 and text[0] in "12345" and (text[1:] == "xx" or (text.isascii() and text.isdecimal()))
