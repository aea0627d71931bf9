"""A finding as curl lines."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_KEYS: Final = {
    "main": "ATTENDEE_API_KEY",
    "other": "ATTENDEE_OTHER_API_KEY",
    "disabled": "ATTENDEE_DISABLED_API_KEY",
}
_SPELLING: Final = {
    "cut": "sed 's/.$//'",
    "half": "awk '{print substr($0, 1, int(length($0) / 2))}'",
    "swapped": "tr 'a-zA-Z' 'A-Za-z'",
    "lower": "tr A-Z a-z",
    "upper": "tr a-z A-Z",
}
_BYTES: Final = ("RAW", "CUT")
"""In place of a method: the body is all that is sent."""
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_VARIABLE_BYTES = re.compile(rb"\$\{(\w+)\}")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_FILL = (
    "FILL='import base64,os,re,sys; raw=base64.b64decode(sys.stdin.read()); "
    'sys.stdout.buffer.write(re.sub(rb"\\$\\{(\\w+)\\}", '
    "lambda found: os.environb.get(found[1], os.environb.get(found[1].upper(), found[0])), raw))'"
)


_FURTHER: Final = (
    'HEADERS=$(mktemp); printf "%s\\n" "$ATTENDEE_HEADERS" > "$HEADERS"; '
    "trap 'rm -f \"$HEADERS\"' EXIT  # one header a line"
)
_SEND: Final = """SEND='
import os, re, select, socket, sys, urllib.parse
at = urllib.parse.urlsplit(os.environ["BASE"])
to = socket.create_connection((at.hostname, at.port or 80), 3)
to.sendall(re.sub(rb"\\$\\{(\\w+)\\}", lambda found: os.environb.get(found[1], found[0]), sys.stdin.buffer.read()))
sys.argv[1] == "CUT" and to.shutdown(socket.SHUT_WR)
for _ in range(256):
    got = select.select([to], [], [], 3)[0] and to.recv(65536)
    if not got: break
    sys.stdout.buffer.write(got)
'"""
"""Prints what is answered to bytes, at most 16 MB of it."""
NO_LINK: Final = "The last response links to no further page, so the steps end here."


def curl_lines(recipe: Mapping[str, Any], *, base: str, headers: bool = False) -> str:
    """The finding as a shell script: one curl a request; keys come from the environment, secrets open nothing.

    What was expected and what was seen are comments: whoever runs it compares. `headers`: with those that the
    environment has in ATTENDEE_HEADERS.
    """
    steps = recipe["steps"]
    lines = [
        f"# {recipe['rule']}: {_comment(recipe['sentence'])}",
        f"# {recipe['operation']}{' ' + _comment(recipe['field']) if recipe['field'] else ''}",
        f"BASE=${{ATTENDEE_BASE_URL:-{_quoted(base)}}}",
        *_fresh(steps),
    ]
    if headers:
        lines.append(_FURTHER)
    creating = sorted({key for step in steps if (key := _creates_with(step)) is not None})
    lines += [f"{_made(key)}=$(mktemp)  # what is created with this key" for key in creating]
    if any("body_base64" in step and step["method"] not in _BYTES for step in steps):
        lines.append(_FILL)
    if any(step["method"] in _BYTES for step in steps):
        lines += ["export BASE  # curl sends nothing that is no request", _SEND]
    open_group = None
    for number, step in enumerate(steps, 1):
        if open_group not in (None, step.get("together")):
            lines.append("wait")
        open_group = step.get("together")
        lines += _lines(number, step, last=number == len(steps))
    lines += ["wait"] if open_group is not None else ["echo"]
    lines += [f"# expected: {_comment(recipe['expected'])}", f"# seen:     {_comment(recipe['actual'])}"]
    lines += [_clean_up(key) for key in creating]
    text = "\n".join(lines) + "\n"
    return re.sub(r"\bcurl (-i )?-sS", r'curl \1-H @"$HEADERS" -sS', text) if headers else text


def _comment(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:400]


