"""What the tests of the rules about sequences share: a mock, a mutant in it, and a part of the judge run over it."""

from __future__ import annotations

import asyncio
import json as jsons
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from urllib.parse import unquote

from mockserver.api.incoming import App
from mockserver.app import Mock
from mockserver.conformance.exchange import Exchange, Key, Request
from mockserver.conformance.run import Run
from mockserver.settings import Settings
from mockserver.spec import load_contract
from tests.clients import ACME, GLOBEX
from tests.conftest import RECORDED
from tests.mutants.mutant import Mutant

Part = Callable[[Run], None]


class Direct:
    """An application in this process, without any of the transport's care: these tests are not about it."""

    def __init__(self, app: App, keys: Mapping[Key, str | None], *, writes: bool = True) -> None:
        self.writes = writes
        self.other_key = keys.get("other") is not None
        self.disabled_key = False
        self.parallel = True
        self.journal: list[Exchange] = []
        self._app, self._keys = app, keys
        self._names = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the application's thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

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
        """Calls the application."""
        given = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        if json is not None:
            body = jsons.dumps(json, ensure_ascii=False).encode()
            given.append(("Content-Type", "application/json"))
        assert self.writes or method == "GET", "a run that only reads has sent something else"
        request = Request(method, path, tuple(given), body, key)
        exchange = asyncio.run_coroutine_threadsafe(self._call(request), self._loop).result()
        self.journal.append(exchange)
        return exchange

    async def _call(self, request: Request) -> Exchange:
        path, _, query = request.path.partition("?")
        headers = [(b"host", b"127.0.0.1:8000")]
        headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers]
        if request.key is not None:
            headers.append((b"authorization", f"Token {self._keys[request.key]}".encode()))
        scope = {"type": "http", "method": request.method, "scheme": "http", "http_version": "1.1", "root_path": ""}
        scope |= {"path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "headers": headers}
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": request.body or b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        started = time.time()
        await self._app(scope, receive, send)
        answered = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
        text = b"".join(message.get("body", b"") for message in sent[1:])
        seconds = time.time() - started
        return Exchange(len(self.journal) + 1, request, sent[0]["status"], answered, text, started, seconds)

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        """Sends from a thread for each."""
        gate = threading.Barrier(len(requests))

        def go(request: Callable[[], Exchange]) -> Exchange:
            gate.wait()
            return request()

        with ThreadPoolExecutor(len(requests)) as threads:
            return list(threads.map(go, requests))

    def tag(self) -> str:
        """A text that this run has not used."""
        self._names += 1
        return f"conformance-run-{self._names}"

    def secret(self, kind: str) -> str:
        """A text that this run has not used."""
        return f"{kind}-{self.tag()}"


def judged(
    part: Part,
    mutant: Mutant | None = None,
    *,
    key: str = ACME,
    other: str | None = GLOBEX,
    seed: int = 1,
    seconds: float = 30.0,
    writes: bool = True,
) -> tuple[Run, Mock, Direct]:
    """The run of one part over the recorded data, the mock that it was run against, and what was sent."""
    mock = Mock(Settings(fixtures=RECORDED / "seed.json"))
    target = Direct(mock.asgi if mutant is None else mutant.apply(mock), {"main": key, "other": other}, writes=writes)
    until = time.monotonic() + seconds
    run = Run(target, load_contract(), random=Random(seed), share=lambda: until - time.monotonic())
    try:
        part(run)
    finally:
        target.close()
    return run, mock, target


def told(run: Run) -> set[tuple[str, str, str]]:
    """The findings of a run."""
    return set(run.findings.broken)


def mutant_of(mutants: Sequence[Mutant], name: str) -> Mutant:
    """The mutant of this name."""
    return next(mutant for mutant in mutants if mutant.id == name)


def calendars(mock: Mock) -> dict[str, list[str]]:
    """The calendars of every project."""
    return {
        project.name: sorted(calendar.id for calendar in project.state.calendars) for project in mock.store.projects
    }
