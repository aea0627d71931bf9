"""Generated requests: Schemathesis makes them from the contract, our transport sends them. Its only importer.

What of Schemathesis 4.32 is used, and what is not:

- Phases: examples, coverage (every constraint at its edge), fuzzing (drawn data, good and bad). The stateful phase is
  not: it takes ids out of answers and deletes and changes what it did not create; journeys do that work with a model.
- Its engine is not used, even in process: requests would go past the guard, the budget and the masking.
- Undeclared methods are off: they would send DELETE to a path that has none; `methods` tries them.
- Error feedback is off by construction, as its engine is: it would fit the data to what the service refuses.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from mockserver.conformance.answers import Answers, answers_of
from mockserver.conformance.calendar_bodies import calendar_body, created_id
from mockserver.conformance.checks import IF_SHORT, Check, Steps, check, every_response
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import Expectation, every, headers, status, unless_throttled
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.rules import Rule
from mockserver.conformance.run import Run, Stopped

if TYPE_CHECKING:
    from schemathesis import Case

    _Case: TypeAlias = Case[Any]

RULES: tuple[Rule, ...] = (
    Rule(
        "fuzz-answer",
        "fuzz",
        "high",
        "For every generated request, Schemathesis finds that status, type, headers and body match the contract.",
        "openapi.yaml: responses",
    ),
    Rule(
        "fuzz-valid-taken",
        "fuzz",
        "medium",
        "A request that matches the contract is accepted.",
        "openapi.yaml: parameters, requestBody",
    ),
    Rule(
        "fuzz-invalid-refused",
        "fuzz",
        "medium",
        "A request that breaks the contract is rejected.",
        "openapi.yaml: parameters, requestBody",
    ),
)

_BASE: Final = "http://judge.invalid"
_EXAMPLES: Final = 40
_FEW: Final = 14
"""Requests to an operation in a run that only reads: the other parts have asked nearly all that there is to ask."""
_LOOK: Final = 4
"""Requests to an operation for a first look."""
_TELLING: Final = 200
"""A text that is longer is drawn for its length."""
_OWN_HEADERS: Final = {"user-agent", "accept-encoding", "connection", "x-schemathesis-testcaseid", "content-length"}
_SKIPPED: Final = {
    # Each example would need a calendar of its own to delete; other checks delete.
    "deleteCalendar",
}
_CHECKS: Final = {
    "fuzz-answer": (
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ),
    "fuzz-valid-taken": ("positive_data_acceptance",),
    "fuzz-invalid-refused": ("negative_data_rejection",),
    # Not used, of those that Schemathesis has:
    # not_a_server_error: a rule on all answers tells it, and puts it down to a part of the request.
    # missing_required_header, ignored_auth: with keys that only the transport knows they would resend without ours;
    #   and their wrong key lacks the word Token, so that "any key will do" passes. `auth` has six wrong keys.
    # unsupported_method, allow_header_conformance: `methods` tries all, and only where that is safe.
    # use_after_free, ensure_resource_availability: stateful only; journeys hold a model against it, lists included.
    # object_level_authorization: reads of single objects only; laws and journeys do it for lists and writes too.
    # max_response_time: a shared staging server is slow at times.
}
_STATUSES: Final[Mapping[str, tuple[int | tuple[int, int], ...]]] = {
    # As Schemathesis has them; what is a server error is told by a rule on all answers.
    "fuzz-valid-taken": ((200, 399), 401, 403, 404, 409),
    "fuzz-invalid-refused": (400, 401, 403, 404, 405, 406, 409, 415, 422, 428),
}


def load() -> None:
    """Loads Schemathesis, which takes seconds on a slow machine; it can be done while answers are waited for."""
    from schemathesis.checks import load_all_checks

    import_module("schemathesis.generation.hypothesis.builder")
    load_all_checks()


class Fuzzer:
    """Sends generated requests to one operation after the other."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.answers = answers_of(run.contract)
        self.own: str | None = None
        self.left = math.inf
        """How many requests more the operation may get."""
        self.stopped: Stopped | None = None
        with run.loading():
            self._load()

    def _load(self) -> None:
        """Loads Schemathesis, and the contract into it."""
        load()
        import schemathesis
        from schemathesis.checks import CHECKS as LOADED

        self.checks: dict[str, list[Callable[..., Any]]] = {
            rule: LOADED.get_by_names(list(names)) for rule, names in _CHECKS.items()
        }
        config = schemathesis.Config.from_dict({"phases": {"coverage": {"unexpected-methods": []}}})
        self.schema = schemathesis.openapi.from_dict(_without_security(self.run.contract), config=config)
        self.schema.config.update(base_url=_BASE)

    def clear(self) -> None:
        """Deletes the calendar that was made to send requests to."""
        if self.own:
            self.run.target.send("DELETE", f"{CALENDARS}/{self.own}")
            self.own = None

    def go(self, most: float, *, edges: bool) -> Steps:
        """Sends at most so many requests to each operation; `edges`: also what is at the edge of each constraint."""
        for result in self.schema.get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]  # the contract is valid: its tests say so
            name = operation.definition.raw.get("operationId", "")
            reads = operation.method.upper() == "GET"
            if name in _SKIPPED or not (reads or self.run.target.writes) or self.run.share() <= 0:
                continue
            if "{object_id}" in operation.path and self.run.target.writes:
                self._have_one()
            self.left = most
            self._fuzz(operation, name, edges=edges)
            if self.stopped is not None:
                raise self.stopped
            yield

    def _fuzz(self, operation: Any, name: str, *, edges: bool) -> None:
        from hypothesis import HealthCheck, Phase, settings
        from schemathesis.generation.hypothesis.builder import (
            HypothesisTestConfig,
            HypothesisTestMode,
            create_test,
        )

        modes = list(HypothesisTestMode) if edges else [HypothesisTestMode.FUZZING]
        with self.run.loading():
            test = create_test(
                operation=operation,
                test_func=lambda case: self._try(case, name),
                config=HypothesisTestConfig(
                    project=self.schema.config,
                    modes=modes,
                    seed=self.run.random.getrandbits(32),
                    settings=settings(
                        max_examples=_EXAMPLES,
                        deadline=None,
                        database=None,
                        # A slow machine or a narrow schema must not end the part: the examples are counted.
                        suppress_health_check=list(HealthCheck),
                        phases=[Phase.explicit, Phase.generate],
                    ),
                ),
            )
        test()

    def _try(self, case: _Case, name: str) -> None:
        if self.stopped is not None or self.run.share() <= 0 or (case.method != "GET" and _has_bad_path(case)):
            return
        self.left -= 1
        if self.left < 0:
            return
        try:
            self._make_ours(case)
            exchange = self._send(case)
            self._judge(case, exchange, name)
            made = created_id(exchange)
            if made is not None:
                self.run.target.send("DELETE", f"{CALENDARS}/{made}")
        except Stopped as reason:
            # Not let through here: Hypothesis would take it for a failing example and try to make it smaller.
            self.stopped = reason

    def _have_one(self) -> None:
        if self.own:
            return
        target = self.run.target
        self.own = created_id(target.send("POST", CALENDARS, json=calendar_body(target)))

    def _make_ours(self, case: _Case) -> None:
        """Puts the run's own texts in: an id that may be changed, a key that is not taken, secrets that are known."""
        if case.path_parameters and self.own and not _has_bad_path(case):
            case.path_parameters["object_id"] = self.own
        body = case.body
        if not isinstance(body, dict):
            return
        key = body.get("deduplication_key")
        if isinstance(key, str) and key.strip() and len(key) < 900 and "\0" not in key:
            body["deduplication_key"] = self.run.target.tag()
        client = body.get("client_id")
        if case.method == "POST" and isinstance(client, str) and 0 < len(client.strip()) < _TELLING:
            # What was made has to be known again, also when its answer never comes.
            body["client_id"] = self.run.target.tag()
        for kind in ("client_secret", "refresh_token"):
            text = body.get(kind)
            if isinstance(text, str) and text.strip() and "\0" not in text:
                body[kind] = self.run.target.secret(kind)

    def _send(self, case: _Case) -> Exchange:
        import requests

        given: dict[str, Any] = case.as_transport_kwargs()
        prepared = requests.Request(
            **{
                name: given[name]
                for name in ("method", "url", "headers", "params", "json", "data", "files")
                if name in given
            }
        ).prepare()
        parts = urlsplit(str(prepared.url))
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        headers = [
            (name, value if isinstance(value, str) else value.decode("latin-1"))
            for name, value in prepared.headers.items()
            if name.lower() not in _OWN_HEADERS and name.lower() != "authorization"
        ]
        raw: Any = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        self.prepared = prepared
        return self.run.target.send(str(prepared.method), path, body=raw, headers=headers)

    def _judge(self, case: _Case, exchange: Exchange, name: str) -> None:
        if exchange.status in (0, 429) or exchange.status >= 500 or every_response.broken(self.answers, exchange):
            return
        left_out = {"fuzz-valid-taken": is_refused_rightly, "fuzz-invalid-refused": is_taken_rightly}
        for rule, checks in self.checks.items():
            if rule in left_out and left_out[rule](exchange.request):
                continue
            failures = self._failures(case, exchange, checks)
            # Schemathesis is the judge; the expectation says of the answer what it says.
            self.run.record(
                rule,
                "; ".join(f"{failure.title}: {failure.message}"[:300] for failure in failures),
                expected_by(rule, self.answers, exchange, name),
                operation=name,
                field=_field(failures),
                exchanges=[exchange],
            )

    def _failures(self, case: _Case, exchange: Exchange, checks: list[Callable[..., Any]]) -> list[Any]:
        from schemathesis.core.failures import FailureGroup
        from schemathesis.core.transport import Response

        response = Response(
            status_code=exchange.status,
            headers={key: [value] for key, value in exchange.headers.items()},
            content=exchange.body,
            request=self.prepared,
            elapsed=exchange.seconds,
            verify=True,
        )
        try:
            case.validate_response(response, checks=checks)
        except FailureGroup as group:
            return list(group.exceptions)
        return []


