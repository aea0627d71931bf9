"""Commands for the Google or Microsoft calendar behind a calendar: its events, its failures, its syncs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import click

from mockserver.cli import output
from mockserver.cli.control_client import Controls
from mockserver.cli.controlling import controls
from mockserver.cli.options import HELP, Command, Group


def _event_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that describe an event."""
    for option in reversed(
        (
            click.option("--title", help="its title"),
            click.option("--start", help="when it begins"),
            click.option("--end", help="when it ends"),
            click.option("--duration", help="how long it is, instead of --end"),
            click.option("--link", "url", help="the link to its meeting"),
            click.option(
                "--attendee",
                "attendees",
                multiple=True,
                metavar="WHO",
                help="who comes: EMAIL, 'NAME <EMAIL>', or 'NAME <>' without an address; may be repeated",
            ),
            click.option(
                "--file",
                "document",
                type=click.File("rb"),
                help="a JSON object in the platform's own shape; - reads standard input",
            ),
        )
    ):
        command = option(command)
    return command


def _body(document: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The event that the options describe, or the one in the file."""
    body = {name: value for name, value in given.items() if value}
    if "attendees" in body:
        body["attendees"] = [_attendee(who) for who in body["attendees"]]
    if document is None:
        return body
    if body:
        raise click.UsageError("--file is a whole event; leave the other options out")
    try:
        content = json.loads(document.read())
    except ValueError as error:
        raise click.UsageError(f"--file is not JSON ({error}); write one object in the platform's shape") from None
    if not isinstance(content, dict):
        raise click.UsageError("--file is no JSON object; write one event in the platform's shape")
    return content


def _attendee(who: str) -> str | dict[str, str | None]:
    """An address as it is; a name with an address in < and > as both."""
    match = re.fullmatch(r"\s*([^<>]*?)\s*<([^<>]*)>\s*", who)
    return {"email": match[2].strip() or None, "name": match[1] or None} if match else who


@click.group(cls=Group)
def events() -> None:
    """Edit the Google or Microsoft calendar behind CALENDAR, which is an id or a deduplication key.

    A time is 2027-01-31T09:00:00Z, or a span from the project's now: 25h, 10m, -1d.
    """


@events.command("list")
@click.argument("calendar")
@click.option("--from", help="only events that begin then or later")
@click.option("--to", help="only events that begin earlier")
@click.option("--limit", type=click.IntRange(1), help="how many at most")
@controls(output.upstream)
def _list(mock: Controls, calendar: str, **window: Any) -> Any:
    """List the events in the Google or Microsoft calendar, which the service may not have synced yet.

    \b
    attendee-mock events list user-abcd
    attendee-mock events list user-abcd --from 0h --to 7d
    """
    return mock.ask("GET", "calendars", calendar, "upstream", **window)


@events.command("stored")
@click.argument("calendar")
@click.option("--from", help="only events that begin then or later")
@click.option("--to", help="only events that begin earlier")
@click.option("--limit", type=click.IntRange(1), help="how many at most")
@controls(output.rows("events", output.stored_event, "no events"))
def _stored(mock: Controls, calendar: str, **window: Any) -> Any:
    """List the calendar's events as the latest sync stored them, deleted ones included.

    \b
    attendee-mock events stored user-abcd
    """
    return mock.ask("GET", "calendars", calendar, "events", **window)


@events.command("add")
@click.argument("calendar")
@_event_options
@controls(output.edit)
def _add(mock: Controls, calendar: str, document: Any, **given: Any) -> Any:
    """Add an event, from options or from a file in the platform's own shape.

    \b
    attendee-mock events add user-abcd --title Review --start 2h --duration 30m --link https://meet.google.com/abc-defg-hij
    """
    body = _body(document, given)
    if document is None and "start" not in body:
        raise click.UsageError("an event needs a time; give --start, e.g. --start 2h, or --file")
    return mock.ask("POST", "calendars", calendar, "upstream", "events", body=body)


@events.command("change")
@click.argument("calendar")
@click.argument("id", metavar="EVENT")
@_event_options
@controls(output.edit)
def _change(mock: Controls, calendar: str, id: str, document: Any, **given: Any) -> Any:
    """Change the parts of an event that are given; the others stay.

    \b
    attendee-mock events change user-abcd evt_abcdef1234567890 --title Retrospective
    """
    body = _body(document, given)
    if not body:
        raise click.UsageError("nothing to change; give an option, e.g. --title Review")
    return mock.ask("PATCH", "calendars", calendar, "upstream", "events", id, body=body)


@events.command("move")
@click.argument("calendar")
@click.argument("id", metavar="EVENT")
@click.option("--start", required=True, help="when it begins now")
@click.option("--end", help="when it ends now [default: it stays as long as it was]")
@controls(output.edit)
def _move(mock: Controls, calendar: str, id: str, **given: Any) -> Any:
    """Move an event to another time.

    \b
    attendee-mock events move user-abcd evt_abcdef1234567890 --start 26h
    """
    body = {name: value for name, value in given.items() if value}
    return mock.ask("PATCH", "calendars", calendar, "upstream", "events", id, body=body)


@events.command("cancel")
@click.argument("calendar")
@click.argument("id", metavar="EVENT")
@controls(output.edit)
def _cancel(mock: Controls, calendar: str, id: str) -> Any:
    """Cancel an event: the platform keeps it, marked as cancelled.

    \b
    attendee-mock events cancel user-abcd evt_abcdef1234567890
    """
    return mock.ask("POST", "calendars", calendar, "upstream", "events", id, "cancel")


@events.command("vanish")
@click.argument("calendar")
@click.argument("id", metavar="EVENT")
@controls(output.edit)
def _vanish(mock: Controls, calendar: str, id: str) -> Any:
    """Delete an event from the platform, as if it had never existed.

    \b
    attendee-mock events vanish user-abcd evt_abcdef1234567890
    """
    return mock.ask("DELETE", "calendars", calendar, "upstream", "events", id)


@click.command(cls=Command, context_settings=HELP)
@click.argument("calendar")
@click.argument("failure")
@click.option("--for-next", type=click.IntRange(1), help="number of syncs that fail [default: until reconnected]")
@click.option("--seconds", type=click.IntRange(0), help="how long a sync takes, for the failure `slow`")
@controls(output.connection)
def fail(mock: Controls, calendar: str, **given: Any) -> Any:
    """Make the calendar's next syncs fail with FAILURE; an unknown name prints them all.

    \b
    attendee-mock fail user-abcd outage --for-next 2
    attendee-mock fail user-abcd slow --seconds 30
    """
    body = {name: value for name, value in given.items() if value is not None}
    return mock.ask("POST", "calendars", calendar, "fail", body=body)


@click.command(cls=Command, context_settings=HELP)
@click.argument("calendar")
@click.option("--failure", default="revoked", help="how its syncs fail")
@click.option("--for-next", type=click.IntRange(1), help="number of syncs that fail [default: until reconnected]")
@controls(output.connection)
def revoke(mock: Controls, calendar: str, **given: Any) -> Any:
    """Revoke the calendar's refresh token: its next sync disconnects it.

    \b
    attendee-mock revoke user-abcd
    attendee-mock sync user-abcd
    """
    body = {name: value for name, value in given.items() if value is not None}
    return mock.ask("POST", "calendars", calendar, "fail", body=body)


@click.command(cls=Command, context_settings=HELP)
@click.argument("calendar")
@click.option("--refresh-token", help="a new refresh token, as an app would PATCH it")
@controls(output.connection)
def reconnect(mock: Controls, calendar: str, refresh_token: str | None) -> Any:
    """End the calendar's failure and schedule a sync.

    \b
    attendee-mock reconnect user-abcd
    """
    body = {} if refresh_token is None else {"refresh_token": refresh_token}
    return mock.ask("POST", "calendars", calendar, "reconnect", body=body)


@click.command(cls=Command, context_settings=HELP)
@click.argument("calendar")
@controls(output.sync)
def sync(mock: Controls, calendar: str) -> Any:
    """Sync a calendar now, whatever its state, and print the outcome.

    \b
    attendee-mock sync user-abcd
    """
    return mock.ask("POST", "calendars", calendar, "sync")


COMMANDS = (events, fail, revoke, reconnect, sync)
