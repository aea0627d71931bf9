"""Parses multipart form bodies as the service does, which is more lenient than the standard.

The boundary is looked for as plain text anywhere, what stands before the first and behind the last counts as a part
too, and only CRLF ends a header. With a wrong boundary all that follows the first header is one field.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from mockserver.api import errors

_LONGEST_HEADERS = 1024
_LONGEST_PARAMETERS = 10_000
_LONGEST_NAME = 255
_MOST_FILES = 100
_BOUNDARY = re.compile(r"[ -~]{0,200}[!-~]")
_BLANKS = re.compile(rb"\s+")


class Upload(NamedTuple):
    """A file in a multipart form; only its name is of use, for the service takes no files."""

    filename: str


class _Part(NamedTuple):
    is_base64: bool
    name: str
    filename: str
    content: bytes
    is_ended: bool
    """Whether anything follows: a file counts only then."""


def parse_multipart(content_type: str, raw: bytes, encoding: str) -> dict[str, str | Upload]:
    """The fields of a form, the last of equal names; a file counts before a text.

    Raises ApiError with status 400, and BadRequestPage for more fields or files than the service's framework counts.
    """
    delimiter = b"--" + _boundary(content_type).encode("ascii")
    texts: dict[str, str | Upload] = {}
    files: dict[str, str | Upload] = {}
    fields = uploads = 0
    for part in _parts(raw, delimiter, encoding):
        if part.filename:
            uploads += 1
            filename = _plain_name(part.filename)
            if filename:
                _check_base64(part)
            if filename and part.name and part.is_ended:
                files[part.name] = Upload(filename)
        else:
            fields += 1
            content = part.content
            if part.is_base64:
                decoded = _from_base64(content)
                content = content if decoded is None else decoded
            texts[part.name] = content.decode(encoding, "replace")
        if fields > errors.MOST_PARAMETERS or uploads > _MOST_FILES:
            raise errors.too_many_parameters()
    return texts | files


def _boundary(content_type: str) -> str:
    """The boundary that a content type names.

    Raises ApiError with status 400.
    """
    if not content_type.startswith("multipart/"):
        raise errors.malformed_multipart(f"Invalid Content-Type: {content_type}")
    if not content_type.isascii():
        raise errors.malformed_multipart(f"Invalid non-ASCII Content-Type in multipart: {content_type}")
    boundary = _parameters(content_type).get("boundary")
    if not boundary or not _BOUNDARY.fullmatch(boundary):
        raise errors.malformed_multipart(f"Invalid boundary in multipart: {boundary}")
    return boundary


def _parts(raw: bytes, delimiter: bytes, encoding: str) -> Iterator[_Part]:
    """What is around the delimiters, has whole headers and names a field."""
    start, is_last = 0, False
    while not is_last:
        at = raw.find(delimiter, start)
        is_last = at < 0
        piece = raw[start:] if is_last else raw[start:at]
        if is_last and not piece:
            return
        start = at + len(delimiter)
        # One line feed and one carriage return before it belong to the delimiter.
        whole = piece if is_last else piece.removesuffix(b"\n").removesuffix(b"\r")
        head, end, content = whole.partition(b"\r\n\r\n")
        if len(head) + len(end) > _LONGEST_HEADERS:
            raise errors.malformed_multipart("Request max total header size exceeded.")
        if not end:
            continue
        headers = _headers(head)
        disposition = headers.get("content-disposition")
        if disposition is None:
            continue
        parameters = _parameters(disposition)
        if "name" in parameters:
            name = _decoded(parameters["name"], encoding).strip()
            is_base64 = headers.get("content-transfer-encoding", "").partition(";")[0].strip().lower() == "base64"
            followed = not is_last and start < len(raw)
            yield _Part(is_base64, name, _decoded(parameters.get("filename", ""), encoding), content, followed)


def _decoded(text: str, encoding: str) -> str:
    """A header's text, which is always UTF-8, read in the form's own encoding as the service does."""
    return text.encode("utf-8", "surrogatepass").decode(encoding, "replace")


def _headers(head: bytes) -> dict[str, str]:
    """The headers of a part; a line without a colon, or that is no UTF-8, is passed over."""
    headers = {}
    for line in head.split(b"\r\n"):
        try:
            name, colon, value = line.decode("utf-8").partition(":")
        except UnicodeDecodeError:
            continue
        if colon and len(value) <= _LONGEST_PARAMETERS:
            headers[name.lower().rstrip(" ")] = value.lstrip(" ")
    return headers


def _plain_name(filename: str) -> str:
    """The last part of a path, without what cannot be printed; empty where nothing is left of it."""
    name = html.unescape(filename).rpartition("/")[2].rpartition("\\")[2]
    name = "".join(character for character in name if character.isprintable())
    return "" if name in (".", "..") else name[:_LONGEST_NAME]


def _check_base64(part: _Part) -> None:
    if part.is_base64 and _from_base64(_BLANKS.sub(b"", part.content)) is None:
        raise errors.malformed_multipart("Could not decode base64 data.")


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
        is_extended = name.endswith("*")
        if is_extended:
            name = name[:-1]
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1].replace("\\\\", "\\").replace('\\"', '"')
        if is_extended and parameter.count("'") == 2:
            charset, _, quoted = value.split("'", 2)
            value = unquote(quoted, charset)
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
