"""Why an exchange was answered as it was: the rule, the part of the contract, and the request that would have done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from mockserver.control.curl import nearest_valid
from mockserver.control.entries import Shown
from mockserver.control.filters import Filter
from mockserver.control.journal import Journals
from mockserver.control.operations import Place, at, operations
from mockserver.control.refusal import Refused
from mockserver.domain.store import Project, Store

_RULE = re.compile(r"(?:strict: )?(?:body: )?([a-z_]+)(?:: (.+)| (?:breaks|is longer|holds) .+)")
_QUERY_RULE = re.compile(r"(?:strict: )?query parameter ([a-z_]+) (.+)")


class Explainer:
    """Explains what is in the journal; no secret is in what it says, for none is in what it reads."""

    def __init__(self, contracts: Mapping[str, Mapping[str, Any]], journals: Journals, store: Store) -> None:
        """`contracts` are documents by the names of their files, e.g. openapi.yaml."""
        self._contracts = contracts
        self._journals = journals
        self._store = store
        self._places: dict[str, Place] = {}

    def explain(self, number: int) -> dict[str, Any]:
        """The exchange with this number in the journal.

        `why` says in sentences what decided, `fields` which fields broke which rule and where the contract has them,
        `contract` where it has the operation and the status, `curl` is a request that would be taken.
        Raises Refused for a number that is no longer there, and for a delivery.
        """
        entry = self._journals.entry(number)
        if entry["kind"] != "exchange":
            raise Refused("id", f"entry {number} is a delivery; only exchanges are explained")
        # Made when it is first needed: the mock must start fast.
        self._places = self._places or operations(self._contracts)
        place = self._places.get(entry["operation"] or "")
        notes = [*self._notes(entry), *_remarked(entry)]
        return {
            "id": number,
            "request": f"{entry['method']} {entry['path']}",
            "status": entry["status"],
            "operation": entry["operation"],
            "why": [_why(entry), *notes],
            "fields": _fields(entry, place),
            "contract": _pointers(entry, place),
            "curl": self._curl(entry, place),
        }

    def _curl(self, entry: Shown, place: Place | None) -> str | None:
        if place is None:
            place = self._nearest_place(entry)
        if place is None:
            return None
        return nearest_valid(entry, place, self._an_id(entry) if entry["status"] == 404 else None)

    def _nearest_place(self, entry: Shown) -> Place | None:
        """The operation that was probably meant: the path's own, else that of the path most like it."""
        there = at(entry["path"], self._places)
        if not there:
            templates = {place.template for place in self._places.values()}
            nearest = get_close_matches(entry["path"][:200].rstrip("/"), sorted(templates), 1, 0.6)
            there = [place for place in self._places.values() if place.template in nearest]
        same = [place for place in there if place.method == entry["method"]]
        return next(iter([*same, *there]), None)

    def _an_id(self, entry: Shown) -> str | None:
        """The id of some calendar of the project."""
        project = self._project(entry)
        if project is None or "/calendars/" not in entry["path"]:
            return None
        return next((row.id for row in project.state.listed.down()), None)

    def _project(self, entry: Shown) -> Project | None:
        return next((project for project in self._store.projects if project.name == entry["project"]), None)

    def _notes(self, entry: Shown) -> Iterable[str]:
        if entry["fault"] is not None:
            return
        if entry["status"] == 401 and entry["key"] != "none":
            yield f"The Authorization header holds {entry['key']}."
        elif entry["status"] == 404 and entry["operation"] is not None:
            yield from self._where_it_is(entry)
        elif entry["operation"] == "updateCalendar" and entry["status"] == 200:
            yield from self._what_changed(entry)

    def _where_it_is(self, entry: Shown) -> Iterable[str]:
        object_id = entry["path"].rpartition("/")[2]
        for project in self._store.projects:
            if object_id in project.state.calendars:
                own = project.name == entry["project"]
                yield f"There is {'now ' if own else ''}such a calendar in project {project.name}" + (
                    "; it came after this exchange." if own else f", and the key is of project {entry['project']}."
                )
        deleted = Filter(operation="deleteCalendar", status="200", path=_literal(entry["path"]))
        for earlier in self._journals.find(entry["project"], deleted, limit=1, before=entry["id"]).entries:
            yield f"Exchange {earlier['id']} deleted it at {earlier['time']}."

    def _what_changed(self, entry: Shown) -> Iterable[str]:
        """What an accepted PATCH changed, as far as the journal shows it."""
        sent = entry["request"].get("json")
        if entry["request"]["body"] is None or sent == {}:
            yield "The body has no fields: nothing changed but updated_at. It asks for a sync all the same."
            return
        if not isinstance(sent, dict) or {"client_secret", "refresh_token"} & sent.keys():
            return
        before = self._seen_before(entry)
        if before is not None and _content(before) == _content(entry["response"].get("json")):
            yield "The calendar was like this before: nothing changed but updated_at. It asks for a sync all the same."

    def _seen_before(self, entry: Shown) -> Any:
        """The calendar as the exchange before this one answered it."""
        same = Filter(path=_literal(entry["path"]), status="200")
        earlier = self._journals.find(entry["project"], same, limit=1, before=entry["id"]).entries
        return earlier[0]["response"].get("json") if earlier else None


def _literal(path: str) -> str:
    """A path as a pattern that only it fits."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _content(calendar: Any) -> Any:
    if not isinstance(calendar, dict):
        return None
    return {name: value for name, value in calendar.items() if name != "updated_at"}


def _why(entry: Shown) -> str:
    fault, reason, status = entry["fault"], entry["reason"], entry["status"]
    if fault is not None:
        changed = f"The fault {fault['name']} ({fault['kind']}) changed this response"
        return f"{changed}; it does not show how the service would answer."
    if status == 0:
        return f"It was not answered: {reason}."
    if reason is None:
        return f"It was accepted: {status}." if status < 400 else f"It was answered with {status}."
    if reason.startswith("own answer off contract"):
        return f"The mock was about to break its own contract, which is a fault of the mock: {reason}."
    return f"It was refused with {status}: {reason}."


def _remarked(entry: Shown) -> Iterable[str]:
    for remark in entry["remarks"]:
        yield f"The service tolerates what its contract does not allow: {remark}."


def _fields(entry: Shown, place: Place | None) -> list[dict[str, Any]]:
    """The fields and parameters that a refusal is about."""
    if place is None or entry["reason"] is None or entry["fault"] is not None:
        return []
    found = []
    for part in entry["reason"].split("; "):
        match = _QUERY_RULE.fullmatch(part) or _RULE.fullmatch(part)
        if match is None:
            continue
        name = match[1]
        pointer = place.field_pointer(name) or place.parameter_pointer(name)
        if pointer is not None:
            found.append({"field": name, "rule": match[2] or part, "contract": pointer})
    return found


def _pointers(entry: Shown, place: Place | None) -> list[str]:
    if place is None:
        return []
    response = place.response_pointer(entry["status"])
    return [place.pointer, *([response] if response is not None else [])]
