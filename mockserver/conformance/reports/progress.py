"""What a person sees while a run goes on: a live line on a terminal, lines in a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Self, TextIO

from mockserver.conformance.runner import JudgeRun

_REFRESH: Final = 0.2
"""Seconds between two versions of the live line."""
_SILENCE: Final = 10.0
"""Seconds after which a log gets another line, whatever the run is doing."""


class Progress:
    """Says where the run is: on a terminal in one line that is written anew, elsewhere in a line when a part begins."""

    def __init__(self, stream: TextIO, seconds: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is the time budget."""
        self._stream, self._seconds, self._clock = stream, seconds, clock
        self._live = stream.isatty()
        self._started = self._last = clock()
        self._parts: set[str] = set()
        self._state = "waiting for the first response"
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._shown = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._tick_until_end, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def __call__(self, run: JudgeRun) -> None:
        """Takes up where the run is."""
        with self._lock:
            found = run.findings
            sent = getattr(run.target, "sent", 0)
            numbers = (len(found.exercised), "rule"), (sent, "request"), (len(found.broken), "finding")
            rules, requests, findings = (f"{number} {what}{'s' * (number != 1)}" for number, what in numbers)
            self._state = f"{run.part}: {rules} tested, {requests}, {findings}"
            new = run.part not in self._parts
            self._parts.add(run.part)
            if (new and not self._live) or self._due():
                self._write()

    def tick(self) -> None:
        """Writes a line if none was written for long: between requests a run may wait."""
        with self._lock:
            if self._due():
                self._write()

    def end(self) -> None:
        """Takes the live line away; nothing is written after it."""
        self._ended.set()
        with self._lock:
            if self._shown and self._live:
                self._stream.write("\r\033[K")
                self._stream.flush()
            self._shown = False

    def _tick_until_end(self) -> None:
        while not self._ended.wait(1.0):
            self.tick()

    def _due(self) -> bool:
        return self._clock() - self._last >= (_REFRESH if self._live else _SILENCE)

    def _write(self) -> None:
        if self._ended.is_set():
            return
        now = self._clock()
        self._last = now
        spent = now - self._started
        left = f"{spent:.0f} s" if self._seconds is None else f"{max(0, self._seconds - spent):.0f} s left"
        text = f"{self._state}, {left}"
        self._stream.write(f"\r\033[K{text}" if self._live else f"{text}\n")
        self._stream.flush()
        self._shown = True
