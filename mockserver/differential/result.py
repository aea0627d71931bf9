"""What a run found: each difference with its requests, as text, as JSON, as curl lines and as a recording."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from mockserver.differential.bindings import tokens
from mockserver.differential.comparing import HEADERS, Cause, Difference
from mockserver.differential.steps import VARIABLE, Answer, Step, Values, at

KEY: Final = "YOUR_API_KEY"
_KEYS: Final = {
    "key": ("$KEY", KEY),
    "key_swapped": ('$(printf %s "$KEY" | tr a-zA-Z A-Za-z)', KEY.swapcase()),
    "key_cut": ("${KEY%?}", KEY[:-1]),
}
"""Variables about the API key: what they are in a shell, and in a recording."""
_PLACEHOLDERS: Final = {"uuid": "${any:uuid}", "time": "${any:timestamp}"}
_FIRST_OF: Final = {"/id": '"id"', "/next": '"next"', "/previous": '"previous"'}


class Pair(NamedTuple):
    """A request with the responses of both sides."""

    step: Step
    a: Answer
    b: Answer


class Played(NamedTuple):
    """Requests as they were sent, up to the first that was answered differently."""

    pairs: list[Pair]
    difference: Difference | None
    values: tuple[Values, Values]
    """What the variables meant on A and on B."""


@dataclass
class Found:
    """A difference, with the shortest sequence that shows it. Its texts have no secrets."""

    cause: Cause
    a: str
    """What A responded, in short."""
    b: str
    curl: str
    """The requests as a shell script for either side."""
    recording: dict[str, Any]
    """The requests with A's responses, in the format of tests/recorded."""
    sequence: int
    """The number of the drawn sequence in which it was found."""
    requests: int
    times: int = 1
    again: bool = True
    """Whether it showed again when the sequence was repeated."""

    @property
    def title(self) -> str:
        """The difference in one line."""
        operation, where, what = self.cause
        return f"{operation}: {where or 'body'}: {what.partition(': ')[0]}"


@dataclass
class Result:
    """What came of a run."""

    seed: int
    write: bool
    steps: int = 0
    """Requests that were sent to each side, those for making sequences shorter not counted."""
    sequences: int = 0
    skipped: int = 0
    """Requests that were drawn and not sent: the guard refused them, or what they were about was not there."""
    found: list[Found] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What could not be deleted, a line each."""
    interrupted: bool = False

    @property
    def exit_status(self) -> int:
        """0: no differences, 1: differences, 3: something is left, 130: interrupted."""
        if self.left:
            return 3
        return 130 if self.interrupted else int(bool(self.found))

    @property
    def summary(self) -> str:
        """The run in one line."""
        mode = "read and write" if self.write else "read-only"
        count = {0: "no differences", 1: "1 difference"}.get(len(self.found), f"{len(self.found)} differences")
        ended = "; interrupted" if self.interrupted else ""
        return f"{self.steps} requests to each ({mode}, seed {self.seed}): {count}{ended}"

    def lines(self) -> Iterator[str]:
        """The report: each difference with both responses and the requests, then the summary."""
        for number, found in enumerate(self.found, 1):
            yield f"{number}. {found.title}"
            yield f"   A: {found.a}"
            yield f"   B: {found.b}"
            often = "" if found.times == 1 else f"; found {found.times} times"
            again = "shows again when repeated" if found.again else "did not show again when repeated"
            yield f"   {again}{often}; sequence {found.sequence}"
            yield from (f"   | {line}" for line in found.curl.splitlines())
            yield ""
        yield self.summary

    def as_json(self) -> dict[str, Any]:
        """The report as JSON."""
        names = ("title", "a", "b", "sequence", "times", "again", "curl", "recording")
        return {
            "summary": self.summary,
            **{name: getattr(self, name) for name in ("seed", "write", "steps", "sequences", "skipped", "left")},
            "differences": [{name: getattr(found, name) for name in names} for found in self.found],
        }


def curl_script(played: Played) -> str:
    """The requests as a shell script. BASE and KEY say which side it asks; variables take up what it responds."""
    lines = ["BASE=${BASE:-http://127.0.0.1:8000}; KEY=${KEY:-$ATTENDEE_API_KEY}"]
    captured = {name for pair in played.pairs for name, _ in pair.step.captures}
    needed = sorted({name for pair in played.pairs for name in pair.step.needs} - captured)
    for name in needed:
        if name in _KEYS:
            lines.append(f"{name.upper()}={_KEYS[name][0]}")
            continue
        one, other = (quote(values[name], safe="") for values in played.values)
        if name.startswith("tag"):
            lines.append(f"{name.upper()}=diff-$$-{name.removeprefix('tag')}")
        else:
            lines.append(f"{name.upper()}={one}" + ("" if one == other else f"  # on B: {other}"))
    *before, last = [pair.step for pair in played.pairs]
    lines += [*map(_curl, before), _curl(last._replace(captures=()))]
    return "\n".join(lines) + "\n"


def _curl(step: Step) -> str:
    words = ["curl", "-sS"] if step.captures else ["curl", "-sS", "-i"]
    if step.method == "HEAD":
        words.append("--head")
    elif step.method != "GET" or step.body is not None:
        words += ["-X", step.method]
    if step.key:
        words += ["-H", '"Authorization: Token $KEY"']
    # A header without a value needs a semicolon: curl leaves it out otherwise.
    words += [
        part for name, value in step.headers for part in ("-H", _word(f"{name}: {value}" if value else f"{name};"))
    ]
    if step.body is not None:
        words += ["--data-binary", _word(step.body.decode("latin-1"))]
    if whole := VARIABLE.fullmatch(step.path):
        words.append(f'"${whole[1].upper()}"')
    else:
        words.append(f'"$BASE"{_word(step.path)}')
    line = " ".join(words)
    for name, pointer in step.captures:
        read = f"grep -o '{_FIRST_OF[pointer]}: *\"[^\"]*\"' | head -1 | cut -d '\"' -f 4"
        line = f"{name.upper()}=$({line} | {read})"
    return line


def _word(text: str) -> str:
    """A word of a shell command, with ${name} as the shell's variable NAME. Bytes that are no text are escaped."""
    parts, end = [], 0
    for match in VARIABLE.finditer(text):
        parts += [_literal(text[end : match.start()]), f'"${match[1].upper()}"']
        end = match.end()
    return "".join([*parts, _literal(text[end:])]) or "''"


