"""The two deployments. This is the only module that uses the judge: its transport, guard, ledger and cleanup."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from mockserver.conformance.cleanup import clean_up
from mockserver.conformance.connection import Connection
from mockserver.conformance.guard import is_loopback
from mockserver.conformance.opening import Access, Untestable, opened, preflight
from mockserver.conformance.run import Forbidden, Stopped
from mockserver.conformance.transport import Transport
from mockserver.conformance.wires import App
from mockserver.differential.steps import Answer, Step

MARK = "RUN"
"""What replaces the mark of a run, which is another one on each side."""


class NotComparable(Exception):
    """The two cannot be compared; the text says why and what to do."""


class Place(NamedTuple):
    """One deployment: a URL, or an ASGI application in this process, and an API key of a project there."""

    target: str | App
    key: str | None
    production_host: str | None = None
    """The host, if it is a production host and that is intended."""

    @property
    def live(self) -> bool:
        """Whether it is on another machine, where others may use it."""
        return isinstance(self.target, str) and not is_loopback(self.target)


class Side:
    """One of the two deployments, open."""

    def __init__(self, name: str, transport: Transport) -> None:
        self.name = name
        self.host = transport.host
        self._transport = transport

    @property
    def run(self) -> str:
        """The mark that everything carries which the run creates on this side."""
        return self._transport.run_id

    @property
    def keys(self) -> dict[str, str]:
        """The API key, and others that are nearly the same, as variables."""
        key = self._transport.keys.main
        return {"key": key, "key_swapped": key.swapcase(), "key_cut": key[:-1]}

    @property
    def made(self) -> frozenset[str]:
        """The ids of the calendars that the run created on this side."""
        return self._transport.created

    def tag(self) -> str:
        """A new text with the mark of the run."""
        return self._transport.tag()

    def mask(self, text: str) -> str:
        """The text without secrets, and with the same mark on both sides."""
        return self._transport.mask(text).replace(self.run, MARK)

    def send(self, step: Step) -> Answer:
        """Sends a request whose variables are filled in.

        Raises Forbidden for what the run must not send, and NotComparable when the run has to end.
        """
        try:
            found = self._transport.send(
                step.method, step.path, body=step.body, headers=step.headers, key="main" if step.key else None
            )
        except Stopped as reason:
            raise NotComparable(f"{self.name}: the run stopped: {reason}") from None
        return Answer(found.status, found.headers, found.body, found.failure)

    def clean_up(self) -> list[str]:
        """Deletes everything that the run created; what is left, a line each with the reason."""
        return [f"{self.name}: {self._transport.mask(line)}" for line in clean_up(self._transport)]


@contextlib.contextmanager
def both(
    a: Place, b: Place, *, write: bool, rate: float | None = None, timeout: float = 10.0
) -> Iterator[tuple[Side, Side]]:
    """The two sides for as long as the block lasts. Without `write`, nothing but reads is sent to either.

    `rate` is the most requests per second to each, `timeout` the seconds that one may take. Raises NotComparable if one
    of them is no such API, does not answer, or rejects its key.
    """
    if write and a == b:
        raise NotComparable("A and B are the same project; with --write, each side needs a project of its own")
    with contextlib.ExitStack() as stack:
        sides = []
        for name, place in (("A", a), ("B", b)):
            access = Access(
                place.target,
                place.key,
                write=write,
                parallel=False,
                production_host=place.production_host,
                rate=rate,
                connection=Connection(timeout=timeout),
            )
            try:
                transport = stack.enter_context(opened(access))
                preflight(transport)
            except Untestable as reason:
                raise NotComparable(f"{name}: {reason}") from None
            except Stopped as reason:
                raise NotComparable(f"{name}: the run stopped: {reason}") from None
            sides.append(Side(name, transport))
        yield sides[0], sides[1]


__all__ = ["MARK", "Forbidden", "NotComparable", "Place", "Side", "both"]
