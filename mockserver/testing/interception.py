"""Reroutes https://app.attendee.dev to a project, for apps that contain the service's URL: requests, httpx, aiohttp."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from mockserver.testing.project import AttendeeProject

__all__ = ["HOST", "Intercept", "intercept"]

HOST: Final = "app.attendee.dev"
"""The host of the service."""
_LIBRARIES: Final = ("requests", "httpx", "httpx2", "aiohttp")


class Intercept:
    """What `intercept` did with requests to the service's host."""

    def __init__(self, project: AttendeeProject) -> None:
        self._project = project
        base = urlsplit(project.base_url)
        self.scheme, self.host, self.prefix = base.scheme, base.hostname or "", base.path.rstrip("/")
        self.port = base.port or (443 if base.scheme == "https" else 80)
        self.rerouted: list[str] = []
        """Method and URL of each request that was sent to the project instead."""
        self.refused: list[str] = []
        """What was tried to reach the host in another way, and was not let through."""

    @property
    def headers(self) -> dict[str, str]:
        """What a rerouted request gets: with its headers, a mock writes links to the service's own URL."""
        if self._project.is_real:
            return {"Host": self.origin.partition("://")[2]}
        return {"Host": HOST, "X-Forwarded-Proto": "https"}

    @property
    def origin(self) -> str:
        """Scheme, host and port of the project's deployment."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme] == self.port
        return f"{self.scheme}://{host}" if usual else f"{self.scheme}://{host}:{self.port}"

    def takes(self, method: str, url: str, refusal: Callable[[str], Exception]) -> bool:
        """Whether a request is rerouted.

        Raises what `refusal` makes of a text, for a request to the host that is not https on port 443.
        """
        parts = urlsplit(url)
        if (parts.hostname or "").rstrip(".") != HOST:
            return False
        if parts.scheme != "https" or parts.port not in (None, 443):
            raise refusal(self.refuse(f"{method} {parts.scheme}://{parts.netloc.rpartition('@')[2]}"))
        self.rerouted.append(f"{method} {url.partition('?')[0]}")
        return True

    def refuse(self, what: str) -> str:
        """Notes what was refused; gives the error's text."""
        self.refused.append(what)
        ways = ", ".join(_LIBRARIES)
        return f"attendee_intercept refused {what}: it reroutes only https://{HOST} on port 443, from {ways}"


@contextmanager
def intercept(project: AttendeeProject) -> Iterator[Intercept]:
    """Until the end of the block, requests for https://app.attendee.dev go to the project; nothing reaches that host.

    It changes the classes of each library that is installed; requests keep their key, their URL and their responses'
    URL. Every other way to the host fails as if it had no address. It is for one test at a time in a process.
    """
    routes = Intercept(project)
    with ExitStack() as stack:
        stack.enter_context(_without_proxy())
        _patch(stack, socket, "getaddrinfo", lambda found: _getaddrinfo(routes, found))
        for name in _LIBRARIES:
            if find_spec(name) is not None:
                _PATCHES[name](stack, routes, import_module(name))
        yield routes


def _patch(stack: ExitStack, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    original = getattr(owner, name)
    stack.callback(setattr, owner, name, original)
    setattr(owner, name, wrap(original))


@contextmanager
def _without_proxy() -> Iterator[None]:
    """Proxies of the environment are not used for the host: a proxy would look it up elsewhere."""
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    for name, value in before.items():
        os.environ[name] = ",".join(filter(None, [value, HOST, "127.0.0.1"]))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _getaddrinfo(routes: Intercept, original: Any) -> Any:
    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and name.rstrip(".").lower() == HOST:
            raise socket.gaierror(socket.EAI_NONAME, routes.refuse(f"a connection to {HOST}"))
        return original(host, *arguments, **named)

    return getaddrinfo


def _requests(stack: ExitStack, routes: Intercept, library: Any) -> None:
    def wrap(original: Any) -> Any:
        def send(self: Any, request: Any, *arguments: Any, **named: Any) -> Any:
            if not routes.takes(request.method, request.url, library.exceptions.ConnectionError):
                return original(self, request, *arguments, **named)
            rerouted = request.copy()
            parts = urlsplit(request.url)
            rerouted.url = f"{routes.origin}{routes.prefix}{parts.path}{f'?{parts.query}' if parts.query else ''}"
            rerouted.headers.update(routes.headers)
            response = original(self, rerouted, *arguments[:4], **{**named, "proxies": {}})
            response.url, response.request = request.url, request
            return response

        return send

    _patch(stack, library.adapters.HTTPAdapter, "send", wrap)


def _httpx(stack: ExitStack, routes: Intercept, library: Any) -> None:
    def wrap(original: Any) -> Any:
        # The asynchronous one gives a coroutine, which its caller awaits.
        def handle(self: Any, request: Any) -> Any:
            if not routes.takes(request.method, str(request.url), library.ConnectError):
                return original(self, request)
            path = routes.prefix.encode() + request.url.raw_path
            url = request.url.copy_with(scheme=routes.scheme, host=routes.host, port=routes.port, raw_path=path)
            headers = request.headers.copy()
            headers.update(routes.headers)
            sent = library.Request(
                request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
            )
            return original(self, sent)

        return handle

    _patch(stack, library.HTTPTransport, "handle_request", wrap)
    _patch(stack, library.AsyncHTTPTransport, "handle_async_request", wrap)


def _aiohttp(stack: ExitStack, routes: Intercept, library: Any) -> None:
    def wrap(original: Any) -> Any:
        async def connect(self: Any, request: Any, *arguments: Any, **named: Any) -> Any:
            if routes.takes(request.method, str(request.url), library.ClientConnectionError):
                url = request.url.with_scheme(routes.scheme).with_host(routes.host).with_port(routes.port)
                if routes.prefix:
                    url = url.with_path(routes.prefix + url.raw_path, encoded=True, keep_query=True)
                request.url = url
                request.proxy = None
                request.headers.update(routes.headers)
            return await original(self, request, *arguments, **named)

        return connect

    _patch(stack, library.BaseConnector, "connect", wrap)


_PATCHES: Final = {"requests": _requests, "httpx": _httpx, "httpx2": _httpx, "aiohttp": _aiohttp}
