"""Runs a mock on a port: in the foreground for `serve`, or in a thread for tests."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mockserver.app import Mock
from mockserver.http.connection import Limits
from mockserver.http.server import HttpServer
from mockserver.ready_file import ready_file
from mockserver.settings import Settings


class PortInUse(Exception):
    """Nothing can listen on the address."""


@dataclass(frozen=True)
class RunningServer:
    """A mock that answers at `url`, e.g. http://127.0.0.1:54321."""

    url: str
    mock: Mock


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0 takes one that is free.

    Raises PortInUse, with the reason and what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # Listening here and not later, so that a second server on the port fails now and with these words.
        listening.listen(2048)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PortInUse(
            f"cannot listen on {host}:{port} ({reason.lower()}); choose another --port, or --port 0 for a free one"
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(mock: Mock, ready: Callable[[], None] | None = None) -> HttpServer:
    """The HTTP server of a mock; `ready` is called when it answers."""
    settings = mock.settings
    limits = Limits(settings.max_head, settings.request_timeout, settings.keep_alive)
    return HttpServer(mock.asgi, limits, ready=ready, stopping=mock.end_waits)


@contextlib.contextmanager
def running(
    settings: Settings | None = None, *, mock: Mock | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[RunningServer]:
    """A mock that answers over HTTP from a thread for as long as the block lasts.

    Give settings to have one made, or a mock. Raises PortInUse, FixtureError and ReadyFileError.
    """
    mock = mock or Mock(settings)
    listening = listen(host, port)
    mock.guard.listens_on(listening.getsockname()[0])
    server = make_server(mock)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        url = url_of(listening)
        with ready_file(mock.settings.ready_file, mock, url) as file:
            if file is not None:
                file.publish()
            # The socket listens already: a request that comes before the loop runs waits in its queue.
            yield RunningServer(url, mock)
    finally:
        server.stop()
        thread.join(timeout=5)
        listening.close()
