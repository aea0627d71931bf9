"""Commands for a project's clock and for its webhooks: clock, settle, agenda, subscriptions, deliveries, resend."""

from __future__ import annotations

from typing import Any

import click

from mockserver.cli import output
from mockserver.cli.control_client import Controls
from mockserver.cli.controlling import controls
from mockserver.cli.options import HELP, Command, Group, Moment

# What begins with a minus sign and a digit is a time here: -1h, whose h is no -h.
_TIMES: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@click.group(cls=Group, usual="show")
def clock() -> None:
    """Show the project's time, or move it. Without a command: `show`."""


@clock.command("show")
@controls(output.clock)
def _show(mock: Controls) -> Any:
    """Show the project's time, and whether its clock is frozen.

    \b
    attendee-mock clock show
    """
    return mock.ask("GET", "clock")


@clock.command("freeze")
@controls(output.clock)
def _freeze(mock: Controls) -> Any:
    """Stop the clock.

    \b
    attendee-mock clock freeze
    """
    return mock.ask("POST", "clock", "freeze")


@clock.command("run")
@controls(output.clock)
def _run(mock: Controls) -> Any:
    """Let the clock run on from where it is.

    \b
    attendee-mock clock run
    """
    return mock.ask("POST", "clock", "run")


@clock.command("set", context_settings=_TIMES)
@click.argument("to", type=Moment())
@controls(output.clock)
def _set(mock: Controls, to: str) -> Any:
    """Set the clock to a time or by a span. Forward, everything due on the way runs; backward, nothing runs.

    \b
    attendee-mock clock set 2027-01-31T09:00:00Z
    attendee-mock clock set -1d
    """
    return mock.ask("POST", "clock", "set", body={"to": to})


@clock.command("advance", context_settings=_TIMES)
@click.argument("by", type=Moment())
@controls(output.clock)
def _advance(mock: Controls, by: str) -> Any:
    """Advance the clock by a span, run everything due on the way in order, and print what happened.

    \b
    attendee-mock clock advance 25h
    """
    if by.startswith("-"):
        fix = f"write it without the minus sign, or move the clock back with: attendee-mock clock set {by}"
        raise click.BadParameter(f"{by} is a negative span, and a clock only advances; {fix}", param_hint="'BY'")
    return mock.ask("POST", "clock", "advance", body={"by": by})


@click.command(cls=Command, context_settings=HELP)
@controls(output.rows("happened", output.happening, "nothing was due"))
def settle(mock: Controls) -> Any:
    """Run everything that is due now, until nothing more is due, and print what happened.

    \b
    attendee-mock settle
    """
    return mock.ask("POST", "settle")


@click.command(cls=Command, context_settings=HELP)
@controls(output.rows("tasks", output.cells("due", "kind", "subject", "cause"), "nothing is scheduled"))
def agenda(mock: Controls) -> Any:
    """List the syncs and deliveries that the project will do on its own, and when.

    \b
    attendee-mock agenda
    """
    return mock.ask("GET", "agenda")


@click.group(cls=Group, usual="list")
def subscriptions() -> None:
    """Manage the project's webhook subscriptions. Without a command: `list`."""


@subscriptions.command("list")
@controls(output.rows("subscriptions", output.subscription, "no subscriptions"))
def _list_subscriptions(mock: Controls) -> Any:
    """List the webhook subscriptions.

    \b
    attendee-mock subscriptions list
    """
    return mock.ask("GET", "subscriptions")


@subscriptions.command("add")
@click.argument("url", metavar="ENDPOINT")
@click.option("--trigger", "triggers", multiple=True, help="only this trigger; may be repeated [default: all]")
@controls(output.one_subscription)
def _subscribe(mock: Controls, url: str, triggers: tuple[str, ...]) -> Any:
    """Send the project's webhooks to ENDPOINT, an http or https URL. A project has at most two subscriptions.

    \b
    attendee-mock subscriptions add http://127.0.0.1:9000/webhooks
    attendee-mock subscriptions add http://127.0.0.1:9000/states --trigger calendar.state_change
    """
    body: dict[str, Any] = {"url": url}
    if triggers:
        body["triggers"] = list(triggers)
    return mock.ask("POST", "subscriptions", body=body)


