"""The process beside the tunnel: records and checks exchanges, and prints a line for each."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

from mockserver.drift.difference import LEVELS
from mockserver.drift.kinds import Level
from mockserver.proxy import frames
from mockserver.proxy.coverage import Coverage
from mockserver.proxy.frames import Frame
from mockserver.proxy.har import HarFile
from mockserver.proxy.judging import Found, Judge
from mockserver.proxy.masking import Masker
from mockserver.proxy.parsing import Connection, Passed, Unreadable, decoded
from mockserver.proxy.shown import Shown, ShownBody, shown

READY: Final = "ready"
"""What the process writes to standard error when it reads; any other line is why it does not."""
_NICE: Final = 10
_LATE: Final = 2.0
"""How many seconds behind the traffic exchanges are only recorded and not checked, so that none is lost."""
_LONGEST: Final = 2000
"""The characters of a body under a finding."""
_LONGEST_LINE: Final = 200
_MOST_FINDINGS: Final = 1000


@dataclass
class Counted:
    """A finding and how often it was seen."""

    found: Found
    first: int
    """The number of the first exchange that has it."""
    times: int = 0


@dataclass
class Counts:
    """How many exchanges were treated in which way."""

    exchanges: int = 0
    checked: int = 0
    elsewhere: int = 0
    """On paths that the contract does not have."""
    incomplete: int = 0
    """Without a response, or with a body that could not be read."""
    late: int = 0
    """Not checked since the checks were behind the traffic."""
    unobserved: int = 0
    """Forwarded and neither recorded nor checked."""
    unreadable: int = 0
    """Connections that could not be followed to their end."""


@dataclass
class Watch:
    """What the process knows."""

    target_url: str
    out: TextIO
    har: HarFile | None = None
    clock: Callable[[], float] = time.time
    judge: Judge = field(default_factory=Judge)
    masker: Masker = field(default_factory=Masker)
    counts: Counts = field(default_factory=Counts)
    findings: dict[tuple[str, str, str], Counted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.coverage = Coverage(self.judge.surface)
        self._connections: dict[int, Connection] = {}
        self._lost: set[int] = set()

    def run(self, stream: Iterable[Frame]) -> None:
        """Treats every frame."""
        for frame in stream:
            self.frame(frame)

    def frame(self, frame: Frame) -> None:
        """Treats a piece of a connection."""
        if frame.kind == frames.DROPPED:
            self.counts.unobserved += int(frame.data)
            return
        number = frame.connection
        if frame.kind == frames.GAP:
            self._connections.pop(number, None)
            self._lost.discard(number)
        elif number not in self._lost:
            try:
                self._of_connection(frame)
            except Unreadable as error:
                self._lose(number, str(error))
        elif frame.kind == frames.CLOSED:
            self._lost.discard(number)

    def _of_connection(self, frame: Frame) -> None:
        number = frame.connection
        if frame.kind in (frames.CLOSED, frames.PROXIED):
            connection = self._connections.pop(number, None)
            reason = {"reason": frame.data.decode()} if frame.kind == frames.PROXIED else {}
            for passed in connection.closed(frame.time, **reason) if connection is not None else ():
                self._exchange(passed)
            return
        connection = self._connections.setdefault(number, Connection(number))
        if frame.kind == frames.CLIENT:
            connection.client(frame.data, frame.time)
        else:
            for passed in connection.server(frame.data, frame.time):
                self._exchange(passed)

    def _lose(self, number: int, reason: str) -> None:
        self.counts.unreadable += 1
        self._connections.pop(number, None)
        self._lost.add(number)
        self._print(f"connection {number} is forwarded and no longer observed: {self.masker.text(reason)}")

    def _exchange(self, passed: Passed) -> None:
        self.counts.exchanges += 1
        number = self.counts.exchanges
        masked = shown(passed, self.masker)
        verdict, found = self._checked(passed, number)
        texts = [f"{one.level} {one.rule} {one.field}: {self.masker.text(one.text)}" for one in found]
        if self.har is not None:
            self.har.add(passed, masked, texts)
        operation = self.judge.place(passed)
        name = operation.operation if operation.template is not None else "-"
        at = datetime.fromtimestamp(passed.started, UTC).strftime("%H:%M:%S")
        target = masked.target if len(masked.target) <= _LONGEST_LINE else f"{masked.target[:_LONGEST_LINE]}…"
        status = str(passed.status) if passed.status else "no response"
        asked = f"{at} #{number} {passed.method} {_plain(target)} {status} {passed.seconds * 1000:.1f}ms"
        self._print(f"{asked} {name} {verdict}")
        if found:
            self._explain(found, masked, number)

    def _checked(self, passed: Passed, number: int) -> tuple[str, list[Found]]:
        """What was found, and the end of the exchange's line."""
        if passed.failure is not None:
            self.counts.incomplete += 1
            return f"| {self.masker.text(passed.failure)}", []
        if self.judge.place(passed).template is None:
            self.counts.elsewhere += 1
            return "| not in the contract", []
        if self.clock() - passed.ended > _LATE:
            self.counts.late += 1
            return "| not checked: the checks are behind the traffic", []
        body = decoded(passed.response, passed.header(b"content-encoding").lower())
        if body is None or passed.request.is_cut:
            self.counts.incomplete += 1
            return "| not checked: the body could not be kept", []
        self.counts.checked += 1
        self.coverage.add(passed.method, passed.target.partition("?")[0], passed.status, _json(body))
        found = self.judge.judge(passed, number)
        return (f"| {len(found)} finding{'s' if len(found) != 1 else ''}" if found else "ok"), found

    def _explain(self, found: list[Found], masked: Shown, number: int) -> None:
        """Prints findings; those that are new with what was sent and answered."""
        has_new = False
        for one in found:
            known = self.findings.get(one.identity)
            if known is None and len(self.findings) < _MOST_FINDINGS:
                known = self.findings[one.identity] = Counted(one, number)
                has_new = True
            again = ""
            if known is not None:
                known.times += 1
                again = f" (again, first in #{known.first})" if known.times > 1 else ""
            where = f"{one.operation} {one.field}".rstrip()
            self._print(f"    {one.level} {one.rule} {where}: {_plain(self.masker.text(one.text))}{again}")
        if has_new:
            self._print(f"      request:  {_payload(masked.request)}")
            self._print(f"      response: {_payload(masked.response)}")

    def _print(self, line: str) -> None:
        print(line, file=self.out, flush=True)

    # --- the end ---

    def finish(self) -> None:
        """Closes the archive and prints the summary."""
        if self.har is not None:
            self.har.close()
        for line in self.summary():
            self._print(line)

    def summary(self) -> list[str]:
        """Counts, findings and coverage in lines."""
        counts = self.counts
        lines = ["", f"{_number(counts.exchanges, 'exchange')} with {self.target_url}, {counts.checked} checked"]
        reasons = {
            "on paths that the contract does not have": counts.elsewhere,
            "without a whole response or body": counts.incomplete,
            "not checked, because the checks were behind the traffic": counts.late,
        }
        lines += [f"  {number} {reason}" for reason, number in reasons.items() if number]
        if counts.unobserved:
            lines.append(
                f"  {counts.unobserved} more forwarded, but not observed: the traffic was faster than the recording"
            )
        if counts.unreadable:
            lines.append(f"  {_number(counts.unreadable, 'connection')} not observed to the end")
        lines += self._findings()
        lines += self._coverage()
        if self.har is not None:
            lines.append(f"Recorded {_number(self.har.entries, 'exchange')}.")
        return lines

    def _findings(self) -> list[str]:
        ordered = sorted(self.findings.values(), key=lambda one: (LEVELS.index(one.found.level), one.first))
        levels = [sum(one.found.level == level for one in ordered) for level in LEVELS]
        lines = [f"Findings: {_number(levels[0], 'error')}, {_number(levels[1], 'warning')}, {levels[2]} info"]
        for one in ordered:
            found = one.found
            where = f"{found.operation} {found.field}".rstrip()
            times = "once" if one.times == 1 else f"{one.times} times, first"
            lines.append(f"  {found.level:7} {found.rule} {where}: {times} in #{one.first}")
        return lines

    def _coverage(self) -> list[str]:
        seen = self.coverage
        parts = [
            ("operations", seen.operations()),
            ("statuses", seen.documented()),
            ("response fields", seen.response_fields()),
        ]
        lines = ["Coverage: " + ", ".join(f"{one} of {all_} {what}" for what, (one, all_) in parts)]
        for what, names in (("operations", seen.unseen_operations()), ("fields", seen.unseen_fields())):
            if names and seen.operations()[0]:
                lines.append(f"  {what} not seen: {', '.join(names)}")
        return lines

    def has_failed(self, fail_on: Level | None) -> bool:
        """Whether there are findings of this level or a worse one."""
        if fail_on is None:
            return False
        failing = LEVELS[: LEVELS.index(fail_on) + 1]
        return any(one.found.level in failing for one in self.findings.values())


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _payload(body: ShownBody) -> str:
    if body.text is None:
        return f"{body.size} bytes, {body.note}"
    text = _plain(body.text)
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({body.size} bytes)") or "no body"


def _plain(text: str) -> str:
    """A text without control characters, which a terminal would obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def main(arguments: list[str] | None = None) -> int:
    """Reads frames from standard input until its end; gives the exit status of the proxy."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target_url")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--fail-on", choices=(*LEVELS, "never"), default="error")
    given = parser.parse_args(arguments)
    # Ctrl-C also comes here; the tunnel ends first, and with it the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        # Where both want the processor, forwarding goes first.
        os.nice(_NICE)
    try:
        har = HarFile(given.record, given.target_url) if given.record is not None else None
    except OSError as error:
        print(f"cannot write {given.record}: {error.strerror}", file=sys.stderr, flush=True)
        return 2
    watch = Watch(given.target_url, sys.stdout, har)
    print(READY, file=sys.stderr, flush=True)
    watch.run(frames.read(sys.stdin.buffer))
    watch.finish()
    return 1 if watch.has_failed(None if given.fail_on == "never" else given.fail_on) else 0


if __name__ == "__main__":
    sys.exit(main())
