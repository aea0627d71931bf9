"""Commands for the mock as a whole and for its projects, with their calendars, snapshots and fixtures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from mockserver.cli import output
from mockserver.cli.control_client import Controls, Refusal
from mockserver.cli.controlling import as_json, controls, write_file
from mockserver.cli.options import HELP, Command, Group
from mockserver.settings import SYNCS

_CONTRACTS = {"calendars": "openapi.json", "bots": "bots.json", "control": "control.json", "webhooks": "webhooks.json"}
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(cls=Command, context_settings=HELP)
@controls(output.fields)
def health(mock: Controls) -> Any:
    """Show that the mock answers, its version and how much data it has.

    \b
    attendee-mock health
    """
    return mock.ask("GET", "health", of_project=False)


@click.command(cls=Command, context_settings=HELP)
@click.argument("name", metavar="[NAME]", type=click.Choice(tuple(_CONTRACTS)), default="calendars")
@controls(output.document)
def contract(mock: Controls, name: str) -> Any:
    """Print an OpenAPI document of the mock as JSON. NAME is calendars (default), bots, control or webhooks.

    \b
    attendee-mock contract > openapi.json
    attendee-mock contract control
    """
    return mock.ask("GET", _CONTRACTS[name], of_project=False)


@click.command(cls=Command, context_settings=HELP)
@click.option("--all", "everything", is_flag=True, help="every project; throw-away projects end")
@controls(output.done("reset to the fixtures"))
def reset(mock: Controls, everything: bool) -> Any:
    """Reset the project to its fixtures: data, clock, faults. With --all: every project.

    \b
    attendee-mock reset
    attendee-mock reset --all
    """
    if everything:
        return mock.ask("POST", "reset", of_project=False)
    return mock.ask("POST", "project", "reset")


@click.command(cls=Command, context_settings=HELP)
@controls(output.rows("calendars", output.cells("id", "platform", "state", "deduplication_key"), "no calendars"))
def calendars(mock: Controls) -> Any:
    """List the project's calendars: id, platform, state, deduplication key.

    \b
    attendee-mock calendars
    """
    shown = ("id", "platform", "state", "deduplication_key")
    found = mock.ask("GET", "fixtures")["calendars"]
    return {"calendars": [{name: one[name] for name in shown} for one in found]}


@click.group(cls=Group, usual="list")
def projects() -> None:
    """List, create and delete projects. Without a command: `list`.

    An API key gives access to one project only, so a throw-away project isolates a test from all others.
    """


@projects.command("list")
@controls(output.rows("projects", output.project, "no projects"))
def _list(mock: Controls) -> Any:
    """List every project.

    \b
    attendee-mock projects list
    """
    return mock.ask("GET", "projects", of_project=False)


@projects.command("show")
@controls(output.one_project)
def _show(mock: Controls) -> Any:
    """Show the project that --token or --project chooses.

    \b
    attendee-mock projects show --project Demo
    """
    return mock.ask("GET", "project")


@projects.command("create")
@click.option("--name", help="its name [default: world-1, world-2, ...]")
@click.option("--sync", type=click.Choice(SYNCS), help="sync on the service's schedule, or only on demand")
@click.option("--fixtures", "file", type=_FILE, help="its data: one project, in YAML or JSON [default: no calendars]")
@click.option("--webhook", "webhooks", multiple=True, metavar="URL", help="where to send its webhooks; at most two")
@controls(output.new_project)
def _create(mock: Controls, name: str | None, sync: str | None, file: Path | None, webhooks: tuple[str, ...]) -> Any:
    """Create a throw-away project, and print the export lines for its key and secret.

    \b
    attendee-mock projects create --sync manual
    eval "$(attendee-mock projects create --webhook http://127.0.0.1:9000/webhooks)"
    """
    given = {"name": name, "sync": sync, "fixtures": None if file is None else _read(file)}
    body: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if webhooks:
        body["webhooks"] = [{"url": url} for url in webhooks]
    with _about(file):
        return mock.ask("POST", "projects", body=body, of_project=False)


@projects.command("delete")
@controls(output.done("deleted"))
def _delete(mock: Controls) -> Any:
    """Delete the throw-away project that --token or --project chooses; its keys stop working at once.

    \b
    attendee-mock projects delete --project world-1
    """
    return mock.ask("DELETE", "project")


@projects.command("sync-mode")
@click.argument("sync", type=click.Choice(SYNCS))
@controls(output.one_project)
def _sync_mode(mock: Controls, sync: str) -> Any:
    """Sync the project's calendars on the service's schedule (auto), or only on demand (manual).

    \b
    attendee-mock projects sync-mode manual
    """
    return mock.ask("POST", "project", "sync-mode", body={"sync": sync})


@click.group(cls=Group, usual="list")
def snapshots() -> None:
    """Save the project's state and return to it. Without a command: `list`."""


