"""Reads request bodies the way the service does: JSON, urlencoded forms and multipart forms.

The words of a refusal are those that the recorded service gives (body-*, ctype-*), whatever Python runs underneath.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mockserver.api import errors
from mockserver.api.multipart import parse_multipart
from mockserver.api.negotiation import MediaType, parse_media_type

_DEEPEST = 940
"""How deep JSON may be nested; the service breaks off at some 950."""
_JSON = ("application", "json")
_FORM = ("application", "x-www-form-urlencoded")
_MULTIPART = ("multipart", "form-data")
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
    if media_type.matches(_FORM):
        return Body(_parse_form(raw, encoding), is_form=True)
    if media_type.matches(_MULTIPART):
        boundary = media_type.parameters.get("boundary")
        return Body(parse_multipart(content_type, boundary, raw, encoding), is_form=True)
    raise errors.unsupported_media_type(content_type)


def parse_json(raw: bytes, encoding: str = "utf-8") -> Any:
    """The JSON in these bytes; the last of equal names counts.

    Raises ApiError with status 400.
    """
    try:
        text = _decode(raw, encoding)
        if _depth(text) > _DEEPEST:
            raise errors.malformed_json("nested too deeply")
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
    except ValueError as error:
        # From Python 3.11 on the limit's text reads "(4300 digits)"; create-huge-integer has it as here.
        raise errors.malformed_json(re.sub(r"limit \((\d+) digits\)", r"limit (\1)", str(error))) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _decode(raw: bytes, encoding: str) -> str:
    """The bytes as text; like the service's stream reader it passes over a character cut off by the very end.

    Raises UnicodeDecodeError.
    """
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return codecs.getreader(encoding)(io.BytesIO(raw)).read()


def _wording(error: json.JSONDecodeError) -> str:
    """The error's text, with what Python 3.13 calls a trailing comma said as before it."""
    if not error.msg.startswith("Illegal trailing comma"):
        return str(error)
    blanks = _BLANKS.match(error.doc, error.pos + 1)
    at = blanks.end() if blanks else error.pos + 1
    wanted = "property name enclosed in double quotes" if error.doc[at : at + 1] == "}" else "value"
    return str(json.JSONDecodeError(f"Expecting {wanted}", error.doc, at))


def _depth(text: str) -> int:
    """How deeply arrays and objects are nested at most; not looked for where there are few of them."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return 0
    deepest = depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _parse_form(raw: bytes, encoding: str) -> dict[str, str]:
    if raw.count(b"&") >= errors.MOST_PARAMETERS:
        raise errors.too_many_parameters()
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode("iso-8859-1")
    return dict(parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="replace"))


def _encoding(media_type: MediaType) -> str:
    """What the body is written in: the charset of its type if that is one, else UTF-8."""
    charset = media_type.parameters.get("charset", "utf-8")
    try:
        "".encode(charset)
    except (LookupError, ValueError):
        return "utf-8"
    return charset
