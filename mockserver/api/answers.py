"""What a handler gives back, and the bytes that it becomes: compact JSON, indented JSON or a browsable page."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.api.negotiation import Representation

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class Sealed(NamedTuple):
    """JSON text that was held against the named schema of the contract when it was written."""

    schema: str
    text: bytes


class SealedResults(NamedTuple):
    """JSON texts of which each was held against the named schema of the contract when it was written."""

    schema: str
    texts: Sequence[bytes]


class SealedPage(NamedTuple):
    """A page of sealed results with the links to its neighbours."""

    next: str | None
    previous: str | None
    results: SealedResults


class Answer(NamedTuple):
    """A handler's answer; a plain body is held against the contract before it is sent."""

    status: int
    body: Sealed | SealedPage | Mapping[str, Any] | None
    headers: Mapping[str, str] = {}


def to_json(value: Any) -> bytes:
    """Compact JSON as the service writes it: UTF-8, not escaped but for the two line separators of JavaScript."""
    if value is None:
        return b"null"  # the encoder takes four times as long for it as for a text
    return _to_bytes(_COMPACT.encode(value))


def texts_to_json(texts: Mapping[str, str] | None) -> bytes:
    """An object of texts, or null, as `to_json` writes it; a small object in half the time."""
    if texts is None:
        return b"null"
    write = _COMPACT.encode
    return _to_bytes("{" + ",".join([f"{write(name)}:{write(text)}" for name, text in texts.items()]) + "}")


def _to_bytes(text: str) -> bytes:
    if not text.isascii():
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    # A lone surrogate, which an error may echo, has no UTF-8: it is sent as the escape that it came as.
    return text.encode("utf-8", "backslashreplace")


def page_text(page: SealedPage) -> bytes:
    """A page as JSON text."""
    results = b",".join(page.results.texts)
    return b'{"next":%b,"previous":%b,"results":[%b]}' % (to_json(page.next), to_json(page.previous), results)


def indented(text: bytes, width: int) -> bytes:
    """JSON text with each level on lines of its own, `width` blanks deeper."""
    spread = json.dumps(json.loads(text), ensure_ascii=False, indent=width, separators=(",", ": "))
    return spread.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode("utf-8", "backslashreplace")


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>This page stands in for the service's browsable one. Ask for <code>application/json</code> to get data.</p>
<pre>HTTP {status}
{headers}

{body}</pre>
</body>
</html>
"""


def browsable_page(title: str, status: int, headers: Mapping[str, str], text: bytes) -> bytes:
    """An answer as a page for people."""
    body = indented(text, 4).decode("utf-8") if text else ""
    lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
    page = _PAGE.format(title=html.escape(title), status=status, headers=html.escape(lines), body=html.escape(body))
    return page.encode("utf-8")


def render(text: bytes, representation: Representation) -> bytes:
    """JSON text in the representation's indentation."""
    return indented(text, representation.indent) if text and representation.indent else text
