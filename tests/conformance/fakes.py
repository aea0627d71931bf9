"""A target that answers as it is told, and a run's report made by hand."""

from __future__ import annotations

import json as jsons
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockserver.conformance.exchange import Exchange, Key, Request
from mockserver.conformance.expectations import status
from mockserver.conformance.findings import Finding
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.report import Report, RuleResult
from mockserver.conformance.rules import Rule

RULE = Rule("no-server-error", "always", "high", "No answer has a status of 500 or above.", "openapi.yaml: responses")
MARK = "mark1234"
SECRET = "canary-secret-1"


class FakeTarget:
    """Answers every request with what `answer` gives for it."""

    other_key = disabled_key = False
    parallel = False
    run_id = "mark9876"

    def __init__(self, answer: Callable[[Request], tuple[int, Any]], *, writes: bool = True) -> None:
        self.answer, self.writes = answer, writes
        self.requests: list[Request] = []

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        key: Key = "main",
    ) -> Exchange:
        given = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        raw = jsons.dumps(json).encode() if json is not None else body
        request = Request(method, path, given, raw, key)
        self.requests.append(request)
        status, document = self.answer(request)
        return Exchange(
            len(self.requests), request, status, {"content-type": "application/json"}, jsons.dumps(document).encode()
        )

    def send_bytes(self, data: bytes, *, cut: bool = False) -> Exchange:
        request = Request("CUT" if cut else "RAW", "/", (), data, None)
        self.requests.append(request)
        return Exchange(len(self.requests), request, self.answer(request)[0])

    def together(self, requests: Sequence[Callable[[], Exchange]]) -> list[Exchange]:
        return [request() for request in requests]

    def tag(self) -> str:
        return f"conformance-{self.run_id}-1"

    def secret(self, kind: str) -> str:
        return f"fresh-{kind}"


def exchange(number: int, method: str, path: str, status: int, document: Any, body: Any = None) -> Exchange:
    """An exchange as it was seen."""
    raw = None if body is None else jsons.dumps(body).encode()
    request = Request(method, path, (("Content-Type", "application/json"),) if raw else (), raw)
    return Exchange(number, request, status, {"content-type": "application/json"}, jsons.dumps(document).encode())


def crash() -> Finding:
    """A change that crashes, on a calendar made just before; its secret stands in the answer."""
    made = exchange(
        1,
        "POST",
        "/api/v1/calendars",
        201,
        {"id": "cal_aaaaaaaaaaaaaaaa", "deduplication_key": f"conformance-{MARK}-7"},
        {"client_secret": SECRET, "deduplication_key": f"conformance-{MARK}-7"},
    )
    wrong = exchange(
        2, "PATCH", "/api/v1/calendars/cal_aaaaaaaaaaaaaaaa", 500, f"<h1>{SECRET}\x00</h1>", {"metadata": {}}
    )
    sound = {**status((100, 499)), "step": wrong.number}
    return Finding(RULE.id, "updateCalendar", "metadata", sound, f"500 <h1>{SECRET}</h1>", (made, wrong))


def mask(text: str) -> str:
    return text.replace(SECRET, "<secret#1>")


def report(**changed: Any) -> Report:
    """A report with one finding."""
    finding = crash()
    origins = Origins(MARK, {"main": "canary-key-main"}, [SECRET])
    told = Report("http://127.0.0.1:8000", "write", 7, "0.2.0", "2026-11-21T12:00:00Z", mask=mask)
    told.results = [
        RuleResult(RULE, "broken", 12),
        RuleResult(RULE._replace(id="vary", severity="low"), "kept", 3),
        RuleResult(RULE._replace(id="tenant-get", part="laws"), "not observable", 0, "no key of another project"),
        RuleResult(
            RULE._replace(id="race-walk", part="races"),
            "not tested",
            0,
            "the time budget ran out (raise --time-budget)",
        ),
    ]
    told.findings = [finding]
    told.recipes = {finding.identity: jsons.loads(jsons.dumps(recipe_of(finding, RULE, origins, mask)))}
    for name, value in changed.items():
        setattr(told, name, value)
    return told
