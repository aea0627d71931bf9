"""A finding as curl lines, and as a pytest file that needs nothing but pytest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pprint import pformat
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
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_FILL = (
    "FILL='import base64,os,re,sys; raw=base64.b64decode(sys.stdin.read()); "
    'sys.stdout.buffer.write(re.sub(rb"\\$\\{(\\w+)\\}", '
    "lambda found: os.environb.get(found[1], os.environb.get(found[1].upper(), found[0])), raw))'"
)


def curl_lines(recipe: Mapping[str, Any], *, base: str) -> str:
    """The finding as a shell script: one curl a request; keys come from the environment, secrets are made up."""
    steps = recipe["steps"]
    lines = [
        f"# {recipe['rule']}: {_comment(recipe['sentence'])}",
        f"# {recipe['operation']}{' ' + _comment(recipe['field']) if recipe['field'] else ''}",
        f"BASE=${{ATTENDEE_BASE_URL:-{_quoted(base)}}}",
        *_fresh(steps),
    ]
    if any("body_base64" in step for step in steps):
        lines.append(_FILL)
    open_group = None
    for number, step in enumerate(steps, 1):
        if open_group not in (None, step.get("together")):
            lines.append("wait")
        open_group = step.get("together")
        lines += _lines(number, step, last=number == len(steps))
    lines += ["wait"] if open_group is not None else ["echo"]
    lines += [f"# expected: {_comment(recipe['expected'])}", f"# seen:     {_comment(recipe['actual'])}"]
    return "\n".join([*lines, *_clean_up(steps)]) + "\n"


def _comment(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:400]


def _used(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    text = "".join(json.dumps([step["path"], step.get("headers"), step.get("body")]) for step in steps)
    named = set(_VARIABLE.findall(text))
    for step in steps:
        if "body_base64" in step:
            named |= {"run", "RUN", "secret_1", "secret_2"}
    return sorted(named)


def _fresh(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is made anew: the mark of the run, and secrets that open nothing."""
    names = _used(steps)
    if "run" in names or "RUN" in names:
        yield "RUN_MARK=c$(date +%s)$$"
        yield "export run=$RUN_MARK RUN=$(printf %s $RUN_MARK | tr a-z A-Z)"
    for name in names:
        _, key, how = (*name.split("_"), "", "")[:3]
        if name.startswith("key_") and how:
            yield f'export {name.upper()}=$(printf %s "${_KEYS[key]}" | {_SPELLING[how]})'
        if name.startswith("secret_"):
            yield f"export {name.upper()}=made-up-{name.replace('_', '-')}-$$"


def _lines(number: int, step: Mapping[str, Any], *, last: bool) -> Iterator[str]:
    seen = step.get("seen", {}).get("status")
    yield f"# {number}. was answered with {seen or 'nothing'}"
    curl = _curl(step)
    if "body_base64" in step:
        raw = step["body_base64"]
        wrapped = [raw[start : start + 120] for start in range(0, len(raw), 120)]
        curl = "\n".join([f"python3 -c \"$FILL\" <<'END' | {curl} --data-binary @-", *wrapped, "END"])
    if "together" in step:
        yield f"{curl} &" if "body_base64" not in step else curl
        return
    captures = step.get("capture", {})
    if not captures or last:
        yield curl.replace("curl ", "curl -i ", 1) if step["method"] != "HEAD" else curl
        if captures:
            return
    else:
        before, _, rest = curl.partition("\n")
        yield f"ANSWER=$({before}\n{rest}\n)" if rest else f"ANSWER=$({curl})"
        yield 'printf "%s\\n" "$ANSWER"'
        for name, what in captures.items():
            yield f'export {name.upper()}=$(printf "%s" "$ANSWER" | python3 -c {_quoted(_reading(what))})'


def _reading(what: Mapping[str, str]) -> str:
    path = "".join(f"[{part if part.isdigit() else repr(part)}]" for part in what["pointer"].split("/")[1:])
    found = f"json.load(sys.stdin){path}"
    if what.get("part") == "path":
        return f"import json,sys; print('/' + {found}.split('/', 3)[3])"
    if what.get("part") == "cursor":
        return f"import json,re,sys; print(re.search('[?&]cursor=([^&]*)', {found})[1])"
    return f"import json,sys; print({found})"


def _curl(step: Mapping[str, Any]) -> str:
    method = step["method"]
    words = ["curl -sS -g --path-as-is", "-I" if method == "HEAD" else f"-X {_quoted(method)}"]
    words.append(f'"$BASE"{_words(step["path"])}')
    headers = list(step.get("headers", []))
    if step.get("key") in _KEYS:
        words.append(f'-H "Authorization: Token ${_KEYS[step["key"]]}"')
    words += [f"-H {_words(f'{name}: {value}') if value else _quoted(f'{name};')}" for name, value in headers]
    names = {name.lower() for name, _ in headers}
    if ("body" in step or "body_base64" in step) and "content-type" not in names:
        words.append("-H 'Content-Type:'")
    if "body" in step:
        words.append(f"--data-binary {_words(step['body'])}")
    return " ".join(words)


