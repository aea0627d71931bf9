"""The command `evidence`, which shows how each behaviour of the mock is known. It needs no running mock."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

import click

from mockserver.cli.options import HELP, Command
from mockserver.evidence import KINDS, Row, ledger, markdown


@click.command(cls=Command, context_settings=HELP)
@click.argument("name", metavar="[ROW]", required=False)
@click.option("--kind", type=click.Choice(KINDS), help="only rows of this kind")
@click.option("--search", help="only rows whose name, topic or sentence contains this text")
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "markdown")), default="text", help="markdown: the whole page"
)
@click.option("--json", "as_json", is_flag=True, help="short for --format json")
@click.pass_context
def evidence(
    context: click.Context, name: str | None, kind: str | None, search: str | None, form: str, as_json: bool
) -> None:
    """Show how the mock's authors know that the service behaves as the mock does.

    Prints a line for each behaviour, or one behaviour with all that shows it. `explain` names the rows about a
    response. The kinds are recorded, differential, document, client and assumed. Exit status: 1 if no row fits.

    \b
    attendee-mock evidence
    attendee-mock evidence --kind assumed
    attendee-mock evidence create-duplicate
    """
    form = "json" if as_json else form
    if form == "markdown":
        if name or kind or search:
            raise click.UsageError("--format markdown prints the whole page: leave ROW, --kind, --search out", context)
        click.echo(markdown(ledger()), nl=False)
        return
    rows = _chosen(name, kind, search)
    if form == "json":
        shown: Any = [row.shown() for row in rows]
        click.echo(json.dumps(shown[0] if name else shown, indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo("\n".join(_long(row)) if name else f"{row.name}  {row.kind}  {row.says}")
    if not rows:
        click.echo("no rows", err=True)
        context.exit(1)


def _chosen(name: str | None, kind: str | None, search: str | None) -> list[Row]:
    rows = ledger().rows
    if name is not None:
        if name not in rows:
            near = get_close_matches(name, rows, 1)
            hint = f"the nearest is {near[0]}" if near else "attendee-mock evidence lists all"
            raise click.BadParameter(f"there is no row {name}; {hint}", param_hint="ROW")
        return [rows[name]]
    wanted = (search or "").lower()
    return [
        row
        for row in rows.values()
        if kind in (None, row.kind) and wanted in f"{row.name} {row.topic} {row.says}".lower()
    ]


def _long(row: Row) -> list[str]:
    """A row with everything in it, a line each."""
    shown = row.shown()
    lines = [f"{row.name}: {row.says}", f"  kind: {row.kind}. {' '.join(ledger().kinds[row.kind].split())}"]
    lines += [f"  where: {place}" for place in shown["where"]]
    lines += [f"  because: {row.because}"] if row.because else []
    lines += [f"  the mock differs: {row.deviates}"] if row.deviates else []
    page = row.page.removeprefix("../") if row.page.startswith("../") else f"docs/{row.page}"
    return [*lines, f"  topic: {row.topic}, {page}"]


COMMANDS = (evidence,)
