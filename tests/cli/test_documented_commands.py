"""The help of each command and the pages say the same: commands, their arguments, options, variables, exit statuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from mockserver.cli.main import cli
from tests.pages import text_of

PAGE = "docs/cli.md"
OPTION_PAGES = {
    "audit": "docs/audit.md",
    "coach": "docs/coach.md",
    "diff": "docs/diff.md",
    "drift": "docs/drift.md",
    "listen": "docs/listen.md",
    "proxy": "docs/proxy.md",
}
"""Commands with a page that has a table of their options."""
STATUS_PAGES = {**OPTION_PAGES, "check": "docs/conformance.md"}
"""Commands with a page that has their exit statuses."""


def leaves(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves(below, (*path, name))
    else:
        yield " ".join(path), command


def arguments(command: click.Command) -> list[str]:
    """The names of a command's arguments as its help writes them; optional ones are in brackets."""
    with click.Context(command) as context:
        return " ".join(command.collect_usage_pieces(context)).split()[1:]


def table(heading: str) -> list[str]:
    """The commands in the first column of the table below a heading of the page."""
    part = text_of(PAGE).split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", part, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


CONTROLS, OTHERS = table("Commands that control a running mock"), table("Other commands")


@pytest.mark.parametrize("shown", [*CONTROLS, *OTHERS])
def test_a_command_of_the_page_takes_the_arguments_that_the_page_gives_it(shown: str) -> None:
    command, words = cli.resolve_command(click.Context(cli), shown.split())[1:]
    while isinstance(command, click.Group):
        command, words = command.resolve_command(click.Context(command), words)[1:]
    assert command is not None
    options = {name for parameter in command.params for name in parameter.opts}
    assert {*re.findall(r"--[a-z-]+", shown)} <= options
    given = re.sub(r"\[--[a-z-]+\]|--[a-z-]+( [A-Z]+)?", "", " ".join(words)).split()
    for word, wanted in zip(given, arguments(command), strict=True):
        assert word in (wanted, *wanted.strip("{}").split("|"))


@pytest.mark.parametrize(("path", "command"), [*leaves()])
def test_the_help_of_a_command_is_printed_with_each_of_its_options(path: str, command: click.Command) -> None:
    done = CliRunner().invoke(cli, [*path.split(), "--help"])
    assert done.exit_code == 0
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, parameter.name
            assert parameter.opts[0] in done.output
            assert not parameter.show_envvar or str(parameter.envvar) in done.output


def test_the_commands_that_control_a_mock_are_those_with_its_options() -> None:
    shared = {"--url": "ATTENDEE_BASE_URL", "--token": "ATTENDEE_API_KEY", "--project": None}
    shared |= {"--control-token": "ATTENDEE_MOCK_CONTROL_TOKEN", "--format": None}
    page = text_of(PAGE)
    for name, variable in shared.items():
        assert re.search(rf"^\| `{name}` \| {f'`{variable}`' if variable else ''} ?\|", page, re.MULTILINE)
    for path, command in leaves():
        options = {parameter.opts[0]: parameter for parameter in command.params if isinstance(parameter, click.Option)}
        controls = "--control-token" in options and path != "serve"
        shown = [name for name in CONTROLS if f"{name} ".startswith(f"{path} ")]
        assert bool(shown) == controls, path
        for name in shared if controls else ():
            assert name in options, (path, name)
            assert options[name].envvar in (shared[name], [shared[name]], None), (path, name)


@pytest.mark.parametrize(("name", "page"), OPTION_PAGES.items())
def test_the_options_of_a_command_are_those_of_its_page(name: str, page: str) -> None:
    cells = re.findall(r"^\| (`--?[a-z].*?) \|", text_of(page), re.MULTILINE)
    shown = {option for cell in cells for option in re.findall(r"--[a-z-]+", cell)}
    options = [{*one.opts, *one.secondary_opts} for one in cli.commands[name].params if isinstance(one, click.Option)]
    assert shown <= set().union(*options)
    assert [names for names in options if not names & shown] == []


@pytest.mark.parametrize(("name", "page"), STATUS_PAGES.items())
def test_the_exit_statuses_of_a_command_are_those_of_its_page(name: str, page: str) -> None:
    said = " ".join((cli.commands[name].help or "").split()).split("Exit status: ")[1]
    in_help = {*re.findall(r"(?:^|[;,] )(\d+) ", said)}
    text = text_of(page)
    listed = re.search(r"^Exit status: (.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    on_page = re.findall(r"(?:^|[;,] )(\d+) ", " ".join(listed[1].split())) if listed else []
    on_page += re.findall(r"^\| (\d+) \|", text, re.MULTILINE)
    assert {*on_page} == in_help
