"""Builds a mock: every part of it is made and wired here, in plain code, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import partial
from random import Random
from typing import Any

from mockserver.api.auth import Throttle, TokenSecurity
from mockserver.api.contract import Schemas
from mockserver.api.gateway import Gateway
from mockserver.api.handlers import Handlers
from mockserver.api.incoming import App, Exchange
from mockserver.api.sealing import Sealer
from mockserver.control.routes import DOCS, OPENAPI, Control
from mockserver.domain.clock import Clock, WallClock
from mockserver.domain.service import Service
from mockserver.domain.store import Project, Store
from mockserver.framework import Resolver, SwaggerUIMiddleware, make_stack
from mockserver.seed import load_fixtures
from mockserver.settings import Settings
from mockserver.spec import data_path, load_contract


class Mock:
    """One stand-in with a state of its own; `asgi` is the application. Two in one process never meet."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        projects: Iterable[Project] | None = None,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        """A mock with these settings, and the projects given or else those of the fixtures.

        `observe` is called with every finished exchange under /api/v1/. Raises FixtureError for broken fixtures.
        """
        self.settings = settings or Settings()
        self.clock = clock or WallClock()
        self._random = Random()
        contract = load_contract()
        if projects is None:
            fixtures = self.settings.fixtures or data_path("fixtures/default.yaml")
            projects = load_fixtures(fixtures, self.clock.now())
        self.store = Store(projects)
        self.service = Service(self.clock, self._random, longest=_longest(contract))
        schemas = Schemas(contract)
        gateway = partial(
            Gateway,
            schemas=schemas,
            security=TokenSecurity(self.store),
            throttle=Throttle(self.clock, self.settings.post_rate),
            find=self.service.get_calendar,
            strict=self.settings.strict,
            max_body=self.settings.max_body,
            observe=observe,
        )
        handlers = Handlers(self.service, Sealer(schemas))
        self.asgi: App = make_stack(
            # A copy, for Connexion writes what references lead to into the document that it is given.
            deepcopy(contract),
            [partial(Control, reset=self.reset, store=self.store), gateway, SwaggerUIMiddleware],
            Resolver(lambda operation_id: getattr(handlers, _snake_case(operation_id))),
            docs=DOCS,
            document=OPENAPI,
        )
        self.reset()

    def reset(self) -> None:
        """Everything back to the fixtures: state, counters, and what new ids are drawn from."""
        self._random.seed(self.settings.random_seed)
        self.store.reset()


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _longest(contract: dict[str, Any]) -> dict[str, int]:
    """The most characters of each field of a new calendar, where the contract has a limit."""
    fields = contract["components"]["schemas"]["CalendarCreate"]["properties"]
    return {name: rule["maxLength"] for name, rule in fields.items() if "maxLength" in rule}
