"""The command `coach`: what a client did, by the journal, that goes wrong later."""

from __future__ import annotations

import sys

import click

from mockserver.cli.control_client import Controls
from mockserver.cli.controlling import connected
from mockserver.cli.options import HELP, Command

_ENTRIES = 1000
"""A project's journal has no more."""


@click.command(cls=Command, context_settings=HELP)
@click.option("--after", type=click.IntRange(0), help="only entries with a higher number")
@click.option("--skip", multiple=True, metavar="RULE", help="leave out this rule; may be repeated")
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "junit")), default="text", help="the format of the output"
)
@connected
def coach(mock: Controls, after: int | None, skip: tuple[str, ...], form: str) -> None:
    """Read the journal of a running mock and list the mistakes of the client: exchanges, risk, cure.

    \b
    attendee-mock coach
    attendee-mock coach --after 120 --skip polling
    attendee-mock coach --format junit > coach.xml

    Exit status: 0 no remark, 1 remarks, 2 no mock answers.
    """
    from mockserver.coach import RULES, remarks
    from mockserver.coach.reports import as_json, as_junit, as_text

    unknown = [rule for rule in skip if rule not in RULES]
    if unknown:
        raise click.BadParameter(
            f"there is no rule {unknown[0]!r}; the rules are {', '.join(RULES)}", param_hint="'--skip'"
        )
    # Also the requests without a valid key: a key in the URL is none.
    entries = [
        entry
        for keyless in (None, "true")
        for entry in mock.ask("GET", "requests", kind="any", after=after, limit=_ENTRIES, keyless=keyless)["requests"]
    ]
    found = remarks(entries, skip=skip)
    if form == "junit":
        click.echo(as_junit(found, skip), nl=False)
    else:
        click.echo((as_json if form == "json" else as_text)(found, len(entries)))
    sys.exit(1 if found else 0)


COMMANDS = (coach,)
