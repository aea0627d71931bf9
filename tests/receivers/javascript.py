"""What JavaScript makes of a JSON text, in Python: for machines without Node, and to say where the two differ.

Only what a delivery can hold: objects, arrays, strings, true, false and null. A number would be written otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from typing import Any

_INDEX = re.compile(r"0|[1-9]\d{0,9}")


def own_order(names: Iterable[str]) -> list[str]:
    """The order in which an object lists its members: array indexes by value, then the rest as they were set."""
    given = list(dict.fromkeys(names))
    indexes = [name for name in given if _INDEX.fullmatch(name) and int(name) < 2**32 - 1]
    return sorted(indexes, key=int) + [name for name in given if name not in indexes]


def sort_order(name: str) -> bytes:
    """What Array.prototype.sort compares: UTF-16 code units."""
    return name.encode("utf-16-be", "surrogatepass")


def stringify(value: Any) -> str:
    """JSON.stringify of a value whose members are sorted, at all levels, by making new objects."""
    if isinstance(value, dict):
        names = own_order(sorted(value, key=sort_order))
        return "{" + ",".join(f"{_quoted(name)}:{stringify(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(stringify, value)) + "]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def verified(secret: str, body: bytes, given: str | None) -> bool:
    """Whether a receiver in JavaScript takes the delivery."""
    digest = hmac.digest(base64.b64decode(secret), stringify(json.loads(body)).encode(), hashlib.sha256)
    return base64.b64encode(digest).decode() == given


def _quoted(text: str) -> str:
    """A string literal; a lone surrogate is escaped, everything else above ASCII is not."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
