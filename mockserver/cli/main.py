"""The commands `attendee-mock` and `attendee-mockserver`: their subcommands, error messages and exit statuses."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from mockserver import __version__
from mockserver.cli import (
    audit,
    check,
    coach,
    diff,
    drift,
    evidence,
    faults,
    journal,
    listen,
    projects,
    proxy,
    time_and_deliveries,
    upstream,
)
from mockserver.cli.control_client import Refusal
from mockserver.cli.options import HELP, Command, Group
from mockserver.cli.serve import serve

_NAME = "attendee-mock"
_STEERING = (projects, upstream, time_and_deliveries, faults, journal, coach, audit, listen)


@click.group(cls=Group, context_settings={**HELP, "show_default": True, "max_content_width": 100})
@click.version_option(__version__, prog_name=_NAME)
def cli() -> None:
    """A stand-in for the Attendee API's calendar endpoints, for a laptop and for CI.

    `serve` starts the mock. `check`, `rules`, `replay` and `cleanup` test a deployment; `diff` compares two. `drift`
    compares documents and recorded traffic with the contract; `proxy` records and checks traffic. `generate` writes
    fixtures. `evidence` says how the mock's behaviour is known. All other commands control a running mock, at --url or
    ATTENDEE_BASE_URL.

    \b
    attendee-mock serve
    attendee-mock events add user-abcd --title Planning --start 2h
    attendee-mock explain

    Exit status: 0 done; 1 the mock rejected the request or found nothing; 2 the command line is invalid, a file cannot
    be used, or no mock answers. Commands that look for mistakes, and `cleanup`, have their own; see their --help. Data
    goes to standard output, messages to standard error.
    """


@cli.command()
@click.option("--projects", type=click.IntRange(1), default=1, help="how many projects")
@click.option("--calendars", type=click.IntRange(0), default=60, help="calendars of each project")
@click.option("--events", type=click.IntRange(0), default=260, help="events of each project")
@click.option("--random-seed", type=int, default=1, help="the same seed gives the same data")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="the file to write [default: standard output]"
)
def generate(projects: int, calendars: int, events: int, random_seed: int, output: Path | None) -> None:
    """Write fixtures of any size, as JSON.

    \b
    attendee-mock generate --calendars 1000 --events 10000 --output big.json
    attendee-mock serve --fixtures big.json
    """
    from mockserver.fixtures_io.generate import write_fixtures

    if output is None:
        write_fixtures(sys.stdout, projects, calendars, events, random_seed)
        return
    try:
        with output.open("w", encoding="utf-8") as stream:
            write_fixtures(stream, projects, calendars, events, random_seed)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error


cli.add_command(serve)
# The name that `generate` had before: scripts use it.
cli.add_command(
    Command(
        "seed",
        params=generate.params,
        callback=generate.callback,
        help="The old name of `generate`.\n\n\b\nattendee-mock seed --events 10000 --output big.json",
        hidden=True,
    )
)
for _command in (
    command for module in (*_STEERING, check, diff, drift, evidence, proxy) for command in module.COMMANDS
):
    cli.add_command(_command)


def serve_by_default() -> NoReturn:
    """The command `attendee-mockserver`: as `attendee-mock`, and `serve` where no subcommand is named."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["serve", *arguments]
    main(arguments)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs a command line. What is wrong goes to standard error, in one line unless a file has several problems.

    Exit status: 0 done, 1 refused by the running mock or nothing found, 2 anything else.
    """
    status = None
    try:
        status = cli(arguments, prog_name=_NAME, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
    except Refusal as error:
        _fail(error.format_message(), error.more, error.exit_code)
    except click.UsageError as error:
        help_at = f"; see {error.ctx.command_path} --help" if error.ctx is not None else ""
        _fail(error.format_message().rstrip(".") + help_at)
    except click.ClickException as error:
        first, *more = error.format_message().splitlines() or [""]
        _fail(first, tuple(more))
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever reads the output has enough of it, such as `head`. Python must not complain when it flushes the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status if isinstance(status, int) else 0)


def _fail(problem: str, more: tuple[str, ...] = (), status: int = 2) -> NoReturn:
    print(f"{_NAME}: {' '.join(problem.split())}", file=sys.stderr)
    for line in more:
        print(f"  {' '.join(line.split())}", file=sys.stderr)
    sys.exit(status)
