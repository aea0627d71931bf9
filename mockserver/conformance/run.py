"""A run of the judge: what its parts are given, and the order in which they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Protocol, TypeVar

from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import Expectation
from mockserver.conformance.findings import Findings
from mockserver.conformance.origins import Memory, Patience

_Shared = TypeVar("_Shared")


class Target(Protocol):
    """Where requests go. It enforces what the run may do, whatever a part asks for."""

    writes: bool
    """Whether the run may create calendars, and change and delete those that it created."""
    other_key: bool
    disabled_key: bool
    parallel: bool

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
        """Sends a request and gives the exchange; `json` is sent as UTF-8 JSON with its Content-Type.

        Raises Stopped when the budget is used up or the run has to end, and Forbidden for what the run may not do (a
        change to something that it did not make): parts let Stopped through and need not catch Forbidden if they only
        touch what `created` gave them.
        """
        ...

    def send_bytes(self, data: bytes, *, cut: bool = False) -> Exchange:
        """Sends bytes that are no request, where `takes_bytes`; `cut`: and nothing more. Raises as `send`."""
        ...

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Starts the calls at one moment, each from a thread of its own, and gives the exchanges in the same order."""
        ...

    def tag(self) -> str:
        """A fresh text, unique within and across runs, that marks what this run makes (usable as deduplication key)."""
        ...

    def secret(self, kind: str) -> str:
        """A fresh text to use as client_secret or refresh_token; masked in every output from now on."""
        ...


class Stopped(Exception):
    """The run is over: budget used up, interrupted, or the target is failing. The text says why."""


INTERRUPTED = "interrupted"
"""The text of Stopped when somebody pressed Ctrl-C."""


class Forbidden(Exception):
    """The transport refused to send a request that the run may not make."""


def _nothing() -> None:
    pass


def _one_by_one(calls: Sequence[Callable[[], object]]) -> None:
    for call in calls:
        call()


class Run:
    """What a part of the judge is given."""

    def __init__(
        self, target: Target, contract: Mapping[str, Any], *, random: Random, share: Callable[[], float]
    ) -> None:
        """`contract` is openapi.yaml as it is written; `share` tells the seconds that the part may still use.

        Without a time box they are infinite: each part then ends by its own number of requests.
        """
        self.target = target
        self.contract = contract
        self.random = random
        self.share = share
        self.findings = Findings()
        self.memory = Memory()
        self.patience = Patience()
        self.held: Callable[[], float] = lambda: 0.0
        """Seconds that a POST would have to wait, for the run to keep below its share of the service's limit."""
        self.at_once: Callable[[Sequence[Callable[[], object]]], object] = _one_by_one
        """Makes calls of which none looks at what another one changes: one after the other, or as many as may be."""
        self._shared: dict[Callable[[Run], Any], Any] = {}

    def shared(self, made: Callable[[Run], _Shared]) -> _Shared:
        """What several checks work with, such as a calendar or what is known of the lists; made at the first call."""
        if made not in self._shared:
            self._shared[made] = made(self)
        found: _Shared = self._shared[made]
        return found

    def clear(self) -> None:
        """Deletes the calendars that the checks share; whoever asks for one again makes a new one."""
        for one in self._shared.values():
            if one is not self:
                getattr(one, "clear", _nothing)()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """The block imports or builds what a part needs: the runner does not charge its time to the part."""
        yield

    def record(
        self,
        rule: str,
        seen: str,
        expectation: Expectation,
        *,
        operation: str,
        exchanges: Sequence[Exchange],
        field: str = "",
    ) -> bool:
        """Records one test of a rule; see Findings.record."""
        return self.findings.record(
            rule,
            seen,
            expectation,
            operation=operation,
            exchanges=exchanges,
            field=field,
            raced=bool(getattr(self.target, "racing", False)),
        )
