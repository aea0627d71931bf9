"""Runs a finding's curl lines, and says by their responses whether the defect shows.

A step that curl cannot send is one call of Python, with the word RAW or CUT at its end.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mockserver.conformance.evaluation import replayed
from mockserver.conformance.player import RACING_TRIES, TRIES, Answer, spelt
from mockserver.conformance.reports.reproduction import NO_LINK
from tests.patience import HANGS

CURL = Path("/usr/bin/curl")
PYTHON = Path(sys.executable)
_SEEN = """#!/bin/sh
# A client, which keeps what it was answered and the variables that it was called with.
{unless}
at="$SEEN/$(date +%s%N).$$"
env -0 > "$at.env"
printf '%s\\n' "$*" > "$at.words"
{client} "$@" > "$at.out"
status=$?
cat "$at.out"
exit $status
"""
_VARIABLE = re.compile(r"\$\{\w*\}")
_CLIENTS = {
    "curl": _SEEN.format(unless="", client=f'{CURL} -D "$at.head"'),
    "python3": _SEEN.format(unless=f'case "$3" in RAW|CUT) ;; *) exec {PYTHON} "$@" ;; esac', client=PYTHON),
}


def verdict_of(script: Path, recipe: Mapping[str, Any], url: str, keys: Mapping[str, str]) -> str:
    """What the curl lines of a finding show on a deployment: "shows", "gone" or "cannot be run"."""
    raced = any("together" in step for step in recipe["steps"])
    verdict = ""
    for _ in range(RACING_TRIES if raced else TRIES):
        with _ran(script, url, keys) as (calls, ended):
            verdict = _ended(calls) if ended else _judged(calls, recipe, url, keys)
        if verdict != "gone":
            break
    return verdict


@contextmanager
def _ran(script: Path, url: str, keys: Mapping[str, str]) -> Iterator[tuple[list[Path], bool]]:
    """The calls of curl that the script makes, in order, each as the path that its files begin with.

    And whether it ended before the last one, for there was no link to follow.
    """
    with TemporaryDirectory() as folder:
        seen = Path(folder, "seen")
        seen.mkdir()
        for name, text in _CLIENTS.items():
            client = Path(folder, name)
            client.write_text(text, encoding="utf-8")
            client.chmod(0o755)
        names = {"main": "ATTENDEE_API_KEY", "other": "ATTENDEE_OTHER_API_KEY", "disabled": "ATTENDEE_DISABLED_API_KEY"}
        environment = {
            "PATH": f"{folder}:/usr/bin:/bin",
            "SEEN": str(seen),
            "ATTENDEE_BASE_URL": url,
            **{names[name]: key for name, key in keys.items()},
        }
        done = subprocess.run(
            ["/bin/sh", str(script)], env=environment, cwd=folder, check=False, capture_output=True, timeout=HANGS
        )
        yield sorted(path.with_suffix("") for path in seen.glob("*.words")), NO_LINK.encode() in done.stdout


def _ended(calls: Sequence[Path]) -> str:
    """What is said where there was no link to follow: only a good response may lack one."""
    return "gone" if calls and _answer(calls[-1]).status == 200 else "cannot be run"


def _judged(calls: list[Path], recipe: Mapping[str, Any], url: str, keys: Mapping[str, str]) -> str:
    steps = recipe["steps"]
    if len(calls) < len(steps):
        return "cannot be run"
    calls = _in_the_order_of(steps, calls[: len(steps)])
    answers = [_answer(call) for call in calls]
    values = spelt(keys) | {"host": url.partition("://")[2]} | _variables(calls[-1])
    return "shows" if replayed(recipe["expectation"], answers, values) else "gone"


def _in_the_order_of(steps: Sequence[Mapping[str, Any]], calls: Sequence[Path]) -> list[Path]:
    """The calls, each at the place of its step: those that are started at one moment come in any order."""
    ordered: list[Path] = []
    for step in steps:
        waiting = [call for call in calls if call not in ordered]
        fitting = [call for call in waiting if _is_of(step, call.with_name(call.name + ".words").read_bytes())]
        ordered.append((fitting if "together" in step and fitting else waiting)[0])
    return ordered


def _is_of(step: Mapping[str, Any], words: bytes) -> bool:
    """Whether the words of a call have those of a step: its method, and all but the variables of its path and body."""
    method = "-I" if step["method"] == "HEAD" else f"-X {step['method']} "
    fixed = _VARIABLE.split(step["path"] + "${}" + step.get("body", ""))
    return all(text.encode() in words for text in (method, *fixed))


def _answer(call: Path) -> Answer:
    began = int(call.name.partition(".")[0]) / 1e9
    head = call.with_name(call.name + ".head")
    body = call.with_name(call.name + ".out").read_bytes()
    if call.with_name(call.name + ".words").read_bytes().rstrip().endswith((b"RAW", b"CUT")):
        raw, _, body = body.partition(b"\r\n\r\n")
    else:
        raw = head.read_bytes() if head.exists() else b""
        # With -i or -I the head is printed as well.
        body = body.removeprefix(raw)
    if not raw:
        return Answer(0, {}, b"", began)
    first, *lines = raw.decode("latin-1").strip().splitlines()
    pairs = [line.partition(":") for line in lines]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Answer(int(first.split()[1]), headers, body, began)


def _variables(call: Path) -> dict[str, str]:
    """The shell's variables, by the names that recipes have for them."""
    raw = call.with_name(call.name + ".env").read_bytes().decode("utf-8", "replace")
    found = dict(pair.partition("=")[::2] for pair in raw.split("\0") if pair)
    return {name if name in ("run", "RUN") else name.lower(): value for name, value in found.items()}
