"""Commands for what the mock has seen: requests and explain."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mockserver.cli import output
from mockserver.cli.control_client import Controls, Refusal
from mockserver.cli.controlling import as_json, controls, write_file
from mockserver.cli.options import HELP, Command, Group


def _filters(*more: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options that choose entries of the journal, and `more` after them."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed((*_FILTERS, *more)):
            command = option(command)
        return command

    return decorate


_FILTERS = (
    click.option("--operation", help="only requests of this operationId, e.g. createCalendar"),
    click.option("--method", help="only requests with this method"),
    click.option("--path", help="only requests to this path; * matches any characters"),
    click.option("--status", help="only requests with this status: 404, 4xx, or 0 for no response"),
    click.option("--kind", help="exchange, delivery or any"),
    click.option("--after", type=click.IntRange(0), help="only entries with a higher number"),
    click.option("--limit", type=click.IntRange(1), help="how many at most"),
)
_KEYLESS = click.option("--keyless", is_flag=True, help="the requests that came without a key of any project")
_WAIT = click.option("--wait", help="how long to wait for the first one, e.g. 5s; exit status 1 if none comes")


@click.group(cls=Group, usual="list")
def requests() -> None:
    """Read the journal: the latest requests and deliveries of the project. Without a command: `list`."""


@requests.command("list")
@_filters(_KEYLESS, _WAIT)
@controls(output.rows("requests", output.request, "no requests"))
def _list(mock: Controls, keyless: bool, **wanted: Any) -> Any:
    """List the latest requests, oldest first: number, time, request, status, operation, why it was rejected.

    \b
    attendee-mock requests list --status 4xx
    attendee-mock requests list --operation createCalendar --wait 5s
    """
    return mock.ask("GET", "requests", keyless="true" if keyless else None, **wanted)


@requests.command("show")
@click.argument("id", metavar="NUMBER", type=click.IntRange(1))
@controls(output.document)
def _show(mock: Controls, id: int) -> Any:
    """Print a request and its response by the number in the request log. Secrets are masked.

    \b
    attendee-mock requests show 17
    """
    return mock.ask("GET", "requests", str(id), of_project=False)


@requests.command("har")
@_filters(_KEYLESS, click.option("--output", "file", type=click.Path(path_type=Path, dir_okay=False), help="the file"))
@controls(output.written)
def _har(mock: Controls, keyless: bool, file: Path | None, **wanted: Any) -> Any:
    """Print the journal as a HAR archive, which browsers open.

    \b
    attendee-mock requests har --output journal.har
    """
    answer = mock.ask("GET", "requests.har", keyless="true" if keyless else None, **wanted)
    if file is None:
        return answer
    write_file(file, as_json(answer))
    return {"written": str(file)}


@requests.command("nearest")
@_filters(click.option("--body", help="fields that the request's body should have, as a JSON object"))
@controls(output.misses)
def _nearest(mock: Controls, body: str | None, **wanted: Any) -> Any:
    """List the requests that are most similar to an expected request, with the differences.

    \b
    attendee-mock requests nearest --operation createCalendar --status 201 --body '{"platform": "google"}'
    """
    looked_for: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if body is not None:
        try:
            looked_for["body"] = json.loads(body)
        except ValueError as error:
            raise click.BadParameter(f"is not JSON ({error})", param_hint="'--body'") from None
    return mock.ask("POST", "requests", "near-misses", body=looked_for)


@requests.command("clear")
@_KEYLESS
@controls(output.done("cleared"))
def _clear(mock: Controls, keyless: bool) -> Any:
    """Empty the project's journal.

    \b
    attendee-mock requests clear
    """
    return mock.ask("DELETE", "requests", keyless="true" if keyless else None)


@click.command(cls=Command, context_settings=HELP)
@click.argument("id", metavar="[REQUEST]", required=False)
@controls(output.explanation)
def explain(mock: Controls, id: str | None) -> Any:
    """Explain a response by its request number (default: the last rejected request).

    With a calendar's id or deduplication key: which webhooks were sent for it, or why there is none.

    \b
    attendee-mock explain
    attendee-mock explain 17
    attendee-mock explain cal_abcdef1234567890
    """
    if id is None:
        id = str(_last_rejected(mock))
    number = id.removeprefix("#")
    if number.isascii() and number.isdecimal():
        return mock.ask("GET", "explain", number, of_project=False)
    return mock.ask("GET", "calendars", id, "explain")


def _last_rejected(mock: Controls) -> int:
    answers = [mock.ask("GET", "requests", status=status, limit=1) for status in ("4xx", "5xx")]
    numbers = [entry["id"] for answer in answers for entry in answer["requests"]]
    if not numbers:
        raise Refusal("no request of the project was rejected; give the number of a request, e.g. explain 17")
    return int(max(numbers))


@click.command(cls=Command, context_settings=HELP)
@click.option("--after", help="only what came later: `next` of an earlier answer, e.g. 17.5")
@click.option("--limit", type=click.IntRange(1), help="how many at most")
@controls(output.timeline)
def timeline(mock: Controls, after: str | None, limit: int | None) -> Any:
    """List requests, deliveries, syncs and actions in their order; what an entry caused is indented below.

    The page at /__mock__/ shows the same in a browser.

    \b
    attendee-mock timeline
    """
    return mock.ask("GET", "timeline", after=after, limit=limit)


COMMANDS = (requests, explain, timeline)
