"""Chooses the representation of a response: JSON or the service's browsable page, by Accept header and `format`.

The rules are Django REST framework's as recorded (accept-*): q values do not count, more precise ranges win, and among
equals JSON comes before HTML.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from mockserver.api import errors

_WIDEST_INDENT = 8


class Representation(NamedTuple):
    """How a response's body is written; `indent` is the number of blanks a level, None for compact JSON."""

    kind: Literal["json", "html"] = "json"
    indent: int | None = None


class MediaType(NamedTuple):
    """A media type or range, in lower case, with its parameters."""

    main: str
    sub: str
    parameters: dict[str, str]

    @property
    def precision(self) -> int:
        """How much the range says: 0 for */* up to 3 for a type with parameters."""
        if self.main == "*":
            return 0
        if self.sub == "*":
            return 1
        return 2 if set(self.parameters) <= {"q"} else 3

    def matches(self, offered: tuple[str, str]) -> bool:
        """Whether the range takes a type that is offered."""
        return all(want in ("*", have) for want, have in zip((self.main, self.sub), offered, strict=True))


JSON = Representation()
_OFFERED: dict[str, tuple[str, str]] = {"json": ("application", "json"), "html": ("text", "html")}
_FORMATS = {"json": "json", "api": "html"}


def parse_media_type(text: str) -> MediaType:
    """The media type in a header's text; what is no parameter is passed over."""
    full, *rest = text.split(";")
    main, _, sub = full.strip().lower().partition("/")
    parameters = {}
    for parameter in rest:
        name, equals, value = parameter.partition("=")
        if equals:
            parameters[name.strip().lower()] = value.strip().strip('"')
    return MediaType(main, sub, parameters)


def negotiate(accept: str | None, format_name: str | None) -> Representation:
    """The representation for an Accept header (None: not sent) and a `format` parameter (None: not given).

    Raises ApiError: 404 for a format that is unknown, 406 when nothing fits.
    """
    offered = _OFFERED
    if format_name:
        if format_name not in _FORMATS:
            raise errors.unknown_format()
        kind = _FORMATS[format_name]
        offered = {kind: _OFFERED[kind]}
    ranges = [parse_media_type(text.strip()) for text in ("*/*" if accept is None else accept).split(",")]
    for precision in (3, 2, 1, 0):
        wanted = [media_range for media_range in ranges if media_range.precision == precision]
        for kind, media_type in offered.items():
            for media_range in wanted:
                if media_range.matches(media_type):
                    return Representation("html" if kind == "html" else "json", _indent(media_range))
    raise errors.not_acceptable()


def _indent(media_range: MediaType) -> int | None:
    text = media_range.parameters.get("indent", "")
    try:
        return max(min(int(text), _WIDEST_INDENT), 0) or None
    except ValueError:
        return None
