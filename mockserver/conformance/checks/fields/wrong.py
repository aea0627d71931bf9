"""The fields that are refused, and what is said of them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

MISSING, NULL, BLANK = "This field is required.", "This field may not be null.", "This field may not be blank."
_NO_TEXT, _NUL = "Not a valid string.", "Null characters are not allowed."
_NO_OBJECT, _EMPTY = "Metadata must be an object not an array or other type", "Metadata must have at least one key"
_TOO_LONG = "Metadata must be less than 1000 characters"
TAKEN = "A calendar with this deduplication key already exists in this project."
ALLOWED = {
    "POST": "client_id, client_secret, deduplication_key, metadata, platform, platform_uuid, refresh_token",
    "PATCH": "client_secret, metadata, refresh_token",
}
_UNTOLD = {
    "POST": re.compile(r"An unexpected error occurred while creating the calendar\. Error ID: [0-9a-f-]{36}"),
    "PATCH": re.compile(r"An unexpected error occurred while updating the calendar\. Error ID: [0-9a-f-]{36}"),
}
_TEXTS = {
    "POST": ("client_id", "client_secret", "refresh_token", "platform_uuid", "deduplication_key"),
    "PATCH": ("client_secret", "refresh_token"),
}
_NO_TEXTS: tuple[Any, ...] = (False, [], {}, {"a": "b"})
LIMITS = {"client_id": 255, "platform_uuid": 1024, "deduplication_key": 1024}
SINGLE = ("field-required", "field-null", "field-blank", "field-choice", "field-metadata", "field-unknown")
REQUIRED = ("client_id", "client_secret", "refresh_token", "platform")
_READ_ONLY = {
    "POST": {"id": "cal_0000000000000000", "state": "disconnected", "created_at": "2020-01-01T00:00:00Z"},
    "PATCH": {
        "platform": "microsoft",
        "deduplication_key": "other",
        "state": "connected",
        "id": "cal_0000000000000000",
    },
}


class Wrong(NamedTuple):
    """Fields that are refused, and what is said of them. `raw` writes them in place of JSON's own text."""

    rule: str
    field: str
    fields: dict[str, Any]
    told: dict[str, list[Any]]
    without: str = ""
    """A field of the usual body that is left out."""


def _one(rule: str, field: str, value: Any, message: Any) -> Wrong:
    return Wrong(rule, field, {field: value}, {field: [message]})


def wrong(method: str) -> list[Wrong]:
    """The fields that POST, or PATCH, refuses."""
    cases = [
        *(_one("field-null", name, None, NULL) for name in (*_TEXTS[method], "metadata")),
        *(_one("field-blank", name, value, BLANK) for name in _TEXTS[method] for value in ("", " \t\u3000")),
        *(_one("field-type", name, value, _NO_TEXT) for name in _TEXTS[method] for value in (True, ["a"])),
        *(_one("field-type", _TEXTS[method][0], value, _NO_TEXT) for value in _NO_TEXTS),
        *(_one("field-characters", name, "a\0b", _NUL) for name in _TEXTS[method]),
        *_wrong_metadata(method),
    ]
    if method == "POST":
        cases += [
            *(Wrong("field-required", name, {}, {name: [MISSING]}, without=name) for name in REQUIRED),
            *(_one("field-choice", "platform", v, f'"{t}" is not a valid choice.') for v, t in _PLATFORMS),
            _one("field-null", "platform", None, NULL),
            *(Wrong("field-length", n, {n: "x" * (m + 1)}, _untold("POST")) for n, m in LIMITS.items()),
            Wrong("field-length", "client_id", {"client_id": "\U0001f600" * 256}, _untold("POST")),
        ]
    return [*cases, *_unknown(method)]


_PLATFORMS = (("outlook", "outlook"), ("Google", "Google"), (" google", " google"), ("", ""), (1, "1"), (True, "True"))


def _untold(method: str) -> dict[str, list[Any]]:
    return {"non_field_errors": [_UNTOLD[method]]}


def _wrong_metadata(method: str) -> list[Wrong]:
    no_text = "Value for key 'a' must be a string"
    return [
        *(_one("field-metadata", "metadata", value, _NO_OBJECT) for value in ([], ["a"], "text", '{"a":"b"}', 0, True)),
        _one("field-metadata", "metadata", {}, _EMPTY),
        *(
            _one("field-metadata", "metadata", {"a": value}, no_text)
            for value in (1, None, True, {}, {"b": "c"}, ["b"])
        ),
        _one("field-metadata", "metadata", {"ok": "s", "bad": 1, "bad2": 2}, "Value for key 'bad' must be a string"),
        _one("field-metadata", "metadata", {"k": "x" * 992}, _TOO_LONG),
        _one("field-metadata", "metadata", {"k": "\u00e9" * 166}, _TOO_LONG),
        _one("field-metadata", "metadata", {"k": "\U0001f600" * 83}, _TOO_LONG),
        *(
            [Wrong("field-characters", "metadata", {"metadata": {"a": "\0"}}, _untold("POST"))]
            if method == "POST"
            else []
        ),
    ]


def _unknown(method: str) -> list[Wrong]:
    def refused(*names: str) -> dict[str, list[Any]]:
        text = f"Unexpected field(s): {', '.join(names)}. Allowed fields are: {ALLOWED[method]}"
        return {"non_field_errors": [text]}

    bad_metadata = {"metadata": [_NO_OBJECT]}
    first = "platform" if method == "POST" else "client_secret"
    told = {first: ['"outlook" is not a valid choice.']} if method == "POST" else {first: [NULL]}
    return [
        *(Wrong("field-unknown", name, {name: value}, refused(name)) for name, value in _READ_ONLY[method].items()),
        Wrong("field-unknown", "", {"zeta": 1, "alpha": 2, "Beta": 3}, refused("Beta", "alpha", "zeta")),
        Wrong("field-unknown", "", {"client_secret ": "x"}, refused("client_secret ")),
        Wrong("field-order", "metadata", {"metadata": [], "foo": 1}, bad_metadata),
        Wrong(
            "field-order",
            first,
            {first: "outlook" if method == "POST" else None, "metadata": [], "foo": 1},
            {**told, **bad_metadata},
        ),
    ]


