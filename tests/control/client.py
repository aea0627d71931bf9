"""Two ways to send control requests: through the mock's application, and straight to the handler of a route."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from mockserver.app import Mock
from mockserver.control.errors import Refused
from mockserver.control.routes import Call, Reply, RouteTable
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import SubscriptionRefused
from mockserver.domain.upstream_schema import BadInput
from tests.clients import Answered, in_process


class Controls:
    """Sends requests under /__mock__/, with a key or without."""

    def __init__(self, mock: Mock, key: str | None = None) -> None:
        self._send = in_process(mock)
        self.key = key

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """Bytes are sent as they are, everything else as JSON."""
        sent = {} if self.key is None else {"authorization": f"Token {self.key}"}
        raw = body
        if body is not None:
            sent["content-type"] = "application/json"
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Answered(self._send(method, f"/__mock__/{path}", sent, raw))


def new_project(mock: Mock, **fields: Any) -> Controls:
    """The controls of a throw-away project that was just made."""
    return Controls(mock, Controls(mock)("POST", "projects", fields).body["api_key"])


class DirectControls:
    """Calls the handlers of a mock's control routes for its first project; errors come as exceptions."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.project: Project = mock.store.projects[0]
        self.syncs = mock._syncs
        self._table = RouteTable(mock.routes)

    async def ask(self, method: str, path: str, /, **body: Any) -> Reply:
        """Sends a request for a path below /__mock__; what the route does not take fails the test."""
        target, _, query = f"/__mock__{path}".partition("?")
        found = self._table.find(target)
        assert found is not None, f"no route for {path}"
        methods, names = found
        route = methods[method]
        parameters = dict(parse_qsl(query, strict_parsing=True)) if query else {}
        assert parameters.keys() <= route.query
        assert route.fields is None or body.keys() <= route.fields
        assert body.keys() >= route.required
        reply = await route.handler(Call(self.project, names, parameters, body))
        json.dumps(reply.body)
        return reply

    def __call__(self, method: str, path: str, /, **body: Any) -> Any:
        """The body of the answer to a request in an event loop of its own."""

        async def run() -> Reply:
            reply = await self.ask(method, path, **body)
            await self.settle()
            return reply

        return asyncio.run(run()).body

    def refused(self, method: str, path: str, /, **body: Any) -> str:
        """The field for which a request is refused."""
        try:
            self(method, path, **body)
        except (Refused, BadInput, SubscriptionRefused) as problem:
            return problem.field
        raise AssertionError("it was not refused")

    async def settle(self) -> None:
        """Does what is due, and closes the worker."""
        await self.mock.worker.settle(self.project)
        await self.mock.worker.aclose()
        self.mock.worker.start()
