"""Every setting of the mock in one table: name, type, default, meaning. Options and variables are made from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

Order: TypeAlias = Literal["after", "before"]

PREFIX = "ATTENDEE_MOCK_"
ORDERS: tuple[Order, ...] = ("after", "before")
SYNCS = ("auto", "manual")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
LEAST_HEAD = 1000
LEAST_SECONDS = 0.1
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOKEN = re.compile(r"[!-~]{8,200}")
_RATE = re.compile(r"(\d+)/(s|sec|second|m|min|minute|h|hour|d|day)s?", re.IGNORECASE)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")


class Rate(NamedTuple):
    """A number of requests per number of seconds."""

    number: int
    seconds: int

    def __str__(self) -> str:
        units = {1: "sec", 60: "min", 3600: "hour", 86400: "day"}
        return f"{self.number}/{units[self.seconds]}"


def parse_rate(text: str) -> Rate:
    """The rate in a text such as 3000/min.

    Raises ValueError.
    """
    match = _RATE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a rate; write a number and sec, min, hour or day, e.g. 3000/min")
    return Rate(int(match[1]), _SECONDS[match[2][0].lower()])


def parse_origin(text: str) -> str:
    """An origin as a browser writes it: scheme, host and port; * for any.

    Raises ValueError.
    """
    origin = text.strip().lower().removesuffix("/")
    if origin not in ("*", "null") and not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"{text[:100]!r} is not an origin; write scheme, host and port, e.g. http://localhost:3000, or *"
        )
    return origin


def parse_token(text: str) -> str:
    """The control token, which has to fit into a header.

    Raises ValueError, without showing the token.
    """
    if not _TOKEN.fullmatch(text):
        raise ValueError("a control token must have 8 to 200 printable ASCII characters and no spaces")
    return text


def _knob(
    default: Any,
    meaning: str,
    *,
    secret: bool = False,
    least: float | None = None,
    parse: Callable[[str], Any] | None = None,
    shown_default: str = "",
) -> Any:
    """A setting. The option of `serve` has its name, type and default from the field, and its help from `meaning`.

    `least` is the smallest number allowed. `parse` reads the text of the option and raises ValueError where the type of
    the field says too little. `shown_default` is what --help shows where the default itself says nothing.
    """
    metadata = {"meaning": meaning, "least": least, "parse": parse, "shown_default": shown_default}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What can be set about a mock; the defaults suit a developer's own machine.

    `fixtures`, `post_rate` and `ready_file` are also read from a text, as their options are. Raises TypeError for a
    value of another type and ValueError for a value that is not allowed; both name the setting.
    """

    fixtures: Path | None = _knob(
        None, "the file with the data to start from (YAML or JSON)", shown_default="the built-in week"
    )
    post_rate: Rate = _knob(Rate(3000, 60), "how many POSTs each project may send, e.g. 3000/min", parse=parse_rate)
    strict: bool = _knob(False, "reject what the service tolerates but the contract does not allow")
    max_body: int = _knob(10_000_000, "the largest request body that is accepted, in bytes", least=1)
    max_head: int = _knob(
        1_000_000,
        "the largest head of a request (request line and headers) that is accepted, in bytes",
        least=LEAST_HEAD,
    )
    request_timeout: float = _knob(
        60.0, "how long a client may take to send a head, or pause within a body, in seconds", least=LEAST_SECONDS
    )
    keep_alive: float = _knob(
        5.0, "how long a connection without a request stays open, in seconds", least=LEAST_SECONDS
    )
    sync: Literal["auto", "manual"] = _knob("auto", "sync calendars on the service's schedule, or only on demand")
    random_seed: int = _knob(1, "the seed for new ids: the same seed gives the same ids")
    first_webhook: Order = _knob(
        "after", "whether the webhooks of a new calendar are sent after the response to its creation or before it"
    )
    journal: int = _knob(1000, "how many requests and deliveries of each project the journal keeps", least=0)
    https_webhooks: bool = _knob(False, "reject new webhook subscriptions that are not https, as the service does")
    public_webhooks: bool = _knob(False, "fail deliveries to addresses that are not public, as the service can")
    control_token: str | None = _knob(
        None,
        "the token that control requests need when other machines can reach the mock",
        secret=True,
        parse=parse_token,
        shown_default="generated at start",
    )
    cors: tuple[str, ...] = _knob(
        (),
        "an origin whose web pages may use all APIs of the mock, e.g. http://localhost:3000; * is any; repeatable",
        parse=parse_origin,
        shown_default="none",
    )
    ready_file: Path | None = _knob(
        None,
        "a file that appears when the mock answers and is removed when it stops: URL, keys and secrets as JSON",
        shown_default="none",
    )

    def __post_init__(self) -> None:
        """Checks every setting, and replaces texts by what they stand for."""
        for name, read in _READERS.items():
            try:
                object.__setattr__(self, name, read(getattr(self, name)))
            except TypeError as problem:
                raise TypeError(f"setting {name}: {problem}") from None
            except ValueError as problem:
                raise ValueError(f"setting {name}: {problem}") from None


