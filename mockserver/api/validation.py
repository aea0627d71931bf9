"""Validates request bodies against the contract, with the service's error messages, and converts their values.

A schema is read once into one rule per field. It stays the only list of fields: their order, which are required, what
kind each is. The service is more lenient than the contract (a number becomes its text), and where the two differ the
service decides and the contract only remarks on it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mockserver.api import errors
from mockserver.api.bodies import Body
from mockserver.api.errors import FieldError
from mockserver.api.multipart import Upload
from mockserver.domain import timestamps

KEYWORDS = frozenset({"x-max-json-length", "x-strip"})
"""The contract's own keywords: the longest ASCII-escaped JSON text of an object; strip a string first."""
_FOR_GENERATORS: Final = frozenset({"x-enum-varnames"})
"""Keywords that only code generators read."""

_TIME: Final = "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]"
_FORMAT_NAME: Final = re.compile("iso-8601", re.IGNORECASE)
_SETTINGS: Final[Mapping[str, type]] = {"object": dict, "array": list}


class ContractError(Exception):
    """The contract asks for something that this code does not implement."""


class FieldErrors(Exception):
    """What is wrong with one field: with the whole of it, or with the fields `within` it."""

    def __init__(self, *problems: FieldError, within: Mapping[str, errors.Problems] | None = None) -> None:
        super().__init__()
        self.problems: errors.Problems = within or problems


class _Absent:
    """Stands for a field that was not sent."""


ABSENT: Final = _Absent()
Check = Callable[[Any], Any]


class Field(NamedTuple):
    """One field of a request body. `check` gives the value to store or raises FieldErrors.

    `take` does the same to a value that the contract allows, where less has to be looked at.
    """

    name: str
    required: bool
    is_object: bool
    check: Check
    take: Check
    """The same as `check`, for a value that the contract allows."""
    has_fields: bool = False
    """Whether it has fields of its own, which a form brings as `name.field`."""


class Demands(NamedTuple):
    """What a request asks of its fields beyond the contract: which are required, and a further check by name."""

    required: frozenset[str] = frozenset()
    checks: Mapping[str, Check] = {}


_NO_DEMANDS: Final = Demands()


