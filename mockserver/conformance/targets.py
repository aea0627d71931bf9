"""Targets: a deployment at a URL, and an application in this process."""

from __future__ import annotations

import secrets
from pathlib import Path

from mockserver.conformance.asgi import AsgiWire
from mockserver.conformance.budget import Budget
from mockserver.conformance.connection import DIRECT, Connection
from mockserver.conformance.guard import Limits, is_loopback
from mockserver.conformance.ledger import Ledger
from mockserver.conformance.transport import Keys, Transport
from mockserver.conformance.wires import App, HttpWire


class HttpTarget(Transport):
    """A deployment at a URL."""

    def __init__(
        self,
        url: str,
        keys: Keys,
        *,
        writes: bool | None = None,
        parallel: bool | None = None,
        budget: Budget | None = None,
        folder: Path | None = None,
        run: str | None = None,
        connection: Connection = DIRECT,
    ) -> None:
        """`writes` and `parallel` are on for this machine and off for others unless given; `folder`: for the ledger.

        Raises OSError where no ledger can be written, and Untestable where a certificate cannot be used.
        """
        self.url = url.rstrip("/")
        # A proxy has its own idea of what localhost is.
        local = is_local(url) and connection.proxy is None
        run = run or fresh_run()
        super().__init__(
            HttpWire(url, connection),
            keys,
            "loopback" if local else "remote",
            budget or Budget(),
            Ledger(run, self.url, folder / f"{run}.jsonl" if folder is not None else None),
            writes=local if writes is None else writes,
            parallel=local if parallel is None else parallel,
            connection=connection,
        )


class AsgiTarget(Transport):
    """An application in process."""

    def __init__(
        self,
        app: App,
        keys: Keys,
        limits: Limits | None = None,
        *,
        writes: bool = True,
        parallel: bool = True,
        budget: Budget | None = None,
        run: str | None = None,
    ) -> None:
        """It may be written to, unless `limits` or `writes` say otherwise."""
        super().__init__(
            AsgiWire(app),
            keys,
            "in process",
            budget or Budget(failures=None),
            Ledger(run or fresh_run(), "in process"),
            writes=writes and (limits is None or limits.writes),
            parallel=parallel,
        )
        self.url = "in process"


def fresh_run() -> str:
    """The mark of a new run."""
    return secrets.token_hex(6)


def is_local(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return is_loopback(url)