def _used(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    text = "".join(json.dumps([step["path"], step.get("headers"), step.get("body")]) for step in steps)
    named = set(_VARIABLE.findall(text))
    for step in steps:
        if step["method"] in _BYTES and "body_base64" in step:
            named |= {name.decode() for name in _VARIABLE_BYTES.findall(base64.b64decode(step["body_base64"]))}
        elif "body_base64" in step:
            named |= {"run", "RUN", "secret_1", "secret_2"}
    return sorted(named)


def _fresh(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is made anew: the mark of the run, and secrets that open nothing."""
    names = _used(steps)
    if "run" in names or "RUN" in names:
        # As long as the mark of a run: metadata may be as long as they can be.
        yield "RUN_MARK=$(printf 'c%011x' $((($(date +%s) * 10000 + $$ % 10000) % 17592186044416)))"
        yield "export run=$RUN_MARK RUN=$(printf %s $RUN_MARK | tr a-z A-Z)"
    for name in names:
        _, key, how = (*name.split("_"), "", "")[:3]
        if name.startswith("key_") and not how and any(step["method"] in _BYTES for step in steps):
            yield f'export {name}="${_KEYS[key]}"'
        if name.startswith("key_") and how:
            yield f'export {name.upper()}=$(printf %s "${_KEYS[key]}" | {_SPELLING[how]})'
        if name.startswith("secret_"):
            # Long and mixed enough for a piece of it to be told in an answer.
            yield f"export {name.upper()}=made-up-{key}-$(date +%s)-$$-secret"


def _lines(number: int, step: Mapping[str, Any], *, last: bool) -> Iterator[str]:
    seen = step.get("seen", {}).get("status")
    yield f"# {number}. was answered with {seen or 'nothing'}"
    if step["method"] in _BYTES:
        raw = step["body_base64"] if "body_base64" in step else base64.b64encode(step["body"].encode()).decode()
        wrapped = [raw[start : start + 120] for start in range(0, len(raw), 120)]
        yield "\n".join([f"base64 -d <<'END' | python3 -c \"$SEND\" {step['method']}", *wrapped, "END"])
        return
    curl = _curl(step)
    if "body_base64" in step:
        raw = step["body_base64"]
        wrapped = [raw[start : start + 120] for start in range(0, len(raw), 120)]
        curl = "\n".join([f"python3 -c \"$FILL\" <<'END' | {curl} --data-binary @-", *wrapped, "END"])
    creating = _creates_with(step)
    if creating is not None:
        first, more, rest = curl.partition("\n")
        curl = f'{first} | tee -a "${_made(creating)}"{more}{rest}'
    if "together" in step:
        yield f"{curl} &" if "body_base64" not in step else curl
        return
    captures = step.get("capture", {})
    link = _link_in(step)
    if not captures or last:
        curl = curl.replace("curl ", "curl -i ", 1) if step["method"] != "HEAD" else curl
        yield f'if [ "${link}" ]; then {curl}; else echo "{NO_LINK}"; fi' if link else curl
        if captures:
            return
    else:
        curl = f'[ "${link}" ] && {curl}' if link else curl
        before, _, rest = curl.partition("\n")
        yield f"ANSWER=$({before}\n{rest}\n)" if rest else f"ANSWER=$({curl})"
        yield 'printf "%s\\n" "$ANSWER"'
        for name, what in captures.items():
            reading = f'$(printf "%s" "$ANSWER" | python3 -c {_quoted(_reading(what))})'
            yield f"{name.upper()}={reading}; export {name.upper()}"


def _link_in(step: Mapping[str, Any]) -> str:
    """The shell's name of a link, or of its cursor, that the step follows; "" for none."""
    names = [name for name in _VARIABLE.findall(step["path"]) if name.startswith(("link_", "cursor_"))]
    return _shell_name(names[0]) if names and "body_base64" not in step else ""


def _reading(what: Mapping[str, str]) -> str:
    path = "".join(f"[{part if part.isdigit() else repr(part)}]" for part in what["pointer"].split("/")[1:])
    found = f"json.load(sys.stdin){path}"
    if "was" in what:
        found = f"was if was in text else json.loads(text){path}"
        return f"import json,sys; text=sys.stdin.read(); was={what['was']!r}; print({found})"
    link = f"import json,re,sys,urllib.parse as u; text=sys.stdin.read(); link=text and json.loads(text){path} or ''"
    if what.get("part") == "path":
        # The API may be below a path of the deployment, which BASE has; a wrong link may lead anywhere.
        split = "at=u.urlsplit(link); api=at.path.find('/api/v1/')"
        return f"{link}; {split}; print(link and at.path[max(api, 0):] + '?' + at.query)"
    if what.get("part") == "cursor":
        return f"{link}; print(link and re.search('[?&]cursor=([^&]*)', link)[1])"
    return f"import json,sys; print({found})"


def _curl(step: Mapping[str, Any]) -> str:
    method = step["method"]
    words = ["curl -sS -g --path-as-is", "-I" if method == "HEAD" else f"-X {_quoted(method)}"]
    words.append(f'"$BASE"{_words(step["path"])}')
    headers = list(step.get("headers", []))
    if step.get("key") in _KEYS:
        words.append(f'-H "Authorization: Token ${_KEYS[step["key"]]}"')
    words += [
        f"-H {_words(f'{name}: {value}', header=True) if value else _quoted(f'{name};')}" for name, value in headers
    ]
    names = {name.lower() for name, _ in headers}
    if ("body" in step or "body_base64" in step) and "content-type" not in names:
        words.append("-H 'Content-Type:'")
    if "body" in step:
        words.append(f"--data-binary {_words(step['body'])}")
    return " ".join(words)


def _words(template: str, *, header: bool = False) -> str:
    """A template as one shell word, its variables left to the shell."""
    parts = _VARIABLE.split(template)
    words = [
        _quoted(part, header=header) if index % 2 == 0 else f'"${_shell_name(part)}"'
        for index, part in enumerate(parts)
        if part or index % 2
    ]
    return "".join(words) or "''"


def _shell_name(name: str) -> str:
    if name in ("run", "RUN"):
        return name
    return _KEYS.get(name.removeprefix("key_"), name.upper())


def _quoted(text: str, *, header: bool = False) -> str:
    """One shell word; what is not ASCII goes out as UTF-8, in a header as Latin-1 where it can."""
    if not _PLAIN.fullmatch(text) and (header or not text.isprintable()):
        latin = header and all(ord(letter) < 256 for letter in text)
        raw = text.encode("latin-1") if latin else text.encode("utf-8", "surrogatepass")
        octal = "".join(f"\\{byte:03o}" for byte in raw)
        return f"\"$(printf '{octal}')\""
    if re.fullmatch(r"[\w./:=?&%+-]+", text) and "&" not in text and "?" not in text:
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def _creates_with(step: Mapping[str, Any]) -> str | None:
    """The variable of the key with which a step may create a calendar or bot; None for a step that creates none."""
    path = str(step["path"]).partition("?")[0].rstrip("/")
    if step["method"] != "POST" or not path.endswith(("/calendars", "/bots")):
        return None
    given = " ".join(value for name, value in step.get("headers", []) if name.lower() == "authorization")
    named = next((name for name in _KEYS if f"${{key_{name}" in given), None)
    return _KEYS.get(str(step.get("key") or named))


def _made(key: str) -> str:
    """The variable with the file of what is created with a key."""
    return f"MADE_{key.removeprefix('ATTENDEE_').removesuffix('API_KEY').strip('_') or 'MAIN'}"


def _clean_up(key: str) -> str:
    """The line that deletes what the script has created with a key."""
    ids = f'grep -oE \'"id": *"(cal|bot)_[A-Za-z0-9]*"\' "${_made(key)}" | cut -d \'"\' -f 4 | sort -u'
    place = 'case "$ID" in bot_*) PLACE=bots ;; *) PLACE=calendars ;; esac'
    delete = f'curl -sS -o /dev/null -X DELETE "$BASE"/api/v1/"$PLACE"/"$ID" -H "Authorization: Token ${key}"'
    return f'for ID in $({ids}); do {place}; {delete}; done; rm -f "${_made(key)}"  # deletes what was created'