@check(*(rule.id for rule in RULES), context=Fuzzer, cost=2 * _LOOK, least=1)
def edges(fuzzer: Fuzzer) -> Steps:
    """What is at the edge of each constraint: some of it for each operation first."""
    next(fuzzer.go(1, edges=True), None)
    yield IF_SHORT
    yield from fuzzer.go(_LOOK, edges=True)
    yield from fuzzer.go(math.inf if fuzzer.run.target.writes else _FEW, edges=True)


@check(*(rule.id for rule in RULES), context=Fuzzer, cost=_EXAMPLES, needs=("write",), draws=True)
def drawn(fuzzer: Fuzzer) -> Steps:
    """Drawn data for each operation."""
    yield from fuzzer.go(math.inf, edges=False)


CHECKS: tuple[Check, ...] = (edges, drawn)


def expected_by(rule: str, answers: Answers, exchange: Exchange, operation: str) -> Expectation:
    """What a rule expects of the answer to a request: what Schemathesis holds it against."""
    if rule == "fuzz-answer":
        return every(every_response.contracted(answers, exchange), headers(answers.headers(operation)))
    return unless_throttled(status(*_STATUSES[rule]))


def _field(failures: list[Any]) -> str:
    return type(failures[0]).__name__ if failures else ""


def _has_bad_path(case: _Case) -> bool:
    return any(
        str(where) == "path" and str(part.mode) == "negative"
        for where, part in (case.meta.components if case.meta else {}).items()
    )