@subscriptions.command("disable")
@click.argument("id")
@controls(output.one_subscription)
def _disable(mock: Controls, id: str) -> Any:
    """Switch a subscription off.

    \b
    attendee-mock subscriptions disable webhook_abcdef1234567890
    """
    return mock.ask("PATCH", "subscriptions", id, body={"active": False})


@subscriptions.command("enable")
@click.argument("id")
@controls(output.one_subscription)
def _enable(mock: Controls, id: str) -> Any:
    """Switch a subscription on again.

    \b
    attendee-mock subscriptions enable webhook_abcdef1234567890
    """
    return mock.ask("PATCH", "subscriptions", id, body={"active": True})


@subscriptions.command("remove")
@click.argument("id")
@controls(output.done("removed"))
def _unsubscribe(mock: Controls, id: str) -> Any:
    """Remove a subscription.

    \b
    attendee-mock subscriptions remove webhook_abcdef1234567890
    """
    return mock.ask("DELETE", "subscriptions", id)


@click.group(cls=Group, usual="list")
def deliveries() -> None:
    """List webhook deliveries, put them on hold, release or drop them. Without a command: `list`."""


@deliveries.command("list")
@click.option("--trigger", help="only deliveries of this trigger")
@click.option("--state", help="only deliveries in this state, e.g. failure")
@click.option("--calendar", help="only deliveries about this calendar")
@click.option("--after", type=click.IntRange(0), help="only deliveries with a higher number")
@click.option("--limit", type=click.IntRange(1), help="how many at most")
@click.option("--wait", help="the longest time to wait for the first one, e.g. 5s; exit status 1 if none comes")
@controls(output.deliveries)
def _list_deliveries(mock: Controls, **wanted: Any) -> Any:
    """List the latest deliveries, oldest first.

    \b
    attendee-mock deliveries list --trigger calendar.state_change --wait 5s
    """
    return mock.ask("GET", "deliveries", **wanted)


@deliveries.command("show")
@click.argument("key")
@controls(output.delivery)
def _show_delivery(mock: Controls, key: str) -> Any:
    """Show a delivery by its idempotency key, with every attempt.

    \b
    attendee-mock deliveries show 9a4d544f-be46-40b7-add9-94a9b8923d9b
    """
    return mock.ask("GET", "deliveries", key)


@deliveries.command("hold")
@click.argument("key", required=False)
@controls(output.held)
def _hold(mock: Controls, key: str | None) -> Any:
    """Put deliveries on hold: all from now on, or only the one with this key.

    \b
    attendee-mock deliveries hold
    attendee-mock deliveries hold 9a4d544f-be46-40b7-add9-94a9b8923d9b
    """
    return mock.ask("POST", "deliveries", *([key] if key else []), "hold")


@deliveries.command("release")
@click.argument("key", required=False)
@controls(output.held)
def _release(mock: Controls, key: str | None) -> Any:
    """Send the deliveries on hold: all of them, or only the one with this key.

    \b
    attendee-mock deliveries release
    """
    return mock.ask("POST", "deliveries", *([key] if key else []), "release")


@deliveries.command("drop")
@click.argument("key")
@controls(output.held)
def _drop(mock: Controls, key: str) -> Any:
    """Never send a delivery that waits.

    \b
    attendee-mock deliveries drop 9a4d544f-be46-40b7-add9-94a9b8923d9b
    """
    return mock.ask("POST", "deliveries", key, "drop")


@click.command(cls=Command, context_settings=HELP)
@click.argument("key")
@controls(output.delivery)
def resend(mock: Controls, key: str) -> Any:
    """Send a finished delivery once more, with the same idempotency key and data.

    \b
    attendee-mock resend 9a4d544f-be46-40b7-add9-94a9b8923d9b
    """
    return mock.ask("POST", "deliveries", key, "resend")


COMMANDS = (clock, settle, agenda, subscriptions, deliveries, resend)
