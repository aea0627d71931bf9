"""The kinds of difference: how much each matters to a client that was made from the document, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

Level: TypeAlias = Literal["error", "warning", "info"]


class Kind(NamedTuple):
    """A kind of difference. `sentence` is what reports and SARIF call it."""

    level: Level
    sentence: str
    effect: str


_PARSES: Final = "a client with a model of the response fails when it reads it"
_STRICT: Final = "a client that validates responses rejects it; others read it"
_REFUSED: Final = "a client that follows the document is refused with a 400"
_ALWAYS: Final = "every request of a client that follows the document is refused"
_HARMLESS: Final = "no client breaks; the service accepts more than the document says"

_IN_RESPONSES: Final[Mapping[str, tuple[Level, str, str]]] = {
    "null": ("error", "can be null although the document does not allow null", _PARSES),
    "type": ("error", "has another type than documented", _PARSES),
    "enum": ("error", "has values that are not in the documented list", _PARSES),
    "format": ("error", "does not have the documented format", _PARSES),
    "required": ("error", "is missing although the document requires it", _PARSES),
    "unexpected": ("warning", "is a field that the document forbids", _STRICT),
    "closed": ("info", "may have fields that the document forbids", _STRICT),
    "pattern": ("warning", "does not match the documented pattern", _STRICT),
    "length": ("warning", "is shorter or longer than documented", _STRICT),
    "range": ("warning", "is outside the documented range", _STRICT),
    "count": ("warning", "has fewer or more parts than documented", _STRICT),
}
_IN_REQUESTS: Final[Mapping[str, tuple[Level, str, str]]] = {
    "null": ("warning", "may be null in the document; the service refuses null", _REFUSED),
    "type": ("warning", "may have types in the document that the service refuses", _REFUSED),
    "enum": ("warning", "may have values in the document that the service refuses", _REFUSED),
    "format": ("warning", "needs a format that is not documented", _REFUSED),
    "required": ("error", "is required by the service and optional in the document", _ALWAYS),
    "unexpected": ("error", "is a documented field that the service refuses", _REFUSED),
    "closed": ("info", "may have unknown fields in the document; the service refuses them", _REFUSED),
    "pattern": ("warning", "needs a pattern that is not documented", _REFUSED),
    "length": ("warning", "has a limit on its length that is not documented", _REFUSED),
    "range": ("warning", "has a limit on its value that is not documented", _REFUSED),
    "count": ("warning", "has a limit on the number of its parts that is not documented", _REFUSED),
}
_ACCEPTED: Final[Mapping[str, str]] = {
    "null": "may be null although the document does not allow it",
    "type": "may have types that the document does not allow",
    "enum": "may have values that are not in the documented list",
    "format": "need not have the documented format",
    "required": "may be missing although the document requires it",
    "unexpected": "is an accepted field that the document forbids",
    "closed": "may have fields that the document forbids",
    "pattern": "need not match the documented pattern",
    "length": "may be shorter or longer than documented",
    "range": "may be outside the documented range",
    "count": "may have fewer or more parts than documented",
}
_OTHERS: Final[Mapping[str, tuple[Level, str, str]]] = {
    "status-undocumented": (
        "warning",
        "is a status that the document does not list",
        "a generated client raises an unexpected error or returns nothing",
    ),
    "body-undocumented": (
        "warning",
        "has a body for which the document has no schema",
        "a generated client cannot read the body",
    ),
    "body-missing": ("error", "has no body although the document describes one", _PARSES),
    "response-media": ("error", "has a media type that the document does not list", _PARSES),
    "header-missing": ("warning", "is a required header that responses do not have", "a client that reads it fails"),
    "operation-undocumented": ("warning", "is not in the document", "a generated client cannot call it"),
    "operation-refused": (
        "error",
        "is in the document, and the service does not have the method on this path",
        "every call is answered with 405",
    ),
    "path-slash": (
        "error",
        "differs from the path of the service by a slash at its end",
        "every call is answered with 404",
    ),
    "parameter-ignored": (
        "warning",
        "is a documented parameter that the service ignores",
        "a client that filters with it gets unfiltered results",
    ),
    "parameter-missing": ("error", "is a parameter that the service requires", _ALWAYS),
    "parameter-needless": (
        "warning",
        "is required by the document and not by the service",
        "a generated client demands an argument that nobody needs",
    ),
    "request-body-required": ("error", "is required by the service and optional in the document", _ALWAYS),
    "accepted-body": ("info", "may be left out although the document requires it", _HARMLESS),
    "request-media": (
        "error",
        "has only media types in the document that the service refuses",
        "every request of a client that follows the document is answered with 415",
    ),
    "accepted-media": ("info", "may have a media type that the document does not list", _HARMLESS),
    "key-undocumented": (
        "error",
        "needs an API key, and the document says that it needs none",
        "a generated client sends no key and is answered with 401",
    ),
    "key-needless": ("info", "needs no API key, and the document says that it does", _HARMLESS),
}

KINDS: Final[Mapping[str, Kind]] = {
    **{f"response-{name}": Kind(*given) for name, given in _IN_RESPONSES.items()},
    **{f"request-{name}": Kind(*given) for name, given in _IN_REQUESTS.items()},
    **{f"accepted-{name}": Kind("info", sentence, _HARMLESS) for name, sentence in _ACCEPTED.items()},
    **{name: Kind(*given) for name, given in _OTHERS.items()},
}


def effect_of(kind: str) -> str:
    """What a difference of this kind does to a client."""
    return KINDS[kind].effect


def level_of(kind: str, detail: str = "") -> Level:
    """How much it matters. `detail` is the status of a response, or "partly" where the document is half right.

    An undocumented 2xx is an error; a 405 cannot come to an operation that the document has.
    """
    if detail == "partly":
        return "warning"
    if kind in ("status-undocumented", "body-undocumented") and detail.startswith("2"):
        return "error"
    if kind == "status-undocumented" and detail == "405":
        return "info"
    return KINDS[kind].level
