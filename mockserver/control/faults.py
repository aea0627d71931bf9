"""What is to go wrong, by name: which answers or deliveries of which project, how, and from which one to which."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from mockserver.api.fault import STATUSES, InjectedFault
from mockserver.api.request import parse_query
from mockserver.control.errors import Refused, unknown
from mockserver.domain.deliveries import DeliveryFault, DeliveryFaultKind
from mockserver.domain.store import Project

EVERY = "*"
TRIGGERS = ("calendar.events_update", "calendar.state_change")
MOST_FAULTS = 100
"""So many may a project have at a time."""
_LONGEST = 300.0
_NAME_LENGTH = 80


class Kind(NamedTuple):
    """One way to go wrong: what it does, and the fields that say how, with what they are when they are left out."""

    meaning: str
    fields: Mapping[str, Any]

    @property
    def is_of_webhooks(self) -> bool:
        """Whether it applies to deliveries and not to responses."""
        return "trigger" in self.fields


_OF_ANSWERS: Mapping[str, Any] = {"operation": EVERY, "seconds": 0.0}
_OF_WEBHOOKS: Mapping[str, Any] = {"trigger": EVERY}
KINDS: Mapping[str, Kind] = {
    "status": Kind("an error of the service instead of the response", {**_OF_ANSWERS, "status": 500, "after": False}),
    "throttled": Kind("429 with Retry-After", {**_OF_ANSWERS, "retry_after": 1}),
    "html-502": Kind("the page of a proxy that cannot reach the service", {**_OF_ANSWERS, "after": False}),
    "delay": Kind("a late response", {**_OF_ANSWERS, "seconds": 1.0}),
    "reset": Kind("no response: the connection is reset", {**_OF_ANSWERS, "after": False}),
    "truncated": Kind("half of the body, then the connection ends", _OF_ANSWERS),
    "dribbled": Kind("the body in pieces, with a pause after each", {**_OF_ANSWERS, "seconds": 0.1, "pieces": 10}),
    "wrong-length": Kind("a Content-Length that is `by` bytes off", {**_OF_ANSWERS, "by": 1}),
    "page-dies": Kind("an error on one page of a list", {**_OF_ANSWERS, "page": 2, "status": 500}),
    "webhook-duplicate": Kind("delivered twice", _OF_WEBHOOKS),
    "webhook-reorder": Kind("delivered after the one that follows it", _OF_WEBHOOKS),
    "webhook-hold": Kind("not delivered until it is released", _OF_WEBHOOKS),
    "webhook-drop": Kind("never delivered", _OF_WEBHOOKS),
    "webhook-late": Kind("delivered late", {**_OF_WEBHOOKS, "seconds": 60.0}),
    "webhook-old-secret": Kind("signed with a secret that is no longer the project's", _OF_WEBHOOKS),
    "webhook-unsigned": Kind("delivered without a signature", _OF_WEBHOOKS),
}
_COMMON: Mapping[str, Any] = {"name": None, "kind": None, "first": None, "from": 1}
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "first": (1, 1_000_000),
    "from": (1, 1_000_000),
    "page": (1, 1_000_000),
    "pieces": (1, 1000),
    "retry_after": (0, 86_400),
    "by": (-1_000_000, 1_000_000),
    "seconds": (0, _LONGEST),
}


@dataclass
class Fault:
    """A fault as it was asked for, and how often it was met and how often it struck."""

    name: str
    kind: str
    options: Mapping[str, Any]
    first: int | None
    start: int
    seen: int = 0
    hits: int = 0
    last_cursor: str | None = field(default=None, repr=False)
    page: int = 0

    def strikes(self) -> bool:
        """Counts one that it could strike, and says whether it does."""
        self.seen += 1
        past = self.seen - self.start
        struck = past >= 0 and (self.first is None or past < self.first)
        self.hits += struck
        return struck

    def meets(self, operation: str, query: bytes) -> bool:
        """Whether it is about this request."""
        if self.options.get("operation") not in (EVERY, operation):
            return False
        return self.kind != "page-dies" or self._turn(query) == self.options["page"]

    def _turn(self, query: bytes) -> int:
        """The page that is asked for in the walk under way; to ask for the same page again does not turn it."""
        cursor = dict(parse_query(query)).get("cursor")
        if cursor is None:
            self.page = 1
        elif cursor != self.last_cursor:
            self.page = max(self.page, 1) + 1
        self.last_cursor = cursor
        return self.page

    def describe(self) -> dict[str, Any]:
        """As plain data."""
        rules = {"name": self.name, "kind": self.kind, **self.options, "first": self.first, "from": self.start}
        return {**rules, "seen": self.seen, "hits": self.hits}


class Faults:
    """The faults of every project; at the start there are none."""

    def __init__(self, operations: Collection[str]) -> None:
        """`operations` are the operationIds that a fault can be about."""
        self.armed = False
        self._operations = frozenset(operations)
        self._by_project: dict[str, list[Fault]] = {}

    def add(self, project: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Takes up a fault for a project; one of the same name is replaced and counts anew. Gives it as it is now.

        Raises Refused for anything that is not known, or out of its range.
        """
        kind = _text(wanted, "kind")
        if kind not in KINDS:
            raise unknown("kind", kind, KINDS)
        allowed = {**_COMMON, **KINDS[kind].fields}
        for given in wanted:
            if given not in allowed:
                raise unknown("field", given, allowed)
        name = _text(wanted, "name") if "name" in wanted else kind
        if not 0 < len(name) <= _NAME_LENGTH:
            raise Refused("name", f"write a name of 1 to {_NAME_LENGTH} characters")
        numbers = {field: self._checked(field, wanted.get(field, default)) for field, default in allowed.items()}
        options = {field: numbers[field] for field in KINDS[kind].fields}
        if kind == "wrong-length" and options["by"] == 0:
            raise Refused("by", "write how many bytes the length is off, e.g. 10 or -10; 0 is right")
        fault = Fault(name, kind, options, numbers["first"], numbers["from"])
        self._put(project, fault)
        return fault.describe()

    def _put(self, project: str, fault: Fault) -> None:
        kept = [other for other in self._by_project.get(project, []) if other.name != fault.name]
        if len(kept) >= MOST_FAULTS:
            raise Refused("name", f"the project has {MOST_FAULTS} faults, the most it can have; remove one first", 409)
        self._by_project[project] = [*kept, fault]
        self.armed = True

    def list(self, project: str) -> list[dict[str, Any]]:
        """A project's faults in the order in which they are asked."""
        return [fault.describe() for fault in self._by_project.get(project, [])]

    def remove(self, project: str, name: str) -> None:
        """Ends one fault.

        Raises Refused when there is none of that name.
        """
        faults = self._by_project.get(project, [])
        kept = [fault for fault in faults if fault.name != name]
        if len(kept) == len(faults):
            refused = unknown("name", name, [fault.name for fault in faults])
            refused.status = 404
            raise refused
        self._by_project[project] = kept
        self._rearm()

    def clear(self, project: str | None = None) -> None:
        """Ends every fault of a project, or all there are."""
        if project is None:
            self._by_project.clear()
        else:
            self._by_project.pop(project, None)
        self._rearm()

    def next(self, project: Project, operation: str, query: bytes) -> InjectedFault | None:
        """What is to happen to this answer: the first of the project's faults that strikes decides."""
        fault = self._first(project, lambda fault: fault.meets(operation, query))
        return None if fault is None else _injected(fault)

    def find_for_delivery(self, project: Project, delivery: Any) -> DeliveryFault | None:
        """What is to happen to this delivery; of it only the `trigger` is looked at."""
        trigger = delivery.trigger
        fault = self._first(project, lambda fault: fault.options.get("trigger") in (EVERY, trigger))
        if fault is None:
            return None
        how = fault.kind.removeprefix("webhook-").replace("-", " ")
        return DeliveryFault(fault.name, cast(DeliveryFaultKind, how), int(fault.options.get("seconds", 0)))

    def _first(self, project: Project, meets: Callable[[Fault], bool]) -> Fault | None:
        """The first fault that strikes; those behind it count it too."""
        struck = None
        for fault in self._by_project.get(project.name, ()):
            if meets(fault) and fault.strikes():
                if struck is None:
                    struck = fault
                else:
                    fault.hits -= 1
        return struck

    def _rearm(self) -> None:
        self._by_project = {name: faults for name, faults in self._by_project.items() if faults}
        self.armed = bool(self._by_project)

    def _checked(self, name: str, value: Any) -> Any:
        """The value of a field.

        Raises Refused when it is none of those it can have.
        """
        if name in ("name", "kind") or (name == "first" and value is None):
            return value
        if name == "operation":
            return _choice(name, value, (EVERY, *self._operations))
        if name == "trigger":
            return _choice(name, value, (EVERY, *TRIGGERS))
        if name == "status":
            return _choice(name, value, STATUSES)
        if name == "after":
            return _choice(name, value, (False, True))
        return _number(name, value)


