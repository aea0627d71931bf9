"""The command `drift`. What it needs is imported when it runs."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from mockserver.cli.options import HELP, Command

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command, context_settings=HELP)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="[PUBLISHED] [HAR]")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "sarif", "markdown")),
    default="text",
    help="the format of the report",
)
@click.option("--output", type=_FILE, help="the file to write [default: standard output]")
@click.option("--known", type=_FILE, help="a file of known differences, which do not count as new")
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "info", "never")),
    default="error",
    help="exit with 1 for new differences of this level or a worse one",
)
def drift(files: tuple[Path, ...], form: str, output: Path | None, known: Path | None, fail_on: str) -> None:
    """Compare an OpenAPI document, recorded traffic, or both with the contract.

    PUBLISHED is an OpenAPI 3.0 or 3.1 document in JSON or YAML, HAR a recording of real traffic. With both, only what
    the recording shows is an error or a warning.

    \b
    attendee-mock drift published.yml
    attendee-mock drift traffic.har --format markdown
    attendee-mock drift published.yml traffic.har --known known-drift.yaml

    Exit status: 0 no new differences, 1 new differences of the level of --fail-on or worse, 2 a file cannot be used.
    """
    from mockserver.drift.difference import LEVELS, at_least
    from mockserver.drift.document import SubjectError
    from mockserver.drift.known import read_known
    from mockserver.drift.reports import render
    from mockserver.drift.run import drift as run_drift
    from mockserver.drift.run import read_subjects

    try:
        entries = read_known(known) if known is not None else []
        report = run_drift(read_subjects(files), entries, date.today())  # noqa: DTZ011 -- days as the user counts them
    except SubjectError as error:
        raise click.ClickException(str(error)) from error
    _write(render(report, form), output)
    level = next((one for one in LEVELS if one == fail_on), None)
    sys.exit(1 if level is not None and at_least(level, report.new) else 0)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from error


COMMANDS: tuple[click.Command, ...] = (drift,)