def _without_security(contract: Mapping[str, Any]) -> dict[str, Any]:
    """The contract without keys: the transport adds them, and `auth` tries wrong ones."""
    document = deepcopy(dict(contract))
    document.pop("security", None)
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return document


_METADATA: Final = 1000
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TIME_FILTERS: Final = frozenset({"updated_at_gte", "updated_after", "start_time_gte", "end_time_lte"})
_STRICT_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def is_refused_rightly(request: Request) -> bool:
    """Whether the service refuses for what a schema cannot say: text that it cannot hold, metadata that is too long."""
    body = _json(request)
    if body is None:
        return bool(request.body)
    texts = list(_texts(body))
    metadata = body.get("metadata")
    return (
        any("\0" in text or _SURROGATE.search(text) for text in texts)
        or len(json.dumps(metadata)) > _METADATA
        or any(text.strip() != text for text in body.values() if isinstance(text, str))
    )


def is_taken_rightly(request: Request) -> bool:
    """Whether the service takes what the contract does not allow; each was recorded.

    Numbers are taken as their text and texts without their outer blanks, forms are read like JSON, an empty
    updated_at_gte is ignored, times have more spellings than RFC 3339, of a parameter given twice the last one counts.
    """
    pairs = parse_qsl(urlsplit(request.path).query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names) or any(
        name in _TIME_FILTERS and not _STRICT_TIME.fullmatch(text) for name, text in pairs
    ):
        return True
    if not request.body:
        return False
    body = _json(request)
    if body is None:
        return True
    return any(
        isinstance(value, int | float)
        and not isinstance(value, bool)
        or (isinstance(value, str) and value.strip() != value)
        for value in body.values()
    )


def _json(request: Request) -> dict[str, Any] | None:
    try:
        body = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
