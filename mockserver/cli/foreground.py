"""The server behind `attendee-mock serve`: what it prints, its request log, and the restart when files change."""

from __future__ import annotations

import base64
import contextlib
import gc
import logging
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TextIO

import click

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.contracts import BOTS, CALENDARS, CONTROL, WEBHOOKS, data_path
from mockserver.control.guard import new_token
from mockserver.control.page_routes import PAGE
from mockserver.fixtures_io import FixtureError
from mockserver.ready_file import ReadyFileError, ready_file
from mockserver.server import PortInUse, listen, make_server, url_of
from mockserver.settings import Settings

_LONGEST_PATH = 200


def serve(settings: Settings, host: str, port: int, log_level: str) -> None:
    """Serves until Ctrl-C.

    Raises ClickException for broken fixtures, an address in use, and a ready file that cannot be written.
    """
    log = make_log(log_level, sys.stderr)
    try:
        mock = Mock(settings, observe=None if log_level in ("critical",) else request_log(log))
        listening = listen(host, port)
    except (FixtureError, PortInUse) as error:
        raise click.ClickException(str(error)) from error
    mock.guard.listens_on(listening.getsockname()[0])
    # The fixtures stay for as long as the process: the garbage collector need not look at them again.
    gc.freeze()
    with listening:
        try:
            _run(mock, listening)
        except ReadyFileError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            # The server hands Ctrl-C on once it has stopped; that is how this command is meant to end.
            return


def _run(mock: Mock, listening: socket.socket) -> None:
    url = url_of(listening)
    with _terminated_last(), ready_file(mock.settings.ready_file, mock, url) as file:

        def ready() -> None:
            if file is not None:
                file.publish()
            print(banner(mock, url), flush=True)

        make_server(mock, ready=ready).run([listening])


class _Terminated(BaseException):
    """SIGTERM came."""


@contextlib.contextmanager
def _terminated_last() -> Iterator[None]:
    """Lets SIGTERM end the process only after the block has cleaned up, which would not happen otherwise."""

    def note(number: int, frame: FrameType | None) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield
    except _Terminated:
        signal.signal(signal.SIGTERM, before)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def serve_and_reload(settings: Settings, host: str, port: int, log_level: str) -> None:
    """Serves in a child process, and starts another one whenever the fixtures, a contract or the code changes."""
    try:
        from watchfiles import run_process
    except ImportError:
        problem = "--reload needs watchfiles: pip install 'attendee-mockserver[reload]'"
        raise click.ClickException(problem) from None

    contracts = {data_path(name) for name in (CALENDARS, BOTS, CONTROL, WEBHOOKS)}
    watched = {Path(__file__).parent.parent, *contracts, settings.fixtures or data_path("fixtures")}
    missing = [str(path) for path in watched if not path.exists()]
    if missing:
        raise click.ClickException(f"cannot watch {missing[0]}: there is no such file")
    # The same token for each child process, so that clients need not change theirs after a restart.
    settings = replace(settings, control_token=settings.control_token or new_token())
    run_process(*watched, target=_serve_again, args=(settings, host, port, log_level))


def _serve_again(settings: Settings, host: str, port: int, log_level: str) -> None:
    try:
        serve(settings, host, port, log_level)
    except click.ClickException as error:
        first, *more = error.format_message().splitlines()
        print(f"attendee-mock: {first} (waiting for a change)", *more, sep="\n  ", file=sys.stderr)


def banner(mock: Mock, url: str) -> str:
    """What is printed once, when the mock is ready: where it is, and the lines to paste into another terminal."""
    keyed = next((project for project in mock.store.projects if project.api_keys), None)
    key = "NO_KEY_IN_THE_FIXTURES" if keyed is None else keyed.api_keys[0]
    lines = [*_activation(), f"export ATTENDEE_BASE_URL={url}", f"export ATTENDEE_API_KEY={key}"]
    if keyed is not None:
        lines.append(f"export ATTENDEE_WEBHOOK_SECRET={base64.b64encode(keyed.webhook_secret).decode('ascii')}")
    if mock.guard.token is not None:
        lines.append(f"export ATTENDEE_MOCK_CONTROL_TOKEN={mock.guard.token}")
    lines.append(f'curl -H "Authorization: Token {key}" {url}/api/v1/calendars')
    guarded = [] if mock.guard.token is None else [f"  Control requests need: X-Control-Token: {mock.guard.token}", ""]
    return "\n".join(
        [
            f"attendee-mockserver is ready at {url}",
            "",
            *(f"  {line}" for line in lines),
            "",
            *guarded,
            f"  Watch it in a browser: {url}{PAGE}    Stop: Ctrl-C",
        ]
    )


def _activation() -> list[str]:
    """The line that puts `attendee-mock` on the PATH, where it is installed in a virtual environment and not on it."""
    script = Path(sys.prefix, "bin", "activate")
    return [f". {shlex.quote(str(script))}"] if shutil.which("attendee-mock") is None and script.exists() else []


def make_log(level: str, stream: TextIO) -> logging.Logger:
    """A log of its own that writes lines with the time of day to the stream."""
    log = logging.Logger("attendee-mock", level.upper())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))
    log.addHandler(handler)
    return log


def request_log(log: logging.Logger) -> Callable[[Exchange], None]:
    """A function that writes one line for each exchange."""

    def write(exchange: Exchange) -> None:
        level = logging.ERROR if exchange.status >= 500 else logging.INFO
        if log.isEnabledFor(level):
            log.log(level, "%s", request_line(exchange))

    return write


def request_line(exchange: Exchange) -> str:
    """Number in the journal, method, path, status, duration, operation; why it was refused or remarked on. No value."""
    path = exchange.path.encode("unicode_escape").decode("ascii")
    if len(path) > _LONGEST_PATH:
        path = path[:_LONGEST_PATH] + "..."
    asked = f"#{exchange.number} {exchange.method} {path}"
    line = f"{asked} {exchange.status} {exchange.seconds * 1000:.1f}ms {exchange.operation or '-'}"
    if exchange.reason is not None:
        line += f" | {exchange.reason}"
    if exchange.remarks:
        line += f" | off contract: {'; '.join(exchange.remarks)}"
    return line
