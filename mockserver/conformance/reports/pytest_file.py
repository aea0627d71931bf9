"""A finding as a pytest file that needs nothing but pytest."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from importlib.resources import files
from pprint import pformat
from typing import Any, Final

from mockserver.conformance.player import RACING_TRIES, TRIES

_IMPORTS: Final = (
    "import http.client",
    "import os",
    "import socket",
    "import threading",
    "import time",
    "from concurrent.futures import ThreadPoolExecutor",
)
_TEST = '''

RECIPE: dict[str, Any] = {recipe}


def _bytes(sent: Sent) -> Answer:
    address, started = urlsplit(BASE), time.time()
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), 3) as connection:
            connection.sendall(sent.body or b"")
            if sent.method == "CUT":
                connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection)
            response.begin()
            # With a limit: what a head promises may not come, as the body of a response to HEAD.
            body = response.read(1 << 24)
            return Answer(response.status, dict(response.getheaders()), body, started, time.time() - started)
    except (OSError, http.client.HTTPException):
        return Answer(0, {{}}, b"", started)


def _answer(sent: Sent) -> Answer:
    if sent.method in ("RAW", "CUT"):
        return _bytes(sent)
    headers = list(sent.headers)
    if sent.key is not None:
        headers.insert(0, ("Authorization", f"Token {{KEYS[sent.key]}}"))
    names = {{name.lower() for name, _ in headers}}
    headers += [(name, value) for name, value in FURTHER if name.lower() not in names]
    address = urlsplit(BASE)
    base = address.path.rstrip("/")
    path = sent.path if base and sent.path.startswith(base + "/api/") else base + sent.path
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=30)
    started = time.time()
    try:
        connection.putrequest(sent.method, path, skip_accept_encoding=True)
        if not any(name.lower() == "accept" for name, _ in headers):
            connection.putheader("Accept", "*/*")
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1", "replace"))
        if sent.body is not None or sent.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(sent.body or b"")))
        connection.endheaders(sent.body)
        response = connection.getresponse()
        answered = {{name.lower(): value for name, value in response.getheaders()}}
        return Answer(response.status, answered, response.read(), started, time.time() - started)
    except (OSError, http.client.HTTPException):
        return Answer(0, {{}}, b"", started)
    finally:
        connection.close()


def _together(batch: list[Sent], turn: int) -> list[Answer]:
    """Starts all at one moment, each turn another one first."""
    moment = threading.Barrier(len(batch))
    first = turn % len(batch)

    def one(place: int) -> Answer:
        moment.wait()
        return _answer(batch[place])

    with ThreadPoolExecutor(len(batch)) as threads:
        order = [*range(first, len(batch)), *range(first)]
        started = {{place: threads.submit(one, place) for place in order}}
        return [started[place].result() for place in sorted(started)]


def test_{name}() -> None:
    """{sentence}"""
    for turn in range({tries}):  # a defect may show only now and then
        seen = _once_more(turn)
        assert not seen, "expected " + RECIPE["expected"] + "; was " + seen


def _once_more(turn: int) -> str:
    mark = f"c{{time.time_ns() // 1000 % 16**11:011x}}"  # as long as that of a run: metadata may be as long as can be
    values = spelt(KEYS) | {{"run": mark, "RUN": mark.upper(), "host": urlsplit(BASE).netloc}}
    # Long and mixed enough that a piece of one in an answer is no chance; without the mark, which answers may show.
    chance = os.urandom(6).hex()
    values |= {{f"secret_{{number}}": f"made-up-{{number}}-{{chance}}-secret" for number in range(1, 20)}}
    made: list[tuple[str, str]] = []

    def noted(sent: Sent, answer: Answer) -> Answer:
        if answer.status == 201 and isinstance(answer.json, dict):
            made.append((str(answer.json.get("id")), sent.key or "main"))
        return answer

    def send(sent: Sent) -> Answer:
        return noted(sent, _answer(sent))

    def together(batch: list[Sent]) -> list[Answer]:
        return [noted(sent, answer) for sent, answer in zip(batch, _together(batch, turn), strict=True)]

    try:
        try:
            answers = play(RECIPE["steps"], values, send, together)
        except Ended:
            return ""
        except Unplayable as reason:
            pytest.skip(f"the steps cannot be taken here: {{reason}}")
        return replayed(RECIPE["expectation"], answers, values)
    finally:
        for made_id, key in made:
            place = "bots" if made_id.startswith("bot_") else "calendars"
            _answer(Sent("DELETE", f"/api/v1/{{place}}/{{made_id}}", [], None, key))
'''
_SHOWN: Final = ("rule", "operation", "field", "expected", "actual", "steps", "expectation")
_HEAD = '''"""{title}

    ATTENDEE_BASE_URL={base} ATTENDEE_API_KEY=… pytest {file}

Fails while the defect is there. Needs pytest and nothing else.
"""

'''
_SETTINGS = """
import pytest

BASE = os.environ.get("ATTENDEE_BASE_URL", {base!r})
KEYS = {{
    "main": os.environ.get("ATTENDEE_API_KEY", ""),
    "other": os.environ.get("ATTENDEE_OTHER_API_KEY", ""),
    "disabled": os.environ.get("ATTENDEE_DISABLED_API_KEY", ""),
}}
_LINES = os.environ.get("ATTENDEE_HEADERS", "").splitlines()
_PAIRS = [line.partition(":") for line in _LINES]
FURTHER = [(name.strip(), value.strip()) for name, _, value in _PAIRS if value.strip()]
"""


def pytest_file(recipe: Mapping[str, Any], *, base: str, file: str) -> str:
    """The finding as a test: it fails while the defect is there."""
    imports, code = player(*_IMPORTS)
    shown = {
        name: recipe[name] for name in ("rule", "operation", "field", "expected", "actual", "steps", "expectation")
    }
    title = f"{recipe['rule']}: {recipe['operation']} {recipe['field']}".rstrip().encode("ascii", "replace").decode()
    return "".join(
        [
            _HEAD.format(title=title.replace("\\", "/").replace('"', "'"), base=base, file=file),
            imports,
            _SETTINGS.format(base=base),
            code,
            _TEST.format(
                recipe=pformat(shown, width=110, sort_dicts=False),
                name=re.sub(r"\W", "_", f"{recipe['rule']}_{recipe['operation']}"),
                sentence=recipe["sentence"].replace("\\", "\\\\").replace('"', "'"),
                tries=RACING_TRIES if any("together" in step for step in recipe["steps"]) else TRIES,
            ),
        ]
    )


PLAYERS: Final = ("player", "shape", "listed", "evaluation")


def player(*further: str) -> tuple[str, str]:
    """The imports, `further` ones with them, and the code of the modules."""
    imports, code = set(further), ""
    for name in PLAYERS:
        source = files("mockserver.conformance").joinpath(f"{name}.py").read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0):
                if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith(("mockserver", "__")):
                    imports.add("".join(lines[node.lineno - 1 : node.end_lineno]).rstrip())
                last = node.end_lineno or 0
        code += "\n" + "".join(lines[last:]).strip("\n") + "\n"
    together = sorted(imports, key=lambda line: (line.startswith("from"), line.lower()))
    return "from __future__ import annotations\n\n" + "\n".join(together) + "\n", code
