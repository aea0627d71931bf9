"""Opens a target: what a run may do there is settled here, before its first request."""

from __future__ import annotations

import contextlib
import math
import secrets as chance
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mockserver.conformance import guard
from mockserver.conformance.budget import Budget
from mockserver.conformance.ledger import FOLDER, Ledger
from mockserver.conformance.preflight import Untestable, check_url
from mockserver.conformance.transport import App, AsgiTarget, HttpTarget, Keys, Transport

IN_PROCESS = "in process"


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

    @property
    def url(self) -> str | None:
        """The base URL, None in process. Raises Untestable."""
        return base_of(self.target) if isinstance(self.target, str) else None

    @property
    def shown(self) -> str:
        """What reports call it."""
        return self.url or IN_PROCESS

    @property
    def live(self) -> bool:
        """Whether it is somebody's service and not a mock on this machine."""
        return self.url is not None and not guard.is_loopback(self.url)


@contextlib.contextmanager
def opened(access: Access, *, ledger: Ledger | None = None) -> Iterator[Transport]:
    """The target for as long as the block lasts. Raises Untestable where nothing may or can be sent."""
    url = access.url
    if not access.key:
        raise Untestable("no key was given; set ATTENDEE_API_KEY or give --token")
    if url is not None:
        _keep_off_production(url, access.production_host)
    run = chance.token_hex(5)
    here = not access.live
    writes = here if access.write is None else access.write
    parallel = here if access.parallel is None else access.parallel
    if ledger is None:
        path = FOLDER / f"{run}.jsonl" if url is not None and writes else None
        try:
            ledger = Ledger(run, access.shown, path)
        except OSError as error:
            raise Untestable(f"cannot write the ledger {path}: {error.strerror}; run where files can be written") from error
    budget = Budget(
        clock=time.monotonic,
        sleep=time.sleep,
        seconds=math.inf if access.seconds is None else access.seconds,
        requests=access.requests,
        rate=access.rate,
        patient=here,
    )
    keys = Keys(access.key, access.other_key or None, access.disabled_key or None)
    limits = guard.Limits(writes=writes, live=access.live)
    target: Transport
    if isinstance(access.target, str):
        target = HttpTarget(str(url), keys, limits, budget, ledger, parallel=parallel)
    else:
        target = AsgiTarget(access.target, keys, limits, budget, ledger, parallel=parallel)
    try:
        yield target
    finally:
        target.close()
        ledger.close(clean=not ledger.left and not ledger.intents)


def base_of(url: str) -> str:
    """Scheme and host; the path of the API, which people copy with it, is taken off. Raises Untestable."""
    base = url.rstrip("/").removesuffix("/calendars").removesuffix("/api/v1")
    check_url(base)
    return base


def _keep_off_production(url: str, named: str | None) -> None:
    host = url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    if guard.is_production(url) and (named or "").lower() != host:
        raise Untestable(f"{host} is a production host; if you mean it, name it: --production-host {host}")


def known_ledgers(folder: Path = FOLDER) -> list[Path]:
    """The ledgers that lie here."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
