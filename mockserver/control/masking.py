"""Takes secrets out of what is shown of an exchange: by their names, by what they are known to be, by their looks.

What can be read as its type says is masked value by value. In what cannot (broken JSON, a form that is none) nobody can
say where a secret ends, and so everything after the first name of one is taken out.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, unquote_plus

from mockserver.api.negotiation import MediaType, parse_media_type
from mockserver.domain.model import Json
from mockserver.domain.secret_urls import SENSITIVE_NAMES, without_secrets
from mockserver.domain.store import Project, Store

MASK = "***"
_SHORTEST = 6
"""A secret shorter than this is not looked for outside its own place: it would be found in half of all words."""
_MOST = 500
"""In how many ways of writing secrets are looked for outside their own places."""
_MOST_PAIRS = 1000
"""What has more fields than the service reads is masked as a text."""
_NAME = re.compile(SENSITIVE_NAMES, re.IGNORECASE)
_REST = re.compile(r"[\w.-]*+")
_MARK = re.compile(r"[\s\"'\\\]]*+(?:[:=]|%3[ad])", re.IGNORECASE)
"""What stands between the name of a secret and the secret."""
_PART = re.compile(r"\bname\*?[ \t]*+=([^\r\n]{0,200})[^\r\n]{0,1000}[\r\n]")
"""A part's header in a multipart form; with a wrong boundary the parts end up in an answer's text."""
_SCHEME = re.compile(r"\b(token|bearer|basic)(\s+)[^\s\"',;<>]{12,}", re.IGNORECASE)
_SCHEMES = frozenset({"token", "bearer", "basic", "digest"})
_LOOKS = re.compile(r"GOCSPX-[\w-]+|(?<![\w.])1//[\w-]{10,}|ya29\.[\w.-]{10,}|\bM\.[CR]\d+_[\w.!*-]{10,}")
_WORD = re.compile(r"[^\s\"'&=,;:<>()\[\]{}?#/\\%]{6,}")
_SIMPLE = re.compile(r"[\w.+/=-]+", re.ASCII)
"""What JSON and HTML write as it is."""
_PLAIN_NAME = re.compile(r"[\w.\-\[\] ]+")
_ESCAPE = re.compile(r"\\u00([0-9a-fA-F]{2})")
_FORM = ("application", "x-www-form-urlencoded")


def names_a_secret(name: str) -> bool:
    """Whether what stands under this name is a secret."""
    return _NAME.search(name) is not None


def spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Every way in which secrets may be written in JSON, HTML and URLs, the longest first.

    A part of one secret must not be taken out of the whole of another before that is found.
    """
    found = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST and _SIMPLE.fullmatch(secret):
            found |= {secret, quote(secret, safe="")}
        elif len(secret) >= _SHORTEST:
            written = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret))
            coded = (quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace"))
            found |= {secret, *written, *coded}
    return tuple(sorted(found, key=len, reverse=True))


class Shown(NamedTuple):
    """A body as it may be shown: its text, and its value if it is JSON."""

    text: str
    value: Json = None
    is_json: bool = False


class Spellings:
    """Any number of secrets, found in a text by how they begin: what it costs does not depend on how many there are."""

    def __init__(self, secrets: Iterable[Iterable[str]] = ()) -> None:
        """`secrets` are what `spellings` gives, in any number of groups."""
        self._by_start: dict[str, list[str]] = {}
        for group in secrets:
            for secret in group:
                self._by_start.setdefault(secret[:_SHORTEST], []).append(secret)
        for found in self._by_start.values():
            found.sort(key=len, reverse=True)

    def hide(self, text: str) -> str:
        """The text with every one of them masked."""
        starts = self._by_start
        if not starts:
            return text
        at = 0
        parts: list[str] = []
        done = 0
        while at <= len(text) - _SHORTEST:
            found = starts.get(text[at : at + _SHORTEST])
            secret = None if found is None else next((one for one in found if text.startswith(one, at)), None)
            if secret is None:
                at += 1
                continue
            parts += (text[done:at], MASK)
            at = done = at + len(secret)
        return "".join([*parts, text[done:]]) if parts else text


class Masker:
    """Masks one exchange. What it meets under a secret's name it hides wherever else it meets it from then on."""

    def __init__(
        self,
        hidden: tuple[str, ...] = (),
        is_key: Callable[[str], bool] = lambda word: False,
        others: Spellings | None = None,
    ) -> None:
        """`hidden` is what `spellings` gives of known secrets; `is_key` says whether a word is anybody's API key.

        `others` are secrets of which there may be very many.
        """
        self._is_key = is_key
        self._others = others or Spellings()
        self.hidden = hidden
        """What is hidden wherever it is, the longest first; it grows with what is met."""
        self._doubled = False

    def text(self, text: str) -> str:
        """Any text."""
        text = without_secrets(self.without_known(text))
        text = _LOOKS.sub(MASK, _SCHEME.sub(rf"\1\2{MASK}", text))
        spelt = _spelt(text)
        if spelt is not None:
            return text[:spelt] + MASK
        plain = _plain(text)
        return MASK if plain != text and self._suspicious(plain) else text

    def headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[list[str]]:
        """Headers as pairs of name and value; of a secret one nothing is left but how many words it has."""
        return [self._header(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]

    def query(self, query: str) -> str:
        """A query string or a form's body."""
        if query.count("&") > _MOST_PAIRS:
            return self._unreadable(query)
        shown: list[str] = []
        for pair in query.split("&"):
            if self._is_broken(pair):
                # No pair of a name and a value, and a secret in it: nobody knows where that ends.
                return "&".join([*shown, self._unreadable(pair)])
            # What follows a secret without a name of its own is a piece of the secret: it had a bare & in it.
            follows = bool(shown) and shown[-1].endswith(MASK) and "=" not in pair
            shown.append(MASK if follows and pair else self._pair(pair))
        return "&".join(shown)

    def body(self, raw: bytes, content_type: str, *, is_answer: bool = False) -> Shown:
        """A body; in an answer a list under a secret's name is what is said about it, and is shown."""
        media_type = parse_media_type(content_type)
        text = _decode(raw, media_type)
        if media_type.matches(_FORM):
            return Shown(self.query(text))
        if media_type.main == "multipart":
            return Shown(self._multipart(text, media_type.parameters.get("boundary")))
        try:
            return self._json(text, is_answer)
        except (ValueError, RecursionError):
            return Shown(self._unreadable(text))

    def _learn(self, secret: str) -> None:
        secret = secret.strip()
        if len(secret) >= _SHORTEST and secret not in self.hidden and len(self.hidden) < _MOST:
            self.hidden = tuple(sorted({*self.hidden, *spellings([secret])}, key=len, reverse=True))

    def without_known(self, text: str) -> str:
        """A text of the mock's own, which may name secrets but tells none: only what is known is taken out of it."""
        for secret in self.hidden:
            if secret in text:
                text = text.replace(secret, MASK)
        text = self._others.hide(text)
        return _WORD.sub(lambda word: MASK if self._is_key(word[0]) else word[0], text)

    def _suspicious(self, plain: str) -> bool:
        return _spelt(plain) is not None or self.without_known(plain) != plain

    def _header(self, name: str, value: str) -> list[str]:
        if not names_a_secret(name):
            return [self.text(name), self.text(value)]
        words = value.split()
        for word in words:
            if word.lower() not in _SCHEMES:
                self._learn(word)
        return [self.text(name), " ".join(word if word.lower() in _SCHEMES else MASK for word in words)]

    def _is_broken(self, pair: str) -> bool:
        name, equals, _ = pair.partition("=")
        is_pair = equals and _PLAIN_NAME.fullmatch(unquote_plus(name))
        return not is_pair and _NAME.search(_plain(pair)) is not None

    def _pair(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        if equals and names_a_secret(unquote_plus(name)):
            self._learn(unquote_plus(value))
            return f"{self.text(name)}={MASK if value.strip() else value}"
        told = unquote_plus(pair)
        masked = self.text(told)
        return pair if masked == told and self.text(pair) == pair else masked

    def _multipart(self, text: str, boundary: str | None) -> str:
        if not boundary or text.count(f"--{boundary}") > _MOST_PAIRS:
            return self._unreadable(text)
        shown: list[str] = []
        for part in text.split(f"--{boundary}"):
            head, _, content = part.partition("\r\n\r\n")
            headed = "content-disposition" in head.lower()
            if _NAME.search(_plain(head)):
                self._learn(content)
            follows = bool(shown) and shown[-1].endswith(MASK) and not headed and part.strip("-\r\n")
            shown.append(MASK if follows else self._unreadable(part))
            if _NAME.search(_plain(content if headed else part)):
                break
        return f"--{boundary}".join(shown)

    def _unreadable(self, text: str) -> str:
        """What is not of its type: nothing is left after the first name of a secret."""
        found = _NAME.search(text)
        if found:
            return self.text(text[: found.end()]).removesuffix(MASK) + MASK
        return MASK if _NAME.search(_plain(text)) else self.text(text)

    def _json(self, text: str, is_answer: bool) -> Shown:
        """JSON as it came when there is nothing to hide in it.

        Raises ValueError and RecursionError for what is none.
        """
        self._doubled = False
        value = json.loads(text, object_pairs_hook=self._object, parse_constant=_not_json)
        masked = self._value(value, is_answer)
        written = json.dumps(masked, allow_nan=False)
        if masked == value and not self._doubled and self.without_known(text) == text:
            written = text
        return Shown(written, masked, is_json=True)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self._doubled = True
            for name, value in pairs:
                if names_a_secret(name):
                    self._secret(value)
        return found

    def _value(self, value: Any, is_answer: bool) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._value(part, is_answer) for part in value]
        if isinstance(value, dict):
            return {self.text(name): self._member(name, part, is_answer) for name, part in value.items()}
        return value

    def _member(self, name: str, value: Any, is_answer: bool) -> Any:
        if not names_a_secret(name) or (is_answer and isinstance(value, list)):
            return self._value(value, is_answer)
        return self._secret(value)

    def _secret(self, value: Any) -> Any:
        """What stands under a secret's name; that it is nothing, or blank, may be seen."""
        if value is None or isinstance(value, bool) or (isinstance(value, str) and not value.strip()):
            return value
        todo = [value]
        while todo:
            part = todo.pop()
            if isinstance(part, dict):
                todo += part.values()
            elif isinstance(part, list):
                todo += part
            else:
                self._learn(str(part))
        return MASK


class Known(NamedTuple):
    """The secrets that a mock knows of all its projects at one time."""

    keys: Mapping[str, Project]
    """The project by API key."""
    disabled: Mapping[str, str]
    """The project's name by disabled API key."""
    of: Callable[[str | None], tuple[str, ...]]
    """The spellings of one project's secrets, by its name."""
    signing: Callable[[], Spellings]
    """The secrets that the webhooks of all projects are signed with."""

    def masker(self, project: str | None, *secrets: str) -> Masker:
        """What masks an exchange of a project, and these secrets in it; of an exchange of none, the secrets of all."""
        hidden = self.of(project)
        if secrets:
            hidden = tuple(sorted({*hidden, *spellings(secrets)}, key=len, reverse=True))
        # A key is known by its word; what is signed with may be anybody's.
        return Masker(hidden, self.is_key, self.signing() if project is None else None)

    def is_key(self, word: str) -> bool:
        """Whether a word is an API key of any project, disabled or not."""
        return word in self.keys or word in self.disabled

    def about(self, authorization: bytes | None) -> str:
        """What can be said of an Authorization header without telling it."""
        words = (authorization or b"").decode("latin-1").split()
        if not words:
            return "none"
        if len(words) != 2 or words[0].lower() != "token":
            return "not 'Token <api key>'"
        if words[1] in self.keys:
            return f"a key of project {self.keys[words[1]].name}"
        if words[1] in self.disabled:
            return f"a disabled key of project {self.disabled[words[1]]}"
        return "a key of no project"


class Secrets:
    """The secrets of all projects of a mock; what was worked out once is not worked out again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._signing: dict[str, tuple[bytes, tuple[str, ...]]] = {}
        self._spellings = Spellings()

    def known(self) -> Known:
        """Those that the projects have now."""
        store = self._store
        disabled = {key: project.name for project in list(store.projects) for key in project.disabled_api_keys}

        @cache
        def of(name: str | None) -> tuple[str, ...]:
            project = None if name is None else store.by_name.get(name)
            if project is None:
                return ()
            return spellings((*project.api_keys, *project.disabled_api_keys, *_signing(project)))

        return Known(store.by_key, disabled, of, cache(self._all_signing))

    def _all_signing(self) -> Spellings:
        before, now = self._signing, dict[str, tuple[bytes, tuple[str, ...]]]()
        for project in list(self._store.projects):
            known = before.get(project.name)
            if known is None or known[0] != project.webhook_secret:
                known = project.webhook_secret, spellings(_signing(project))
            now[project.name] = known
        if now != before:
            self._signing, self._spellings = now, Spellings(texts for _, texts in now.values())
        return self._spellings


def _signing(project: Project) -> tuple[str, str]:
    """The secret that a project's webhooks are signed with, as it is written and as it may be text."""
    secret = project.webhook_secret
    return base64.b64encode(secret).decode("ascii"), secret.decode("utf-8", "ignore")


def _not_json(name: str) -> None:
    raise ValueError(name)


def _spelt(text: str) -> int | None:
    """Where the first secret begins that a name announces, as in `token: ...`; None where there is none."""
    begins = [part.end() for part in _PART.finditer(text) if _NAME.search(part[1])][:1]
    at = 0
    while (found := _NAME.search(text, at)) is not None:
        end = _REST.match(text, found.end()).end()  # type: ignore[union-attr]  # it matches nothing, too
        mark = _MARK.match(text, end)
        if mark is not None:
            begins.append(mark.end())
            break
        # Every name in this word ends with it, save one with a blank in it: `api key`.
        at = max(found.end(), end - len("api"))
    return min(begins, default=None)


def _decode(raw: bytes, media_type: MediaType) -> str:
    """The text of a body, in the charset that its type names where there is such a one."""
    try:
        return raw.decode(media_type.parameters.get("charset", "utf-8"))
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def _plain(text: str) -> str:
    """A text without the ways of writing a letter otherwise: escapes of JSON and URLs, wide characters."""
    if "\0" in text:
        text = text.replace("\0", "")
    if "\\u" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return unquote_plus(unquote_plus(text)) if "%" in text else text
