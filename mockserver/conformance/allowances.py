"""Where the service rightly does otherwise than a schema can say: what it refuses, and what it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from mockserver.conformance.exchange import Request

_METADATA: Final = 1000
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TIMES: Final = frozenset({"updated_at_gte", "updated_after", "start_time_gte", "end_time_lte"})
_STRICT_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def is_refused_rightly(request: Request) -> bool:
    """Whether the service refuses for what a schema cannot say: text that it cannot hold, metadata that is too long."""
    body = _json(request)
    if body is None:
        return bool(request.body)
    texts = list(_texts(body))
    metadata = body.get("metadata")
    return (
        any("\0" in text or _SURROGATE.search(text) for text in texts)
        or len(json.dumps(metadata)) > _METADATA
        or any(text.strip() != text for text in body.values() if isinstance(text, str))
    )


def is_taken_rightly(request: Request) -> bool:
    """Whether the service takes what the contract does not allow; each was recorded.

    Numbers are taken as their text and texts without their outer blanks, forms are read like JSON, an empty
    updated_at_gte is ignored, times have more spellings than RFC 3339, of a parameter given twice the last one counts.
    """
    pairs = parse_qsl(urlsplit(request.path).query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names) or any(name in _TIMES and not _STRICT_TIME.fullmatch(text) for name, text in pairs):
        return True
    if not request.body:
        return False
    body = _json(request)
    if body is None:
        return True
    return any(
        isinstance(value, int | float)
        and not isinstance(value, bool)
        or (isinstance(value, str) and value.strip() != value)
        for value in body.values()
    )


def _json(request: Request) -> dict[str, Any] | None:
    try:
        body = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
