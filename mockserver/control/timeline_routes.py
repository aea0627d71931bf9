"""Control routes of the timeline: read it, or follow it as a stream of server-sent events."""

from __future__ import annotations

from mockserver.control.request import read_limit, read_wait
from mockserver.control.routes import Call, Reply, Route
from mockserver.control.timeline import AT_ONCE, Timelines, read_position

_TIMELINE = "/__mock__/timeline"


class TimelineRoutes:
    """A project's timeline."""

    def __init__(self, timelines: Timelines) -> None:
        self._timelines = timelines

    def routes(self) -> list[Route]:
        """The routes of this group."""
        return [
            Route("GET", _TIMELINE, self.read, query=frozenset({"after", "limit"})),
            Route("GET", f"{_TIMELINE}/stream", self.stream, query=frozenset({"after", "wait"})),
        ]

    async def read(self, call: Call) -> Reply:
        """The first items after a position."""
        after = read_position(call.query.get("after"))
        read = await self._timelines.read(call.project, after, min(read_limit(call.query), AT_ONCE))
        return Reply(200, {"items": read.items, "next": str(read.position), "more": read.more})

    async def stream(self, call: Call) -> Reply:
        """The items after a position, and for as long as `wait` says those to come."""
        after, seconds = read_position(call.query.get("after")), read_wait(call.query)
        self._timelines.check_room(call.project)
        pieces = self._timelines.stream(call.project, after, seconds)
        return Reply(200, pieces, "text/event-stream", (("cache-control", "no-store"),))
