"""Draws requests that create, change and delete calendars: good ones, bad ones, and reads of what came of them."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlencode

from mockserver.differential.inventory import CALENDARS, EVENTS, Inventory
from mockserver.differential.steps import Step

_JSON: Final = ("Content-Type", "application/json")
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
_MULTIPART: Final = ("Content-Type", "multipart/form-data; boundary=BOUND")
_TEXTS: Final = ("client_id", "client_secret", "refresh_token", "platform_uuid", "deduplication_key")
_OPTIONAL: Final = ("platform_uuid", "deduplication_key", "metadata")
_BAD_TEXTS: Final[tuple[Any, ...]] = (
    *(None, "", "   ", "1E400", True, [], {}, 12, 1.50, "a\0b", "\ud800", " padded ", "\x01", "é", "e\u0301"),
    *("x" * 256, "x" * 1025),
)
_BAD_METADATA: Final[tuple[Any, ...]] = (
    *(None, {}, [], "text", 1, {"a": 1}, {"a": None}, {"a": ["b"]}, {"": ""}, {"a": "x" * 1000}, {"b": "", "a": " x "}),
    *(
        {"a": "a\0b"},
        {"é": "日本語 😀"},
        {"aa": "1", "b": "2", "10": "3"},
        {"a": '{"b": "c"}'},
        {"a": True},
        {"a": "x" * 985},
    ),
)
_PLATFORMS: Final[tuple[Any, ...]] = ("google", "microsoft", "Google", " google", "outlook", "", None, 1, ["google"])
_RAW: Final = (
    *(
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b'{"client_id": 1,}',
        b"\xef\xbb\xbf{}",
        b'{"metadata": NaN}',
        b"\xff",
    ),
    *(
        b'{"client_id": "a", "client_id": null}',
        b'{"metadata": {"a": 1E400}}',
        b"[" * 60 + b"]" * 60,
        b'{"client_id": ' + b"9" * 5_000 + b"}",
        b'{"x": "\xe9"}',
    ),
)
_TYPES: Final = (
    *("application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", "application/xml", "text/html", ""),
    *("application/vnd.api+json", "application/json, text/plain", "application/json;a=b", "application/octet-stream"),
)
_NOBODY: Final = "conformance-no-such-calendar"
"""An id that no calendar has, and that the guard lets through."""


class Writes:
    """Draws the writing steps of one sequence."""

    def __init__(self, random: Random, inventory: Inventory) -> None:
        self._random = random
        self._inventory = inventory
        self._made = 0
        self._tags = 0
        self._keys: list[str] = []
        """The deduplication keys of what the sequence creates, without white space around them."""

    def draw(self) -> list[Step]:
        """A calendar, what is done with it, what is seen of it, and its end; or one refused request."""
        if self._random.random() < 0.25:
            return [self._refused()]
        steps = [self._create()]
        name = f"${{made{self._made}}}"
        for _ in range(self._random.randint(1, 5)):
            steps += self._random.choice((self._change, self._change, self._look, self._look, self._again))(name)
        steps += self._end(name)
        return steps

    def _tag(self) -> str:
        self._tags += 1
        return f"${{tag{self._tags}}}"

    def _fields(self) -> dict[str, Any]:
        """A body that is accepted, with some of the optional fields."""
        random = self._random
        fields: dict[str, Any] = {
            "platform": random.choice(("google", "google", "microsoft")),
            "client_id": random.choice(("{}", "{}", " {} ")).format(f"{self._tag()}.conformance.invalid"),
            "client_secret": "conformance-client-secret",
            "refresh_token": "conformance-refresh-token",
        }
        for name in random.sample(_OPTIONAL, random.randint(0, 3)):
            match name:
                case "platform_uuid":
                    fields[name] = f"uuid-{self._tag()}"
                case "deduplication_key":
                    fields[name] = random.choice((self._tag(), f" {self._tag()} ", f"Key-{self._tag()}-É"))
                    self._keys.append(fields[name].strip())
                case _:
                    fields[name] = {
                        "tenant": self._tag(),
                        **random.choice(({}, {"b": ""}, {"a": " x "}, {"json": "{}"})),
                    }
        return fields

    def _create(self) -> Step:
        fields = self._fields()
        if self._random.random() < 0.35:
            name = self._random.choice((*_TEXTS, "metadata"))
            # The mark of the run stays in the client id, so that what is created can be found again.
            if name != "client_id":
                fields[name] = self._random.choice(
                    (12, 1.5, "1E400", " padded ", "\x01", "é", "e\u0301", "x" * 300, "a" * 90)
                )
            if name == "metadata":
                fields[name] = self._random.choice(_BAD_METADATA)
        if self._random.random() < 0.05:
            fields["client_id"] += "x" * 100
        self._made += 1
        return self._sent("POST", CALENDARS, fields)._replace(captures=((f"made{self._made}", "/id"),))

    def _sent(self, method: str, path: str, fields: dict[str, Any]) -> Step:
        """The fields as JSON, or now and then in another encoding."""
        drawn = self._random.random()
        plain = all(isinstance(value, str) for value in fields.values())
        if drawn < 0.06 and plain:
            fields |= self._random.choice(({}, {self._random.choice(_TEXTS[1:]): ""}))
            return Step(method, path, (_FORM,), urlencode(fields, safe="${}", errors="surrogatepass").encode())
        if drawn < 0.09 and plain:
            return Step(method, path, (_MULTIPART,), _multipart(fields))
        header = _JSON if drawn < 0.95 else ("Content-Type", self._random.choice(_TYPES))
        return Step(method, path, (header,), _json(fields))

    def _change(self, name: str) -> list[Step]:
        random = self._random
        fields: dict[str, Any] = {}
        for field in random.sample(("client_secret", "refresh_token", "metadata"), random.randint(0, 2)):
            fields[field] = {"step": self._tag()} if field == "metadata" else f"conformance-{random.randint(1, 9)}"
        if random.random() < 0.3:
            fields[random.choice(("client_secret", "refresh_token"))] = random.choice(_BAD_TEXTS)
        if random.random() < 0.2:
            fields["metadata"] = random.choice(_BAD_METADATA)
        if random.random() < 0.12:
            fields[random.choice(("state", "platform", "platform_uuid", "foo", "id", "created_at"))] = "connected"
        path = f"{CALENDARS}/{name if random.random() < 0.9 else _NOBODY}"
        if random.random() < 0.08:
            return [Step("PATCH", path, (_JSON,), random.choice(_RAW))]
        return [self._sent("PATCH", path, fields), Step("GET", f"{CALENDARS}/{name}")]

    def _look(self, name: str) -> list[Step]:
        key = quote(self._random.choice(self._keys or ["none"]), safe="${}")
        return [
            self._random.choice(
                (
                    Step("GET", f"{CALENDARS}/{name}"),
                    Step("GET", CALENDARS),
                    Step("GET", f"{CALENDARS}?deduplication_key={key}"),
                    Step("GET", f"{EVENTS}?calendar_id={name}"),
                    Step("HEAD", f"{CALENDARS}/{name}"),
                    Step("OPTIONS", f"{CALENDARS}/{name}"),
                    Step("PUT", f"{CALENDARS}/{name}", (_JSON,), _json({"metadata": {"put": self._tag()}})),
                    Step("GET", f"{CALENDARS}/{name}", key=False),
                    Step("DELETE", f"{CALENDARS}/{name}", key=False),
                    Step("DELETE", f"{CALENDARS}/{_NOBODY}"),
                )
            )
        ]

    def _again(self, name: str) -> list[Step]:
        """Another calendar, often with a key that is in use, written the same or nearly so."""
        known = [*self._keys]
        fields, key = self._fields(), self._random.choice(known or ["none"])
        alike = (key.replace("Key-", "key-").replace("É", "é"), key.replace("É", "E\u0301"), f"x{key}", f" {key}")
        fields["deduplication_key"] = self._random.choice((key, key, key, *alike))
        self._keys = [*known, fields["deduplication_key"].strip()]
        if self._random.random() < 0.2:
            fields["platform"] = "outlook"
        self._made += 1
        step = Step("POST", CALENDARS, (_JSON,), _json(fields), captures=((f"made{self._made}", "/id"),))
        return [step, Step("GET", CALENDARS)]

    def _end(self, name: str) -> list[Step]:
        """Deletes the calendar and looks for it."""
        path = f"{CALENDARS}/{name}"
        body = self._random.choice((None, None, b"{", b"{}"))
        delete = Step("DELETE", path, (_JSON,) if body else (), body)
        after = (Step("GET", path), Step("DELETE", path), Step("PATCH", path, (_JSON,), b"{}"), Step("GET", CALENDARS))
        return [delete, *self._random.sample(after, self._random.randint(1, 2))]

    def _refused(self) -> Step:
        """A request that is refused for one or more reasons."""
        random, drawn = self._random, self._random.random()
        if drawn < 0.15:
            return Step("POST", CALENDARS, (_JSON,), random.choice(_RAW))
        if drawn < 0.25:
            return Step("POST", CALENDARS, (("Content-Type", random.choice(_TYPES)),), _json({"platform": "none"}))
        if drawn < 0.3:
            body = random.choice((b"{", _json({"platform": "none"})))
            return Step("POST", CALENDARS, (_JSON,), body, key=False)
        if drawn < 0.45:
            unknown = random.choice(({"foo": "red"}, {"state": "x", "id": 1}, {f"k{n}": 1 for n in range(2_000)}))
            good = {**self._fields(), "metadata": {"conformance_run": self._tag()}}
            return Step("POST", CALENDARS, (_JSON,), _json({**good, **unknown}))
        return Step("POST", CALENDARS, (_JSON,), _json(self._bad_fields()))

    def _bad_fields(self) -> dict[str, Any]:
        """Fields of which some are missing or wrong, or unknown."""
        random, fields = self._random, self._fields()
        fields["platform"] = random.choice(_PLATFORMS[2:])
        for name in random.sample((*_TEXTS, "metadata"), random.randint(0, 3)):
            fields[name] = random.choice(_BAD_METADATA if name == "metadata" else _BAD_TEXTS)
            if random.random() < 0.2:
                del fields[name]
        if random.random() < 0.3:
            fields["foo"] = "red"
        return fields


def _json(fields: Any) -> bytes:
    """JSON in ASCII, so that a lone surrogate can be sent as an escape. The text 1E400 becomes a number."""
    return json.dumps(fields).replace('"1E400"', "1E400").encode()


def _multipart(fields: dict[str, str]) -> bytes:
    lines = [
        f'--BOUND\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    return ("".join(lines) + "--BOUND--\r\n").encode("utf-8", "surrogatepass")
