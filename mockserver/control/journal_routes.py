"""Control routes of faults and of the journal: entries, HAR, near misses, explanations."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from mockserver.control.errors import Refused
from mockserver.control.explain import Explainer
from mockserver.control.faults import KINDS, Faults
from mockserver.control.har import har
from mockserver.control.journal import Filter, Found, Journals, parse_filter
from mockserver.control.near_misses import near_misses
from mockserver.control.request import is_whole, read_after, read_limit, read_wait
from mockserver.control.routes import Call, Reply, Route, is_large
from mockserver.control.webhook_diagnosis import WebhookDiagnosis

_FAULTS = "/__mock__/faults"
_REQUESTS = "/__mock__/requests"
_FILTERS = frozenset({"operation", "method", "path", "status", "kind", "after", "limit", "keyless"})
_LOOKED_FOR = frozenset({"operation", "method", "path", "status", "kind", "after", "body", "limit"})
_ANY = "any"
_USUAL_MISSES = 5


class JournalRoutes:
    """A project's faults and its journal."""

    def __init__(
        self,
        journals: Journals,
        faults: Faults,
        explainer: Explainer,
        diagnosis: WebhookDiagnosis,
        operations: Collection[str],
    ) -> None:
        """`operations` are the operationIds that the journal can have."""
        self._journals = journals
        self._faults = faults
        self._explainer = explainer
        self._diagnosis = diagnosis
        self._operations = operations

    def routes(self) -> list[Route]:
        """What there is under /__mock__/faults, /__mock__/requests and /__mock__/explain."""
        return [
            Route("GET", _FAULTS, self.faults),
            Route("POST", _FAULTS, self.add_fault, fields=None, required=frozenset({"kind"})),
            Route("DELETE", _FAULTS, self.clear_faults),
            Route("DELETE", f"{_FAULTS}/{{id}}", self.remove_fault),
            Route("GET", _REQUESTS, self.requests, query=_FILTERS | {"wait"}),
            Route("DELETE", _REQUESTS, self.clear, query=frozenset({"keyless"})),
            Route("GET", f"{_REQUESTS}.har", self.archive, query=_FILTERS),
            Route("POST", f"{_REQUESTS}/near-misses", self.misses, fields=_LOOKED_FOR),
            Route("GET", f"{_REQUESTS}/{{id}}", self.request, of_project=False),
            Route("GET", "/__mock__/explain/{id}", self.explain, of_project=False),
        ]

    async def faults(self, call: Call) -> Reply:
        """The project's faults, and the kinds that there are."""
        kinds = {name: {"meaning": kind.meaning, "fields": dict(kind.fields)} for name, kind in KINDS.items()}
        return Reply(200, {"faults": self._faults.list(call.project.name), "kinds": kinds})

    async def add_fault(self, call: Call) -> Reply:
        """Adds a fault, or puts it in place of the one of its name."""
        return Reply(201, self._faults.add(call.project.name, call.body))

    async def remove_fault(self, call: Call) -> Reply:
        """Ends one fault, by its name."""
        self._faults.remove(call.project.name, call.names["id"])
        return Reply(200, {"removed": 1})

    async def clear_faults(self, call: Call) -> Reply:
        """Ends every fault of the project."""
        count = len(self._faults.list(call.project.name))
        self._faults.clear(call.project.name)
        return Reply(200, {"removed": count})

    async def requests(self, call: Call) -> Reply:
        """The latest entries that are asked for, or the first after an id; it can wait until there is one."""
        seconds, limit = read_wait(call.query), read_limit(call.query)
        wanted, journal, first = self._filter(call.query, "exchange"), self._journal(call), "after" in call.query
        if seconds:
            found = await self._journals.wait_for(journal, wanted, seconds, limit=limit, first=first)
        else:
            found = await self._found(journal, wanted, limit, first=first)
        return Reply(200, {"requests": found.entries, "evicted": found.evicted, "last": self._journals.last})

    async def request(self, call: Call) -> Reply:
        """One entry, of any project."""
        return Reply(200, await asyncio.to_thread(self._journals.entry, _id(call)))

    async def clear(self, call: Call) -> Reply:
        """Forgets the project's entries."""
        self._journals.clear(self._journal(call))
        return Reply(200, {"status": "cleared", "last": self._journals.last})

    async def archive(self, call: Call) -> Reply:
        """The entries that are asked for as an HTTP archive, deliveries among them."""
        limit, wanted, journal = read_limit(call.query), self._filter(call.query, _ANY), self._journal(call)
        found = await self._found(journal, wanted, limit, first="after" in call.query)
        archive = await asyncio.to_thread(har, found.entries) if is_large(found.entries) else har(found.entries)
        return Reply(200, archive)

    async def misses(self, call: Call) -> Reply:
        """What came nearest to what was looked for, and what was different."""
        body = call.body.get("body", {})
        if not isinstance(body, dict):
            raise Refused("body", "must be an object", fix="write the fields that you expected in the request's body")
        asked = {name: _as_text(name, value) for name, value in call.body.items() if name != "body"}
        most = read_limit(asked) if "limit" in asked else _USUAL_MISSES
        wanted = self._filter(asked, _ANY)
        found = await self._found(call.project.name, Filter(), 1000)
        if is_large([found.entries, body]):
            misses = await asyncio.to_thread(near_misses, found.entries, wanted, body, most)
        else:
            misses = near_misses(found.entries, wanted, body, most)
        return Reply(200, {"near_misses": misses})

    async def explain(self, call: Call) -> Reply:
        """Why an exchange was answered as it was; for an accepted write to a calendar also its webhooks."""
        number = _id(call)
        explained = await asyncio.to_thread(self._explainer.explain, number)
        entry = await asyncio.to_thread(self._journals.entry, number)
        return Reply(200, {**explained, "webhooks": self._diagnosis.of_exchange(entry)})

    async def _found(self, journal: str | None, wanted: Filter, limit: int, *, first: bool = False) -> Found:
        """Entries of the journal; to mask many takes long, and so it is done in a thread while others are answered."""
        if not self._journals.is_large(journal):
            return self._journals.find(journal, wanted, limit=limit, first=first)
        return await asyncio.to_thread(self._journals.find, journal, wanted, limit=limit, first=first)

    def _filter(self, query: Mapping[str, str], usual_kind: str) -> Filter:
        after = read_after(query, "a journal entry, its id") or 0
        kind = query.get("kind", usual_kind)
        asked = {name: value for name, value in query.items() if name in ("operation", "method", "path", "status")}
        if kind != _ANY:
            asked["kind"] = kind
        return parse_filter(asked, self._operations)._replace(since=after)

    def _journal(self, call: Call) -> str | None:
        """Whose journal is asked for: the project's, or that of the requests that came with no project's key."""
        keyless = call.query.get("keyless", "false")
        if keyless not in ("true", "false"):
            raise Refused("keyless", "must be true or false", fix="write true for requests without a known key")
        return None if keyless == "true" else call.project.name


def _id(call: Call) -> int:
    text = call.names["id"]
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Refused("id", f"{text[:80]!r} is not a number", fix="write the id of a journal entry, e.g. 17")
    return int(text)


def _as_text(name: str, value: Any) -> str:
    """A member of a body as it would be in a query."""
    if name in ("after", "limit"):
        if not is_whole(value):
            raise Refused(name, "must be a whole number", fix=f"write a number, e.g. {_USUAL_MISSES}")
    elif not (isinstance(value, str) or (name == "status" and is_whole(value))):
        raise Refused(name, "must be a string", fix="write it as in a query of /__mock__/requests")
    return str(value)
