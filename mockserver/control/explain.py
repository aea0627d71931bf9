"""Why an exchange was answered as it was: the rule, the part of the contract, and the request that would have done."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import jsonschema_rs

from mockserver.api.bodies import Body
from mockserver.api.errors import ALREADY_TAKEN, ApiError, BrokenRule
from mockserver.api.validation import BodyRules, ContractError
from mockserver.control.entries import Shown
from mockserver.control.journal import Filter, Journals, Refusal
from mockserver.control.masking import MASK, names_a_secret
from mockserver.control.operations import Place, at, operations
from mockserver.domain.store import Project, Store
from mockserver.evidence import Row, ledger

_KEY_TAKEN = BrokenRule("deduplication_key", ALREADY_TAKEN)


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
        `contract` where it has the operation and the status, `evidence` how the mock's authors know that the service
        answers so, `curl` is a request that would be taken.
        Raises Refused for a number that is no longer there, and for a delivery.
        """
        refusal = self._journals.refusal(number)
        entry = self._journals.entry(number)
        # Made when it is first needed: the mock must start fast.
        self._places = self._places or operations(self._contracts)
        place = self._places.get(entry["operation"] or "")
        notes = [*self._notes(entry), *_remarked(entry)]
        return {
            "id": number,
            "request": f"{entry['method']} {entry['path']}",
            "status": entry["status"],
            "operation": entry["operation"],
            "why": [_why(entry, refusal), *notes],
            "fields": _field_problems(entry, refusal, place),
            "contract": _pointers(entry, place),
            "evidence": [{"row": row.name, "kind": row.kind, "says": row.says} for row in _evidence(entry)],
            "curl": self._curl(entry, refusal, place),
        }

    def _curl(self, entry: Shown, refusal: Refusal, place: Place | None) -> str | None:
        if place is None:
            place = self._nearest_place(entry)
        if place is None:
            return None
        return _nearest_valid(entry, refusal, place, self._an_id(entry) if entry["status"] == 404 else None)

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


def _why(entry: Shown, refusal: Refusal) -> str:
    fault, reason, status = entry["fault"], entry["reason"], entry["status"]
    if fault is not None:
        changed = f"The fault {fault['name']} ({fault['kind']}) changed this response"
        return f"{changed}; it does not show how the service would answer."
    if status == 0:
        return f"It was not answered: {reason}."
    if reason is None:
        return f"It was accepted: {status}." if status < 400 else f"It was answered with {status}."
    if refusal.off_contract:
        return f"The mock was about to break its own contract, which is a fault of the mock: {reason}."
    return f"It was refused with {status}: {reason}."


def _remarked(entry: Shown) -> Iterable[str]:
    for remark in entry["remarks"]:
        yield f"The service tolerates what its contract does not allow: {remark}."


def _evidence(entry: Shown) -> list[Row]:
    """The rows of the ledger about a refused request, an accepted PATCH without fields, and the remarks."""
    found = ledger()
    names = list(entry["evidence"])
    if entry["operation"] == "updateCalendar" and entry["status"] == 200 and entry["request"].get("json") in (None, {}):
        names.append("patch-without-fields")
    refused = entry["status"] >= 400 and entry["fault"] is None
    body = (entry["response"]["body"] or "") if refused else ""
    rows = found.of_response(entry["operation"], entry["status"], body) if refused else []
    return [*rows, *(found.rows[name] for name in names)]


def _field_problems(entry: Shown, refusal: Refusal, place: Place | None) -> list[dict[str, Any]]:
    """The fields and parameters for which a request was refused, as far as they are in the contract."""
    if place is None or entry["fault"] is not None:
        return []
    found = []
    for name, rule in refusal.broken:
        pointer = place.field_pointer(name) or place.parameter_pointer(name)
        if pointer is not None:
            found.append({"field": name, "rule": rule, "contract": pointer})
    return found


def _pointers(entry: Shown, place: Place | None) -> list[str]:
    if place is None:
        return []
    response = place.response_pointer(entry["status"])
    return [place.pointer, *([response] if response is not None else [])]


def _nearest_valid(entry: Shown, refusal: Refusal, place: Place, object_id: str | None) -> str:
    """A curl line for the operation at `place`; it takes the URL and the key from the environment.

    What the contract does not allow of the request is left out or put right from the contract's own examples;
    `object_id` is the id to use in the path if the request's own is none.
    """
    words = ["curl", "-sS"]
    if place.method != "GET":
        words += ["-X", place.method]
    words += ["-H", '"Authorization: Token $ATTENDEE_API_KEY"']
    fields = _fields(entry, refusal, place)
    if fields is not None:
        text = json.dumps(fields, ensure_ascii=False)
        words += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(text)]
    query = urlencode(_query(entry, place))
    path = _path(entry, place, object_id) + (f"?{query}" if query else "")
    return " ".join([*words, f'"$ATTENDEE_BASE_URL{path}"'])


def _path(entry: Shown, place: Place, object_id: str | None) -> str:
    prefix, opened, _ = place.template.partition("{")
    if not opened:
        return prefix
    own = entry["path"].removeprefix(prefix)
    own = own if entry["path"].startswith(prefix) and own and MASK not in own else ""
    return prefix + quote(object_id or own or str(place.parameters()[0].get("example", "ID")), safe="")


def _query(entry: Shown, place: Place) -> dict[str, str]:
    """The parameters that the contract knows, the last of those given twice, each with a value that it allows."""
    given = dict(parse_qsl(entry["query"], keep_blank_values=True))
    kept = {}
    for parameter in place.parameters():
        name = parameter["name"]
        if parameter["in"] != "query" or name not in given:
            continue
        schema = place.schemas.resolve(parameter["schema"])
        fits = _is_valid(place.schemas.compile(schema), given[name]) and MASK not in given[name]
        if name == "cursor" and entry["status"] == 404:
            continue
        kept[name] = given[name] if fits and given[name] else str(parameter.get("example", ""))
    return kept


def _fields(entry: Shown, refusal: Refusal, place: Place) -> dict[str, Any] | None:
    """The body's fields; None where the operation takes no body."""
    known = place.fields()
    if not known:
        return None
    given = entry["request"].get("json")
    given = given if isinstance(given, dict) else {}
    examples, required = place.examples(), place.required()
    kept: dict[str, Any] = {}
    for name, rule in known.items():
        if names_a_secret(name):
            if name in given or name in required:
                kept[name] = f"YOUR_{name.upper()}"
        elif name in given and _is_fit(name, given[name], rule, place):
            kept[name] = given[name]
        elif name in required or name in given:
            kept[name] = examples.get(name, rule.get("example", "example"))
    if _KEY_TAKEN in refusal.broken and "deduplication_key" in kept:
        kept["deduplication_key"] += "-2"
    return kept


def _is_fit(name: str, value: Any, rule: Mapping[str, Any], place: Place) -> bool:
    """Whether both the contract and the service take a field's value, and it was not masked."""
    if MASK in json.dumps(value) or not _is_valid(place.schemas.compile(rule), value):
        return False
    try:
        BodyRules({"properties": {name: rule}}).apply(Body({name: value}))
    except ApiError:
        return False
    except ContractError:
        # A field of a kind that other rules look after: the contract's word has to do.
        return True
    return True


def _is_valid(validator: jsonschema_rs.Draft4Validator, value: Any) -> bool:
    try:
        return validator.is_valid(value)
    except ValueError:
        return False
