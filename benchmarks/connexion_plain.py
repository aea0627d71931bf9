"""Connexion as anybody would start with it: the contract, two handlers, validation of requests and answers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from connexion import AsyncApp
from connexion.resolver import Resolver

FOLDER = Path(os.environ["BENCHMARK_FOLDER"])
GET, PATCH = (json.loads((FOLDER / f"{method}.json").read_bytes()) for method in ("get", "patch"))
HEADERS = {"Allow": "GET, PATCH, DELETE, HEAD, OPTIONS", "Vary": "Accept"}


async def get_calendar(object_id: str) -> tuple[Any, int, dict[str, str]]:
    """The calendar."""
    return GET, 200, HEADERS


async def update_calendar(object_id: str, body: Any) -> tuple[Any, int, dict[str, str]]:
    """The calendar as it is after the change."""
    return PATCH, 200, HEADERS


def known_key(key: str, required_scopes: Any = None) -> dict[str, str] | None:
    """Whom a key belongs to."""
    return {"sub": "somebody"} if key.startswith("Token ") else None


def _make() -> AsyncApp:
    contract = json.loads((FOLDER / "calendar.json").read_text("utf-8"))
    contract["components"]["securitySchemes"]["apiKey"]["x-apikeyInfoFunc"] = "benchmarks.connexion_plain.known_key"
    handlers = {"getCalendar": get_calendar, "updateCalendar": update_calendar}
    application = AsyncApp(__name__)
    application.add_api(contract, resolver=Resolver(handlers.get), validate_responses=True)
    return application


app = _make()
