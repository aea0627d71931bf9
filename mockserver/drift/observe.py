"""Holds the exchanges of a recording against documents.

What a request says is only judged when the service accepted it: a refused request says nothing about the documents,
but for what the contract refuses and the published document allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mockserver.drift.compare import is_needless, listed, operations_of
from mockserver.drift.difference import Source
from mockserver.drift.document import Pointer
from mockserver.drift.fit import Path, Problem, problems
from mockserver.drift.har import Recorded
from mockserver.drift.record import Pair, Recorder
from mockserver.drift.shapes import Shape
from mockserver.drift.surface import Body, Operation, Response, Surface, is_json, path_key

_UNREADABLE: Final = (400, 415, 422)


class Observer:
    """Adds what a recording shows to the differences."""

    def __init__(self, surfaces: Mapping[Source, Surface], recorder: Recorder) -> None:
        """`surfaces` has the contract, and the published document where it is compared, too."""
        self._surfaces = surfaces
        self._recorder = recorder
        self.judged = 0
        """How many exchanges met an operation."""
        self.statuses: dict[str, set[int]] = {}
        """The statuses seen of each operation of the contract."""

    def observe(self, exchange: Recorded) -> None:
        """Holds one exchange against the documents."""
        if exchange.status == 0 or exchange.method == "OPTIONS":
            return
        method = "GET" if exchange.method == "HEAD" else exchange.method
        found = dict(operations_of(self._surfaces, method, exchange.path))
        if not found:
            self._of_undeclared(exchange)
            return
        self.judged += 1
        if "contract" in found:
            self.statuses.setdefault(found["contract"].name, set()).add(exchange.status)
        self._of_operation(exchange, found)
        meeting = _Meeting(exchange, found, self._recorder)
        meeting.response()
        if exchange.status < 400:
            meeting.accepted()
        elif exchange.status in _UNREADABLE:
            meeting.refused()

    def _of_undeclared(self, exchange: Recorded) -> None:
        """A method that no document has on this path: its 405 is one of the path's statuses."""
        if exchange.status == 405 and any(surface.has_path(exchange.path) for surface in self._surfaces.values()):
            self.judged += 1
            self._confirm("status-undocumented:405", exchange, "405")

    def _of_operation(self, exchange: Recorded, found: Mapping[Source, Operation]) -> None:
        """What an exchange says of operations that only one of two documents has."""
        if "published" not in self._surfaces or len(found) == len(self._surfaces):
            if exchange.status == 401:
                self._confirm("key-undocumented:security", exchange, "401")
            return
        if "contract" in found and exchange.status not in (401, 404, 405):
            key = path_key(found["contract"].path)
            self._confirm(f"operation-undocumented:{exchange.method} {key}", exchange, str(exchange.status))
        if "published" in found and exchange.status in (404, 405):
            key = path_key(found["published"].path)
            self._confirm(f"operation-refused:{exchange.method} {key}", exchange, str(exchange.status))
            self._confirm(f"path-slash:{key.rstrip('/')}", exchange, str(exchange.status))

    def _confirm(self, id: str, exchange: Recorded, text: str) -> None:
        known = self._recorder.differences.get(id)
        if known is not None:
            self._recorder.seen(known, exchange, text)


