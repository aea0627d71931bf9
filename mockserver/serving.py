"""The foreground server of `attendee-mock serve`: what it prints, its log, and starting again when files change."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import click

from mockserver.api.incoming import Exchange
from mockserver.app import Mock
from mockserver.control.guard import new_token
from mockserver.control.routes import DOCS
from mockserver.seed import FixtureError
from mockserver.server import PortInUse, listen, make_server, url_of
from mockserver.settings import Settings
from mockserver.spec import BOTS, CALENDARS, data_path

_LONGEST_PATH = 200


def serve(settings: Settings, host: str, port: int, log_level: str) -> None:
    """Serves until Ctrl-C.

    Raises ClickException for fixtures that are broken and an address that is taken.
    """
    log = make_log(log_level, sys.stderr)
    try:
        mock = Mock(settings, observe=None if log_level in ("critical",) else request_log(log))
        listening = listen(host, port)
    except (FixtureError, PortInUse) as error:
        raise click.ClickException(str(error)) from error
    mock.guard.listens_on(listening.getsockname()[0])
    # What is there now stays: collecting garbage need never look at the fixtures again, however many there are.
    gc.freeze()
    with listening:
        server = make_server(mock, ready=lambda: print(banner(mock, url_of(listening)), flush=True))
        try:
            server.run([listening])
        except KeyboardInterrupt:
            # The server hands Ctrl-C on once it has stopped; that is how this command is meant to end.
            return


def serve_and_reload(settings: Settings, host: str, port: int, log_level: str) -> None:
    """Serves in a process of its own, and again in a new one whenever the fixtures, the contract or the code change."""
    try:
        from watchfiles import run_process
    except ImportError:
        problem = "--reload needs watchfiles: pip install 'attendee-mockserver[reload]'"
        raise click.ClickException(problem) from None

    contracts = {data_path(CALENDARS), data_path(BOTS)}
    watched = {Path(__file__).parent, *contracts, settings.fixtures or data_path("fixtures")}
    missing = [str(path) for path in watched if not path.exists()]
    if missing:
        raise click.ClickException(f"cannot watch {missing[0]}: there is no such file")
    # One token for all of them: who was let in before a change is let in after it.
    settings = replace(settings, control_token=settings.control_token or new_token())
    run_process(*watched, target=_serve_again, args=(settings, host, port, log_level))


def _serve_again(settings: Settings, host: str, port: int, log_level: str) -> None:
    try:
        serve(settings, host, port, log_level)
    except click.ClickException as error:
        print(f"attendee-mock: {error.format_message()} (waiting for a change)", file=sys.stderr)


def banner(mock: Mock, url: str) -> str:
    """What is printed once, when the mock is ready: where it is, and the lines to paste."""
    key = next((key for project in mock.store.projects for key in project.api_keys), "NO_KEY_IN_THE_FIXTURES")
    token = mock.guard.token
    guarded = [] if token is None else [f"  Control requests need: X-Control-Token: {token}", ""]
    return "\n".join(
        [
            f"attendee-mockserver is ready at {url}",
            "",
            f"  export ATTENDEE_BASE_URL={url}",
            f"  export ATTENDEE_API_KEY={key}",
            f'  curl -H "Authorization: Token {key}" {url}/api/v1/calendars',
            "",
            *guarded,
            f"  Try it in a browser: {url}{DOCS}/    Stop: Ctrl-C",
        ]
    )


def make_log(level: str, stream: TextIO) -> logging.Logger:
    """A log of its own that writes plain lines to the stream."""
    log = logging.Logger("attendee-mock", level.upper())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    return log


def request_log(log: logging.Logger) -> Callable[[Exchange], None]:
    """What writes one line for each exchange."""

    def write(exchange: Exchange) -> None:
        level = logging.ERROR if exchange.status >= 500 else logging.INFO
        if log.isEnabledFor(level):
            log.log(level, "%s", request_line(exchange))

    return write


def request_line(exchange: Exchange) -> str:
    """Method, path, status, duration and operation, and why a request was refused or remarked on; never a value."""
    path = exchange.path.encode("unicode_escape").decode("ascii")
    if len(path) > _LONGEST_PATH:
        path = path[:_LONGEST_PATH] + "..."
    line = f"{exchange.method} {path} {exchange.status} {exchange.seconds * 1000:.1f}ms {exchange.operation or '-'}"
    if exchange.reason is not None:
        line += f" | {exchange.reason}"
    if exchange.remarks:
        line += f" | off contract: {'; '.join(exchange.remarks)}"
    return line
