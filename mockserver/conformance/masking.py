"""Hides every secret that the run knows, in whatever writing it turns up, and tells where one was answered."""

from __future__ import annotations

import base64
import json
import re
import secrets
import string
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from mockserver.conformance.exchange import Exchange

HEADER = "header"
"""The kind of a secret that the deployment never sees, so that it cannot leak it."""
_COMMON = re.compile(r"(?:GOCSPX-|1(?:/|\\/|%2[Ff]){2}0|ya29\.)[A-Za-z0-9_\-]{3,}")
_PREFIXES = {"client_secret": "GOCSPX-", "refresh_token": "1//0"}
_SHORTEST = 6
_IN_BASE64 = frozenset(string.ascii_letters + string.digits + "+/_-=")
_IN_HEX = frozenset(string.hexdigits)


class _Known(NamedTuple):
    """A secret from outside, and every way to write it that is looked for."""

    alias: str
    kind: str
    pattern: re.Pattern[str]
    needles: tuple[bytes, ...]
    """The same in lower case: looking for a few texts one by one is much faster than a pattern in any case."""


class Masker:
    """The secrets of one run. Deduplication keys and the marks of the run are none of them and stay readable."""

    def __init__(self) -> None:
        self.made: list[str] = []
        """The secrets that `secret` gave, in order; the first is <secret#1>."""
        # All secrets of a run share a core, so that any number of them is looked for in one go.
        self._core = "s" + secrets.token_hex(7) + "z"
        self._known: list[_Known] = []
        self._others: dict[str, int] = {}
        self._kinds: list[str] = []
        self._lock = threading.Lock()
        spelt = "|".join(re.escape(text) for text in _base64(self._core))
        before = r"(?:GOCSPX-|1(?:/|\\/|%2[Ff]){2}0)?"
        self._plain = re.compile(rf"{before}{self._core}([0-9]{{0,7}})", re.IGNORECASE)
        self._coded = re.compile(spelt)
        self._hex = re.compile(rf"{self._core.encode().hex()}((?:3[0-9]){{0,7}})", re.IGNORECASE)
        self._needles = [self._core.encode(), self._core.encode().hex().encode()]
        self._coded_needles = [text.encode() for text in _base64(self._core)]

    def add(self, text: str | None, kind: str = "key") -> None:
        """Makes a secret from outside known: an API key, or with the kind HEADER what a gateway asks for."""
        if text and len(text) >= _SHORTEST:
            number = len([one for one in self._known if one.kind == kind]) + 1
            forms = sorted(_spellings(text), key=len, reverse=True)
            pattern = re.compile("|".join(re.escape(form) for form in forms), re.IGNORECASE)
            needles = tuple({form.lower().encode() for form in forms})
            self._known.append(_Known(f"<{kind}#{number}>", kind, pattern, needles))

    def secret(self, kind: str) -> str:
        """A fresh secret that opens nothing, and looks like one of its kind."""
        with self._lock:
            text = f"{_PREFIXES.get(kind, '')}{self._core}{len(self.made) + 1:07d}"
            self.made.append(text)
            self._kinds.append(kind)
            return text

    def mask(self, text: str) -> str:
        """The text with every secret replaced by its alias, the same each time."""
        for known in self._known:
            text = known.pattern.sub(known.alias, text)
        text = self._plain.sub(lambda match: self._alias(match[1]), text)
        text = _replaced(text, self._coded, _IN_BASE64, lambda found: self._alias(self._decoded(found)))
        text = _replaced(text, self._hex, _IN_HEX, lambda found: self._alias(self._read(found)))
        return _COMMON.sub(lambda match: self._other(match[0]), text)

    def leaks(self, exchange: Exchange) -> list[str]:
        """The kinds of the known secrets that stand in the answer: client_secret, refresh_token, key."""
        if _is_body_as_name(exchange):
            return []
        data = b"\n".join([exchange.body, *(value.encode("latin-1", "replace") for value in exchange.headers.values())])
        found = set()
        lowered = data.lower()
        if any(needle in lowered for needle in self._needles) or any(needle in data for needle in self._coded_needles):
            text = data.decode("utf-8", "replace")
            numbers = [match[1] for match in self._plain.finditer(text)]
            numbers += [self._decoded(found) for found in _wholes(text, self._coded, _IN_BASE64)]
            numbers += [bytes.fromhex(match[1]).decode() for match in self._hex.finditer(text)]
            found = {self._kind(number) for number in numbers} or {"secret"}
        known = [one for one in self._known if one.kind != HEADER]
        found |= {one.kind for one in known if any(needle in lowered for needle in one.needles)}
        return sorted(found)

    def _alias(self, digits: str) -> str:
        return f"<secret#{int(digits)}>" if len(digits) == 7 and digits.isdigit() else "<secret#?>"

    def _kind(self, digits: str) -> str:
        number = int(digits) if len(digits) == 7 else 0
        return self._kinds[number - 1] if 0 < number <= len(self._kinds) else "secret"

    def _decoded(self, text: str) -> str:
        """The number of the secret in a text of base64."""
        plain = text.rstrip("=").replace("-", "+").replace("_", "/")
        for cut in range(4):
            part = plain[cut : cut + (len(plain) - cut) // 4 * 4]
            match = self._plain.search(base64.b64decode(part).decode("latin-1"))
            tail = plain[cut:] + "=" * (-(len(plain) - cut) % 4)
            if match and len(tail.rstrip("=")) % 4 != 1:
                match = self._plain.search(base64.b64decode(tail).decode("latin-1")) or match
            if match:
                return match[1]
        return ""

    def _read(self, text: str) -> str:
        """The number of the secret in a text of hexadecimal digits."""
        match = self._hex.search(text)
        return bytes.fromhex(match[1]).decode() if match else ""

    def _other(self, text: str) -> str:
        with self._lock:
            number = self._others.setdefault(text, len(self._others) + 1)
        return f"<foreign-secret#{number}>"


def _spans(text: str, core: re.Pattern[str], alphabet: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where the core stands, with all around it that is of the same alphabet; in time that grows with the text."""
    end = 0
    for match in core.finditer(text):
        if match.start() < end:
            continue
        start, low, end = match.start(), end, match.end()
        while start > low and text[start - 1] in alphabet:
            start -= 1
        while end < len(text) and text[end] in alphabet:
            end += 1
        yield start, end


def _wholes(text: str, core: re.Pattern[str], alphabet: frozenset[str]) -> list[str]:
    return [text[start:end] for start, end in _spans(text, core, alphabet)]


def _replaced(text: str, core: re.Pattern[str], alphabet: frozenset[str], alias: Callable[[str], str]) -> str:
    parts, done = [], 0
    for start, end in _spans(text, core, alphabet):
        parts += [text[done:start], alias(text[start:end])]
        done = end
    return "".join([*parts, text[done:]])


def _spellings(text: str) -> Iterator[str]:
    """The ways to write a text that are looked for."""
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text)[1:-1].replace("/", "\\/")
    yield quote(text, safe="")
    yield quote(text)
    yield quote_plus(text)
    yield text.encode().hex()
    yield from _base64(text)


def _base64(text: str) -> list[str]:
    """What of the text stands in any base64 in which it stands at all: one reading for each place modulo three."""
    found = []
    for offset in range(3):
        data = b"\0" * offset + text.encode()
        coded = base64.b64encode(data).decode()
        start = (offset * 8 + 5) // 6
        end = len(data) * 8 // 6
        found += [coded[start:end], coded[start:end].replace("+", "-").replace("/", "_")]
    return sorted(set(found))


def _is_body_as_name(exchange: Exchange) -> bool:
    """A JSON text that is sent as a form is one field's name there, and names of unknown fields are told."""
    kind = next((value for name, value in exchange.request.headers if name.lower() == "content-type"), "")
    return "form" in kind and (exchange.request.body or b"").lstrip()[:1] == b"{" and exchange.status == 400
