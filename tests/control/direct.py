"""The mock's controls without their dispatcher: a request goes straight to the handler of its route."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from mockserver.app import Mock
from mockserver.control.aftermath import Aftermath
from mockserver.control.calendars import Calendars
from mockserver.control.journal_routes import JournalRoutes
from mockserver.control.refusal import Refused
from mockserver.control.routing import Call, Reply, Route
from mockserver.control.webhooks import Webhooks
from mockserver.control.witness import Witness
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import SubscriptionRefused, UrlRules
from mockserver.domain.upstream_schema import BadInput

OPERATIONS = ("createCalendar", "updateCalendar", "deleteCalendar", "getCalendar", "listCalendars")


class Controls:
    """The controls of one mock and its first project."""

    def __init__(self, mock: Mock, *, https_only: bool = False) -> None:
        self.mock = mock
        self.project: Project = mock.store.projects[0]
        self.witness = Witness()
        aftermath = Aftermath(mock.store, self.witness)
        self.routes: list[Route] = [
            *Calendars(mock.world, mock.service, mock.worker, self.witness, aftermath).routes(),
            *Webhooks(mock.journals.secrets, mock.worker, UrlRules(https_only=https_only), mock._waits).routes(),
            *JournalRoutes(mock.journals, mock.faults, mock.explainer, aftermath, OPERATIONS).routes(),
        ]

    async def ask(self, method: str, path: str, /, **body: Any) -> Reply:
        """Sends a request for a path below /__mock__; what it must not bring fails the test."""
        target, _, query = f"/__mock__{path}".partition("?")
        for route in self.routes:
            match = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(route.template)), target)
            if match is None or route.method != method:
                continue
            parameters = dict(parse_qsl(query, strict_parsing=True)) if query else {}
            assert parameters.keys() <= route.query
            assert route.fields is None or body.keys() <= route.fields
            assert body.keys() >= route.required
            names = {name: unquote(value) for name, value in match.groupdict().items()}
            reply = await route.handler(Call(self.project, names, parameters, body))
            json.dumps(reply.body)
            return reply
        raise AssertionError(f"no route for {method} {path}")

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
        """Does what is due, as the witness sees it, and closes the worker."""
        for happening in await self.mock.worker.settle(self.project):
            self.witness.see(self.project, happening)
        await self.mock.worker.aclose()
        self.mock.worker.start()
