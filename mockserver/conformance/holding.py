"""What holds on the answers to steps that were taken again: standard library alone, for pytest files carry it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockserver.conformance.likeness import instant, rows_and_all, signature
from mockserver.conformance.playing import Answer, filled

_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda have, wanted: bool(have == wanted),
    "<": lambda have, wanted: bool(have < wanted),
    "in": lambda have, wanted: have in wanted,
    "has": lambda have, wanted: str(wanted).lower() in str(have).lower(),
    "without": lambda have, wanted: json.dumps(wanted) not in [json.dumps(value) for value in have],
    "of type": lambda have, wanted: all(set(_types(value)) & set(wanted) for value in have),
    "matching": lambda have, wanted: all(re.search(wanted, value) for value in have if isinstance(value, str)),
    "lacks": lambda have, wanted: str(wanted) not in str(have),
}


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
    if isinstance(wanted, str):
        wanted = filled(wanted, values)
    if operator in _COMPARED:
        return _COMPARED[operator](answers, name, wanted)
    have: Any = {"status": last.status, "header": last.headers.get(name), "anywhere": _everything(last)}.get(what)
    if what == "values":
        have = _values(last.json, name.split("."))
    holds = _HOLDS[operator](have, wanted)
    shown = "" if what == "anywhere" else f", not {have!r}"
    return "" if holds else f"{what} {name} {operator} {wanted!r} does not hold{shown}"


def _same(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """The answer as far back as `wanted` says, and the last: the same rows in the same order, or the same `name`."""
    one, other = answers[-1 - wanted], answers[-1]
    if not 200 <= one.status < 300:
        return ""
    if other.status != 200:
        return f"{other.status}, where it was 200 before"
    if not name:
        before, after = _ids(one), _ids(other)
        return "" if before == after else f"{len(before)} rows, and then {len(after)} others, or in another order"
    rows = {row["id"]: row for row in rows_and_all(one.json)}
    pairs = [(rows[row["id"]].get(name), row.get(name)) for row in rows_and_all(other.json) if row["id"] in rows]
    return next((f"{name} {before!r}, and then {after!r}" for before, after in pairs if before != after), "")


def _once(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """No row is on two of the pages, or on one of them twice."""
    shown = [row for answer in answers for row in _ids(answer)]
    again = sorted({row for row in shown if shown.count(row) > 1})
    return f"rows are shown more than once: {', '.join(again[:3])}" if again else ""


def _sorted(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """The rows of the pages are in the order asked for, each page after the one before."""
    member = wanted.removeprefix("-")
    rows = [row for answer in answers for row in _rows(answer) if isinstance(row.get(member), str)]
    for before, after in zip(rows, rows[1:]):  # noqa: B905 -- runs anywhere
        one, other = instant(before[member]), instant(after[member])
        if (one < other) if wanted.startswith("-") else (one > other):
            return f"{after['id']} ({after[member]}) comes after {before['id']} ({before[member]})"
    return ""


def _shows(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """A row that the first answer shows is on the last page too; or on any page, unless the pages go on by `name`."""
    pages = answers[1:] if name else answers[-1:]
    if wanted not in _ids(answers[0]) or any(wanted in _ids(page) for page in pages):
        return ""
    last = pages[-1].json
    goes_on = name and isinstance(last, dict) and last.get(name) is not None
    return "" if goes_on else f"{wanted} is not shown, though it is there"


def _placed(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """A row that the first answer shows is on the last page too, unless its place, sorted by `name`, is further on."""
    told = _shows(answers, "", wanted)
    page, rows, member = answers[-1].json, _rows(answers[-1]), name.removeprefix("-")
    if not told or not rows or not isinstance(page, dict) or page.get("next") is None:
        return told
    row = next(row for row in _rows(answers[0]) if row["id"] == wanted)
    at, end = instant(str(row.get(member))), instant(str(rows[-1].get(member)))
    return "" if (at <= end if name.startswith("-") else at >= end) else told


def _hides(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """The last page does not show a row."""
    return f"{wanted} is shown" if wanted in _ids(answers[-1]) else ""


def _statuses(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """Of requests sent at one moment, how often each status came; `name`: how many answers came after theirs."""
    last = len(answers) - int(name or 0)
    found = sorted(answer.status for answer in answers[last - len(wanted) : last])
    return "" if found == wanted else f"answered with {found}, not {wanted}"


def _count(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    found = len(_ids(answers[-1]))
    return "" if answers[-1].status != 200 or found == wanted else f"{found} rows, not {wanted}"


def _gone(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """None of the last answers, so many as `name` says, shows anything if the answer so far back was 200."""
    shown = [answer for answer in answers[-int(name) :] if answer.status == 200 and rows_and_all(answer.json)]
    return (
        "it is there, though its DELETE was answered with 200" if shown and answers[-1 - wanted].status == 200 else ""
    )


def _one_of(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    body = answers[-1].json
    have = body.get(name) if isinstance(body, dict) else None
    changed = all(answer.status < 300 for answer in answers)
    return f"{name} is {have!r}, none of {wanted}" if changed and have not in json.loads(wanted) else ""


def _distinct(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """The answers before the last, so many as `wanted` says, differ in `name`."""
    found = [answer.json.get(name) for answer in answers[-1 - wanted : -1] if answer.status == 200]
    return f"{name} is {found}" if len(set(found)) < len(found) else ""


def _throttled(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """Every 429 has the seconds of its text in Retry-After."""
    for answer in answers:
        waits = re.search(rb"available in (\d+) (seconds?)\.", answer.body)
        said = answer.headers.get(name, "")
        right = waits and waits[1].decode() == said and (waits[2] == b"second") == (said == "1")
        if answer.status == 429 and not right:
            return f"{name} {said!r}: {answer.body[:200]!r}"
    return ""


def _not_on(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    """No link of the last answer is on one of these hosts."""
    page = answers[-1].json
    links = [str(page.get(link)) for link in ("next", "previous")] if isinstance(page, dict) else []
    wrong = [link for link in links for host in wanted if f"{link}/".startswith(f"{host}/")]
    return f"a link to {wrong[0]}" if wrong else ""


def _never(answers: Sequence[Answer], name: str, wanted: Any) -> str:
    return f"an answer of {wanted}" if any(answer.status == wanted for answer in answers) else ""


_COMPARED: dict[str, Callable[[Sequence[Answer], str, Any], str]] = {
    "same": _same,
    "once": _once,
    "sorted": _sorted,
    "shows": _shows,
    "placed": _placed,
    "hides": _hides,
    "statuses": _statuses,
    "count": _count,
    "gone": _gone,
    "one of": _one_of,
    "distinct": _distinct,
    "throttled": _throttled,
    "never": _never,
    "not on": _not_on,
}


def _rows(answer: Answer) -> list[dict[str, Any]]:
    page = answer.json
    rows = page.get("results") if isinstance(page, dict) else None
    found = rows if isinstance(rows, list) else []
    return [row for row in found if isinstance(row, dict) and isinstance(row.get("id"), str)]


def _ids(answer: Answer) -> list[str]:
    return [row["id"] for row in _rows(answer)]


def _values(document: Any, path: Sequence[str]) -> list[Any]:
    """What a member has, in every item of the lists on the way to it."""
    if isinstance(document, list) and path:
        return [value for item in document for value in _values(item, path)]
    if not path:
        return [document]
    return _values(document[path[0]], path[1:]) if isinstance(document, dict) and path[0] in document else []


def _types(value: Any) -> list[str]:
    """The names of JSON's types that a value is of."""
    named = {"null": type(None), "boolean": bool, "integer": int, "string": str, "array": list, "object": dict}
    return [*(name for name, kind in named.items() if type(value) is kind), *["number"] * (type(value) in (int, float))]


def _everything(answer: Answer) -> str:
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{head}\n{answer.body.decode('utf-8', 'replace')}"
