"""Reads request bodies the way the service does: JSON, urlencoded forms and multipart forms.

The words of a refusal are those that the recorded service gives (body-*, ctype-*), whatever Python runs underneath.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

from mockserver.api import errors
from mockserver.api.multipart import parse_multipart
from mockserver.api.negotiation import MediaType, parse_media_type

_DEEPEST = 940
"""How deep JSON may be nested; the service breaks off at some 950."""
LARGE = 65_536
"""What has more bytes is read in a thread of its own: other requests need not wait for it."""
_MOST_TOKENS = 30_000
"""How many texts, lists, objects and commas JSON may have: to read more would hold up all other requests."""
_SLICE = 65_536
"""How many bytes of a form are decoded at a time: between two of them other threads have their turn."""
_JSON = ("application", "json")
_FORM = ("application", "x-www-form-urlencoded")
_MULTIPART = ("multipart", "form-data")
_ASCII = re.compile(r"[\x00-\x7f]+")
_BRACKET = re.compile(r"[\[\]{}]")
_REST_OF_TEXT = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BLANKS = re.compile(r"[ \t\n\r]*")


class Body(NamedTuple):
    """What a request's body holds. A form's values are texts or uploads; JSON may be anything."""

    data: Any
    is_form: bool = False


def parse_body(content_type: str, raw: bytes) -> Body:
    """The body in these bytes; no bytes at all are `{}`, whatever their type (create-missing-some).

    Raises ApiError: 415 for a type that is not read, 400 for bytes that are not of their type.
    """
    if content_type == "application/json":
        return Body(parse_json(raw) if raw else {})
    media_type = parse_media_type(content_type)
    if not raw:
        return Body({}, is_form=media_type.matches(_FORM) or media_type.matches(_MULTIPART))
    encoding = _encoding(media_type)
    if media_type.matches(_JSON):
        return Body(parse_json(raw, encoding))
    try:
        if media_type.matches(_FORM):
            return Body(_parse_form(raw, encoding), is_form=True)
        if media_type.matches(_MULTIPART):
            return Body(parse_multipart(content_type, raw, encoding), is_form=True)
    except UnicodeError:
        # An encoding such as punycode takes no replacement for what it cannot decode; the service breaks off over it.
        raise errors.malformed_form() from None
    raise errors.unsupported_media_type(content_type)


def parse_json(raw: bytes, encoding: str = "utf-8") -> Any:
    """The JSON in these bytes; the last of equal names counts.

    Raises ApiError with status 400.
    """
    try:
        text = _decode(raw, encoding)
        if len(text) > _DEEPEST:
            _check_size(text)
        if text.startswith("{"):
            value, end = _DECODER.raw_decode(text)
            if end == len(text):
                return value
        # A byte order mark is only refused by loads(), and only then is there one to refuse.
        return json.loads(text) if text.startswith("\ufeff") else _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise errors.malformed_json(_wording(error)) from None
    except RecursionError:
        raise errors.malformed_json("nested too deeply") from None
    except UnicodeDecodeError as error:
        raise errors.malformed_json(str(_as_before_3_13(error))) from None
    except ValueError as error:
        # From Python 3.11 on the limit's text reads "(4300 digits)"; create-huge-integer has it as here.
        raise errors.malformed_json(re.sub(r"limit \((\d+) digits\)", r"limit (\1)", str(error))) from None


def _check_size(text: str) -> None:
    """Raises ApiError for JSON of more parts, or nested deeper, than is read."""
    if has_many_tokens(text, _MOST_TOKENS):
        raise errors.malformed_json(f"more than {_MOST_TOKENS} texts, lists, objects and commas")
    if _is_too_deep(text):
        raise errors.malformed_json("nested too deeply")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _decode(raw: bytes, encoding: str) -> str:
    """The bytes as text; like the service's stream reader it passes over a character cut off by the very end.

    Raises UnicodeError.
    """
    if encoding == "utf-8":
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            pass
    # A reader wants the mark at the beginning that decode() of UTF-16 does without.
    return codecs.getreader(encoding)(io.BytesIO(raw)).read()


def _wording(error: json.JSONDecodeError) -> str:
    """The error's text, with what Python 3.13 calls a trailing comma said as before it."""
    if not error.msg.startswith("Illegal trailing comma"):
        return str(error)
    blanks = _BLANKS.match(error.doc, error.pos + 1)
    at = blanks.end() if blanks else error.pos + 1
    wanted = "property name enclosed in double quotes" if error.doc[at : at + 1] == "}" else "value"
    return str(json.JSONDecodeError(f"Expecting {wanted}", error.doc, at))


