"""The request path: every check in the service's order, the operation, and the answer held against the contract.

It stands in Connexion's middleware stack and takes paths, operations and handlers from Connexion's reading of the
contract; but it answers by itself, with each operation compiled once, instead of interpreting the contract per request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from mockserver.api import answers, errors, unrouted
from mockserver.api.answers import Answer
from mockserver.api.auth import Throttle, TokenSecurity
from mockserver.api.bodies import parse_body
from mockserver.api.contract import BrokenContract, Operation, Route, Schemas, compile_route
from mockserver.api.errors import ApiError, BadRequestPage
from mockserver.api.handlers import Request
from mockserver.api.incoming import (
    App,
    Disconnected,
    Exchange,
    Headers,
    Receive,
    Scope,
    Send,
    check_host,
    check_query,
    format_of,
    parse_query,
    read_body,
    read_headers,
    url_of,
)
from mockserver.api.negotiation import JSON, Representation, negotiate
from mockserver.api.outgoing import Outgoing, write, write_page
from mockserver.domain.pagination import InvalidCursor
from mockserver.domain.service import CalendarNotFound, DuplicateDeduplicationKey, NotStorable
from mockserver.domain.store import Project
from mockserver.framework import Specification, SpecMiddleware

_PLAIN_ACCEPTS = frozenset({None, "*/*", "application/json"})
_DOMAIN_ERRORS = (CalendarNotFound, InvalidCursor, DuplicateDeduplicationKey, NotStorable)
_BOTS = Route(unrouted.BOTS, "GET, POST, HEAD, OPTIONS", {})
_DOING = {"POST": "creating", "PATCH": "updating"}


class Gateway(SpecMiddleware):  # type: ignore[misc]
    """Answers everything under /api/v1/ and hands the rest on to the next app."""

    def __init__(
        self,
        app: App,
        *,
        schemas: Schemas,
        security: TokenSecurity,
        throttle: Throttle,
        find: Callable[[Project, str], object],
        strict: bool,
        max_body: int,
        observe: Callable[[Exchange], None] | None,
    ) -> None:
        """`find` raises CalendarNotFound; `observe` is called with every finished exchange; `max_body` is in bytes."""
        self._app = app
        self._schemas = schemas
        self._security = security
        self._throttle = throttle
        self._find = find
        self._strict = strict
        self._max_body = max_body
        self._observe = observe
        self._fixed: dict[str, Route] = {}
        self._open: list[tuple[str, Route]] = []
        self._fields: Mapping[str, Any] = {}

    def add_api(self, specification: Specification, *, resolver: Any, **_: Any) -> None:
        """Compiles the operations of a contract; called by Connexion when the stack is built.

        Raises ContractError for what the contract asks and this code does not implement.
        """
        self._fields = specification.raw["components"]["schemas"]["Calendar"]["properties"]
        for template, item in specification.raw["paths"].items():

            def handler_of(method: str, template: str = template) -> Any:
                operation = specification.operation_cls.from_spec(
                    specification, path=template, method=method, resolver=resolver
                )
                return operation.function

            route = compile_route(self._schemas, template, item, handler_of)
            if route.prefix is None:
                self._fixed[template] = route
            else:
                self._open.append((route.prefix, route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http" or not scope["path"].startswith(unrouted.API):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        exchange = Exchange(scope["method"], scope["path"])
        route, object_id = self._route(scope["path"])
        headers = read_headers(scope["headers"])
        try:
            check_host(headers.host)
            check_query(scope["query_string"])
            if route is None:
                outgoing = self._answer_unknown(scope, headers, exchange)
            else:
                outgoing = await self._answer(scope, receive, headers, route, object_id, exchange)
        except Disconnected:
            return
        except BadRequestPage as page:
            outgoing = write_page(exchange, page)
        await send({"type": "http.response.start", "status": outgoing.status, "headers": outgoing.headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else outgoing.body})
        exchange.seconds = time.perf_counter() - started
        if self._observe is not None:
            self._observe(exchange)

    def _route(self, path: str) -> tuple[Route | None, str]:
        route = self._fixed.get(path)
        if route is not None:
            return route, ""
        if path == unrouted.BOTS:
            return _BOTS, ""
        for prefix, candidate in self._open:
            if path.startswith(prefix):
                object_id = path[len(prefix) :]
                if object_id and "/" not in object_id:
                    return candidate, object_id
        return None, ""

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Headers, route: Route, object_id: str, exchange: Exchange
    ) -> Outgoing:
        """The answer on a path of the contract, after the service's order of checks: 406, 401, 429, 405, 404, 400."""
        representation = JSON
        method = scope["method"]
        operation = route.operations.get("GET" if method == "HEAD" else method)
        remarks: list[str] = []
        try:
            if headers.accept not in _PLAIN_ACCEPTS or b"format" in scope["query_string"]:
                representation = negotiate(headers.accept, format_of(scope["query_string"]))
                if representation.kind == "html":
                    remarks.append("Accept: text/html")
            project = self._security.authenticate(headers.authorization)
            if operation is not None:
                exchange.operation = operation.operation_id
                answer = await self._run(operation, project, object_id, scope, receive, headers, remarks)
            elif route is _BOTS:
                answer = await self._answer_bots(method, project, receive, headers)
            else:
                answer = self._answer_other_method(method, route)
        except ApiError as error:
            answer = _refusal(error, exchange)
        except _DOMAIN_ERRORS as problem:
            answer = _refusal(errors.from_domain(problem, _DOING.get(method, "reading")), exchange)
        except BrokenContract as broken:
            answer = self._broken(exchange, str(broken))
        exchange.remarks = tuple(remarks)
        return self._finish(answer, operation, route, representation, headers, exchange)

    async def _run(
        self,
        operation: Operation,
        project: Project,
        object_id: str,
        scope: Scope,
        receive: Receive,
        headers: Headers,
        remarks: list[str],
    ) -> Answer:
        """An operation's own answer; `remarks` takes up what of the request the contract does not allow."""
        if operation.method == "POST":
            self._throttle.admit(project)
        query_string = scope["query_string"]
        query: Mapping[str, str] = {}
        if query_string:
            pairs = parse_query(query_string)
            query = dict(pairs)
            remarks += operation.query_remarks(pairs)
        fields: Mapping[str, Any] = {}
        if operation.rules is not None:
            if object_id:
                # The service looks for the object before it reads the body (patch-unknown-ids).
                self._find(project, object_id)
            raw = await read_body(receive, headers.content_length, self._max_body)
            fields = _read_fields(operation, headers.content_type or "", raw, remarks)
        if remarks and self._strict:
            raise errors.off_contract(remarks[0])
        url = url_of(scope, headers)
        return operation.handler(Request(project, object_id, query, url, query_string.decode("latin-1"), fields))

    def _answer_other_method(self, method: str, route: Route) -> Answer:
        if method == "OPTIONS":
            creates = "POST" in route.operations
            return Answer(200, unrouted.options_document(route.template, self._fields, creates=creates))
        raise errors.method_not_allowed(method)

    async def _answer_bots(self, method: str, project: Project, receive: Receive, headers: Headers) -> Answer:
        """Bots are not imitated, but their POSTs use up the same limit (throttle-shared-with-bots)."""
        if method == "POST":
            self._throttle.admit(project)
            body = parse_body(
                headers.content_type or "", await read_body(receive, headers.content_length, self._max_body)
            )
            unrouted.check_bot_fields(body)
        raise errors.not_imitated()

    def _broken(self, exchange: Exchange, problem: str) -> Answer:
        return _refusal(errors.broken_promise(exchange.operation or "this path", problem), exchange)

    def _finish(
        self,
        answer: Answer,
        operation: Operation | None,
        route: Route,
        representation: Representation,
        headers: Headers,
        exchange: Exchange,
    ) -> Outgoing:
        """Status, headers and bytes of an answer, held against the contract."""
        sent = {"Allow": route.allow, "Vary": "Accept", **answer.headers}
        if operation is not None and answer.status != 500:
            try:
                contract = operation.response(answer.status)
                missing = contract.headers - sent.keys()
                if missing:
                    raise BrokenContract(f"the header {min(missing)} is missing")
                text = contract.text(answer.body)
            except BrokenContract as broken:
                answer = self._broken(exchange, str(broken))
                text = answers.to_json(answer.body)
        else:
            text = answers.to_json(answer.body)
        exchange.status = answer.status
        return write(exchange, sent, text, representation, headers)

    def _answer_unknown(self, scope: Scope, headers: Headers, exchange: Exchange) -> Outgoing:
        """The answer on a path under /api/v1/ that names nothing; it asks for no key (path-unknown)."""
        sent = {"Allow": unrouted.UNKNOWN_PATH_ALLOW, "Vary": "Accept"}
        representation = JSON
        exchange.status, body = 200, unrouted.unknown_options_document()
        try:
            representation = negotiate(headers.accept, format_of(scope["query_string"]))
            sent["Vary"] = "Accept, Cookie"
            unrouted.check_basic_credentials(headers.authorization)
            if scope["method"] not in unrouted.UNKNOWN_PATH_ALLOW.split(", "):
                raise errors.method_not_allowed(scope["method"])
            if scope["method"] != "OPTIONS":
                raise errors.unknown_path()
        except ApiError as error:
            exchange.status, body = error.status, dict(error.body)
            exchange.reason = error.reason
        return write(exchange, sent, answers.to_json(body), representation, headers)


def _read_fields(operation: Operation, content_type: str, raw: bytes, remarks: list[str]) -> Mapping[str, Any]:
    assert operation.rules is not None
    body = parse_body(content_type, raw)
    if body.is_form:
        remarks.append("body: a form")
    fields = operation.rules.apply(body)
    if not body.is_form:
        remarks += operation.body_remarks(body.data)
    return fields


def _refusal(error: ApiError, exchange: Exchange) -> Answer:
    exchange.reason = error.reason
    return Answer(error.status, error.body, error.headers)
