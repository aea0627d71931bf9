"""The request path: every check in the service's order, the operation, and the response held against the contract.

It stands in Connexion's middleware stack and takes paths, operations and handlers from Connexion's reading of the
contract, but compiles each operation once instead of interpreting the contract at each request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from mockserver.api import errors, service_pages
from mockserver.api.auth import Throttle, TokenSecurity
from mockserver.api.bodies import LARGE, Body, parse_body
from mockserver.api.contract import BrokenContract, Operation, Route
from mockserver.api.errors import ApiError, Page, Remark
from mockserver.api.fault import replacement
from mockserver.api.fault_injection import GatewayHooks, apply_fault, send_with_fault, with_error_page
from mockserver.api.handlers import Request
from mockserver.api.negotiation import JSON, Representation, negotiate
from mockserver.api.request import (
    App,
    Disconnected,
    Exchange,
    HeaderReader,
    Headers,
    Receive,
    Scope,
    Send,
    check_query,
    chunk_remarks,
    format_of,
    parse_query,
    read_body,
    url_of,
)
from mockserver.api.response import EncodedResponse, Response, encode, encode_page, to_json
from mockserver.api.router import Router
from mockserver.api.validation import BodyRules
from mockserver.connexion_stack import Contract, SpecMiddleware
from mockserver.domain.bot_service import SchedulingError
from mockserver.domain.calendar_service import CalendarNotFound, DuplicateDeduplicationKey
from mockserver.domain.pagination import InvalidCursor
from mockserver.domain.postgres_limits import NotStorable
from mockserver.domain.store import Project

_PLAIN_ACCEPTS = frozenset({None, "*/*", "application/json"})
_DOMAIN_ERRORS = (CalendarNotFound, InvalidCursor, DuplicateDeduplicationKey, NotStorable, SchedulingError)
Reader = Callable[[Project, BodyRules, Body], Mapping[str, Any]]
_DOING = {"POST": "creating", "PATCH": "updating"}


class _Read(NamedTuple):
    """What of a large request was read before its operation, in a thread of its own; None of what is small."""

    body: Body | None = None
    query: list[tuple[str, str]] | None = None


_NOTHING = _Read()


class Gateway(SpecMiddleware):  # type: ignore[misc]
    """Answers everything under /api/v1/ and hands the rest on to the next app."""

    def __init__(
        self,
        app: App,
        *,
        security: TokenSecurity,
        throttle: Throttle,
        find: Mapping[str, Callable[[Project, str], object]],
        readers: Mapping[str, Reader],
        strict: bool,
        max_body: int,
        hooks: GatewayHooks,
    ) -> None:
        """`max_body` is in bytes; `hooks` are called before and after it responds.

        By operationId: `find` raises when the object is not there whose body is about to be read, and `readers` make
        fields of those bodies whose rules need more than the contract.
        """
        self._app = app
        self._security = security
        self._throttle = throttle
        self._find = find
        self._readers = readers
        self._strict = strict
        self._max_body = max_body
        self._record, self._observe, self._faults, self._sleep, self._created, self._changed = hooks
        self._router = Router()
        self._headers = HeaderReader()

    def add_api(self, specification: Contract, *, resolver: Any, **_: Any) -> None:
        """Compiles the operations of a contract; called by Connexion when the stack is built.

        Raises ContractError for what the contract asks and this code does not implement.
        """
        self._router.add(specification, resolver)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http" or not scope["path"].startswith(service_pages.API):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        exchange = Exchange(scope["method"], scope["path"], query=scope["query_string"], headers=scope["headers"])
        route, object_id = self._router.find(exchange.path)
        try:
            headers = self._headers.read(scope["headers"])
            check_query(exchange.query)
            if route is None:
                encoded = self._answer_unknown(scope, headers, exchange)
            else:
                encoded = await self._answer(scope, receive, headers, route, object_id, exchange)
        except Disconnected:
            exchange.reason = "the client closed the connection before its request was complete"
            self._record(exchange)
            return
        except Page as page:
            encoded = encode_page(exchange, page)
        if scope["method"] == "HEAD":
            encoded = encoded._replace(body=b"")
        exchange.sent_headers, exchange.sent = encoded.headers, encoded.body
        exchange.seconds = time.perf_counter() - started
        # Before it is sent: whoever has the response finds it in the journal.
        self._record(exchange)
        if exchange.fault is None:
            await send({"type": "http.response.start", "status": encoded.status, "headers": encoded.headers})
            await send({"type": "http.response.body", "body": encoded.body})
        else:
            await send_with_fault(exchange.fault, encoded, scope, receive, send, self._sleep)
        if self._observe is not None:
            self._observe(exchange)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: Headers, route: Route, object_id: str, exchange: Exchange
    ) -> EncodedResponse:
        """The response on a path of the contract, after the service's order of checks: 406, 401, 429, 405, 404, 400."""
        representation = JSON
        method = scope["method"]
        operation = route.operations.get("GET" if method == "HEAD" else method)
        exchange.operation = operation.operation_id if operation is not None else None
        remarks: list[Remark] = []
        try:
            representation = _negotiate(headers, exchange.query, remarks)
            project = exchange.project = self._security.authenticate(headers.authorization)
            if operation is not None:
                writes = operation.method != "GET"
                read = _NOTHING
                if writes or self._faults.armed or len(exchange.query) > LARGE:
                    read = await self._prepare(operation, exchange, object_id, receive, headers)
                response = self._run(operation, exchange, object_id, scope, headers, remarks, read)
                if method == "POST":
                    # Sends the webhooks that the response is to wait for, before others can be sent.
                    await self._created(project)
                if writes:
                    self._changed(project)
            else:
                response = self._answer_without_operation(method, project, route)
        except (ApiError, *_DOMAIN_ERRORS) as problem:
            response = _refusal(_as_api_error(problem, method), exchange)
        except BrokenContract as broken:
            response = self._broken(exchange, str(broken))
        if len(exchange.body) > LARGE:
            # The refusal of many megabytes may have as many: others are answered before it is written.
            await asyncio.sleep(0)
        exchange.remarks = _texts(remarks, chunk_remarks(scope, headers, exchange.body))
        return self._finish(response, operation, route, representation, headers, exchange)

    async def _prepare(
        self, operation: Operation, exchange: Exchange, object_id: str, receive: Receive, headers: Headers
    ) -> _Read:
        """Applies a fault, counts a POST towards the limit, finds the object of a write and reads its body."""
        project = exchange.project
        assert project is not None
        if self._faults.armed:
            await apply_fault(self._faults, exchange, self._sleep)
        if operation.method == "POST":
            self._throttle.admit(project)
        if operation.rules is not None:
            if object_id:
                # The service looks for the object before it reads the body (patch-unknown-ids).
                self._find[operation.operation_id](project, object_id)
            exchange.body = await read_body(receive, headers.content_length, self._max_body)
        if len(exchange.body) <= LARGE >= len(exchange.query):
            return _NOTHING
        return await _read_apart(exchange, headers)

    def _run(
        self,
        operation: Operation,
        exchange: Exchange,
        object_id: str,
        scope: Scope,
        headers: Headers,
        remarks: list[Remark],
        before: _Read,
    ) -> Response:
        """An operation's own response; `remarks` collects what the contract does not allow."""
        project = exchange.project
        assert project is not None
        query_string = scope["query_string"]
        query: Mapping[str, str] = {}
        if query_string:
            pairs = parse_query(query_string) if before.query is None else before.query
            query = dict(pairs)
            remarks += operation.query_remarks(pairs)
        fields: Mapping[str, Any] = {}
        if operation.rules is not None:
            reader = self._readers.get(operation.operation_id)
            read = None if reader is None else partial(reader, project)
            fields = operation.read_fields(headers.content_type or "", exchange.body, remarks, read, before.body)
        if remarks and self._strict:
            raise errors.off_contract(remarks[0])
        url = url_of(scope, headers)
        return operation.handler(Request(project, object_id, query, url, query_string.decode("latin-1"), fields))

    def _answer_without_operation(self, method: str, project: Project, route: Route) -> Response:
        """OPTIONS, methods that the path does not have, and paths of the service that the mock does not imitate."""
        if method == "OPTIONS":
            return Response(200, service_pages.options_document(route.template, route.created))
        if method not in route.allow.split(", "):
            raise errors.method_not_allowed(method)
        if method == "POST":
            # They use up the same limit (throttle-shared-with-bots).
            self._throttle.admit(project)
        raise errors.not_imitated(f"{method} {route.template}")

    def _broken(self, exchange: Exchange, problem: str) -> Response:
        exchange.off_contract = True
        return _refusal(errors.broken_promise(exchange.operation or "this path", problem), exchange)

    def _finish(
        self,
        response: Response,
        operation: Operation | None,
        route: Route,
        representation: Representation,
        headers: Headers,
        exchange: Exchange,
    ) -> EncodedResponse:
        """Status, headers and bytes of a response, held against the contract."""
        if exchange.fault is not None and exchange.fault.replaces:
            operation, response = None, _refusal(replacement(exchange.fault, exchange.operation), exchange)
        if operation is None or response.status == 500:
            text = to_json(response.body)
        else:
            try:
                text = operation.text(response)
            except BrokenContract as broken:
                response = self._broken(exchange, str(broken))
                text = to_json(response.body)
        exchange.status = response.status
        encoded = encode(exchange, route.allow, response.headers, text, representation, headers)
        return encoded if exchange.fault is None else with_error_page(exchange.fault, encoded)

    def _answer_unknown(self, scope: Scope, headers: Headers, exchange: Exchange) -> EncodedResponse:
        """The response on a path under /api/v1/ that names nothing; it asks for no key (path-unknown).

        Raises NotFoundPage.
        """
        if service_pages.names_nothing(exchange.path):
            raise errors.NotFoundPage("no path of the API")
        sent = {}
        representation = JSON
        exchange.status, body = 200, service_pages.unknown_options_document()
        try:
            representation = negotiate(headers.accept, format_of(scope["query_string"]))
            sent = {"Vary": "Accept, Cookie"}
            service_pages.check_basic_credentials(headers.authorization)
            if scope["method"] not in service_pages.UNKNOWN_PATH_ALLOW.split(", "):
                raise errors.method_not_allowed(scope["method"])
            if scope["method"] != "OPTIONS":
                raise errors.unknown_path()
        except ApiError as error:
            exchange.status, body = error.status, dict(error.body)
            exchange.reason = error.reason
        text = to_json(body)
        return encode(exchange, service_pages.UNKNOWN_PATH_ALLOW, sent, text, representation, headers)


async def _read_apart(exchange: Exchange, headers: Headers) -> _Read:
    """What is large of a request, read in a thread.

    Raises ApiError for a body that is not of its type.
    """
    query = body = None
    if len(exchange.query) > LARGE:
        query = await asyncio.to_thread(parse_query, exchange.query)
    if len(exchange.body) > LARGE:
        body = await asyncio.to_thread(parse_body, headers.content_type or "", exchange.body)
    return _Read(body, query)


def _as_api_error(problem: Exception, method: str) -> ApiError:
    return problem if isinstance(problem, ApiError) else errors.from_domain(problem, _DOING.get(method, "reading"))


def _texts(remarks: list[Remark], others: tuple[str, ...]) -> tuple[str, ...]:
    return (*[remark.text for remark in remarks], *others) if remarks else others


def _negotiate(headers: Headers, query: bytes, remarks: list[Remark]) -> Representation:
    if headers.accept in _PLAIN_ACCEPTS and b"format" not in query:
        return JSON
    representation = negotiate(headers.accept, format_of(query))
    if representation.kind == "html":
        remarks.append(Remark("Accept: text/html"))
    return representation


def _refusal(error: ApiError, exchange: Exchange) -> Response:
    exchange.reason, exchange.broken = error.reason, error.broken
    return Response(error.status, error.body, error.headers)
