"""Plays recorded steps again and tells whether the defect shows: standard library alone, for pytest files carry it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

SHORTEST_KEY = 12
TRIES = 3
"""How often steps are taken before a defect is said to be gone: some show every other time."""
RACING_TRIES = 10
"""Races need luck: with as many, each of up to ten requests is once the first to start."""
_VARIABLE = re.compile(rb"\$\{(\w+)\}")


def spelt(keys: Mapping[str, str]) -> dict[str, str]:
    """Keys by their names in recipes: whole, and in the spellings in which no service may take them."""
    values: dict[str, str] = {}
    for name, key in keys.items():
        if len(key) >= SHORTEST_KEY:
            others = {"cut": key[:-1], "half": key[: len(key) // 2], "swapped": key.swapcase()}
            others |= {"lower": key.lower(), "upper": key.upper()}
            values |= {f"key_{name}_{how}": text for how, text in others.items() if text != key}
        if key:
            values[f"key_{name}"] = key
    return values


class Unplayable(Exception):
    """The steps cannot be taken: an answer lacks what a later step needs."""


class Ended(Exception):
    """A list ends where a step would go on: its answers are no longer those that led to the defect."""


class Answer(NamedTuple):
    """What came back; `at` is when the request was sent, in seconds since 1970."""

    status: int
    """0 when nothing came back."""
    headers: Mapping[str, str]
    body: bytes
    at: float
    seconds: float = 0.0
    """How long it took."""

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body's JSON, or None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Sent(NamedTuple):
    """A step with everything filled in."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes | None
    key: str | None


def play(
    steps: Sequence[Mapping[str, Any]],
    values: dict[str, str],
    send: Callable[[Sent], Answer],
    together: Callable[[list[Sent]], list[Answer]],
) -> list[Answer]:
    """Takes the steps in order, those of one group at one moment; `values` grows by what the answers give.

    Raises Unplayable and Ended.
    """
    answers: list[Answer] = []
    while len(answers) < len(steps):
        group = steps[len(answers)].get("together")
        batch = [steps[len(answers)]]
        if group is not None:
            batch = [step for step in steps[len(answers) :] if step.get("together") == group]
        filled = [fill(step, values) for step in batch]
        got = together(filled) if len(filled) > 1 else [send(filled[0])]
        for step, answer in zip(batch, got, strict=True):
            for name, what in step.get("capture", {}).items():
                values[name] = captured(name, what, answer)
        answers += got
    return answers


def fill(step: Mapping[str, Any], values: Mapping[str, str]) -> Sent:
    """The step with its variables replaced."""
    body = step.get("body")
    raw = base64.b64decode(step["body_base64"]) if "body_base64" in step else None if body is None else body.encode()
    headers = [(name, filled(value, values)) for name, value in step.get("headers", [])]
    return Sent(
        step["method"],
        filled(step["path"], values),
        headers,
        None if raw is None else _filled(raw, values),
        step.get("key"),
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each ${name} that is known replaced."""
    return _filled(text.encode("utf-8", "surrogatepass"), values).decode("utf-8", "surrogatepass")


def _filled(raw: bytes, values: Mapping[str, str]) -> bytes:
    known = {name.encode(): value.encode() for name, value in values.items()}
    return _VARIABLE.sub(lambda match: known.get(match[1], match[0]), raw)


def captured(name: str, what: Mapping[str, str], answer: Answer) -> str:
    """A value of an answer that later steps use. Raises Unplayable and Ended."""
    if what.get("was") and what["was"].encode() in answer.body:
        return what["was"]
    found = at(answer.json, what["pointer"])
    if what["pointer"] in ("/next", "/previous") and found is None and answer.status == 200:
        raise Ended(f"there is no {what['pointer'][1:]} page any more")
    if not isinstance(found, str):
        if what.get("optional"):
            return ""
        raise Unplayable(
            f"no {name} at {what['pointer']}: {answer.status} {answer.body[:200].decode(errors='replace')}"
        )
    if what.get("part") == "path":
        link = urlsplit(found)
        return f"{link.path}?{link.query}" if link.query else link.path
    if what.get("part") == "cursor":
        raw = re.search(r"[?&]cursor=([^&]*)", found)
        if raw is None:
            raise Unplayable(f"no cursor in {what['pointer']}: {found}")
        return raw[1]
    return found


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer leads to, None for nothing."""
    for part in pointer.split("/")[1:]:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value
