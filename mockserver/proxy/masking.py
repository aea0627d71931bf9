"""Takes secrets out of exchanges before anything of them is printed or written."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote_plus

MASK: Final = "***"
_SHORTEST: Final = 6
"""A shorter secret is only masked in its own place: elsewhere it would be found in half of all words."""
_MOST: Final = 200
"""The secrets that are looked for everywhere: each costs time in every text."""
_NAME: Final = re.compile(
    r"secret|token|passw(?:or)?d|authorization|api[-_ ]?key|credential|private[-_]?key|cookie|session[-_]?id", re.I
)
_SCHEMES: Final = frozenset({"token", "bearer", "basic", "digest"})
_IN_URL: Final = re.compile(
    r"(?<=[?&;])((?:pwd|pw|pass(?:word|code)?|tk|sig(?:nature)?|code|jwt|auth|[\w.-]*(?:secret|token|api[-_]?key)[\w.-]*)=)"
    r"[^&\s\"'<>#\\]+",
    re.I,
)
_TEAMS: Final = re.compile(r"(teams\.(?:microsoft|live)\.com/[^\s\"'<>\\]*?[?&]p=)[^&\s\"'<>#\\]+", re.I)
_USER: Final = re.compile(r"(?<=://)[^\s/?#\"'<>\\@]+@")
_LOOKS: Final = re.compile(r"GOCSPX-[\w-]+|(?<![\w.])1//[\w-]{10,}|ya29\.[\w.-]{10,}|\bM\.[CR]\d+_[\w.!*-]{10,}")
_SCHEME: Final = re.compile(r"\b(token|bearer|basic)(\s+)[^\s\"',;<>]{12,}", re.I)
_FORM: Final = "application/x-www-form-urlencoded"


class Masker:
    """Masks what is shown. A secret that it meets in a secret's place is masked wherever it comes from then on."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def learn(self, secret: str) -> None:
        """Makes a secret known in the ways in which JSON and URLs write it; the oldest of too many is forgotten."""
        secret = secret.strip()
        if len(secret) < _SHORTEST or secret == MASK:
            return
        if secret in self._known:
            self._known.move_to_end(secret)
            return
        spelt = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        spelt |= {write(secret, errors="replace") for write in (quote, quote_plus)} | {
            quote(secret, "", errors="replace")
        }
        # What looks like a secret is masked anyway.
        unusual = [text for text in spelt if not _LOOKS.fullmatch(text)]
        self._known[secret] = tuple(sorted(unusual, key=len, reverse=True))
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def text(self, text: str) -> str:
        """Any text."""
        for all_spelt in reversed(self._known.values()):
            for spelt in all_spelt:
                if spelt in text:
                    text = text.replace(spelt, MASK)
        if "=" in text:
            text = _TEAMS.sub(rf"\1{MASK}", _IN_URL.sub(rf"\1{MASK}", text))
        if "@" in text:
            text = _USER.sub(f"{MASK}@", text)
        return _SCHEME.sub(rf"\1\2{MASK}", _LOOKS.sub(MASK, text))

    def headers(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
        """Headers; of a secret one, only the scheme stays."""
        return [self._header(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]

    def _header(self, name: str, value: str) -> tuple[str, str]:
        if not _NAME.search(name):
            return name, self.text(value)
        words = value.split()
        for word in words:
            if word.lower() not in _SCHEMES:
                self.learn(word)
        return name, " ".join(word if word.lower() in _SCHEMES else MASK for word in words)

    def url(self, url: str) -> str:
        """A URL or a path with a query."""
        path, mark, query = url.partition("?")
        return self.text(path) + mark + (self.form(query) if query else "")

    def form(self, text: str) -> str:
        """A query or a form."""
        return "&".join(self._pair(pair) for pair in text.split("&"))

    def _pair(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if equals and _NAME.search(unquote_plus(name)):
            self.learn(unquote_plus(value))
            return f"{self.text(name)}={MASK}"
        return self.text(pair)

    def body(self, text: str, media_type: str, *, is_response: bool = False) -> str:
        """A body as it may be shown.

        In a response, a list under a secret's name has the problems of that field and stays. Of what is neither JSON
        nor a form, nothing stays after the first name of a secret: nobody can say where the secret ends.
        """
        if media_type == _FORM:
            return self.form(text)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            found = _NAME.search(text)
            return self.text(text) if found is None else self.text(text[: found.end()]) + MASK
        masked = self._value(value, is_response)
        return self.text(text if masked == value else json.dumps(masked, ensure_ascii=False))

    def _value(self, value: Any, is_response: bool) -> Any:
        if isinstance(value, list):
            return [self._value(item, is_response) for item in value]
        if isinstance(value, dict):
            return {name: self._member(name, item, is_response) for name, item in value.items()}
        return value

    def _member(self, name: str, value: Any, is_response: bool) -> Any:
        if not _NAME.search(name) or (is_response and isinstance(value, list)):
            return self._value(value, is_response)
        for text in _texts(value):
            self.learn(text)
        return value if value is None or isinstance(value, bool) else MASK


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []
