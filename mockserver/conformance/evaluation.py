"""Whether an expectation holds on the answers to steps: standard library alone, for pytest files carry it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mockserver.conformance.listed import (
    Facts,
    Node,
    apart,
    complete,
    count_is,
    distinct,
    each_once,
    each_row,
    full,
    in_order,
    instant,
    later,
    no_row,
    same_document,
    same_member,
    same_rows,
    shows,
    some_rows,
)
from mockserver.conformance.player import at, filled
from mockserver.conformance.shape import shape_problem

_NO_JSON = re.compile(r"NaN|Infinity")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_WAITS = re.compile(r"Expected available in (\d+) (second|seconds)\.")
_LOOKS_SECRET = re.compile(r"^(GOCSPX-|1//0|ya29\.)")
_PIECE = 12
_MIXED = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])")
_TIMES = ("created_at", "updated_at", "start_time", "end_time", "join_at")
_CREDENTIALS = ("client_secret", "refresh_token", "access_token", "api_key")
_CLIENTS_OWN = ("metadata", "raw")


def broken(node: Node, facts: Facts) -> str:
    """What is there instead of what is expected, in words; "" where the expectation holds."""
    return KINDS[node["what"]](node, facts)


def replayed(expectation: Any, answers: list[Any], values: Mapping[str, str]) -> str:
    """The same for the answers to all steps of a finding that was taken again: the first step is number 1."""
    return broken(_with_values(expectation, values), Facts(dict(enumerate(answers, 1)), values))


def _with_values(value: Any, values: Mapping[str, str]) -> Any:
    """An expectation with the variables in its texts replaced."""
    if isinstance(value, str):
        return filled(value, values)
    if isinstance(value, list):
        return [_with_values(item, values) for item in value]
    if isinstance(value, dict):
        return {_with_values(name, values): _with_values(item, values) for name, item in value.items()}
    return value


def _all(node: Node, facts: Facts) -> str:
    return next((seen for part in node["of"] if (seen := broken(part, facts))), "")


def _any(node: Node, facts: Facts) -> str:
    seen = [broken(part, facts) for part in node["of"]]
    return "" if "" in seen else seen[-1]


def _not(node: Node, facts: Facts) -> str:
    inner = node["of"]
    return "" if broken(inner, facts) else facts.seen(inner["step"])


def _unless_throttled(node: Node, facts: Facts) -> str:
    return "" if facts.answers[node["step"]].status == 429 else broken(node["of"], facts)


def _if(node: Node, facts: Facts) -> str:
    met = not broken(node["met"], facts)
    return broken(node["then"], facts) if met else broken(node["else"], facts) if "else" in node else ""


def _status(node: Node, facts: Facts) -> str:
    return "" if _is_among(facts.answers[node["step"]].status, node["among"]) else facts.seen(node["step"])


def _is_among(status: int, among: Any) -> bool:
    return any(one == status if isinstance(one, int) else one[0] <= status <= one[1] for one in among)


def _never(node: Node, facts: Facts) -> str:
    wrong = [step for step, answer in facts.answers.items() if answer.status == node["status"]]
    return facts.seen(wrong[0]) if wrong else ""


def _statuses(node: Node, facts: Facts) -> str:
    found = sorted(facts.answers[step].status for step in node["steps"])
    return "" if found == node["sorted"] else f"answered with {found}"


def _body(node: Node, facts: Facts) -> str:
    return "" if is_like(node["like"], facts.json(node["step"])) else facts.seen(node["step"])


def is_like(want: Any, have: Any) -> bool:
    """Whether JSON is as wanted: equal, but for what $any, $has, $may and $matches leave open."""
    if isinstance(want, dict):
        (name, inner), *more = want.items() or [("", None)]
        if not more and name in _OPEN:
            return _OPEN[name](inner, have)
        return isinstance(have, dict) and have.keys() == want.keys() and _holds(want, have)
    if isinstance(want, list):
        return isinstance(have, list) and len(have) == len(want) and all(map(is_like, want, have))
    return type(want) is type(have) and bool(want == have)


def _holds(want: Mapping[str, Any], have: Any) -> bool:
    return isinstance(have, dict) and all(name in have and is_like(part, have[name]) for name, part in want.items())


_OPEN: dict[str, Callable[[Any, Any], bool]] = {
    "$any": lambda inner, have: True,
    "$has": _holds,
    "$may": lambda inner, have: (
        isinstance(have, dict) and all(is_like(part, have[name]) for name, part in inner.items() if name in have)
    ),
    "$matches": lambda inner, have: isinstance(have, str) and re.fullmatch(inner, have) is not None,
}


def _member(node: Node, facts: Facts) -> str:
    have = at(facts.json(node["step"]), node["pointer"])
    return "" if any(is_like(want, have) for want in node["among"]) else f"{node['pointer'][1:]} {have!r}"


def _header(node: Node, facts: Facts) -> str:
    have, wanted, name = facts.answers[node["step"]].headers.get(node["name"].lower()), node["is"], node["name"]
    if node.get("item"):
        holds = str(wanted).lower() in [part.strip().lower() for part in (have or "").split(",")]
    else:
        holds = have == wanted or bool(node.get("begins") and (have or "").startswith(wanted))
    return "" if holds else f"{name} {'none' if have is None else have}"


def _headers(node: Node, facts: Facts) -> str:
    """The headers that the contract has for a status are there and as they should be."""
    answer = facts.answers[node["step"]]
    for name, wanted in node["schema"].get(str(answer.status), {}).items():
        have: Any = answer.headers.get(name.lower())
        if have is None:
            if wanted["required"]:
                return f"{name} none"
            continue
        is_number = wanted["schema"].get("type") == "integer" and have.isdigit()
        problem = shape_problem(wanted["schema"], int(have) if is_number else have, {}, name)
        if problem:
            return problem
    return ""


def _same_headers(node: Node, facts: Facts) -> str:
    one, other = (facts.answers[step] for step in node["steps"])
    if one.status != other.status:
        return f"{one.status}, then {other.status}"
    for name in node["names"]:
        if one.headers.get(name) != other.headers.get(name):
            return f"{name} {one.headers.get(name, 'none')}, then {other.headers.get(name, 'none')}"
    return ""


def _empty(node: Node, facts: Facts) -> str:
    return facts.answers[node["step"]].text[:200]


def _json(node: Node, facts: Facts) -> str:
    """UTF-8 throughout, and none of the words that Python writes for numbers that JSON does not have."""
    answer = facts.answers[node["step"]]
    try:
        text = answer.body.decode("utf-8")
    except UnicodeDecodeError:
        return facts.seen(node["step"])
    strict = _NO_JSON.search(text) is None or _NO_JSON.search(_STRING.sub('""', text)) is None
    return "" if strict and facts.json(node["step"]) is not None else facts.seen(node["step"])


def _schema(node: Node, facts: Facts) -> str:
    answer = facts.answers[node["step"]]
    schemas = node["schema"]
    if str(answer.status) not in schemas["of_status"]:
        return ""
    schema = schemas["of_status"][str(answer.status)]
    if schema is None:
        return facts.seen(node["step"]) if answer.body else ""
    return shape_problem(schema, facts.json(node["step"]), schemas["named"])


def _family(node: Node, facts: Facts) -> str:
    """A refusal has one of the shapes that its status has."""
    status = facts.answers[node["step"]].status
    have = family(facts.json(node["step"]))
    fits = status < 400 or have in node["of_status"].get(str(status), node["other"])
    return "" if fits else f"{have}: {facts.seen(node['step'])}"


def family(body: Any) -> str:
    """Which of the shapes of an error a body has, or "none of them"."""
    if not isinstance(body, dict) or not body:
        return "none of them"
    for name in ("detail", "error"):
        if set(body) == {name} and isinstance(body[name], str):
            return name
    if all(_are_texts(texts) for texts in body.values()):
        return "fields"
    nested = all(
        _are_texts(found) or (isinstance(found, dict) and found and all(map(_are_texts, found.values())))
        for found in body.values()
    )
    return "nested fields" if nested else "none of them"


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _links(node: Node, facts: Facts) -> str:
    """Every link of a page is a whole URL on the host and path that were asked, with the other parameters kept."""
    page = facts.json(node["step"])
    for name in ("next", "previous"):
        link = page.get(name) if isinstance(page, dict) else None
        if isinstance(link, str) and wrong_in_link(link, node["asked"], node["host"]):
            return f"{name}: {link}"
    return ""


def wrong_in_link(link: str, asked: str, host: str | None) -> str:
    """What of the link is not as it was asked: host, path or parameters; "" for nothing."""
    parts = urlsplit(link)
    path, _, query = asked.partition("?")
    elsewhere = host is not None and not host.startswith("$") and parts.netloc.lower() != host.lower()
    if parts.scheme not in ("http", "https") or elsewhere:
        return "host"
    if not unquote(parts.path).endswith(unquote(path)):
        return "path"
    # Bytes that are not escaped come back escaped twice (recordings: query-bad-utf8), which is nobody's business here.
    return "parameters" if query.isascii() and _parameters(parts.query) != _parameters(query) else ""


def _parameters(query: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return sorted((name, value) for name, value in pairs if name != "cursor")


def _waits(node: Node, facts: Facts) -> str:
    """Every 429 has the seconds of its text in Retry-After."""
    for step, answer in facts.answers.items():
        waits, said = _WAITS.search(answer.text), answer.headers.get("retry-after", "none")
        right = waits is not None and waits[1] == said and (waits[2] == "second") == (said == "1")
        if answer.status == 429 and not right:
            return f"{said}: {facts.seen(step)}"
    return ""


def _no_secrets(node: Node, facts: Facts) -> str:
    """The answer holds none of the keys and secrets of its steps, and no member that is named like one."""
    answer = facts.answers[node["step"]]
    text = "\n".join([*answer.headers.values(), answer.text])
    # Made-up secrets may hold the run's mark, which an answer may show.
    unmarked = answer.body.replace(facts.values.get("run", "\n").encode(), b"")
    for name, value in facts.values.items():
        if name.startswith(("secret_", "key_")) and len(value) >= 6 and value in text:
            return f"{name.partition('_')[0]} in the answer"
        if name.startswith(("secret_", "key_")) and (piece := piece_in(value, unmarked, answer.headers.values())):
            return f"{name.partition('_')[0]} in part: {piece}"
    named = credential_in(facts.json(node["step"])) if answer.status < 400 else None
    return f"a member {named}" if named else ""


def piece_in(secret: str, body: bytes, headers: Iterable[str]) -> str:
    """A piece of a secret in an answer, its middle left out; "" for none.

    It is long enough, and mixed enough, to be there by no chance: 14 characters at the beginning, 10 at the end or 12
    in between.
    """
    if len(secret) < 2 * _PIECE:
        return ""
    starts = range(_PIECE // 2, len(secret) - _PIECE, 3)
    pieces = [secret[: _PIECE + 2], secret[2 - _PIECE :], *(secret[at : at + _PIECE] for at in starts)]
    text = b"\n".join([body, *(value.encode("latin-1", "replace") for value in headers)])
    for piece in pieces:
        if piece.encode("utf-8", "replace") in text and _MIXED.search(piece):
            return f"{piece[:3]}…{piece[-3:]}"
    return ""


def credential_in(value: Any, *, own: bool = False) -> str | None:
    """The first member named like a credential; in what is the client's own, only if it looks like one too."""
    if isinstance(value, list):
        return next((name for item in value if (name := credential_in(item, own=own)) is not None), None)
    if not isinstance(value, dict):
        return None
    for name, item in value.items():
        looks_secret = not own or (isinstance(item, str) and _LOOKS_SECRET.match(item) is not None)
        if looks_secret and name in _CREDENTIALS:
            return str(name)
        inner = credential_in(item, own=own or name in _CLIENTS_OWN)
        if inner is not None:
            return inner
    return None


def _prompt(node: Node, facts: Facts) -> str:
    typical = median(facts.answers[step].seconds for step in node["steps"])
    return "" if typical <= node["seconds"] else f"{typical:.1f} s, {len(node['steps'])} times"


def _about_now(node: Node, facts: Facts) -> str:
    """Times in the answer are about those of its request; says nothing of what is no time."""
    answer = facts.answers[node["step"]]
    for pointer in node["pointers"]:
        text = at(facts.json(node["step"]), pointer)
        found = instant(text)
        away = 0.0 if found is None else found / 1e6 - answer.at
        if not -node["near"] < away < node["near"] + answer.seconds:
            return f"{pointer[1:]} {text}"
    return ""


def _names(node: Node, facts: Facts) -> str:
    found = at(facts.json(node["step"]), node["pointer"]) if node["pointer"] else facts.json(node["step"])
    have = list(found) if isinstance(found, dict) else []
    return "" if have == node["names"] else f"{', '.join(map(repr, have)) or facts.seen(node['step'])}"


def _no_zero_fraction(node: Node, facts: Facts) -> str:
    for document in facts.documents(node["step"]).values():
        for name in _TIMES:
            text = document.get(name)
            if isinstance(text, str) and text.endswith(".000000Z"):
                return f"{name} {text}"
    return ""


