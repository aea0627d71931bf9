"""Plays recorded steps again and tells whether the defect shows: standard library alone, for pytest files carry it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

HEADERS = ("content-type", "allow", "vary", "www-authenticate")
SHORTEST_KEY = 12
NEAR = 300
"""Seconds by which the clocks of a service and of its judge may differ."""
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VARIABLE = re.compile(rb"\$\{(\w+)\}")

_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda have, wanted: bool(have == wanted),
    "<": lambda have, wanted: bool(have < wanted),
    "in": lambda have, wanted: have in wanted,
    "has": lambda have, wanted: str(wanted).lower() in str(have).lower(),
    "without": lambda have, wanted: wanted not in have,
    "lacks": lambda have, wanted: str(wanted) not in str(have),
}


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
    headers: Mapping[str, str]
    body: bytes
    at: float

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


def broken(assertions: Sequence[Sequence[Any]], answers: Sequence[Answer], values: Mapping[str, str]) -> list[str]:
    """The assertions that do not hold on the last answer, in words; [] where the defect does not show."""
    told = (_broken(list(assertion), answers, values) for assertion in assertions)
    return [words for words in told if words]


def _broken(assertion: list[Any], answers: Sequence[Answer], values: Mapping[str, str]) -> str:
    what, name, operator, wanted = assertion
    last = answers[-1]
    if operator == "unlike":
        again = signature(answers, values, name) == wanted
        return "the last answer is again as it was when the rule was broken" if again else ""
    have: Any = {"status": last.status, "header": last.headers.get(name), "anywhere": _everything(last)}.get(what)
    if what == "values":
        have = [row[name] for row in _rows_and_all(last.json) if name in row]
    if what == "rows":
        again = sorted(rows_of(last) & {row for answer in answers[:-1] for row in rows_of(answer)})
        return f"rows of earlier pages are on the last one again: {', '.join(again[:3])}" if again else ""
    if isinstance(wanted, str):
        wanted = filled(wanted, values)
    holds = _HOLDS[operator](have, wanted)
    shown = "" if what == "anywhere" else f", not {have!r}"
    return "" if holds else f"{what} {name} {operator} {wanted!r} does not hold{shown}"


def rows_of(answer: Answer) -> set[str]:
    """The ids of a page's rows."""
    page = answer.json
    rows = page.get("results") if isinstance(page, dict) else None
    return {row["id"] for row in rows or [] if isinstance(row, dict) and isinstance(row.get("id"), str)}


def _everything(answer: Answer) -> str:
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{head}\n{answer.body.decode('utf-8', 'replace')}"


def signature(answers: Sequence[Answer], values: Mapping[str, str], member: str) -> dict[str, Any]:
    """What an answer is like apart from what is new each time: own ids, own times, cursors, tags and secrets.

    With `member` it is that member of the last answer alone. A list read after something was made is told by the rows
    that were made: others come and go.
    """
    names = _Names(answers, values, ranked=bool(member))
    last = answers[-1]
    body = last.json
    if body is None:
        body = names.plain(last.body.decode("utf-8", "replace"))
    if member and isinstance(body, dict) and member in body:
        return {"status": last.status, member: names.symbolic(body[member], own=names.owns(body))}
    if isinstance(body, dict) and isinstance(body.get("results"), list) and names.ids:
        body = {"results": [row for row in body["results"] if isinstance(row, dict) and names.owns(row)]}
    head = {name: last.headers[name] for name in HEADERS if name in last.headers}
    return {"status": last.status, "headers": head, "body": names.symbolic(body, own=False)}


class _Names:
    """The values of one playing that the next will not have, and what stands for them."""

    def __init__(self, answers: Sequence[Answer], values: Mapping[str, str], *, ranked: bool) -> None:
        self.ranked = ranked
        self.now = answers[-1].at
        self.values = sorted(values.items(), key=lambda pair: -len(pair[1]))
        self.ids: dict[str, str] = {}
        for answer in answers:
            made = answer.json
            if answer.status == 201 and isinstance(made, dict) and isinstance(made.get("id"), str):
                self.ids.setdefault(made["id"], f"{{made {len(self.ids) + 1}}}")
        marks = [text for name, text in values.items() if name in ("run", "RUN") and text]
        for answer in answers:
            for row in _rows_and_all(answer.json):
                if any(mark in json.dumps(row) for mark in marks):  # made although its making was refused
                    self.ids.setdefault(row["id"], f"{{made {len(self.ids) + 1}}}")
        times: set[str] = set()
        for answer in answers:
            _own_times(answer.json, self.ids, times)
        self.times = sorted(times)

    def owns(self, row: Mapping[str, Any]) -> bool:
        return _has_id(row, "id", self.ids) or _has_id(row, "calendar_id", self.ids)

    def symbolic(self, value: Any, *, own: bool) -> Any:
        if isinstance(value, list):
            return [self.symbolic(item, own=own) for item in value]
        if isinstance(value, dict):
            own = own or _has_id(value, "id", self.ids)
            return {self.plain(name): self.symbolic(item, own=own) for name, item in value.items()}
        if not isinstance(value, str):
            return value
        if value in self.times and own:
            return self._time(value)
        if re.match(r"https?://", value) and "cursor=" in value:
            return {"link": sorted(list(pair) for pair in parse_qsl(urlsplit(value).query) if pair[0] != "cursor")}
        return self.plain(value)

    def plain(self, text: str) -> str:
        for made, name in self.ids.items():
            text = text.replace(made, name)
        for name, value in self.values:
            if len(value) >= 6:
                text = text.replace(value, f"{{{name}}}")
        return _UUID.sub("{uuid}", text)

    def _time(self, text: str) -> str:
        away = _instant(text) - self.now
        near = "now" if abs(away) < NEAR else "ahead" if away > 0 else "behind"
        # Which of the times it is counts where the time is what is wrong; elsewhere other changes may have moved it.
        rank = sorted({_instant(time) for time in self.times}).index(_instant(text)) if self.ranked else ""
        return f"{re.sub(r'[0-9]', '0', text)} {near} {rank}"


def _rows_and_all(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    found = [document, *(document.get("results") or [])] if isinstance(document.get("results"), list) else [document]
    return [row for row in found if isinstance(row, dict) and isinstance(row.get("id"), str)]


def _has_id(value: Mapping[str, Any], name: str, ids: Mapping[str, str]) -> bool:
    return isinstance(value.get(name), str) and value[name] in ids


def _own_times(value: Any, ids: Mapping[str, str], times: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _own_times(item, ids, times)
    elif isinstance(value, dict):
        if _has_id(value, "id", ids):
            times |= {item for item in value.values() if isinstance(item, str) and _TIMESTAMP.fullmatch(item)}
        _own_times(value.get("results"), ids, times)


def _instant(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()  # noqa: UP017 -- runs anywhere
