"""Builds a mock: creates and connects all its parts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

from mockserver.api.auth import Throttle, TokenSecurity
from mockserver.api.bots import BotBodies, BotHandlers
from mockserver.api.contract import Schemas, schemas_of
from mockserver.api.fault_injection import GatewayHooks
from mockserver.api.gateway import Gateway
from mockserver.api.handlers import Handlers
from mockserver.api.rendered_records import RecordRenderer
from mockserver.api.request import App, Exchange
from mockserver.connexion_stack import Resolver, make_stack
from mockserver.contracts import BOTS, CONTROL, WEBHOOKS, contract_text, data_path, load_contract
from mockserver.control.calendar_routes import CalendarRoutes
from mockserver.control.clock_routes import ClockRoutes
from mockserver.control.cors import Cors
from mockserver.control.dispatch import ControlApp
from mockserver.control.docs_routes import DocsRoutes
from mockserver.control.explain import Explainer
from mockserver.control.faults import Faults
from mockserver.control.guard import Guard
from mockserver.control.journal import Bounds, Journals
from mockserver.control.journal_routes import JournalRoutes
from mockserver.control.page_routes import PageRoutes
from mockserver.control.project_lifecycle import ProjectLifecycle
from mockserver.control.project_routes import FixtureRoutes, ProjectRoutes
from mockserver.control.routes import Route
from mockserver.control.snapshot_routes import SnapshotRoutes
from mockserver.control.timeline import Timelines
from mockserver.control.timeline_routes import TimelineRoutes
from mockserver.control.waits import Waits
from mockserver.control.webhook_diagnosis import LatestSyncs, WebhookDiagnosis
from mockserver.control.webhook_routes import WebhookRoutes
from mockserver.delivery.dispatcher import Dispatcher
from mockserver.delivery.http_client import HttpClient
from mockserver.delivery.worker import Worker
from mockserver.domain.activity import Activity
from mockserver.domain.bot_service import BotService
from mockserver.domain.calendar_service import CalendarService
from mockserver.domain.clock import Clock, WallClock
from mockserver.domain.store import Project, Store
from mockserver.domain.subscriptions import UrlRules
from mockserver.domain.sync_scheduler import SyncScheduler
from mockserver.fixtures_io import load_fixtures
from mockserver.settings import Settings


class Mock:
    """One stand-in with a state of its own; `asgi` is the application. Two in one process never meet."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        projects: Iterable[Project] | None = None,
        observe: Callable[[Exchange], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """A mock with these settings, and the projects given or else those of the fixtures.

        `observe` is called with every finished exchange under /api/v1/; `sleep` is what a fault waits with, in seconds.
        Raises FixtureError for broken fixtures.
        """
        self.settings = settings or Settings()
        self.clock = clock or WallClock()
        texts = contract_text(), contract_text(BOTS)
        contract, bots = map(json.loads, texts)
        schemas, bot_schemas = map(schemas_of, texts)
        if projects is None:
            fixtures = self.settings.fixtures or data_path("fixtures/default.yaml")
            projects = load_fixtures(fixtures, self.clock.now(), self.settings.sync)
        self.store = Store(projects, self.clock, self.settings.random_seed)
        self._waits = Waits()
        self.journals = Journals(self.store, self.clock, Bounds(entries=self.settings.journal), self._waits)
        self._timelines = Timelines(self.journals, self._waits, sleep)
        documents = {"openapi.yaml": contract, "bots.yaml": bots}
        self.faults = Faults(set().union(*map(_operations, documents.values())))
        self.explainer = Explainer(documents, self.journals, self.store)
        self._syncs = LatestSyncs()
        self.sync_scheduler = SyncScheduler()
        dispatcher = Dispatcher(
            HttpClient(), find_fault=self.faults.find_for_delivery, public_only=self.settings.public_webhooks
        )
        self.worker = Worker(
            self.store,
            self.sync_scheduler,
            dispatcher,
            first_webhook=self.settings.first_webhook,
            observe=self._observe_activity,
        )
        for project in self.store.projects:
            self.sync_scheduler.rearm(project)
        self.guard = Guard(self.settings.control_token, self.settings.cors)
        self._snapshots = SnapshotRoutes(self.worker)
        forget = (self.journals.drop, self._syncs.forget, self._snapshots.forget)
        self._lifecycle = ProjectLifecycle(self.store, self.sync_scheduler, self.worker, self.faults, forget)
        self._projects = ProjectRoutes(self.store, self._lifecycle, self.clock, self.settings)
        self.calendar_service = CalendarService(
            longest=_longest(schemas, "CalendarCreate"), watcher=self.sync_scheduler
        )
        self.bot_service = BotService(longest=_longest(bot_schemas, "BotCreate"))
        bodies = BotBodies(self.bot_service)
        gateway = partial(
            Gateway,
            security=TokenSecurity(self.store),
            throttle=Throttle(self.settings.post_rate),
            find={"updateCalendar": self.calendar_service.get_calendar, "updateBot": self.bot_service.get_bot},
            readers={"createBot": bodies.read_new, "updateBot": bodies.read_changes},
            strict=self.settings.strict,
            max_body=self.settings.max_body,
            hooks=GatewayHooks(
                self.journals.record, observe, self.faults, sleep, self.worker.before_response, self.worker.wake
            ),
        )
        renderer = RecordRenderer(schemas, bot_schemas)
        handlers = (Handlers(self.calendar_service, renderer), BotHandlers(self.bot_service, renderer))
        self.routes = self._routes(contract, bots)
        control = partial(
            ControlApp,
            routes=self.routes,
            store=self.store,
            guard=self.guard,
            timelines=self._timelines,
            begin=self._begin,
            end=self._end,
        )
        stack: App = make_stack(texts, [control, gateway], Resolver(partial(_handler, handlers)))
        self.asgi: App = Cors(stack, self.settings.cors) if self.settings.cors else stack

    def _routes(self, contract: dict[str, Any], bots: dict[str, Any]) -> list[Route]:
        """What the controls can do, group by group."""
        documents: dict[str, Callable[[], dict[str, Any]]] = {
            "openapi": lambda: contract,
            "bots": lambda: bots,
            "control": cache(partial(load_contract, CONTROL)),
            "webhooks": cache(partial(load_contract, WEBHOOKS)),
        }
        diagnosis = WebhookDiagnosis(self.store, self._syncs)
        groups = (
            DocsRoutes(self.store, documents),
            PageRoutes(),
            TimelineRoutes(self._timelines),
            self._projects,
            self._snapshots,
            FixtureRoutes(self._lifecycle, self.guard),
            ClockRoutes(self.worker),
            CalendarRoutes(self.sync_scheduler, self.calendar_service, self.worker, self._record_sync, diagnosis),
            WebhookRoutes(
                self.journals.secrets, self.worker, UrlRules(https_only=self.settings.https_webhooks), self._waits
            ),
            JournalRoutes(
                self.journals, self.faults, self.explainer, diagnosis, _operations(contract) | _operations(bots)
            ),
        )
        return [route for group in groups for route in group.routes()]

    def reset(self) -> None:
        """Everything back to the fixtures: state, counters, and what new ids are drawn from; no faults are left.

        Projects that were made since are gone, and so are their keys.
        """
        self._projects.reset_all()

    def end_waits(self) -> None:
        """Answers all requests that wait (`wait=`), now and until the server has stopped, with what there is.

        A server calls it when it begins to stop; it may do so in any thread.
        """
        self._waits.close()

    def _begin(self) -> None:
        self._waits.open()
        self.worker.start()

    async def _end(self) -> None:
        await self.worker.aclose()
        self._waits.open()

    def _observe_activity(self, project: Project, activity: Activity) -> None:
        self.journals.record_attempts(project, activity)
        self._record_sync(project, activity)

    def _record_sync(self, project: Project, activity: Activity) -> None:
        self._syncs.record(project, activity)
        self._timelines.record_sync(project, activity)


def _operations(contract: dict[str, Any]) -> set[str]:
    """The operationIds of a contract."""
    paths = contract["paths"].values()
    return {part["operationId"] for item in paths for part in item.values() if "operationId" in part}


def _handler(handlers: Sequence[object], operation_id: str) -> Any:
    """The method for an operationId.

    Raises AttributeError when none of the handlers has it.
    """
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation_id)
    return getattr(next((found for found in handlers if hasattr(found, name)), handlers[0]), name)


def _longest(schemas: Schemas, name: str) -> dict[str, int]:
    """The most characters of each field of what is created, where the contract has a limit."""
    fields = schemas.resolve({"$ref": f"#/components/schemas/{name}"})["properties"]
    rules = {field: schemas.resolve(rule) for field, rule in fields.items()}
    return {field: rule["maxLength"] for field, rule in rules.items() if "maxLength" in rule}
