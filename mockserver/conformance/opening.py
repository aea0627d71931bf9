"""Opens a target: whether it can be tested at all, and what a run may do there, is settled before anything else."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from mockserver.conformance.budget import Budget
from mockserver.conformance.connection import DIRECT, Connection, completed
from mockserver.conformance.connection import Untestable as Untestable
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.guard import CALENDARS, EVENTS, is_production
from mockserver.conformance.list_pages import ids_in
from mockserver.conformance.run import Stopped
from mockserver.conformance.targets import AsgiTarget, HttpTarget, is_local
from mockserver.conformance.transport import Keys, Transport
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
            target.rate = access.rate
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


_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


class Preflight(NamedTuple):
    """What the first requests showed."""

    calendars: int
    """On the first page of the project."""
    other_calendars: int | None = None


def check_url(url: str) -> None:
    """Raises Untestable for what is no URL of a deployment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Untestable(f"{url!r} is not a URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Untestable(f"{url!r} is not the URL of a deployment; write scheme and host, e.g. https://staging.example")
    if parts.username is not None or parts.password is not None:
        raise Untestable(
            "the URL contains a user name or a password; remove them, and give the key in ATTENDEE_API_KEY"
        )
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path) or "/../" in f"{parts.path}/":
        raise Untestable(
            f"{url!r} has more than scheme, host and path; write e.g. {parts.scheme}://{parts.netloc}/attendee"
        )


def check_host(url: str, allowed_production: str | None) -> None:
    """Raises Untestable for a production host that was not named on purpose."""
    host = (urlsplit(url).hostname or "").lower()
    if is_production(url) and (allowed_production or "").lower() != host:
        raise Untestable(f"{host} is a production host; to test it, add --production-host {host}")


def preflight(target: Transport) -> Preflight:
    """Asks for the list of calendars with each key. Raises Untestable."""
    first = _asked(target, CALENDARS)
    if first.status >= 500 and _asked(target, EVENTS).status >= 500:
        raise Untestable(
            f"the target answers {first.status} to every plain request; look at its log, and start it again"
        )
    ours = _ids(first, "API key", "the key of a project in ATTENDEE_API_KEY")
    if not target.other_key:
        return Preflight(len(ours))
    if target.keys.other == target.keys.main:
        raise Untestable("both API keys are the same; set ATTENDEE_OTHER_API_KEY to a key of another project")
    other = _asked(target, CALENDARS, "other")
    theirs = _ids(other, "other API key", "the key of another project in ATTENDEE_OTHER_API_KEY")
    return Preflight(len(ours), len(theirs))


def _asked(target: Transport, path: str, key: Key = "main") -> Exchange:
    """The answer to a GET; after a 429 that to a second one, which the budget delays as the target asks."""
    try:
        exchange = target.send("GET", path, key=key)
        return target.send("GET", path, key=key) if exchange.status == 429 else exchange
    except Stopped as reason:
        raise Untestable(str(reason)) from None


def _ids(exchange: Exchange, key: str, advice: str) -> list[str]:
    """The ids of a page of calendars. Raises Untestable for what is no such page."""
    status, page = exchange.status, exchange.json
    if status == 0:
        raise Untestable(f"the target does not answer: {exchange.failure}")
    if 300 <= status < 400:
        raise Untestable(
            f"{CALENDARS} redirects ({status} to {exchange.headers.get('location', 'nowhere')[:200]}); give that URL"
        )
    if status == 429:
        raise Untestable("the target answers 429 although the run waited as Retry-After says; try again later")
    if status == 401 or (status == 403 and isinstance(page, dict)):
        raise Untestable(f"the target rejects the {key} ({status}); give {advice}")
    if status < 500 and not _is_page(status, page):
        kind = exchange.headers.get("content-type", "no type")
        raise Untestable(
            f"this is not an Attendee API: {CALENDARS} answers {status} with {kind[:80]}, not a page of calendars in "
            "JSON; check the URL"
        )
    return ids_in(exchange)


def _is_page(status: int, page: object) -> bool:
    """Whether an answer is recognizably a page, right or wrong in its details."""
    return status < 300 and isinstance(page, dict) and bool({"results", "next", "previous"} & page.keys())