def _as_before_3_13(error: UnicodeDecodeError) -> UnicodeError:
    """The error as Python raised it before 3.13, which gave positions to some that had none; the service's is older."""
    if error.reason == "Stream does not start with BOM":
        return UnicodeError(f"{error.encoding.upper()} stream does not start with BOM")
    if error.encoding not in ("punycode", "idna"):
        return error
    if error.reason == "ordinal not in range(128)":
        return UnicodeDecodeError("ascii", error.object, error.start, error.end, error.reason)
    return UnicodeError(error.reason)


def has_many_tokens(text: str, most: int) -> bool:
    """Whether JSON has more texts, lists, objects and commas than `most`; what is inside of texts does not count."""
    if len(text) <= most:
        return False
    if text.count(",") + text.count("[") + text.count("{") + text.count('"') // 2 <= most:
        return False
    tokens = 0
    for start, end in _outside_texts(text):
        tokens += 1 + text.count(",", start, end) + text.count("[", start, end) + text.count("{", start, end)
        if tokens > most:
            return True
    return False


def _is_too_deep(text: str) -> bool:
    """Whether arrays and objects are nested too deeply; not looked for where there are few of them."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    depth = 0
    for start, end in _outside_texts(text):
        for found in _BRACKET.finditer(text, start, end):
            depth += 1 if found[0] in "[{" else -1
            if depth > _DEEPEST:
                return True
    return False


def _outside_texts(text: str) -> Iterator[tuple[int, int]]:
    """From where to where JSON has no text in quotes; a text that does not end reaches to the end of all."""
    at = 0
    while (quote := text.find('"', at)) >= 0:
        yield at, quote
        end = text.find('"', quote + 1)
        if end > 0 and text[end - 1] == "\\":
            end = _REST_OF_TEXT.match(text, quote + 1).end()  # type: ignore[union-attr]  # it matches nothing, too
        if end < 0 or end >= len(text):
            return
        at = end + 1
    yield at, len(text)


def _parse_form(raw: bytes, encoding: str) -> dict[str, str]:
    if raw.count(b"&") >= errors.MOST_PARAMETERS:
        raise errors.too_many_parameters()
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = _as_before_3_13(error)
        if not isinstance(before, UnicodeDecodeError):
            raise before from None
        text = raw.decode("iso-8859-1")
    if len(text) <= _SLICE or "%" not in text:
        return dict(parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="replace"))
    pairs = [pair.replace("+", " ").partition("=") for pair in text.split("&") if pair]
    return {_unquoted(name, encoding): _unquoted(value, encoding) for name, _, value in pairs}


def _unquoted(text: str, encoding: str) -> str:
    """What `unquote` gives, in pieces: in one go it would hold up all other threads."""
    return _ASCII.sub(lambda run: b"".join(_unquoted_pieces(run[0])).decode(encoding, "replace"), text)


def _unquoted_pieces(text: str) -> Iterator[bytes]:
    start = 0
    while start < len(text):
        end = start + _SLICE
        # Not in the middle of an escape.
        escape = text.rfind("%", end - 2, end)
        end = escape if escape > start else end
        yield unquote_to_bytes(text[start:end])
        start = end


def _encoding(media_type: MediaType) -> str:
    """What the body is written in: the charset of its type if that is one, else UTF-8."""
    charset = media_type.parameters.get("charset", "utf-8")
    try:
        "".encode(charset)
    except (LookupError, ValueError):
        return "utf-8"
    return charset
