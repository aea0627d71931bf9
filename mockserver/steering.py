"""The commands that steer a running mock through its control API: those of `editing`, the clock, deliveries, why."""

from __future__ import annotations

from typing import Any

import click

from mockserver.controls import (
    HELP,
    Controls,
    Refusal,
    UsualGroup,
    show_clock,
    show_deliveries,
    show_delivery,
    show_explanation,
    show_held,
    steers,
)
from mockserver.editing import events, reconnect, revoke, sync


@click.group(cls=UsualGroup, usual="show", context_settings=HELP)
def clock() -> None:
    """Look at the project's time, or move it: without a command, `show`."""


@clock.command("show")
@steers(show_clock)
def _show(controls: Controls) -> Any:
    """Say what time it is in the project, and whether its clock stands still.

    \b
    attendee-mock clock show
    """
    return controls.ask("GET", "clock")


@clock.command("freeze")
@steers(show_clock)
def _freeze(controls: Controls) -> Any:
    """Stop the clock.

    \b
    attendee-mock clock freeze
    """
    return controls.ask("POST", "clock", "freeze")


@clock.command("run")
@steers(show_clock)
def _run(controls: Controls) -> Any:
    """Let the clock run on from where it stands.

    \b
    attendee-mock clock run
    """
    return controls.ask("POST", "clock", "run")


# What begins with a minus sign is a time here, -1h too.
@clock.command("set", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("to")
@steers(show_clock)
def _set(controls: Controls, to: str) -> Any:
    """Move the clock to a time; what falls due on the way ahead is done.

    \b
    attendee-mock clock set 2027-01-31T09:00:00Z
    """
    return controls.ask("POST", "clock", "set", body={"to": to})


@clock.command("advance")
@click.argument("by")
@steers(show_clock)
def _advance(controls: Controls, by: str) -> Any:
    """Move the clock on, do all that falls due on the way, and say what happened.

    \b
    attendee-mock clock advance 25h
    """
    return controls.ask("POST", "clock", "advance", body={"by": by})


@click.group(cls=UsualGroup, usual="list", context_settings=HELP)
def deliveries() -> None:
    """Look at the webhooks that were sent, hold them, let them go: without a command, `list`."""


@deliveries.command("list")
@click.option("--trigger", help="only those of this trigger")
@click.option("--state", help="only those in this state, e.g. failure")
@click.option("--calendar", help="only those about this calendar")
@click.option("--limit", type=click.IntRange(1), help="at most so many")
@click.option("--wait", help="wait so long for the first one, e.g. 5s")
@steers(show_deliveries)
def _list_deliveries(controls: Controls, **wanted: Any) -> Any:
    """List the latest deliveries.

    \b
    attendee-mock deliveries list --trigger calendar.state_change --wait 5s
    """
    return controls.ask("GET", "deliveries", **wanted)


@deliveries.command("show")
@click.argument("key")
@steers(show_delivery)
def _show_one(controls: Controls, key: str) -> Any:
    """Show one delivery, by its idempotency key, with every attempt at it.

    \b
    attendee-mock deliveries show 9a4d544f-be46-40b7-add9-94a9b8923d9b
    """
    return controls.ask("GET", "deliveries", key)


@deliveries.command("hold")
@steers(show_held)
def _hold(controls: Controls) -> Any:
    """Hold every delivery from now on.

    \b
    attendee-mock deliveries hold
    """
    return controls.ask("POST", "deliveries", "hold")


@deliveries.command("release")
@click.argument("key", required=False)
@steers(show_held)
def _release(controls: Controls, key: str | None) -> Any:
    """Let every held delivery go, or the one with this key.

    \b
    attendee-mock deliveries release
    """
    return controls.ask("POST", "deliveries", *([key] if key else []), "release")


@click.command(context_settings=HELP)
@click.argument("key")
@steers(show_delivery)
def resend(controls: Controls, key: str) -> Any:
    """Send a delivery once more, with the same idempotency key and data.

    \b
    attendee-mock resend 9a4d544f-be46-40b7-add9-94a9b8923d9b
    """
    return controls.ask("POST", "deliveries", key, "resend")


@click.command(context_settings=HELP)
@click.argument("exchange", required=False)
@steers(show_explanation)
def explain(controls: Controls, exchange: str | None) -> Any:
    """Say why an exchange was answered so, by its number in the journal; without one, the last that was refused.

    With a calendar's id: which webhooks were sent for it, or why there is none.

    \b
    attendee-mock explain
    attendee-mock explain 17
    attendee-mock explain cal_abcdef1234567890
    """
    if exchange is None:
        exchange = str(_last_refused(controls))
    if exchange.isdecimal():
        return controls.ask("GET", "explain", exchange)
    return controls.ask("GET", "calendars", exchange, "explain")


def _last_refused(controls: Controls) -> int:
    answers = [controls.ask("GET", "requests", status=status, limit=1) for status in ("4xx", "5xx")]
    numbers = [entry["id"] for answer in answers for entry in answer["requests"]]
    if not numbers:
        raise Refusal("no request of the project was refused; give the number of an exchange, e.g. explain 17")
    return int(max(numbers))


COMMANDS = (events, revoke, reconnect, sync, clock, deliveries, resend, explain)
