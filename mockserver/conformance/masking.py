"""Masks every secret that a run knows, by its value and wherever it stands, under a name that stays the same."""

from __future__ import annotations

import base64
import json
import re
import threading
from urllib.parse import quote

from mockserver.conformance.exchange import Exchange

_PATTERNS = re.compile(r"GOCSPX-[\w-]+|1//0[\w-]{8,}|ya29\.[\w-]{8,}")
_SHORTEST = 6
"""A text shorter than this is no secret: masking it would mask half of every answer."""


class Masker:
    """The secrets of one run. Deduplication keys and tags are none."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        """Alias by each form that a secret may take."""
        self._count = 0
        self._search: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, kind: str, secret: str) -> str:
        """Remembers a secret; gives the name that stands for it, e.g. <key#1>."""
        with self._lock:
            if secret in self._names:
                return self._names[secret]
            self._count += 1
            alias = f"<{kind}#{self._count}>"
            if len(secret) >= _SHORTEST:
                for form in _forms(secret):
                    self._names.setdefault(form, alias)
                longest_first = sorted(self._names, key=len, reverse=True)
                self._search = re.compile("|".join(map(re.escape, longest_first)))
            return alias

    def mask(self, text: str) -> str:
        """The text with every secret replaced by its name, and what looks like a credential of a platform as well."""
        if self._search is not None:
            text = self._search.sub(lambda match: self._names[match[0]], text)
        return _PATTERNS.sub("<credential>", text)

    def leaks(self, exchange: Exchange) -> list[str]:
        """The kinds of the secrets that stand in an answer, its headers included: key, client_secret, ..."""
        if self._search is None:
            return []
        text = "\n".join([*exchange.headers.values(), exchange.text])
        return sorted({self._names[found].strip("<>").partition("#")[0] for found in self._search.findall(text)})


def _forms(secret: str) -> set[str]:
    """The secret as it is, as JSON writes it, percent-encoded, and in base64 alone or as credentials."""
    escaped = json.dumps(secret)[1:-1]
    raw = secret.encode("utf-8", "surrogatepass")
    encoded = {base64.b64encode(part).decode().rstrip("=") for part in (raw, raw + b":", b":" + raw)}
    return {secret, escaped, escaped.replace("/", "\\/"), quote(secret, safe=""), quote(secret), *encoded}
