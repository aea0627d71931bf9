"""The command `serve`. The server itself is loaded when the command runs, so that `--help` is quick."""

from __future__ import annotations

import gc
from typing import Any

import click

from mockserver.cli.options import HELP, Command, from_settings
from mockserver.settings import LOG_LEVELS, Settings, environment_name


def _environment(name: str) -> dict[str, Any]:
    return {"envvar": environment_name(name), "show_envvar": True}


@click.command(cls=Command, context_settings=HELP)
@click.option("--host", default="127.0.0.1", help="the address to listen on", **_environment("host"))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, help="the port; 0 picks a free one", **_environment("port")
)
@from_settings
@click.option(
    "--log-level",
    type=click.Choice(LOG_LEVELS, case_sensitive=False),
    default="info",
    help="info writes a line for each request; warning only failures",
    **_environment("log_level"),
)
@click.option(
    "--reload", is_flag=True, help="start again when the fixtures or the code change", **_environment("reload")
)
def serve(host: str, port: int, log_level: str, reload: bool, **settings: Any) -> None:
    """Start the mock with example data or your fixtures, and answer requests until Ctrl-C.

    Prints the lines to paste into another terminal; the request log goes to standard error.

    \b
    attendee-mock serve
    attendee-mock serve --port 0 --fixtures my-fixtures.yaml
    ATTENDEE_MOCK_PORT=8001 attendee-mock serve --strict
    """
    # Modules are no garbage: not to look for any while they are loaded saves a tenth of the start.
    gc.disable()
    from mockserver.cli import foreground

    gc.enable()
    start = foreground.serve_and_reload if reload else foreground.serve
    start(Settings(**settings), host, port, log_level)
