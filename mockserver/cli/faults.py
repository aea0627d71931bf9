"""Commands for faults, which make responses and webhooks fail on purpose."""

from __future__ import annotations

from typing import Any

import click

from mockserver.cli import output
from mockserver.cli.control_client import Controls
from mockserver.cli.controlling import controls
from mockserver.cli.options import Group


@click.group(cls=Group, usual="list")
def faults() -> None:
    """Make responses and webhooks of the project fail on purpose. Without a command: `list`."""


@faults.command("list")
@controls(output.rows("faults", output.fault, "no faults"))
def _list(mock: Controls) -> Any:
    """List the faults, and how often each was applied.

    \b
    attendee-mock faults list
    """
    return mock.ask("GET", "faults")


@faults.command("kinds")
@controls(output.kinds)
def _kinds(mock: Controls) -> Any:
    """List the kinds of fault, with the fields of each and their defaults.

    \b
    attendee-mock faults kinds
    """
    return {"kinds": mock.ask("GET", "faults")["kinds"]}


@faults.command("add")
@click.argument("kind")
@click.option("--name", help="its name; a fault of the same name is replaced [default: the kind]")
@click.option("--operation", help="only responses of this operationId, e.g. listCalendars")
@click.option("--trigger", help="only webhooks of this trigger, e.g. calendar.state_change")
@click.option("--first", type=int, help="how many times it applies [default: always]")
@click.option("--from", type=int, help="the first one that it applies to, counted from 1")
@click.option("--status", type=int, help="the status, for status and page-dies")
@click.option("--after", is_flag=True, default=None, help="fail after the operation was carried out")
@click.option("--seconds", type=float, help="how late, for delay, dribbled and webhook-late")
@click.option("--retry-after", type=int, help="the header Retry-After in seconds, for throttled")
@click.option("--pieces", type=int, help="how many pieces, for dribbled")
@click.option("--by", type=int, help="how many bytes Content-Length is off, for wrong-length")
@click.option("--page", type=int, help="which page, for page-dies")
@controls(output.one_fault)
def _add(mock: Controls, kind: str, **given: Any) -> Any:
    """Add a fault of KIND; `attendee-mock faults kinds` lists them.

    \b
    attendee-mock faults add status --operation listCalendars --status 503 --first 2
    attendee-mock faults add webhook-duplicate --trigger calendar.events_update
    """
    return mock.ask("POST", "faults", body={"kind": kind, **{k: v for k, v in given.items() if v is not None}})


@faults.command("remove")
@click.argument("name")
@controls(output.done("removed"))
def _remove(mock: Controls, name: str) -> Any:
    """Remove a fault by its name.

    \b
    attendee-mock faults remove status
    """
    return mock.ask("DELETE", "faults", name)


@faults.command("clear")
@controls(output.done("removed every fault of the project"))
def _clear(mock: Controls) -> Any:
    """Remove every fault of the project.

    \b
    attendee-mock faults clear
    """
    return mock.ask("DELETE", "faults")


COMMANDS = (faults,)