_SNAPSHOT = output.cells("id", "now", "calendars", "events")


def _one_snapshot(answer: Any) -> output.Shown:
    return output.Shown([_SNAPSHOT(answer)])


@snapshots.command("list")
@controls(output.rows("snapshots", _SNAPSHOT, "no snapshots"))
def _list_snapshots(mock: Controls) -> Any:
    """List the snapshots: id, the project's time, calendars, events.

    \b
    attendee-mock snapshots list
    """
    return mock.ask("GET", "snapshots")


@snapshots.command("take")
@controls(_one_snapshot)
def _take(mock: Controls) -> Any:
    """Save the project's current state; a project has at most 20 snapshots.

    \b
    attendee-mock snapshots take
    """
    return mock.ask("POST", "snapshots")


@snapshots.command("restore")
@click.argument("id")
@controls(_one_snapshot)
def _restore(mock: Controls, id: str) -> Any:
    """Return to a snapshot, as often as you like. Faults and journal stay as they are.

    \b
    attendee-mock snapshots restore snapshot_1
    """
    return mock.ask("POST", "snapshots", id, "restore")


@snapshots.command("delete")
@click.argument("id")
@controls(output.done("deleted"))
def _delete_snapshot(mock: Controls, id: str) -> Any:
    """Delete a snapshot.

    \b
    attendee-mock snapshots delete snapshot_1
    """
    return mock.ask("DELETE", "snapshots", id)


@click.group(cls=Group)
def fixtures() -> None:
    """Write the project as a fixture file, or replace its data with one."""


@fixtures.command("show")
@click.option("--secrets", is_flag=True, help="keys and credentials too; only where the mock listens on loopback")
@click.option("--output", "file", type=_FILE, help="the file to write [default: standard output]")
@controls(output.written)
def _show_fixtures(mock: Controls, secrets: bool, file: Path | None) -> Any:
    """Print the project as one of the `projects` of a fixture file, as JSON.

    \b
    attendee-mock fixtures show
    attendee-mock fixtures show --secrets --output project.json
    """
    answer = mock.ask("GET", "fixtures", secrets="true" if secrets else None)
    if file is None:
        return answer
    write_file(file, as_json(answer))
    return {"written": str(file)}


@fixtures.command("load")
@click.argument("file", type=_FILE)
@controls(output.fields)
def _load(mock: Controls, file: Path) -> Any:
    """Replace the project's data with FILE, one project in YAML or JSON. It is also what later resets return to.

    An invalid file changes nothing, and all its problems are listed.

    \b
    attendee-mock fixtures load project.json
    """
    with _about(file):
        return mock.ask("PUT", "fixtures", body=_read(file))


@contextmanager
def _about(file: Path | None) -> Iterator[None]:
    """Names the file in what the mock says against its fixtures."""
    try:
        yield
    except Refusal as refusal:
        raise refusal if file is None else Refusal(f"{file}: {refusal.message}", refusal.more) from None


def _read(file: Path) -> dict[str, Any]:
    """The one project in a file, on its own or in the list `projects`.

    Raises ClickException.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"cannot read {file}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    value = _parsed(file, text)
    listed = value.get("projects") if isinstance(value, dict) else None
    if isinstance(listed, list) and len(listed) == 1:
        value = listed[0]
    elif listed is not None:
        raise click.ClickException(f"{file} has several projects; give one, or start the mock with --fixtures {file}")
    if not isinstance(value, dict):
        raise click.ClickException(f"{file} is no mapping; write a project, e.g. {{calendars: [{{platform: google}}]}}")
    return value


def _parsed(file: Path, text: str) -> Any:
    if file.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise click.ClickException(f"{file} is not JSON: {error}") from None
    import yaml

    from mockserver.contracts import PlainLoader

    try:
        return yaml.load(text, PlainLoader)  # noqa: S506 -- derives from SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        # Without the reader's own words: they quote the file, which may hold secrets.
        raise click.ClickException(f"{file} is not YAML{where}") from None


COMMANDS = (health, contract, reset, calendars, projects, snapshots, fixtures)