class BodyRules:
    """The rules of one operation's request body."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Reads an object schema of the contract.

        Raises ContractError for a field of a kind that is not implemented, or an unknown extension keyword.
        """
        required = schema.get("required", ())
        self.fields = [_field(name, rule, name in required) for name, rule in schema["properties"].items()]
        self._names = frozenset(schema["properties"])
        self._allowed = ", ".join(sorted(self._names))
        self._closed = schema.get("additionalProperties") is False

    def apply(self, body: Body, demands: Demands | None = None) -> dict[str, Any]:
        """The fields of the body as they are stored; `demands` are what a request asks of fields beyond the contract.

        Raises ApiError with status 400: with every field that is wrong, or else with all names that are unknown.
        """
        demands = demands or _NO_DEMANDS
        data = body.data
        if not isinstance(data, dict):
            raise _not_an_object(data)
        problems: dict[str, errors.Problems] = {}
        values: dict[str, Any] = {}
        for field in self.fields:
            name = field.name
            value = _form_value(data, field) if body.is_form else data.get(name, ABSENT)
            if value is ABSENT and not field.required and name not in demands.required:
                continue
            try:
                values[name] = _checked(value, field, demands)
            except FieldErrors as found:
                problems[name] = found.problems
        if problems:
            raise errors.invalid_fields(problems)
        if self._closed and not data.keys() <= self._names:
            unexpected = ", ".join(sorted(data.keys() - self._names))
            message = f"Unexpected field(s): {unexpected}. Allowed fields are: {self._allowed}"
            raise errors.invalid_body(message, "unexpected fields")
        return values

    def take(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The same as `apply`, of a JSON object that the contract allows: nothing in it is missing, unknown or null.

        Raises ApiError with status 400 for the little that is refused all the same.
        """
        try:
            return {field.name: field.take(data[field.name]) for field in self.fields if field.name in data}
        except FieldErrors:
            return self.apply(Body(data))


class _FormJson(NamedTuple):
    """JSON written into a form's field."""

    text: str


def _checked(value: Any, field: Field, demands: Demands) -> Any:
    """The field's value as it is stored.

    Raises FieldErrors, also for ABSENT.
    """
    if value is ABSENT:
        raise wrong("This field is required.", "required")
    if value is None:
        raise wrong("This field may not be null.", "null")
    value = field.check(value)
    further = demands.checks.get(field.name)
    return value if further is None else further(value)


def wrong(message: str, rule: str) -> FieldErrors:
    """One thing that is wrong with a field, in the service's words, and the rule's name for the log."""
    return FieldErrors(FieldError(message, rule))


def _form_value(data: Mapping[str, Any], field: Field) -> Any:
    """A form's value: JSON for objects; an empty text stands for no value at all where one may be left out."""
    value = data.get(field.name, ABSENT)
    if field.has_fields:
        prefix = f"{field.name}."
        within = {name.removeprefix(prefix): given for name, given in data.items() if name.startswith(prefix)}
        return within or ABSENT
    if value is ABSENT:
        return value
    if field.is_object:
        return _FormJson(value.filename if isinstance(value, Upload) else value)
    return ABSENT if value == "" and not field.required else value


def _not_an_object(data: Any) -> errors.ApiError:
    if data is None:
        return errors.invalid_body("No data provided", "null")
    message = f"Invalid data. Expected a dictionary, but got {type(data).__name__}."
    return errors.invalid_body(message, "not an object")


def _field(name: str, rule: Mapping[str, Any], required: bool) -> Field:
    unknown = {keyword for keyword in rule if keyword.startswith("x-")} - KEYWORDS - _FOR_GENERATORS
    if unknown:
        raise ContractError(f"field {name}: unknown keyword {', '.join(sorted(unknown))}")
    kind = rule.get("type")
    if kind == "string" and "enum" in rule:
        return Field(name, required, False, _choice(rule["enum"]), str)
    if kind == "string" and rule.get("x-strip"):
        return Field(name, required, False, _text, str.strip)
    if kind == "string" and rule.get("format") == "date-time":
        return Field(name, required, False, _instant, _instant)
    if kind == "object" and "x-max-json-length" in rule:
        within = _within(rule["x-max-json-length"])
        return Field(name, required, True, _text_object(within), within)
    if kind == "object" and "properties" in rule:
        inner = _fields_within(rule)
        return Field(name, required, False, inner, inner, has_fields=True)
    if kind in _SETTINGS:
        settings = _settings(str(kind), rule.get("required", ()))
        return Field(name, required, True, settings, settings)
    raise ContractError(f"field {name}: only choices, stripped strings, times, objects and lists are implemented")


def _choice(choices: list[str]) -> Check:
    """One of the choices; a value of another type is looked up by its Python text."""
    allowed = frozenset(choices)

    def check(value: Any) -> str:
        text = python_text(value)
        if text not in allowed:
            raise wrong(f'"{text}" is not a valid choice.', "not a valid choice")
        return text

    return check


def python_text(value: Any) -> str:
    """What Python writes for a value of JSON or of a form.

    Raises FieldErrors for one that is nested too deeply to be written.
    """
    try:
        return value.filename if isinstance(value, Upload) else str(value)
    except RecursionError:
        raise wrong("Nested too deeply.", "nested too deeply") from None


def _instant(value: Any) -> int:
    """A time in microseconds since 1970, from any text that the filters take too.

    The service's framework also reads the name of its format as a time of that format (bot-join-at-forms).
    """
    instant = timestamps.parse(value) if isinstance(value, str) else None
    if instant is None and isinstance(value, str) and _FORMAT_NAME.fullmatch(value):
        instant = timestamps.parse("1900-01-01")
    if instant is None:
        raise wrong(f"Datetime has wrong format. Use one of these formats instead: {_TIME}.", "not a timestamp")
    if not timestamps.is_writable(instant):
        raise wrong("Datetime value out of range.", "out of range")
    return instant


def _fields_within(schema: Mapping[str, Any]) -> Check:
    """An object with fields of its own, which are refused inside it (bot-nested-refusals); others are passed over."""
    required = schema.get("required", ())
    fields = [_field(name, rule, name in required) for name, rule in schema["properties"].items()]

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            message = f"Invalid data. Expected a dictionary, but got {type(value).__name__}."
            raise FieldErrors(within={"non_field_errors": [FieldError(message, "not an object")]})
        problems: dict[str, errors.Problems] = {}
        for field in fields:
            given = value.get(field.name, ABSENT)
            if given is ABSENT and not field.required:
                continue
            try:
                _checked(given, field, _NO_DEMANDS)
            except FieldErrors as found:
                problems[field.name] = found.problems
        if problems:
            raise FieldErrors(within=problems)
        return value

    return check


def _settings(kind: str, required: Sequence[str]) -> Check:
    """An object or a list of which nothing else is looked at than whether the members are there that it must have."""

    def check(value: Any) -> Any:
        if isinstance(value, _FormJson):
            value = _form_json(value.text)
            if value is None:
                return None
        elif _holds_infinity({"": value}):
            raise wrong("Value must be valid JSON.", "not JSON")
        fits = isinstance(value, _SETTINGS[kind])
        if not fits:
            raise wrong(f"{python_text([value])[1:-1]} is not of type '{kind}'", f"not of type {kind}")
        missing = next((name for name in required if name not in value), None)
        if missing is not None:
            raise wrong(f"'{missing}' is a required property", f"{missing} is missing")
        return value

    return check


def _text(value: Any) -> str:
    """A string, stripped; a number becomes its Python text (create-number-text)."""
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong("Not a valid string.", "not a string")
        value = str(value)
    text: str = value.strip()
    if not text:
        raise wrong("This field may not be blank.", "blank")
    problems = [] if text.isascii() else _surrogates(text)
    if "\0" in text:
        problems.insert(0, FieldError("Null characters are not allowed.", "NUL"))
    if problems:
        raise FieldErrors(*problems)
    return text


def _surrogates(text: str) -> list[FieldError]:
    """The error for the first lone surrogate of a text, if there is one."""
    for character in text:
        if "\ud800" <= character <= "\udfff":
            return [FieldError(f"Surrogate characters are not allowed: U+{ord(character):X}.", "lone surrogate")]
    return []


def _text_object(within: Check) -> Check:
    """An object of strings, at least one, whose length `within` checks."""

    def check(value: Any) -> dict[str, str] | None:
        if isinstance(value, _FormJson):
            value = _form_json(value.text)
            if value is None:
                return None
        elif _holds_infinity(value):
            raise wrong("Value must be valid JSON.", "not JSON")
        texts: dict[str, str] = within(_checked_object(value))
        return texts

    return check


def _checked_object(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise wrong("Metadata must be an object not an array or other type", "not an object")
    if not value:
        raise wrong("Metadata must have at least one key", "empty")
    for name, member in value.items():
        if not isinstance(member, str):
            raise wrong(f"Value for key '{name}' must be a string", "a value is not a string")
    return value


def _within(longest: int) -> Check:
    """An object of strings of at most `longest` characters of ASCII-escaped JSON."""

    def check(value: dict[str, str]) -> dict[str, str]:
        # No character takes more than 12 in JSON text: what is certainly short enough is not written to be measured.
        certain = 12 * len("".join([*value, *value.values()])) + 8 * len(value) + 2
        if certain > longest and len(json.dumps(value)) > longest:
            raise wrong(f"Metadata must be less than {longest} characters", "too long")
        return value

    return check


def _form_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_not_a_number)
    except (ValueError, RecursionError):
        raise wrong("Value must be valid JSON.", "not JSON") from None


def _not_a_number(name: str) -> None:
    raise ValueError(name)


def _holds_infinity(value: Any) -> bool:
    """Whether a number too large for a float is anywhere in the value."""
    todo = [value] if not isinstance(value, dict) else [part for part in value.values() if type(part) is not str]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, float) and math.isinf(item):
            return True
    return False
