"""The command `attendee-mock`. What a command needs is imported when it runs, so that `--help` is quick."""

from __future__ import annotations

import gc
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from mockserver import __version__
from mockserver.controls import Refusal
from mockserver.judging import commands
from mockserver.settings import (
    LOG_LEVELS,
    ORDERS,
    SYNCS,
    Rate,
    Settings,
    environment_name,
    knobs,
    parse_origin,
    parse_rate,
)
from mockserver.steering import COMMANDS

_KNOBS = knobs()
_TOKEN = re.compile(r"[!-~]{8,200}")


def _environment(name: str) -> dict[str, Any]:
    return {"envvar": environment_name(name), "show_envvar": True}


class _RateType(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.2 on
    name = "number/period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Rate:
        if isinstance(value, Rate):
            return value
        try:
            return parse_rate(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _TokenType(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.2 on
    name = "token"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _TOKEN.fullmatch(value):
            self.fail("a control token is 8 to 200 printable ASCII characters without blanks", param, ctx)
        return str(value)


class _OriginType(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.2 on
    name = "origin"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return parse_origin(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="attendee-mock")
def cli() -> None:
    """A stand-in for the Attendee API's calendar endpoints, for a laptop and for CI."""


@cli.command()
@click.option("--host", default="127.0.0.1", help="the address to listen on", **_environment("host"))
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="0 picks a free port", **_environment("port"))
@click.option("--fixtures", type=click.Path(path_type=Path), help=_KNOBS["fixtures"], **_environment("fixtures"))
@click.option(
    "--post-rate",
    type=_RateType(),
    default=str(Settings.post_rate),
    help=_KNOBS["post_rate"],
    **_environment("post_rate"),
)
@click.option("--strict", is_flag=True, help=_KNOBS["strict"], **_environment("strict"))
@click.option(
    "--max-body",
    type=click.IntRange(1),
    default=Settings.max_body,
    help=_KNOBS["max_body"],
    **_environment("max_body"),
)
@click.option(
    "--max-head",
    type=click.IntRange(1000),
    default=Settings.max_head,
    help=_KNOBS["max_head"],
    **_environment("max_head"),
)
@click.option(
    "--request-timeout",
    type=click.FloatRange(0.1),
    default=Settings.request_timeout,
    help=_KNOBS["request_timeout"],
    **_environment("request_timeout"),
)
@click.option(
    "--keep-alive",
    type=click.FloatRange(0.1),
    default=Settings.keep_alive,
    help=_KNOBS["keep_alive"],
    **_environment("keep_alive"),
)
@click.option(
    "--sync",
    type=click.Choice(SYNCS, case_sensitive=False),
    default=Settings.sync,
    help=_KNOBS["sync"],
    **_environment("sync"),
)
@click.option(
    "--random-seed", type=int, default=Settings.random_seed, help=_KNOBS["random_seed"], **_environment("random_seed")
)
@click.option(
    "--first-webhook",
    type=click.Choice(ORDERS),
    default=Settings.first_webhook,
    help=_KNOBS["first_webhook"],
    **_environment("first_webhook"),
)
@click.option("--https-webhooks", is_flag=True, help=_KNOBS["https_webhooks"], **_environment("https_webhooks"))
@click.option("--public-webhooks", is_flag=True, help=_KNOBS["public_webhooks"], **_environment("public_webhooks"))
@click.option(
    "--control-token",
    type=_TokenType(),
    show_default="made up",
    help=_KNOBS["control_token"],
    **_environment("control_token"),
)
@click.option(
    "--cors",
    type=_OriginType(),
    multiple=True,
    help=_KNOBS["cors"],
    **_environment("cors"),
)
@click.option(
    "--log-level",
    type=click.Choice(LOG_LEVELS, case_sensitive=False),
    default="info",
    help="info is one line a request; warning only what went wrong",
    **_environment("log_level"),
)
@click.option(
    "--reload", is_flag=True, help="start again when the fixtures or the code change", **_environment("reload")
)
def serve(host: str, port: int, log_level: str, reload: bool, **knobs: Any) -> None:
    """Start the mock, seeded, and answer until Ctrl-C.

    \b
    attendee-mock serve
    attendee-mock serve --port 0 --fixtures my-fixtures.yaml
    """
    # Modules are no garbage: not to look for any while they are loaded saves a tenth of the start.
    gc.disable()
    from mockserver import serving

    gc.enable()
    settings = Settings(**knobs)
    if reload:
        serving.serve_and_reload(settings, host, port, log_level)
    else:
        serving.serve(settings, host, port, log_level)


@cli.command()
@click.option("--projects", type=click.IntRange(1), default=1, help="how many projects")
@click.option("--calendars", type=click.IntRange(0), default=60, help="calendars of each project")
@click.option("--events", type=click.IntRange(0), default=260, help="events of each project")
@click.option("--random-seed", type=int, default=1, help="the same seed gives the same data")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="the file; without it, the terminal")
def seed(projects: int, calendars: int, events: int, random_seed: int, output: Path | None) -> None:
    """Write fixtures of any size, as JSON.

    \b
    attendee-mock seed --calendars 1000 --events 10000 --output big.json
    attendee-mock serve --fixtures big.json
    """
    from mockserver.seeding import write_fixtures

    if output is None:
        write_fixtures(sys.stdout, projects, calendars, events, random_seed)
        return
    try:
        with output.open("w", encoding="utf-8") as stream:
            write_fixtures(stream, projects, calendars, events, random_seed)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error


for _command in (*COMMANDS, *commands):
    cli.add_command(_command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command; whatever is wrong is one line on standard error.

    Exit status: 0 done, 1 refused by the running mock, 2 anything else.
    """
    try:
        cli(arguments, prog_name="attendee-mock", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        sys.exit(0)
    except Refusal as error:
        _fail(error.format_message(), error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message())
    except click.Abort:
        sys.exit(130)
    sys.exit(0)


def _fail(problem: str, status: int = 2) -> NoReturn:
    print(f"attendee-mock: {' '.join(problem.split())}", file=sys.stderr)
    sys.exit(status)
