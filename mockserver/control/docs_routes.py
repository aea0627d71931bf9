"""What there is to read: the front page, health, the four contracts as JSON, and Swagger UI over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from mockserver import __version__
from mockserver.control.errors import Refused
from mockserver.control.routes import Call, Handler, Reply, Route
from mockserver.domain.store import Store

HEALTH: Final = "/__mock__/health"
DOCS: Final = "/__mock__/docs"
OPENAPI: Final = "/__mock__/openapi.json"
BOTS_OPENAPI: Final = "/__mock__/bots.json"
CONTROL_OPENAPI: Final = "/__mock__/control.json"
WEBHOOKS_OPENAPI: Final = "/__mock__/webhooks.json"
OPEN: Final = (HEALTH, DOCS, OPENAPI, BOTS_OPENAPI, CONTROL_OPENAPI, WEBHOOKS_OPENAPI)
"""Paths that show nothing that is not public in the source code, and so need no control token."""
FRONT_PAGE: Final = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>attendee-mockserver</title></head>
<body>
<h1>attendee-mockserver {__version__}</h1>
<p>A stand-in for the Attendee API's calendar endpoints. Nothing here is real, and nothing leaves this machine.</p>
<ul>
<li>The API: <code>/api/v1/calendars</code>, <code>/api/v1/calendar_events</code>, <code>/api/v1/bots</code>
(with <code>Authorization: Token YOUR_API_KEY_HERE</code>, unless you brought fixtures of your own)</li>
<li><a href="/__mock__/">Timeline</a>: requests, syncs and webhooks, each with its cause</li>
<li><a href="{DOCS}/">Documentation to try out</a>; the contracts <a href="{OPENAPI}">of calendars</a>,
<a href="{BOTS_OPENAPI}">of scheduled bots</a>, <a href="{CONTROL_OPENAPI}">of the controls</a>,
<a href="{WEBHOOKS_OPENAPI}">of webhooks</a></li>
<li><a href="{HEALTH}">Health</a>; <code>POST /__mock__/reset</code> brings the fixtures back</li>
</ul>
</body>
</html>
""".encode()
_TYPES: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui-standalone-preset.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_HERE: Final = [{"url": "/", "description": "The mock that this document comes from."}]
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><title>attendee-mockserver</title>
<link rel="stylesheet" href="/__mock__/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/__mock__/docs/favicon-32x32.png">
</head>
<body>
<div id="documentation"></div>
<script src="/__mock__/docs/swagger-ui-bundle.js"></script>
<script src="/__mock__/docs/swagger-ui-standalone-preset.js"></script>
<script>
SwaggerUIBundle({
  urls: CONTRACTS,
  dom_id: "#documentation",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout"
});
</script>
</body>
</html>
"""


class DocsRoutes:
    """Answers what is the same for everybody."""

    def __init__(self, store: Store, contracts: Mapping[str, Callable[[], Mapping[str, Any]]]) -> None:
        """`contracts` gives each contract by its name, which is that of its path: openapi, bots, control, webhooks."""
        self._store = store
        self._contracts = contracts

    def routes(self) -> list[Route]:
        """The routes of this group; none needs a project."""

        def route(path: str, handler: Handler) -> Route:
            return Route("GET", f"/__mock__/{path}", handler, of_project=False)

        contracts = [route(f"{name}.json", partial(_shown, read)) for name, read in self._contracts.items()]
        pages = [route("docs", self._page), route("docs/", self._page), route("docs/{file}", _file)]
        return [route("health", self._health), *contracts, *pages]

    async def _health(self, call: Call) -> Reply:
        states = [project.state for project in self._store.projects]
        body = {
            "status": "ok",
            "version": __version__,
            "projects": len(states),
            "calendars": sum(len(state.calendars) for state in states),
            "events": sum(len(state.events) for state in states),
        }
        return Reply(200, body)

    async def _page(self, call: Call) -> Reply:
        names = {"openapi": "calendars"}
        # The Swagger UI that comes with Connexion does not read OpenAPI 3.1, which webhooks need.
        shown = [name for name in self._contracts if name != "webhooks"]
        urls = [{"url": f"/__mock__/{name}.json", "name": names.get(name, name)} for name in shown]
        return Reply(200, _PAGE.replace("CONTRACTS", json.dumps(urls)).encode(), "text/html; charset=utf-8")


async def _shown(read: Callable[[], Mapping[str, Any]], call: Call) -> Reply:
    """A contract whose server is the one that it was asked from, whatever its host and port."""
    return Reply(200, {**read(), "servers": _HERE})


async def _file(call: Call) -> Reply:
    """A file of Swagger UI, which is looked for when it is first wanted."""
    from swagger_ui_bundle import swagger_ui_path

    name = call.names["file"]
    if name not in _TYPES:
        raise Refused("file", "the documentation has no such file", 404)
    return Reply(200, (swagger_ui_path / name).read_bytes(), _TYPES[name])