WHITE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Every character that is stripped."""


def more_wrong(method: str) -> list[Wrong]:
    """What POST, or PATCH, refuses as well: other values of every field, and fields that are wrong together."""
    texts = _TEXTS[method]
    cases = [
        *(_one("field-blank", name, value, BLANK) for name in texts for value in (WHITE, "\x85", "\x1c", "\u2028")),
        *(_one("field-type", name, value, _NO_TEXT) for name in texts for value in (*_NO_TEXTS, [1], [None])),
        *(_one("field-characters", name, value, _NUL) for name in texts for value in ("\0", "ab\0", " \0 ", "\0a")),
        *(Wrong("field-characters", "metadata", {"metadata": value}, _untold(method)) for value in _NULS),
        *(_one("field-metadata", "metadata", value, _no_text(name)) for name, value in _NO_TEXT_IN.items()),
        *(_one("field-metadata", "metadata", value, _TOO_LONG) for value in _TOO_LARGE),
        *_more_unknown(method),
    ]
    if method == "PATCH":
        both = {"client_secret": [BLANK], "refresh_token": [NULL], "metadata": [_EMPTY]}
        return [
            *cases,
            Wrong("field-order", "", {"metadata": {}, "refresh_token": None, "client_secret": " ", "id": 1}, both),
            Wrong("field-order", "metadata", {"metadata": {}, "state": "x"}, {"metadata": [_EMPTY]}),
            Wrong("field-order", "refresh_token", {"refresh_token": "", "zz": 1}, {"refresh_token": [BLANK]}),
        ]
    return [*cases, *_more_wrong_creates()]


_NULS = ({"a": "b\0"}, {"\0": "a"}, {"ok": "b", "a\0b": ""})
_NO_TEXT_IN = {"": {"": 1}, "\u00e9": {"\u00e9": False}, "it's": {"ok": "x", "it's": None}, "b": {"a": "x", "b": 1.5}}
_TOO_LARGE = (
    {f"n{number:02}": "v" for number in range(100)},
    {"n" * 993: ""},
    {"\u00e9" * 166: "v"},
    {"k": '"' * 496 + "x"},
    {"k": "\x01" * 166},
    {"k": "\u2028" * 166},
)
_OTHER_PLATFORMS = (
    ("google ", "google "),
    ("microsoft\t", "microsoft\t"),
    ("MICROSOFT", "MICROSOFT"),
    ("zoom", "zoom"),
)
_MORE_PLATFORMS = (
    *_OTHER_PLATFORMS,
    (1.5, "1.5"),
    ("googl\u00e9", "googl\u00e9"),
    ("google,microsoft",) * 2,
    ("\u3000",) * 2,
)


def _no_text(name: str) -> str:
    return f"Value for key '{name}' must be a string"


def _more_unknown(method: str) -> list[Wrong]:
    """Every other member of a calendar, and names that are nearly those of fields."""
    allowed = ALLOWED[method].split(", ")
    unknown = [
        *(
            "client_id",
            "platform_uuid",
            "connection_failure_data",
            "updated_at",
            "created_at",
            "last_successful_sync_at",
        ),
        *(
            "last_attempted_sync_at",
            "name",
            "Metadata",
            "clientId",
            " metadata",
            "\u00e9t\u00e9",
            "project",
            "user",
        ),
    ]
    several: dict[str, Any] = {"\u00e9": 1, "b c": None, "A": [], "a": {}, "_": ""}
    return [
        *(_refusing(method, {name: "x"}) for name in unknown if name not in allowed),
        _refusing(method, several),
        _refusing(method, {"state": None, "created_at": None, "id": None}),
    ]


def _refusing(method: str, fields: dict[str, Any]) -> Wrong:
    told = f"Unexpected field(s): {', '.join(sorted(fields))}. Allowed fields are: {ALLOWED[method]}"
    return Wrong("field-unknown", next(iter(fields)) if len(fields) == 1 else "", fields, {"non_field_errors": [told]})


def _more_wrong_creates() -> list[Wrong]:
    long = [(name, "\u00e9" * (most + 1)) for name, most in LIMITS.items()]
    long += [(name, f" {'x' * (most + 1)}\t") for name, most in LIMITS.items()]
    long += [(name, "\U0001f600" * (most + 1)) for name, most in LIMITS.items()]
    choice = {"platform": ['"x" is not a valid choice.']}
    return [
        *(_one("field-choice", "platform", v, f'"{t}" is not a valid choice.') for v, t in _MORE_PLATFORMS),
        *(Wrong("field-length", name, {name: text}, _untold("POST")) for name, text in long),
        *(
            Wrong("field-order", name, {"platform": "x", "zz": 1}, {name: [MISSING], **choice}, without=name)
            for name in REQUIRED[:3]
        ),
        *(
            Wrong("field-order", name, {name: None, "platform": "x"}, {name: [NULL], **choice})
            for name in ("platform_uuid", "deduplication_key", "metadata", "client_secret", "refresh_token")
        ),
        Wrong("field-order", "client_id", {"client_id": "x" * 256, "platform": "x"}, choice),
        Wrong("field-order", "platform_uuid", {"platform_uuid": "x" * 1025, "metadata": {}}, {"metadata": [_EMPTY]}),
    ]
