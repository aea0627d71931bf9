"""A target with an eye on it: every exchange of the run is counted and held against the rules on all answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from mockserver.conformance.calendar_bodies import created_id
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.run import Run, Target

_CHANGES = 3
"""How many changes of a calendar are told before what is wrong with it."""
_TELLING = 8
"""A deduplication key as long as this is in no request by chance."""
_RECENT = 200

Look: TypeAlias = Callable[[Run, Exchange], None]


class Watched:
    """Sends by way of another target; whatever else is asked of it is that target's."""

    def __init__(self, target: Target, run: Run, look: Look, after: Callable[[], object]) -> None:
        """`look` is called with every exchange, one at a time, and then `after`."""
        self.target = target
        self.writes, self.other_key = target.writes, target.other_key
        self.disabled_key, self.parallel = target.disabled_key, target.parallel
        self.sent = 0
        self.failed = 0
        """How many requests were answered with a server error, or not at all."""
        self.waited = 0.0
        """Seconds from requests to their answers, together."""
        self.here = _Count()
        """The same of the requests of the thread that asks: checks may go on side by side."""
        self.changes = 0
        """How many requests may have changed what the lists show."""
        self._run, self._look, self._after = run, look, after
        self._one = threading.RLock()
        self._written: dict[str, list[Exchange]] = {}
        self._busy = False
        """Whether requests are under way together: what comes after an exchange has to wait for all of them."""
        self.secrets: list[str] = []
        self.groups: list[list[Exchange]] = []
        """The exchanges that were started at one moment."""
        self.recent: deque[Exchange] = deque(maxlen=_RECENT)
        """What was sent last."""

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        key: Key = "main",
    ) -> Exchange:
        """Sends a request and looks at the answer."""
        exchange = self.target.send(method, path, json=json, body=body, headers=headers, key=key)
        with self._one:
            self._count(failed=exchange.status >= 500 or not exchange.status)
            self.waited += exchange.seconds
            self.changes += exchange.request.method not in ("GET", "HEAD", "OPTIONS")
            self._note(exchange)
            self.recent.append(exchange)
            self._look(self._run, exchange)
            if not self._busy:
                self._after()
        return exchange

    def send_bytes(self, data: bytes, *, cut: bool = False) -> Exchange:
        """Sends bytes that are no request; the rules on all answers say nothing of what comes back."""
        exchange = self.target.send_bytes(data, cut=cut)
        with self._one:
            self._count(failed=False)
            self._after()
        return exchange

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Starts the calls at one moment."""
        self._busy = True
        try:
            exchanges = self.target.together(requests)
        finally:
            self._busy = False
        self.groups.append(exchanges)
        self._after()
        return exchanges

    def spoilt(self, exchange: Exchange, wave: Sequence[Exchange]) -> None:
        """Looks at a server error that a request gets only beside those that were under way with it."""
        self.groups.append(list(wave))
        self._busy = True
        try:
            self._look(self._run, exchange)
        finally:
            self._busy = False

    @property
    def racing(self) -> bool:
        """Whether requests are under way that were started at one moment."""
        return self._busy

    def tag(self) -> str:
        """A fresh text that marks what the run makes."""
        return self.target.tag()

    def secret(self, kind: str) -> str:
        """A fresh secret."""
        secret = self.target.secret(kind)
        self.secrets.append(secret)
        return secret

    def led_to(self, exchanges: Sequence[Exchange]) -> tuple[Exchange, ...]:
        """The exchanges with those before them that made, and last changed, the run's calendars that they speak of."""
        if not exchanges:
            return ()
        exchanges = self._with_group(exchanges)
        there = {exchange.number for exchange in exchanges}
        before: dict[int, Exchange] = {}
        for calendar_id, written in self._written.items():
            key = written[0].json.get("deduplication_key")
            names = [calendar_id, key] if isinstance(key, str) and len(key) >= _TELLING else [calendar_id]
            spoken = [exchange for exchange in exchanges if any(_speaks_of(exchange, name) for name in names)]
            if not spoken or written[0].number in there:
                continue
            earlier = [write for write in written if write.number < spoken[0].number and write.number not in there]
            for write in (*earlier[:1], *earlier[1:][-_CHANGES:]):
                before[write.number] = write
        return (*(before[number] for number in sorted(before)), *exchanges)

    def _with_group(self, exchanges: Sequence[Exchange]) -> Sequence[Exchange]:
        """The exchanges, and those that ran at the same moment as any of them."""
        numbers = {exchange.number for exchange in exchanges}
        groups = [group for group in self.groups if numbers & {exchange.number for exchange in group}]
        more = {exchange.number: exchange for group in groups for exchange in group}
        more |= {exchange.number: exchange for exchange in exchanges}
        return [more[number] for number in sorted(more)] if groups else exchanges

    def _count(self, *, failed: bool) -> None:
        for count in (self, self.here):
            count.sent += 1
            count.failed += failed

    def _note(self, exchange: Exchange) -> None:
        method = exchange.request.method
        made = created_id(exchange) if method == "POST" else None
        if made is not None:
            self._written.setdefault(made, []).append(exchange)
        elif method in ("PATCH", "DELETE") and exchange.status < 400:
            written = self._written.get(exchange.request.path.rpartition("/")[2])
            if written is not None:
                written.append(exchange)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)


class _Count(threading.local):
    """Requests of a thread."""

    sent = 0
    failed = 0


def _speaks_of(exchange: Exchange, text: str) -> bool:
    return text in exchange.request.path or text.encode() in (exchange.request.body or b"")
