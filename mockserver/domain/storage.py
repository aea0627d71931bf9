"""What the service's database can hold, and how it gives back what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any
from uuid import UUID


class NotStorable(Exception):
    """The service's database cannot hold a value: too long, or with a NUL or a lone surrogate in the metadata."""

    def __init__(self, error_id: UUID, reason: str) -> None:
        super().__init__(reason)
        self.error_id = error_id
        self.reason = reason


def check_storable(fields: Mapping[str, Any], longest: Mapping[str, int], random: Random) -> None:
    """Raises NotStorable for what passes every rule of a field and still does not fit the service's database.

    `longest` holds the most characters of a field, by the field's name; from `random` the error's id is drawn.
    """
    reason = None
    for name, value in fields.items():
        most = longest.get(name)
        if most is not None and isinstance(value, str) and len(value) > most:
            reason = f"{name} is longer than {most} characters"
    metadata = fields.get("metadata")
    if metadata is not None:
        text = "".join([*metadata, *metadata.values()])
        if "\0" in text or not _is_unicode(text):
            reason = "metadata holds a NUL or a lone surrogate"
    if reason is not None:
        raise NotStorable(UUID(int=random.getrandbits(128), version=4), reason)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
