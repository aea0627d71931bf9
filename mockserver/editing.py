"""The commands about what stands behind a calendar: its events, its failures, its syncs."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from mockserver.controls import HELP, Controls, show_connection, show_edit, show_sync, show_upstream, steers


@click.group(context_settings=HELP)
def events() -> None:
    """Edit the Google or Microsoft calendar behind a calendar, which is named by its id or deduplication key.

    Times are 2027-01-31T09:00:00Z or as far from the project's time as 25h, 10m, -1d.
    """


@events.command("add")
@click.argument("calendar")
@click.option("--title", help="what it is called")
@click.option("--start", help="when it begins; needed without --file")
@click.option("--end", help="when it ends")
@click.option("--duration", help="how long it is, instead of --end")
@click.option("--link", help="the link to the meeting")
@click.option(
    "--attendee",
    "attendees",
    multiple=True,
    metavar="WHO",
    help="who comes: EMAIL, 'NAME <EMAIL>', or 'NAME <>' without an address; may be given again",
)
@click.option("--file", "document", type=click.File("rb"), help="an object in the platform's own shape; - is the input")
@steers(show_edit)
def _add(controls: Controls, calendar: str, document: Any, **given: Any) -> Any:
    """Add an event.

    \b
    attendee-mock events add user-abcd --title Review --start 2h --duration 30m --link https://meet.google.com/abc-defg-hij
    """
    body = {"url" if name == "link" else name: value for name, value in given.items() if value}
    if "attendees" in body:
        body["attendees"] = [_attendee(who) for who in body["attendees"]]
    if document is not None:
        if body:
            raise click.UsageError("--file is a whole event; leave the other options out")
        body = _object_in(document.read())
    elif "start" not in body:
        raise click.UsageError("an event begins at some time; give --start, e.g. --start 2h, or --file")
    return controls.ask("POST", "calendars", calendar, "upstream", "events", body=body)


def _attendee(who: str) -> str | dict[str, str | None]:
    """An address as it is; a name and what stands behind it in < and > as name and address."""
    match = re.fullmatch(r"\s*([^<>]*?)\s*<([^<>]*)>\s*", who)
    return {"email": match[2].strip() or None, "name": match[1] or None} if match else who


def _object_in(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise click.UsageError(f"--file is not JSON ({error}); write one object in the platform's shape") from None
    if not isinstance(content, dict):
        raise click.UsageError("--file is no JSON object; write one event in the platform's shape")
    return content


@events.command("move")
@click.argument("calendar")
@click.argument("event")
@click.option("--start", required=True, help="when it begins now")
@click.option("--end", help="when it ends now; as long as before, without")
@steers(show_edit)
def _move(controls: Controls, calendar: str, event: str, **given: Any) -> Any:
    """Move an event to another time.

    \b
    attendee-mock events move user-abcd evt_abcdef1234567890 --start 26h
    """
    body = {name: value for name, value in given.items() if value}
    return controls.ask("PATCH", "calendars", calendar, "upstream", "events", event, body=body)


@events.command("cancel")
@click.argument("calendar")
@click.argument("event")
@steers(show_edit)
def _cancel(controls: Controls, calendar: str, event: str) -> Any:
    """Cancel an event: the platform keeps it and calls it cancelled.

    \b
    attendee-mock events cancel user-abcd evt_abcdef1234567890
    """
    return controls.ask("POST", "calendars", calendar, "upstream", "events", event, "cancel")


@events.command("vanish")
@click.argument("calendar")
@click.argument("event")
@steers(show_edit)
def _vanish(controls: Controls, calendar: str, event: str) -> Any:
    """Let an event vanish, as if it had never been there.

    \b
    attendee-mock events vanish user-abcd evt_abcdef1234567890
    """
    return controls.ask("DELETE", "calendars", calendar, "upstream", "events", event)


@events.command("list")
@click.argument("calendar")
@steers(show_upstream)
def _list(controls: Controls, calendar: str) -> Any:
    """List what is in the Google or Microsoft calendar, which the service may not have seen yet.

    \b
    attendee-mock events list user-abcd
    """
    return controls.ask("GET", "calendars", calendar, "upstream")


@click.command(context_settings=HELP)
@click.argument("calendar")
@click.option("--failure", default="revoked", show_default=True, help="how it fails, e.g. outage")
@click.option("--for-next", type=click.IntRange(1), help="for so many syncs; without, until it is reconnected")
@steers(show_connection)
def revoke(controls: Controls, calendar: str, failure: str, for_next: int | None) -> Any:
    """Let the calendar's token be revoked, or let it fail otherwise; the service finds out with its next sync.

    \b
    attendee-mock revoke user-abcd
    attendee-mock sync user-abcd
    """
    body = {"failure": failure} if for_next is None else {"failure": failure, "for_next": for_next}
    return controls.ask("POST", "calendars", calendar, "fail", body=body)


@click.command(context_settings=HELP)
@click.argument("calendar")
@click.option("--refresh-token", help="a new one, as an app would PATCH it")
@steers(show_connection)
def reconnect(controls: Controls, calendar: str, refresh_token: str | None) -> Any:
    """End the calendar's failure and sync it again.

    \b
    attendee-mock reconnect user-abcd
    """
    body = {} if refresh_token is None else {"refresh_token": refresh_token}
    return controls.ask("POST", "calendars", calendar, "reconnect", body=body)


@click.command(context_settings=HELP)
@click.argument("calendar")
@steers(show_sync)
def sync(controls: Controls, calendar: str) -> Any:
    """Sync a calendar now, whatever its state, and say what came of it.

    \b
    attendee-mock sync user-abcd
    """
    return controls.ask("POST", "calendars", calendar, "sync")