def _words(template: str) -> str:
    """A template as one shell word, its variables left to the shell."""
    parts = _VARIABLE.split(template)
    words = [
        _quoted(part) if index % 2 == 0 else f'"${_shell_name(part)}"'
        for index, part in enumerate(parts)
        if part or index % 2
    ]
    return "".join(words) or "''"


def _shell_name(name: str) -> str:
    if name in ("run", "RUN"):
        return name
    return _KEYS.get(name.removeprefix("key_"), name.upper())


def _quoted(text: str) -> str:
    if not _PLAIN.fullmatch(text) and not text.isprintable():
        octal = "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogatepass"))
        return f"\"$(printf '{octal}')\""
    if re.fullmatch(r"[\w./:=?&%+-]+", text) and "&" not in text and "?" not in text:
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def _clean_up(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for step in steps[:-1]:
        for name, what in step.get("capture", {}).items():
            if what["pointer"] == "/id":
                path = f'"$BASE"/api/v1/calendars/"${name.upper()}"'
                key = _KEYS.get(str(step.get("key")), _KEYS["main"])
                yield f'curl -sS -X DELETE {path} -H "Authorization: Token ${key}"  # away with what was made'


_TEST = '''

RECIPE: dict[str, Any] = {recipe}


def _answer(sent: Sent) -> Answer:
    headers = list(sent.headers)
    if sent.key is not None:
        headers.insert(0, ("Authorization", f"Token {{KEYS[sent.key]}}"))
    address = urlsplit(BASE)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=30)
    started = time.time()
    try:
        connection.putrequest(sent.method, sent.path, skip_accept_encoding=True)
        if not any(name.lower() == "accept" for name, _ in headers):
            connection.putheader("Accept", "*/*")
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1", "replace"))
        if sent.body is not None or sent.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(sent.body or b"")))
        connection.endheaders(sent.body)
        response = connection.getresponse()
        answered = {{name.lower(): value for name, value in response.getheaders()}}
        return Answer(response.status, answered, response.read(), started)
    except (OSError, http.client.HTTPException):
        return Answer(0, {{}}, b"", started)
    finally:
        connection.close()


def _together(batch: list[Sent]) -> list[Answer]:
    with ThreadPoolExecutor(len(batch)) as threads:
        return list(threads.map(_answer, batch))


def test_{name}() -> None:
    """{sentence}"""
    mark = f"c{{time.time_ns():x}}"
    values = spelt(KEYS) | {{"run": mark, "RUN": mark.upper()}}
    values |= {{f"secret_{{number}}": f"made-up-{{mark}}-{{number}}" for number in range(1, 20)}}
    made: list[tuple[str, str | None]] = []

    def send(sent: Sent) -> Answer:
        answer = _answer(sent)
        if answer.status == 201 and isinstance(answer.json, dict):
            made.append((str(answer.json.get("id")), sent.key))
        return answer

    try:
        try:
            answers = play(RECIPE["steps"], values, send, _together)
        except Ended:
            return
        except Unplayable as reason:
            pytest.skip(f"the steps cannot be taken here: {{reason}}")
        assert broken(RECIPE["assertions"], answers, values) == []
    finally:
        for calendar_id, key in made:
            _answer(Sent("DELETE", f"/api/v1/calendars/{{calendar_id}}", [], None, key))
'''
_HEAD = '''"""{title}

    ATTENDEE_BASE_URL={base} ATTENDEE_API_KEY=… pytest {file}

Fails while the defect is there. Needs pytest and nothing else.
"""

'''
_IMPORTS = "import http.client\nimport os\nimport time\nfrom concurrent.futures import ThreadPoolExecutor\n"
_SETTINGS = """
import pytest

BASE = os.environ.get("ATTENDEE_BASE_URL", {base!r})
KEYS = {{
    "main": os.environ.get("ATTENDEE_API_KEY", ""),
    "other": os.environ.get("ATTENDEE_OTHER_API_KEY", ""),
    "disabled": os.environ.get("ATTENDEE_DISABLED_API_KEY", ""),
}}
"""


def pytest_file(recipe: Mapping[str, Any], *, base: str, file: str) -> str:
    """The finding as a test: it fails while the defect is there."""
    playing = files("mockserver.conformance").joinpath("playing.py").read_text(encoding="utf-8")
    _, future, player = playing.partition("from __future__ import annotations\n")
    imports, marker, rest = player.partition("\nHEADERS = ")
    shown = {name: recipe[name] for name in ("rule", "operation", "field", "expected", "actual", "steps", "assertions")}
    title = f"{recipe['rule']}: {recipe['operation']} {recipe['field']}".rstrip().encode("ascii", "replace").decode()
    return "".join(
        [
            _HEAD.format(title=title.replace("\\", "/").replace('"', "'"), base=base, file=file),
            future,
            "\n",
            _IMPORTS,
            imports.lstrip("\n"),
            _SETTINGS.format(base=base),
            marker,
            rest.rstrip("\n"),
            "\n",
            _TEST.format(
                recipe=pformat(shown, width=110, sort_dicts=False),
                name=re.sub(r"\W", "_", f"{recipe['rule']}_{recipe['operation']}"),
                sentence=recipe["sentence"].replace("\\", "\\\\").replace('"', "'"),
            ),
        ]
    )
