"""Takes multipart form bodies apart as leniently as the service does, which is not as the standard has it.

The boundary is looked for as plain text anywhere, parts after the last boundary count, and only CRLF ends a header.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from mockserver.api import errors

_LONGEST_HEADERS = 1024
_MOST_FILES = 100


class Upload(NamedTuple):
    """A file in a multipart form; only its name is of use, for the service takes no files."""

    filename: str


class _Part(NamedTuple):
    headers: dict[str, str]
    content: bytes


def parse_multipart(content_type: str, boundary: str | None, raw: bytes, encoding: str) -> dict[str, str | Upload]:
    """The fields of a form, the last of equal names; a file counts before a text.

    Raises ApiError with status 400, and BadRequestPage for more fields or files than the service's framework counts.
    """
    if not content_type.startswith("multipart/"):
        raise errors.malformed_multipart(f"Invalid Content-Type: {content_type}")
    if not content_type.isascii():
        raise errors.malformed_multipart(f"Invalid non-ASCII Content-Type in multipart: {content_type}")
    if not boundary:
        raise errors.malformed_multipart(f"Invalid boundary in multipart: {boundary}")
    texts: dict[str, str | Upload] = {}
    files: dict[str, str | Upload] = {}
    for part in _parts(raw, b"--" + boundary.encode("ascii")):
        disposition = _parameters(part.headers.get("content-disposition", ""))
        if "name" in disposition:
            value = _value(part, disposition.get("filename"), encoding)
            (files if isinstance(value, Upload) else texts)[disposition["name"]] = value
    if len(texts) > errors.MOST_PARAMETERS or len(files) > _MOST_FILES:
        raise errors.too_many_parameters()
    return texts | files


def _value(part: _Part, filename: str | None, encoding: str) -> str | Upload:
    is_base64 = part.headers.get("content-transfer-encoding", "").strip().lower() == "base64"
    decoded = _from_base64(part.content) if is_base64 else part.content
    if filename:
        if decoded is None:
            raise errors.malformed_multipart("Could not decode base64 data.")
        return Upload(filename.replace("\\", "/").rpartition("/")[2])
    return (part.content if decoded is None else decoded).decode(encoding, "replace")


def _parts(raw: bytes, delimiter: bytes) -> Iterator[_Part]:
    """What is between the delimiters and has whole headers."""
    at = raw.find(delimiter)
    while at >= 0:
        start = at + len(delimiter)
        at = raw.find(delimiter, start)
        piece = raw[start:] if at < 0 else raw[start:at]
        head, end, content = piece.partition(b"\r\n\r\n")
        if len(head) > _LONGEST_HEADERS:
            raise errors.malformed_multipart("Request max total header size exceeded.")
        if not end:
            continue
        try:
            headers = _headers(head)
        except ValueError:
            continue
        yield _Part(headers, content.removesuffix(b"\n").removesuffix(b"\r"))


def _headers(head: bytes) -> dict[str, str]:
    """The headers of a part; a line without a colon is passed over.

    Raises ValueError for a folded line and for what is no UTF-8.
    """
    headers = {}
    for line in head.lstrip(b"- \t\r\n").split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            raise ValueError("a folded line")
        name, colon, value = line.decode("utf-8").partition(":")
        if colon:
            headers[name.lower()] = value
    return headers


def _from_base64(content: bytes) -> bytes | None:
    try:
        return base64.b64decode(content)
    except binascii.Error:
        return None


def _parameters(header: str) -> dict[str, str]:
    """The parameters of a header's value: name in lower case to value, quotes taken off."""
    found = {}
    for parameter in _split(header)[1:]:
        name, equals, value = parameter.partition("=")
        if not equals:
            continue
        name, value = name.strip().lower(), value.strip()
        if name.endswith("*") and value.count("'") >= 2:
            charset, _, quoted = value.split("'", 2)
            found[name[:-1]] = unquote(quoted, charset)
        elif len(value) >= 2 and value[0] == value[-1] == '"':
            found[name] = value[1:-1].replace("\\\\", "\\").replace('\\"', '"')
        else:
            found[name] = value
    return found


def _split(header: str) -> list[str]:
    """The header at its semicolons, save those inside quotes."""
    pieces, start, quoted = [], 0, False
    for place, character in enumerate(header):
        if character == '"' and header[place - 1 : place] != "\\":
            quoted = not quoted
        elif character == ";" and not quoted:
            pieces.append(header[start:place])
            start = place + 1
    return [*pieces, header[start:]]
