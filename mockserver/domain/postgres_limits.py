"""The limits of the service's database: which values it refuses, and how it returns others."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any
from uuid import UUID

from mockserver.domain.model import EventFields

_EVENT_COLUMNS = (("meeting_url", 2048), ("ical_uid", 1024), ("name", 1024))
"""The texts of an event that have a longest length in the database, in the order in which it looks at them."""


class NotStorable(Exception):
    """The service's database cannot hold a value: too long, or with a NUL or a lone surrogate in the metadata."""

    def __init__(self, error_id: UUID, field: str, rule: str) -> None:
        super().__init__(f"{field} {rule}")
        self.error_id = error_id
        self.field = field
        self.rule = rule


class TooLong(Exception):
    """A text of an event does not fit its column; the exception's text is what the database says then."""


def fitted(fields: EventFields) -> EventFields:
    """An event's fields as the database keeps them: of a text that is too long it drops blanks at the end.

    Raises TooLong when dropping those does not make the text fit.
    """
    for column, most in _EVENT_COLUMNS:
        text = getattr(fields, column)
        if text is not None and len(text) > most:
            if text[most:].strip(" "):
                raise TooLong(f"value too long for type character varying({most})")
            fields = fields._replace(**{column: text[:most]})
    return fields


def check_storable(fields: Mapping[str, Any], longest: Mapping[str, int], random: Random) -> None:
    """Raises NotStorable for what passes every rule of a field and still does not fit the service's database.

    `longest` holds the most characters of a field, by the field's name; from `random` the error's id is drawn.
    """
    problem = None
    for name, value in fields.items():
        most = longest.get(name)
        if most is not None and isinstance(value, str) and len(value) > most:
            problem = name, f"is longer than {most} characters"
    metadata = fields.get("metadata")
    if metadata is not None:
        text = "".join([*metadata, *metadata.values()])
        if "\0" in text or not _is_unicode(text):
            problem = "metadata", "holds a NUL or a lone surrogate"
    if problem is not None:
        raise NotStorable(UUID(int=random.getrandbits(128), version=4), *problem)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
