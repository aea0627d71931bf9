"""The orderings of lists, and the cursors that the service writes for them."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from mockserver.conformance.list_pages import Row, cursor_of
from mockserver.conformance.list_properties.instants import position, read

ORDERINGS = (
    "-updated_at",
    "updated_at",
    "start_time",
    "-start_time",
    "end_time",
    "-end_time",
    "created_at",
    "-created_at",
)


def sort_key(row: Row, ordering: str) -> int | None:
    """What a row is sorted by; smaller comes first under any ordering. None where the row has no such time."""
    instant = read(row.get(ordering.removeprefix("-")))
    return -instant if instant is not None and ordering.startswith("-") else instant


class Cursor(NamedTuple):
    """What the service's own cursors say: rows to skip, whether to walk backwards, the place to start beyond."""

    offset: int = 0
    reverse: bool = False
    position: int | None = None

    def text(self) -> str:
        """The cursor as the service writes it."""
        tokens = [("o", str(self.offset))] if self.offset else []
        tokens += [("r", "1")] if self.reverse else []
        tokens += [("p", position(self.position))] if self.position is not None else []
        return base64.b64encode(urlencode(tokens).encode()).decode()


def is_known_cursor(link: str) -> bool:
    """Whether the cursor in a link is of the form that Cursor writes."""
    text = cursor_of(link) or ""
    try:
        tokens = parse_qsl(base64.b64decode(text, validate=True).decode("ascii"), keep_blank_values=True)
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(tokens) and {name for name, _ in tokens} <= {"o", "r", "p"}
