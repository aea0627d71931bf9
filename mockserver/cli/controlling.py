"""What every command has that steers a running mock: the options that find it, and how its answer is printed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mockserver.cli.control_client import Controls, Refusal
from mockserver.cli.output import Shown

_FORMATS = ("text", "json")


def controls(show: Callable[[Any], Shown]) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Makes a command's function out of one that asks the control API; `show` makes its answer readable.

    The answer goes to standard output, in lines or as JSON; what else is to be said goes to standard error.
    """

    def decorate(ask: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(ask)
        def run(
            mock_url: str,
            token: str | None,
            chosen: str | None,
            control_token: str | None,
            form: str,
            plain_json: bool,
            **given: Any,
        ) -> None:
            answer = ask(Controls(mock_url, _key(token, chosen), control_token, chosen), **given)
            if form == "json" or plain_json:
                click.echo(as_json(answer))
            else:
                shown = show(answer)
                for line in shown.lines:
                    click.echo(line)
                for note in shown.notes:
                    click.echo(note, err=True)
            if given.get("wait") and not any(answer.get(name) for name in ("deliveries", "requests")):
                raise Refusal(f"nothing arrived within {given['wait']}; try a longer --wait")

        for option in reversed((*_CONNECTION, *_PRINTING)):
            run = option(run)
        return run

    return decorate


def connected(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a command's function out of one that uses the control API and prints what it found itself."""

    @functools.wraps(ask)
    def run(mock_url: str, token: str | None, chosen: str | None, control_token: str | None, **given: Any) -> Any:
        return ask(Controls(mock_url, _key(token, chosen), control_token, chosen), **given)

    for option in reversed(_CONNECTION):
        run = option(run)
    return run


def _key(token: str | None, project: str | None) -> str | None:
    """The key to send: one that only stands in the environment gives way to --project."""
    source = click.get_current_context().get_parameter_source("token")
    return None if project is not None and source is ParameterSource.ENVIRONMENT else token


def as_json(answer: Any) -> str:
    """An answer as it is printed with --format json."""
    return json.dumps(answer, indent=2, ensure_ascii=False)


def write_file(path: Path, text: str) -> None:
    """Writes a file that a command was told to write.

    Raises ClickException.
    """
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from error


_CONNECTION = (
    click.option(
        "--url",
        "mock_url",
        envvar="ATTENDEE_BASE_URL",
        show_envvar=True,
        default="http://127.0.0.1:8000",
        help="the mock's address",
    ),
    click.option("--token", envvar="ATTENDEE_API_KEY", show_envvar=True, help="an API key; it chooses the project"),
    click.option("--project", "chosen", help="the project's name, instead of --token"),
    click.option(
        "--control-token",
        envvar="ATTENDEE_MOCK_CONTROL_TOKEN",
        show_envvar=True,
        help="needed if the mock listens on an address that other machines can reach",
    ),
)
_PRINTING = (
    click.option(
        "--format", "form", type=click.Choice(_FORMATS), default="text", help="json is the mock's response, unchanged"
    ),
    click.option("--json", "plain_json", is_flag=True, help="the same as --format json"),
)
