"""What a project was asked: its recorded requests, and assertions about them that show the most similar requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload
from urllib.parse import parse_qsl

from mockserver.control.journal import Filter
from mockserver.control.near_misses import near_misses
from mockserver.testing.controls import AGENT, ControlError, Controls

__all__ = ["RecordedRequest", "Requests", "counted", "is_own"]

_MOST = 1000
_SHOWN = 3
"""How many of the most similar requests a failed assertion shows."""


@dataclass(frozen=True)
class RecordedRequest:
    """A request to the API and its response, with every secret masked as `***`."""

    id: int
    """Its number in the journal; a later one has a higher number."""
    method: str
    path: str
    query: Mapping[str, str]
    """The query's parameters; the last value of one that was sent twice."""
    operation: str | None
    """The operationId, e.g. createCalendar; None for an unknown path."""
    body: Any
    """The request's body: parsed JSON, else text, else None."""
    status: int
    """0 if there was no response."""
    response: Any
    """The response's body, as `body`."""
    reason: str | None
    """Why the mock refused the request."""
    entry: Mapping[str, Any]
    """All of it, as the control API shows it (docs/journal.md)."""

    @property
    def line(self) -> str:
        """Number, method, path with query, and status in one line."""
        query = f"?{self.entry['query']}" if self.entry["query"] else ""
        return f"#{self.id} {self.method} {self.path}{query} {self.status or 'no response'}"


class _Miss(NamedTuple):
    """A request, how far it is from the one that was looked for, and the differences in sentences."""

    request: RecordedRequest
    distance: float
    why: list[str]


