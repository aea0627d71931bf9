"""A target with an eye on it: every exchange of the run is counted and held against the rules on all answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.run import Run, Target

Look: TypeAlias = Callable[[Run, Exchange], None]


class Watched:
    """Sends by way of another target; whatever else is asked of it is that target's."""

    def __init__(self, target: Target, run: Run, look: Look, after: Callable[[], object]) -> None:
        """`look` is called with every exchange, one at a time, and then `after`."""
        self.target = target
        self.writes, self.other_key = target.writes, target.other_key
        self.disabled_key, self.parallel = target.disabled_key, target.parallel
        self.sent = 0
        self._run, self._look, self._after = run, look, after
        self._one = threading.RLock()

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
            self.sent += 1
            self._look(self._run, exchange)
            self._after()
        return exchange

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Starts the calls at one moment."""
        return self.target.together(requests)

    def tag(self) -> str:
        """A fresh text that marks what the run makes."""
        return self.target.tag()

    def secret(self, kind: str) -> str:
        """A fresh secret."""
        return self.target.secret(kind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)
