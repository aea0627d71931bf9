"""Masks secrets in URLs: user and password, and parameters such as a meeting's password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

SENSITIVE_NAMES: Final = (
    r"secret|token|passw(?:or)?d|authorization|api[-_ ]?key|credential|private[-_]?key|cookie|session[-_]?id"
)
"""As a pattern: what is in the name of a secret wherever that stands; in capitals or not."""
_MASK: Final = "***"
_NAMED: Final = re.compile(SENSITIVE_NAMES, re.IGNORECASE)
_WORDS: Final = frozenset(
    {"auth", "code", "hmac", "jwt", "otp", "pass", "passcode", "passphrase", "pin", "pw", "pwd", "sas", "sig"}
    | {"signature", "tk"}
)
"""What makes a parameter of a URL a secret when it is a word of its name."""
_NO_SECRETS: Final = frozenset({"deduplication_key", "idempotency_key"})
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_VALUE: Final = r"([^&\s\"'<>#\\)]+)"
_PARAMETER: Final = re.compile(rf"(?<=[?&;#])([\w.\-\[\]%]{{1,100}})={_VALUE}")
_TEAMS: Final = re.compile(rf"(?<=[?&;])(p)={_VALUE}")
_USER: Final = re.compile(r"(?<=://)[^\s/?#\"'<>\\]+@")


def shown_url(url: str) -> str:
    """A URL as it may be shown: without user and password, and with its secret parameters masked."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return without_secrets(f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}")


def without_secrets(text: str) -> str:
    """Any text with the secrets in its URLs masked."""
    if "=" in text:
        text = _PARAMETER.sub(_masked, text)
        if "teams.microsoft.com" in text or "teams.live.com" in text:
            # The passcode of a meeting.
            text = _TEAMS.sub(rf"\1={_MASK}", text)
    return _USER.sub(f"{_MASK}@", text) if "@" in text else text


def url_secrets(url: str) -> Iterator[str]:
    """The secrets in a URL, as they are written there and as they are meant."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    # A user without a password is often a token.
    user = parts.username if parts.password is None else parts.password
    if user:
        yield from (user, unquote(user))
    for found in _PARAMETER.finditer(url):
        if _is_secret(found[1]):
            yield from (found[2], unquote(found[2]))
    yield from (value for name, value in parse_qsl(parts.query) if _is_secret(name))


def _masked(found: re.Match[str]) -> str:
    return f"{found[1]}={_MASK}" if _is_secret(found[1]) else found[0]


def _is_secret(name: str) -> bool:
    """Whether a parameter of this name is a secret."""
    name = unquote(name)
    small = name.lower()
    if small in _NO_SECRETS:
        return False
    words = {word.lower() for word in _WORD.findall(name)}
    return _NAMED.search(name) is not None or small.endswith("key") or not words.isdisjoint(_WORDS)
