"""What a run meant to make, made and took away again: written down before it happens, for whoever has to clean up."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(".attendee-conformance")


class Ledger:
    """The ledger of one run. Holds no secret: ids, tags and the URL only."""

    def __init__(self, run: str, url: str, path: Path | None) -> None:
        """`path` is the file that is appended to; None keeps it in memory, for a mock that goes away by itself."""
        self.run, self.url, self.path = run, url, path
        self.created: set[str] = set()
        self.gone: set[str] = set()
        self.intents: dict[int, str | None] = {}
        """Creations without a known outcome: the deduplication key of each, where it had one."""
        self._next = 0
        self._lock = threading.Lock()
        self._stream = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("a", encoding="utf-8")

    @property
    def left(self) -> set[str]:
        """The ids that are ours and not known to be gone."""
        return self.created - self.gone

    def intend(self, deduplication_key: str | None) -> int:
        """Before a POST; gives the number by which its outcome is told."""
        with self._lock:
            self._next += 1
            self.intents[self._next] = deduplication_key
            self._write({"intent": self._next, "key": deduplication_key, "run": self.run, "url": self.url})
            return self._next

    def made(self, number: int, calendar_id: str | None, *, refused: bool) -> None:
        """After a POST: the id of what it made, if the answer told one that is ours. What was refused made nothing."""
        with self._lock:
            if calendar_id is not None:
                self.created.add(calendar_id)
            if calendar_id is not None or refused:
                self.intents.pop(number, None)
                self._write({"outcome": number, "ids": [calendar_id] if calendar_id is not None else []})

    def adopt(self, calendar_id: str) -> None:
        """A calendar turned out to be ours."""
        with self._lock:
            self.created.add(calendar_id)
            self._write({"adopted": calendar_id})

    def dropped(self, calendar_id: str) -> None:
        """A calendar of ours is gone."""
        with self._lock:
            self.gone.add(calendar_id)
            self._write({"gone": calendar_id})

    def close(self, *, clean: bool) -> None:
        """The end; a ledger of which nothing is left is taken away."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
            if clean and self.path is not None:
                self.path.unlink(missing_ok=True)

    def _write(self, entry: Mapping[str, Any]) -> None:
        if self._stream is not None:
            self._stream.write(json.dumps(entry) + "\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())


def read_ledger(path: Path) -> Ledger:
    """The ledger of an earlier run, to be gone on with; a line that was cut off by a crash is passed over."""
    entries = list(_entries(path))
    first = next((entry for entry in entries if "run" in entry), {"run": path.stem, "url": ""})
    ledger = Ledger(first["run"], first["url"], path)
    for entry in entries:
        if "intent" in entry:
            ledger.intents[entry["intent"]] = entry["key"]
            ledger._next = max(ledger._next, entry["intent"])
        elif "outcome" in entry:
            ledger.intents.pop(entry["outcome"], None)
            ledger.created.update(entry["ids"])
        elif "adopted" in entry:
            ledger.created.add(entry["adopted"])
        elif "gone" in entry:
            ledger.gone.add(entry["gone"])
    return ledger


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