class Requests(Sequence[RecordedRequest]):
    """The latest 1,000 requests of a project, the oldest first; each look at them asks the mock.

    The requests of this package itself are not among them.
    """

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._cleared = 0

    @overload
    def __getitem__(self, index: int) -> RecordedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedRequest]: ...
    def __getitem__(self, index: int | slice) -> RecordedRequest | list[RecordedRequest]:
        return self.find()[index]

    def __len__(self) -> int:
        return len(self.find())

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self.find())

    def find(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> list[RecordedRequest]:
        """Those that match all that is given, the oldest first.

        In `path`, * matches any characters. `status` is a number or a class such as `4xx`. `query` and `body` are
        parameters and fields that the request must have, among others; of a secret only its presence is compared,
        because the journal masks it. Raises ControlError for an unknown operation or an impossible status.
        """
        wanted = self._filter(operation, method, path, status)
        return [miss.request for miss in self._compare(wanted, query, body) if not miss.why]

    def assert_called(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        times: int | None = None,
    ) -> RecordedRequest:
        """Gives the latest request that matches, as `find` compares them; `times`, from 1, is how many there must be.

        Raises AssertionError with the most similar requests and how they differ.
        """
        __tracebackhide__ = True
        compared = self._compare(self._filter(operation, method, path, status), query, body)
        found = [miss.request for miss in compared if not miss.why]
        if found and times in (None, len(found)):
            return found[-1]
        asked = _sentence(operation=operation, method=method, path=path, status=status, query=query, body=body)
        if found:
            lines = [
                f"{counted(len(found), 'request')} matched {asked}; expected {times}:",
                *(f"  {one.line}" for one in found),
            ]
            raise AssertionError("\n".join(lines))
        raise AssertionError(self._nothing(asked, compared))

    def assert_not_called(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises AssertionError with the requests that match, if there are any."""
        __tracebackhide__ = True
        found = self.find(operation, method=method, path=path, status=status, query=query, body=body)
        if found:
            asked = _sentence(operation=operation, method=method, path=path, status=status, query=query, body=body)
            lines = [f"no request should match {asked}, but {len(found)} did:", *(f"  {one.line}" for one in found)]
            raise AssertionError("\n".join(lines))

    def clear(self) -> None:
        """Forgets the requests until now: later assertions look only at what follows. The journal keeps them."""
        self._cleared = self._controls.ask("GET", "requests", limit=1)["last"]

    def explain(self, request: RecordedRequest | int) -> dict[str, Any]:
        """Why a request was answered as it was: `why`, the `fields` that broke a rule, and a `curl` that would do."""
        number = request if isinstance(request, int) else request.id
        return self._controls.ask("GET", "explain", str(number))

    def har(self) -> dict[str, Any]:
        """The project's journal as an HTTP archive, deliveries among them."""
        return self._controls.ask("GET", "requests.har", kind="any", limit=_MOST)

    def _filter(self, operation: str | None, method: str | None, path: str | None, status: int | str | None) -> Filter:
        """What is looked for. The mock checks it, so that a misspelt operation is an error, not a missing request."""
        asked = None if status is None else str(status)
        if operation is not None or asked is not None:
            self._controls.ask("GET", "requests", operation=operation, status=asked, limit=1)
        return Filter(
            method=None if method is None else method.upper(),
            path=path,
            operation=operation,
            status=asked,
            kind="exchange",
        )

    def _compare(self, wanted: Filter, query: Mapping[str, Any] | None, body: Mapping[str, Any] | None) -> list[_Miss]:
        """Every request with how it differs, the oldest first."""
        entries = self._controls.ask("GET", "requests", after=self._cleared, limit=_MOST)["requests"]
        by_id = {entry["id"]: entry for entry in entries if not is_own(entry)}
        misses = near_misses(by_id.values(), wanted, body, len(by_id))
        compared = [
            _Miss(_request(by_id[miss["id"]]), miss["distance"] + len(more) / 2, [*miss["why"], *more])
            for miss in misses
            for more in [_query_differences(by_id[miss["id"]], query or {})]
        ]
        return sorted(compared, key=lambda miss: miss.request.id)

    def _nothing(self, asked: str, compared: list[_Miss]) -> str:
        if not compared:
            return f"no request matches {asked}: the project was not asked at all"
        # The latest first among equally similar ones: it is the one that the test has just caused.
        nearest = sorted(compared, key=lambda miss: (miss.distance, -miss.request.id))[:_SHOWN]
        lines = [
            f"no request matches {asked}",
            f"The project got {counted(len(compared), 'request')}; the most similar:",
        ]
        for miss in nearest:
            lines += [f"  {miss.request.line}", *(f"      {why}" for why in miss.why), *self._refusal(miss)]
        return "\n".join(lines)

    def _refusal(self, miss: _Miss) -> list[str]:
        if miss.request.reason is None or not miss.why:
            return []
        try:
            curl = self.explain(miss.request)["curl"]
        except ControlError:
            curl = None  # the journal has dropped it since
        return [f"      this would be accepted: {curl}"] if curl else []


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 request, 2 requests."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def is_own(entry: Mapping[str, Any]) -> bool:
    """Whether this package has sent the request, and not the client under test."""
    return any(name.lower() == "user-agent" and value == AGENT for name, value in entry["request"]["headers"])


def _request(entry: Mapping[str, Any]) -> RecordedRequest:
    return RecordedRequest(
        id=entry["id"],
        method=entry["method"],
        path=entry["path"],
        query=dict(parse_qsl(entry["query"], keep_blank_values=True)),
        operation=entry["operation"],
        body=entry["request"].get("json", entry["request"]["body"]),
        status=entry["status"],
        response=entry["response"].get("json", entry["response"]["body"]),
        reason=entry["reason"],
        entry=entry,
    )


def _query_differences(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    given = dict(parse_qsl(entry["query"], keep_blank_values=True))
    found = []
    for name, value in wanted.items():
        if name not in given:
            found.append(f"parameter {name} is missing, wanted {str(value)!r}")
        elif given[name] not in (str(value), "***"):
            found.append(f"parameter {name} was {given[name]!r}, wanted {str(value)!r}")
    return found


def _sentence(**asked: Any) -> str:
    """What was looked for, as it was written."""
    return ", ".join(f"{name}={value!r}" for name, value in asked.items() if value is not None) or "anything"
