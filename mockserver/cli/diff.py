"""The command `diff`, which compares two deployments. What it needs is imported when it runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockserver.cli.controlling import as_json, write_file
from mockserver.cli.judge_options import Seconds
from mockserver.cli.options import HELP, Command

if TYPE_CHECKING:
    from mockserver.differential.result import Result


_PLAN = (
    "This run creates calendars at {url}, and changes and deletes only these. Each create and change starts a sync\n"
    "with invalid credentials. Each failed sync may send calendar.state_change to the project's own webhooks."
)


@click.command(cls=Command, context_settings=HELP)
@click.argument("url_a")
@click.argument("url_b")
@click.option(
    "--token",
    envvar="ATTENDEE_API_KEY",
    show_envvar=True,
    show_default=False,
    help="an API key of the project at URL_A; safer in the environment",
)
@click.option(
    "--token-b",
    envvar="ATTENDEE_API_KEY_B",
    show_envvar=True,
    show_default=False,
    help="an API key of the project at URL_B [default: the one for URL_A]",
)
@click.option("--steps", type=click.IntRange(1), default=1_000, help="how many requests to send to each side")
@click.option(
    "--random-seed",
    "--seed",
    "seed",
    type=int,
    default=1,
    help="the same seed draws the same requests for the same data",
)
@click.option("--write", is_flag=True, help="also create calendars, and change and delete these; otherwise only read")
@click.option("--shapes", is_flag=True, help="the projects have different data: compare only the names of its members")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="the maximum number of requests per second")
@click.option("--request-timeout", type=Seconds(), default="10s", help="how long one request may take")
@click.option("--max-differences", type=click.IntRange(1), default=20, help="stop after this many differences")
@click.option("--production-host", help="the name of the production host that you want to compare")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="a folder for each difference's curl lines (.sh) and recording (.json)",
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="the format of the output")
def diff(
    *,
    url_a: str,
    url_b: str,
    token: str | None,
    token_b: str | None,
    steps: int,
    seed: int,
    write: bool,
    shapes: bool,
    rate: float | None,
    request_timeout: float,
    max_differences: int,
    production_host: str | None,
    output: Path | None,
    form: str,
) -> None:
    """Send the same random requests to two deployments, and print where the responses differ.

    Ids, times, cursors and hosts may differ; everything else must be the same. Both projects need the same data, e.g.
    the same fixtures. Without --write only GET, HEAD and OPTIONS are sent. With it, the command creates calendars on
    both sides, changes and deletes only these, and deletes what is left at the end.

    \b
    attendee-mock diff http://127.0.0.1:8000 http://127.0.0.1:8001
    attendee-mock diff http://127.0.0.1:8000 https://staging.example.com --write --output differences

    Exit status: 0 no differences, 1 differences, 2 the deployments could not be compared, 3 could not delete everything
    that it created, 130 interrupted.
    """
    try:
        import httpcore2  # noqa: F401
    except ImportError as error:
        problem = f"{error.name} is not installed; pip install 'attendee-mockserver[conformance]'"
        raise click.ClickException(problem) from error
    from mockserver.differential.running import Options, run
    from mockserver.differential.sides import NotComparable, Place

    places = Place(url_a, token, production_host), Place(url_b, token_b or token, production_host)
    for place in places if write else ():
        if place.live:
            click.echo(_PLAN.format(url=place.target), err=True)
    options = Options(steps, seed, write, shapes, rate, max_differences, request_timeout)
    try:
        result = run(*places, options, _progress(steps) if sys.stderr.isatty() else None)
    except NotComparable as reason:
        raise click.ClickException(str(reason)) from reason
    for line in [as_json(result.as_json())] if form == "json" else result.lines():
        click.echo(line)
    if output is not None:
        _save(result, output)
    for line in result.left:
        click.echo(f"not deleted: {line}", err=True)
    sys.exit(result.exit_status)


def _progress(steps: int) -> Callable[[Result], None]:
    """Shows on a terminal how far a run is."""

    def show(result: Result) -> None:
        click.echo(f"\r{result.steps} of {steps} requests, {len(result.found)} differences ", nl=False, err=True)
        if result.steps >= steps:
            click.echo("", err=True)

    return show


def _save(result: Result, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot create {folder} (--output): {error.strerror}") from error
    for number, found in enumerate(result.found, 1):
        write_file(folder / f"difference-{number}.sh", found.curl.rstrip())
        write_file(folder / f"difference-{number}.json", json.dumps(found.recording, indent=1, ensure_ascii=False))


COMMANDS = (diff,)
