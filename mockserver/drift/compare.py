"""Compares a published document with the contract, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mockserver.drift.difference import Source
from mockserver.drift.document import Pointer
from mockserver.drift.fit import Problem
from mockserver.drift.record import Pair, Recorder
from mockserver.drift.shapes import TYPES, Shape
from mockserver.drift.subset import anything, outside
from mockserver.drift.surface import Body, Operation, Parameter, Response, Surface, path_key
from mockserver.drift.wording import Place, place

_DOCUMENT: Final = "published"
_LIMITS: Final = {
    "enum": {"format", "pattern"},
    "format": {"format", "pattern"},
    "pattern": {"format", "pattern"},
    "length": {"minLength", "maxLength", "pattern", "format"},
    "range": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "count": {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"},
}
"""By kind of difference, the keywords with which the contract says something about it."""


def compare(published: Surface, contract: Surface, recorder: Recorder) -> None:
    """Records what in the published document contradicts the contract."""
    for key, ours in contract.operations.items():
        theirs = published.operations.get(key)
        if theirs is not None:
            _Operations(theirs, ours, recorder).compare()
            continue
        other = (key[0], key[1].rstrip("/") if key[1].endswith("/") else f"{key[1]}/")
        slashed = published.operations.get(other)
        if slashed is not None:
            says = {"published": (slashed.path, slashed.pointer), "contract": (ours.path, ours.pointer)}
            recorder.plain("path-slash", path_key(ours.path), ours.name, _DOCUMENT, _texts(says))
        else:
            where = f"{ours.method} {path_key(ours.path)}"
            says = {"published": ("no such operation", ("paths",)), "contract": (ours.name, ours.pointer)}
            recorder.plain("operation-undocumented", where, ours.name, _DOCUMENT, _texts(says))
    for key, theirs in published.operations.items():
        if key[1] in contract.paths and key not in contract.operations:
            says = {"published": (theirs.name, theirs.pointer), "contract": ("no such method on this path", ("paths",))}
            where = f"{theirs.method} {path_key(theirs.path)}"
            recorder.plain("operation-refused", where, theirs.name, _DOCUMENT, _texts(says))


def _texts(says: Mapping[str, tuple[str, Pointer]]) -> dict[Source, tuple[str, Pointer]]:
    return {"published": says["published"], "contract": says["contract"]}


def parameters_in_path(operation: Operation) -> list[Parameter]:
    """The parameters of the path, in its order: documents may name them differently."""
    found = [one for one in operation.parameters.values() if one.place == "path"]
    return sorted(found, key=lambda one: operation.path.find("{" + one.name + "}"))


def is_needless(parameter: Parameter, ours: Operation) -> bool:
    """Whether a required parameter of the published document is one that the contract does not require."""
    name = parameter.key[1]
    if not parameter.required or parameter.place == "path":
        return False
    if parameter.place == "header" and (name in ours.key_headers or (name == "content-type" and ours.body is not None)):
        return False
    known = ours.parameters.get(parameter.key)
    return (known is not None and not known.required) or (known is None and parameter.place in ("header", "cookie"))


def key_is_header_parameter(operation: Operation) -> bool:
    """Whether a document asks for the key as a header parameter, which OpenAPI tells tools to ignore."""
    known = operation.parameters.get(("header", "authorization"))
    return known is not None and known.required


class _Operations:
    """The same operation in both documents."""

    def __init__(self, theirs: Operation, ours: Operation, recorder: Recorder) -> None:
        self._theirs, self._ours, self._recorder = theirs, ours, recorder

    def compare(self) -> None:
        """Records every difference."""
        for parameter in self._theirs.parameters.values():
            self._parameter(parameter)
        for one, other in zip(parameters_in_path(self._theirs), parameters_in_path(self._ours), strict=False):
            self._values(one, other)
        for parameter in self._ours.parameters.values():
            self._missing(parameter)
        self._key()
        self._body()
        for status, response in self._ours.responses.items():
            if not response.is_stand_in_only and status.isdecimal():
                self._response(int(status), response)

    def _plain(
        self, kind: str, where: str, theirs: tuple[str, Pointer], ours: tuple[str, Pointer], of: str = ""
    ) -> None:
        says: dict[Source, tuple[str, Pointer]] = {"published": theirs, "contract": ours}
        self._recorder.plain(kind, where, self._ours.name, _DOCUMENT, says, detail=of)

    def _parameter(self, parameter: Parameter) -> None:
        ours = self._ours.parameters.get(parameter.key)
        nothing = ("no such parameter", self._ours.pointer)
        if is_needless(parameter, self._ours):
            said = nothing if ours is None else ("optional", ours.pointer)
            self._plain("parameter-needless", parameter.where, ("required", parameter.pointer), said)
        elif ours is None and parameter.place == "query":
            known = f"{parameter.place} parameter", parameter.pointer
            self._plain("parameter-ignored", parameter.where, known, nothing)
        if ours is not None and parameter.place != "path":
            self._values(parameter, ours)

    def _missing(self, ours: Parameter) -> None:
        theirs = self._theirs.parameters.get(ours.key)
        if not ours.required or ours.place == "path" or (theirs is not None and theirs.required):
            return
        said = ("no such parameter", self._theirs.pointer) if theirs is None else ("optional", theirs.pointer)
        self._plain("parameter-missing", ours.where, said, ("required", ours.pointer))

    def _values(self, theirs: Parameter, ours: Parameter) -> None:
        if theirs.shape is None or ours.shape is None:
            return
        pair = Pair(theirs.where, {"published": theirs.shape, "contract": ours.shape}, self._ours.name)
        allowed = _in_path if theirs.place == "path" else anything
        for direction, one, other in (
            ("request", theirs.shape, ours.shape),
            ("accepted", ours.shape, theirs.shape),
        ):
            for problem in outside(one, other, allowed):
                if not _is_only_spelling(problem, one, other):
                    self._recorder.problem(direction, problem, pair, _DOCUMENT)

    def _key(self) -> None:
        theirs, ours = self._theirs, self._ours
        if ours.needs_key and not theirs.needs_key:
            as_header = key_is_header_parameter(theirs)
            said = "no credentials, but a header parameter" if as_header else "no credentials"
            level = "partly" if as_header else ""
            self._plain("key-undocumented", "security", (said, theirs.pointer), ("an API key", ours.pointer), level)
        elif theirs.needs_key and not ours.needs_key:
            self._plain("key-needless", "security", ("credentials", theirs.pointer), ("none", ours.pointer))

    def _body(self) -> None:
        theirs, ours = self._theirs.body, self._ours.body
        where = f"{self._ours.name} request"
        if ours is not None and ours.required and not (theirs is not None and theirs.required):
            said = ("no body", self._theirs.pointer) if theirs is None else ("optional", theirs.pointer)
            self._plain("request-body-required", where, said, ("required", ours.pointer))
        if theirs is None or ours is None:
            return
        if theirs.required and not ours.required:
            self._plain("accepted-body", where, ("required", theirs.pointer), ("optional", ours.pointer))
        self._media(theirs, ours, where)
        if theirs.shape is not None and ours.shape is not None:
            pair = Pair(where, {"published": theirs.shape, "contract": ours.shape}, self._ours.name)
            for problem in outside(theirs.shape, ours.shape):
                self._recorder.problem("request", problem, pair, _DOCUMENT)
            for problem in outside(ours.shape, theirs.shape):
                self._recorder.problem("accepted", problem, pair, _DOCUMENT)

    def _media(self, theirs: Body, ours: Body, where: str) -> None:
        said, known = (listed(theirs), theirs.pointer), (listed(ours), ours.pointer)
        refused = [media for media in theirs.contents if not ours.takes(media)]
        is_partly = any(theirs.takes(media) for media in ours.contents)
        for media in refused:
            self._plain("request-media", f"{where} {media}", said, known, "partly" if is_partly else "")
        for media in ours.contents:
            if not theirs.takes(media):
                self._plain("accepted-media", f"{where} {media}", said, known)

    def _response(self, status: int, ours: Response) -> None:
        theirs, name = self._theirs.response(status), str(status)
        if theirs is None:
            statuses = ", ".join(sorted(self._theirs.responses)) or "no status"
            said = (f"only {statuses}", (*self._theirs.pointer, "responses"))
            self._plain("status-undocumented", name, said, (name, ours.pointer), name)
            return
        said, known = (listed(theirs.body), theirs.pointer), (listed(ours.body), ours.pointer)
        if ours.body.contents and not theirs.body.contents:
            self._plain("body-undocumented", name, said, known, name)
        elif theirs.body.contents and not ours.body.contents:
            self._plain("body-missing", f"{self._ours.name} {name}", said, known)
        for media in ours.body.contents if theirs.body.contents else ():
            if not theirs.body.takes(media):
                self._plain("response-media", media, said, known)
        self._headers(theirs, ours)
        if theirs.body.shape is not None and ours.body.shape is not None:
            self._sent(f"{self._ours.name} {name}", theirs.body.shape, ours.body.shape)

    def _headers(self, theirs: Response, ours: Response) -> None:
        for key, header in theirs.headers.items():
            known = ours.headers.get(key)
            if header.required and (known is None or not known.required):
                said = "not sent" if known is None else "optional"
                self._plain("header-missing", header.name, ("required", header.pointer), (said, ours.pointer))
            if known is not None and known.shape is not None and header.shape is not None:
                self._sent(header.where, header.shape, known.shape)

    def _sent(self, label: str, theirs: Shape, ours: Shape) -> None:
        pair = Pair(label, {"published": theirs, "contract": ours}, self._ours.name)
        for problem in outside(ours, theirs):
            is_open = says_less(problem.kind, place(ours, problem.path, ""))
            self._recorder.problem("response", problem, pair, _DOCUMENT, is_open=is_open)


def listed(body: Body) -> str:
    """The media types of a body in words."""
    return ", ".join(body.contents) or "no body"


def says_less(kind: str, at: Place) -> bool:
    """Whether the contract says nothing at a place: then it does not say that there are other values."""
    if kind == "required":
        objects = [one for one in at.parent.branches if one.is_object] if at.parent is not None else []
        return at.shape is None and any(one.additional is not False for one in objects)
    if at.shape is None:
        return False
    limits = _LIMITS.get(kind)
    if limits is None:
        return kind in ("type", "null") and at.shape.is_unlimited
    return all(branch.enum is None and branch.limits.keys().isdisjoint(limits) for branch in at.shape.branches)


def _in_path(value: Any) -> bool:
    """Whether a value can stand in a path at all."""
    return value != "" and "/" not in str(value)


def _is_only_spelling(problem: Problem, one: Shape, other: Shape) -> bool:
    """Whether the values are the same on the wire, where all parameters are texts.

    There is no null, and a parameter without a type is text.
    """
    if problem.kind == "null":
        return True
    return problem.kind == "type" and (_takes_text(other) or any(branch.types == TYPES for branch in one.branches))


def _takes_text(shape: Shape) -> bool:
    return any("string" in branch.types for branch in shape.branches)


def operations_of(surfaces: Mapping[Source, Surface], method: str, path: str) -> Iterator[tuple[Source, Operation]]:
    """The operation that a request meets, in each document that has it."""
    for source, surface in surfaces.items():
        found = surface.find(method, path)
        if found is not None:
            yield source, found