def _no_ids_of(node: Node, facts: Facts) -> str:
    answer = facts.answers[node["step"]]
    text = "\n".join([*answer.headers.values(), answer.text])
    known = [row["id"] for step in node["sources"] for row in facts.rows(step)]
    return next((f"{name} in the answer" for name in known if name in text), "")


def _same_end(node: Node, facts: Facts) -> str:
    one, other = (facts.json(step).get("next") for step in node["steps"] if facts.is_page(step))
    return "" if (one is None) == (other is None) else f"next {other!r}, where it was {one!r} before"


def _lacks(node: Node, facts: Facts) -> str:
    text = json.dumps(node["text"])
    return f"{node['text']} is in it" if node["text"] and text in facts.answers[node["step"]].text else ""


KINDS: dict[str, Callable[[Node, Facts], str]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "unless throttled": _unless_throttled,
    "if": _if,
    "status": _status,
    "never": _never,
    "statuses": _statuses,
    "body": _body,
    "member": _member,
    "header": _header,
    "headers": _headers,
    "same headers": _same_headers,
    "empty": _empty,
    "json": _json,
    "schema": _schema,
    "family": _family,
    "links": _links,
    "waits": _waits,
    "no secrets": _no_secrets,
    "prompt": _prompt,
    "about now": _about_now,
    "lacks": _lacks,
    "names": _names,
    "no ids of": _no_ids_of,
    "no zero fraction": _no_zero_fraction,
    "same end": _same_end,
    "same rows": same_rows,
    "in order": in_order,
    "each once": each_once,
    "complete": complete,
    "each row": each_row,
    "no row": no_row,
    "shows": shows,
    "apart": apart,
    "some rows": some_rows,
    "full": full,
    "count": count_is,
    "same document": same_document,
    "same member": same_member,
    "later": later,
    "distinct": distinct,
}