def _path(value: object) -> Path | None:
    if value is None or isinstance(value, Path):
        return value
    if not isinstance(value, str):
        raise TypeError(f"expected a path as text or Path, or None, not {type(value).__name__}")
    if not value.strip():
        raise ValueError("the path is empty; leave the setting out, or give the path of a file")
    return Path(value)


def _rate(value: object) -> Rate:
    if isinstance(value, Rate):
        return value
    if not isinstance(value, str):
        raise TypeError(f"expected a Rate or a text such as '3000/min', not {type(value).__name__}")
    return parse_rate(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected True or False, not {type(value).__name__}")
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, not {type(value).__name__}")
    return value


def _size(value: object) -> int:
    if (number := _number(value)) < 1:
        raise ValueError(f"expected 1 or more, not {number}")
    return number


def _head_size(value: object) -> int:
    if (number := _number(value)) < LEAST_HEAD:
        raise ValueError(f"expected {LEAST_HEAD} or more, not {number}")
    return number


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number of seconds, not {type(value).__name__}")
    if not LEAST_SECONDS <= value < float("inf"):
        raise ValueError(f"expected {LEAST_SECONDS} seconds or more, not {value}")
    return float(value)


def _origins(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(origin, str) for origin in value):
        raise TypeError("expected a tuple of origins as texts")
    return tuple(parse_origin(origin) for origin in value)


def _token(value: object) -> str | None:
    # The token itself is secret and in no error.
    if not isinstance(value, str | None):
        raise TypeError(f"expected a text or None, not {type(value).__name__}")
    return value


def _one_of(allowed: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise TypeError(f"expected {' or '.join(map(repr, allowed))}, not {type(value).__name__}")
        if value not in allowed:
            raise ValueError(f"expected {' or '.join(map(repr, allowed))}, not {value!r}")
        return value

    return read


_READERS: Mapping[str, Callable[[object], object]] = {
    "fixtures": _path,
    "post_rate": _rate,
    "strict": _flag,
    "max_body": _size,
    "max_head": _head_size,
    "request_timeout": _seconds,
    "keep_alive": _seconds,
    "sync": _one_of(SYNCS),
    "random_seed": _number,
    "first_webhook": _one_of(ORDERS),
    "journal": _number,
    "https_webhooks": _flag,
    "public_webhooks": _flag,
    "control_token": _token,
    "cors": _origins,
    "ready_file": _path,
}
"""How each setting is read."""


def environment_name(name: str) -> str:
    """The environment variable of a setting, e.g. ATTENDEE_MOCK_POST_RATE."""
    return PREFIX + name.upper()


def knobs() -> Mapping[str, str]:
    """Every setting's name with its meaning."""
    return {knob.name: knob.metadata["meaning"] for knob in fields(Settings)}