def _text(wanted: Mapping[str, Any], name: str) -> str:
    value = wanted.get(name)
    if not isinstance(value, str):
        raise Refused(name, "write a string" if name in wanted else f"is missing; write one of {', '.join(KINDS)}")
    return value


def _choice(name: str, value: Any, allowed: Collection[Any]) -> Any:
    # True is 1 to Python, and so the type is looked at as well.
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        raise unknown(name, value, map(str, allowed))
    return value


def _number(name: str, value: Any) -> Any:
    least, most = _NUMBERS[name]
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    is_number = is_whole or (name == "seconds" and isinstance(value, float))
    if not is_number or not least <= value <= most:
        what = "seconds" if name == "seconds" else "a whole number"
        raise Refused(name, f"write {what} from {least:g} to {most:g}")
    return float(value) if name == "seconds" else value


def _injected(fault: Fault) -> InjectedFault:
    options = fault.options
    statuses = {"throttled": 429, "html-502": 502}
    return InjectedFault(
        fault.name,
        fault.kind,
        seconds=options["seconds"],
        status=options.get("status", statuses.get(fault.kind, 0)),
        after=options.get("after", False),
        retry_after=options.get("retry_after", 1),
        pieces=options.get("pieces", 10),
        by=options.get("by", 1),
    )