class _Meeting:
    """An exchange and the operation that it meets, in each document that has it."""

    def __init__(self, exchange: Recorded, operations: Mapping[Source, Operation], recorder: Recorder) -> None:
        self._exchange = exchange
        self._operations = operations
        self._recorder = recorder
        self._ours = operations.get("contract") or operations["published"]
        self._theirs = operations.get("published")

    def _plain(
        self,
        kind: str,
        where: str,
        wrong: Source,
        observed: str,
        says: Mapping[Source, tuple[str, Pointer]],
        of: str = "",
    ) -> None:
        self._recorder.plain(
            kind, where, self._ours.name, wrong, says, detail=of, exchange=self._exchange, observed=observed
        )

    def _problems(
        self, direction: str, found: Mapping[Problem, Any], label: str, shapes: Mapping[Source, Shape], wrong: Source
    ) -> None:
        for problem, value in found.items():
            pair = Pair(label, shapes, self._ours.name)
            self._recorder.problem(direction, problem, pair, wrong, exchange=self._exchange, value=value)

    # --- responses ---

    def response(self) -> None:
        """Judges status, headers and body of the response."""
        status = self._exchange.status
        responses = {source: one.response(status) for source, one in self._operations.items()}
        for source, response in responses.items():
            operation = self._operations[source]
            if response is None:
                statuses = ", ".join(sorted(operation.responses)) or "no status"
                said = (f"only {statuses}", (*operation.pointer, "responses"))
                self._plain("status-undocumented", str(status), source, str(status), {source: said}, str(status))
            else:
                self._headers(source, response)
                self._body(source, response, responses)

    def _headers(self, source: Source, response: Response) -> None:
        for header in response.headers.values():
            # Recordings may leave out headers of cookies and keys, but not others.
            if header.required and header.key[1] not in self._exchange.response.headers:
                self._plain("header-missing", header.name, source, "missing", {source: ("required", header.pointer)})

    def _body(self, source: Source, response: Response, all_of: Mapping[Source, Response | None]) -> None:
        exchange, message = self._exchange, self._exchange.response
        if exchange.method == "HEAD" or message.text is None or _is_asked_for(message.media_type, exchange):
            return
        said = {source: (listed(response.body), response.pointer)}
        if not message.text:
            if response.body.contents:
                self._plain("body-missing", f"{self._ours.name} {exchange.status}", source, "no body", said)
        elif not response.body.contents:
            seen = message.media_type or "a body"
            self._plain("body-undocumented", str(exchange.status), source, seen, said, str(exchange.status))
        elif not response.body.takes(message.media_type):
            self._plain("response-media", message.media_type, source, message.media_type, said)
        elif response.body.shape is not None and message.has_json:
            shapes = {name: one.body.shape for name, one in all_of.items() if one is not None and one.body.shape}
            label = f"{self._ours.name} {exchange.status}"
            found = problems(response.body.shape, message.json)
            self._problems("response", found, label, _known(shapes), source)

    # --- requests that the service accepted ---

    def accepted(self) -> None:
        """Judges the request: the service accepted it, so documents must allow it."""
        for source, operation in self._operations.items():
            self._accepted_parameters(source, operation)
            if operation.body is not None and self._exchange.method != "HEAD":
                self._accepted_body(source, operation.body)

    def _accepted_parameters(self, source: Source, operation: Operation) -> None:
        query, headers = dict(self._exchange.query), self._exchange.request.headers
        for parameter in operation.parameters.values():
            has_it = parameter.name in query if parameter.place == "query" else parameter.key[1] in headers
            if parameter.place not in ("query", "header"):
                continue
            if not has_it and (is_needless(parameter, self._ours) or source == "contract" and parameter.required):
                said = {source: ("required", parameter.pointer)}
                self._plain("parameter-needless", parameter.where, source, "not sent", said)
            elif has_it and parameter.place == "query" and parameter.shape is not None:
                value = as_parameter(parameter.shape, query[parameter.name])
                found = problems(parameter.shape, value)
                self._problems("accepted", found, parameter.where, self._parameter_shapes(parameter.key), source)

    def _parameter_shapes(self, key: tuple[str, str]) -> dict[Source, Shape]:
        found = {source: one.parameters.get(key) for source, one in self._operations.items()}
        return _known({source: one.shape for source, one in found.items() if one is not None})

    def _accepted_body(self, source: Source, body: Body) -> None:
        message, where = self._exchange.request, f"{self._ours.name} request"
        if message.text is None:
            return
        if not message.text:
            if body.required:
                self._plain("accepted-body", where, source, "no body", {source: ("required", body.pointer)})
        elif message.media_type and "*" not in message.media_type and not body.takes(message.media_type):
            said = {source: (listed(body), body.pointer)}
            self._plain("accepted-media", f"{where} {message.media_type}", source, message.media_type, said)
        elif body.shape is not None and message.has_json:
            found = problems(body.shape, message.json)
            self._problems("accepted", found, where, self._body_shapes(), source)

    def _body_shapes(self) -> dict[Source, Shape]:
        bodies = {source: one.body for source, one in self._operations.items()}
        return _known({source: body.shape for source, body in bodies.items() if body is not None})

    # --- requests that the service refused ---

    def refused(self) -> None:
        """Finds why the service refused a request that the published document allows, where the contract says why."""
        if self._theirs is None or "contract" not in self._operations:
            return
        self._refused_parameters(self._theirs)
        theirs, ours, message = self._theirs.body, self._ours.body, self._exchange.request
        if theirs is None or ours is None or message.text is None:
            return
        if self._exchange.status == 415:
            self._refused_media(theirs, ours)
        elif not message.text and ours.required and not theirs.required:
            self._confirm_plain("request-body-required", f"{self._ours.name} request", "no body")
        elif is_json(message.media_type) and message.has_json and theirs.shape and ours.shape:
            label = f"{self._ours.name} request"
            self._refused_value(theirs.shape, ours.shape, message.json, label, self._body_shapes())

    def _refused_media(self, theirs: Body, ours: Body) -> None:
        media = self._exchange.request.media_type
        if media and theirs.takes(media) and not ours.takes(media):
            self._confirm_plain("request-media", f"{self._ours.name} request {media}", media)

    def _confirm_plain(self, kind: str, where: str, observed: str) -> None:
        known = self._recorder.differences.get(f"{kind}:{where}")
        if known is not None:
            self._recorder.seen(known, self._exchange, observed)

    def _refused_parameters(self, theirs: Operation) -> None:
        for name, text in dict(self._exchange.query).items():
            key = ("query", name)
            one, other = theirs.parameters.get(key), self._ours.parameters.get(key)
            if one is not None and other is not None and one.shape is not None and other.shape is not None:
                value = as_parameter(one.shape, text)
                self._refused_value(one.shape, other.shape, value, one.where, self._parameter_shapes(key))

    def _refused_value(
        self, theirs: Shape, ours: Shape, value: Any, label: str, shapes: Mapping[Source, Shape]
    ) -> None:
        elsewhere = {problem.path for problem in problems(theirs, value)}
        found = problems(ours, value)
        reasons = {
            problem: part
            for problem, part in found.items()
            if problem.path not in elsewhere and (len(found) == 1 or self._names(problem.path, label))
        }
        self._problems("request", reasons, label, shapes, "published")

    def _names(self, path: Path, label: str) -> bool:
        """Whether the error of the response names a field or parameter."""
        name = path[0] if path else label.rpartition(".")[2]
        return name in (self._exchange.response.text or "")


def _known(shapes: Mapping[Source, Shape | None]) -> dict[Source, Shape]:
    return {source: shape for source, shape in shapes.items() if shape is not None}


def _is_asked_for(media_type: str, exchange: Recorded) -> bool:
    """Whether the request's Accept header names a media type that is not JSON: no document describes that."""
    accept = exchange.request.headers.get("accept", "").lower()
    main = media_type.partition("/")[0]
    return bool(media_type) and not is_json(media_type) and (media_type in accept or f"{main}/*" in accept)


def as_parameter(shape: Shape, text: str) -> Any:
    """The value that the text of a parameter has: of the types that its shape allows, the text itself first."""
    if any("string" in branch.types for branch in shape.branches):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text


def unobserved(observer: Observer, contract: Surface) -> Iterator[str]:
    """The operations of the contract that a recording does not have."""
    yield from (one.name for one in contract.operations.values() if one.name not in observer.statuses)