def _literal(text: str) -> str:
    if not text:
        return ""
    if re.fullmatch(r"[\x20-\x7e]*", text):
        return shlex.quote(text)
    escaped = "".join(f"\\x{ord(one):02x}" if not 0x20 <= ord(one) <= 0x7E else one for one in text)
    return "$'" + escaped.replace("'", "\\'") + "'"


def recording_of(name: str, about: str, played: Played) -> dict[str, Any]:
    """The requests with A's responses, in the format of tests/recorded; what B responded to the last is a note."""
    made = {variable for pair in played.pairs for variable, pointer in pair.step.captures if pointer == "/id"}
    mine = {played.values[0][variable]: variable for variable in made if variable in played.values[0]}
    steps, known = [], set[str]()
    for pair in played.pairs:
        own = {variable for variable, _ in pair.step.captures}
        names = {value: variable for value, variable in mine.items() if variable in known}
        step: dict[str, Any] = {
            "request": _request(pair.step, played.values[0], made),
            "response": _response(pair.a, names, set(mine)),
        }
        seen = {
            variable: pointer for variable, pointer in pair.step.captures if isinstance(at(pair.a.json, pointer), str)
        }
        if seen:
            step["capture"] = seen
        known |= own
        steps.append(step)
    steps[-1]["note"] = f"B responded {played.pairs[-1].b.status} {played.pairs[-1].b.text[:500]}".strip()
    return {"name": name, "about": about, "steps": steps}


def _request(step: Step, values: Values, made: set[str]) -> dict[str, Any]:
    """The request with A's values, except ids and links that the recording captures itself."""
    kept = {name: f"${{{name}}}" for name in values if name in made or name.startswith("link")}
    kept |= {name: written for name, (_, written) in _KEYS.items()}
    plain = step.filled({**values, **kept}) if not VARIABLE.fullmatch(step.path) else step
    path = re.sub(r"%24%7B(\w+)%7D", r"${\1}", plain.path)
    headers = {"Authorization": f"Token {KEY}"} if step.key else {}
    request: dict[str, Any] = {"method": step.method, "path": path, "headers": {**headers, **dict(plain.headers)}}
    if plain.body is not None:
        try:
            request["raw_body"] = plain.body.decode("utf-8")
        except UnicodeDecodeError:
            request["raw_body_b64"] = base64.b64encode(plain.body).decode()
    return request


def _response(answer: Answer, names: Mapping[str, str], made: set[str]) -> dict[str, Any]:
    """The response with placeholders for what differs each time."""
    headers = {name: value for name, value in answer.headers.items() if name in HEADERS}
    if "retry-after" in headers:
        headers["retry-after"] = "${any:int}"
    found: dict[str, Any] = {"status": answer.status, "headers": headers}
    document = answer.json
    if document is None:
        return {**found, "text": answer.text}
    return {**found, "body": _general(document, names, made, False)}


def _general(value: Any, names: Mapping[str, str], made: set[str], own: bool) -> Any:
    """A value with placeholders. `own`: it is part of something that the requests created, so its times are new."""
    if isinstance(value, dict):
        own = own or value.get("id") in made if isinstance(value.get("id"), str) else own
        return {name: _general(one, names, made, own) for name, one in value.items()}
    if isinstance(value, list):
        return [_general(one, names, made, own) for one in value]
    if not isinstance(value, str):
        return value
    return "".join(_general_part(kind, text, names, made, own) for kind, text in tokens(value))


def _general_part(kind: str, text: str, names: Mapping[str, str], made: set[str], own: bool) -> str:
    if kind == "link":
        return "${any:cursor_url}" if "cursor=" in text and "/api/v1/" in text else text
    if kind == "id" and text in made:
        return f"${{{names[text]}}}" if text in names else "${any:calendar_id}"
    if kind == "wait":
        return re.sub(r"\d+", "${any:int}", text)
    return _PLACEHOLDERS[kind] if kind == "uuid" or (kind == "time" and own) else text
