"""Opens a target: what a run may do there is settled here, before its first request."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from mockserver.conformance.budget import Budget
from mockserver.conformance.connection import DIRECT, Connection, completed
from mockserver.conformance.preflight import Untestable, check_host, check_url
from mockserver.conformance.targets import AsgiTarget, HttpTarget, is_local
from mockserver.conformance.transport import Keys
from mockserver.conformance.wires import App

IN_PROCESS: Final = "in process"
FOLDER: Final = Path(".attendee-conformance")
"""Where the ledgers of runs that write lie until all is taken away again."""
_PATIENCE: Final = 3
"""After so many failing operations in a row a run on another machine stops."""
Opened: TypeAlias = HttpTarget | AsgiTarget


class Access(NamedTuple):
    """How to get at a target, and how far a run may go there."""

    target: str | App
    key: str | None = None
    other_key: str | None = None
    disabled_key: str | None = None
    write: bool | None = None
    """None: only on this machine."""
    parallel: bool | None = None
    """None: only on this machine."""
    production_host: str | None = None
    seconds: float | None = None
    requests: int | None = None
    rate: float | None = None
    connection: Connection = DIRECT
    environment: Mapping[str, str] = os.environ
    """Where further headers, certificates and the proxy are looked up."""

    @property
    def shown(self) -> str:
        """What reports call the target. Raises Untestable."""
        return base_of(self.target) if isinstance(self.target, str) else IN_PROCESS


@contextlib.contextmanager
def opened(access: Access, *, run: str | None = None) -> Iterator[Opened]:
    """The target for as long as the block lasts; `run` goes on with an earlier one's mark.

    Raises Untestable where nothing may be sent.
    """
    keys = keys_of(access)
    if not isinstance(access.target, str):
        budget = Budget(seconds=access.seconds, requests=access.requests, rate=access.rate, failures=None)
        writes, parallel = access.write is not False, access.parallel is not False
        with AsgiTarget(access.target, keys, writes=writes, parallel=parallel, budget=budget, run=run) as target:
            yield target
        return
    url = base_of(access.target)
    check_host(url, access.production_host)
    connection = completed(access.connection, url, access.environment)
    here = is_local(url) and connection.proxy is None
    writes = here if access.write is None else access.write
    budget = Budget(
        seconds=access.seconds, requests=access.requests, rate=access.rate, failures=None if here else _PATIENCE
    )
    try:
        opening = HttpTarget(
            url,
            keys,
            writes=writes,
            parallel=access.parallel,
            budget=budget,
            folder=FOLDER if writes else None,
            run=run,
            connection=connection,
        )
    except OSError as error:
        raise Untestable(
            f"cannot write into {FOLDER}: {error.strerror}; run the command in a folder that you can write to"
        ) from error
    with opening as target:
        target.rate = access.rate
        yield target


def keys_of(access: Access) -> Keys:
    """The keys that were given. Raises Untestable without the project's own."""
    if not access.key:
        raise Untestable("the API key is missing; set ATTENDEE_API_KEY, or give --token")
    return Keys(access.key, access.other_key or None, access.disabled_key or None)


def base_of(url: str) -> str:
    """Scheme, host and the path before the API's own, which people copy with it. Raises Untestable."""
    base = url.rstrip("/").removesuffix("/calendars").removesuffix("/api/v1").rstrip("/")
    check_url(base)
    return base
