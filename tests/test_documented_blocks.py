"""Each block of the docs that is a command, a program or a file is run by a test; each command in their text exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
import yaml

from mockserver import __version__
from mockserver.cli.main import cli
from tests import (
    test_documented_calls,
    test_documented_controls,
    test_documented_judge,
    test_documented_programs,
    test_documented_serving,
    test_readme,
    test_recipes,
    test_rehearsal,
    test_schemathesis,
    test_walk_throughs,
)
from tests.delivery import test_receivers
from tests.fixtures_io import test_reading
from tests.pages import PAGES, ROOT, Block, blocks, in_text, text_of
from tests.testing import test_docs

RUNNERS = [
    test_documented_calls,
    test_documented_controls,
    test_documented_judge,
    test_documented_programs,
    test_documented_serving,
    test_docs,
    test_readme,
    test_reading,
    test_receivers,
    test_recipes,
    test_rehearsal,
    test_schemathesis,
    test_walk_throughs,
]
"""The modules of tests that run blocks. Each lists in RUN those that its tests use."""
NO_TOOLCHAIN = "the page says that it was not run: the toolchain is not here"
NOT_RUN = {
    ("docs/recipes/java.md", "ObjectMapper mapper"): "the page says that it was not run: Jackson is not here",
    ("docs/recipes/other-languages.md", "func genuine"): NO_TOOLCHAIN,
    ("docs/recipes/other-languages.md", "file := filepath"): NO_TOOLCHAIN,
    ("docs/recipes/other-languages.md", 'require "base64"'): NO_TOOLCHAIN,
    ("docs/recipes/other-languages.md", "function sorted"): NO_TOOLCHAIN,
    ("examples/test_suite/README.md", "python -m venv"): "installs packages; another test runs this suite without it",
}
"""Blocks that cannot be run here, by their page and beginning, each with the reason."""
OUTPUT = ("text", "{toctree}")
"""What nobody types or saves: output, and directives of Sphinx."""
COMMANDS = re.compile(
    r"(\$ |attendee-mock(server)? |curl |docker |make |npx |pip |python3? |pytest |schemathesis |uvx )"
)


def every_block() -> list[Block]:
    return [one for page in PAGES for one in blocks(page) if one.page != "ARCHITECTURE.md"]


def test_every_block_is_run_by_a_test_or_has_a_reason_why_not() -> None:
    run = {one for module in RUNNERS for one in module.RUN}
    unclaimed = [
        str(one)
        for one in every_block()
        if one not in run
        and one.language not in OUTPUT
        and not any(one.page == page and one.text.startswith(start) for page, start in NOT_RUN)
    ]
    assert not unclaimed, "write a test that runs them, and list them in its RUN"


def test_every_reason_why_not_is_about_a_block_that_no_test_runs() -> None:
    run = {one for module in RUNNERS for one in module.RUN}
    for page, start in NOT_RUN:
        (found,) = [one for one in blocks(page) if one.text.startswith(start)]
        assert found not in run


def test_no_command_hides_in_a_block_of_output() -> None:
    assert [str(one) for one in every_block() if one.language in OUTPUT and COMMANDS.match(one.text)] == []


def test_a_block_is_found_however_it_is_written() -> None:
    assert len(every_block()) > 120
    assert {one.language for one in every_block()} >= {"sh", "python", "yaml", "json", "toml", "text", "js", "java"}


def spans(start: str) -> list[tuple[str, str]]:
    """The pages and the texts between backticks that begin so."""
    return sorted({(page, span) for page in PAGES for span in in_text(page) if span.startswith(start)})


@pytest.mark.parametrize(("page", "command"), spans("attendee-mock "))
def test_a_command_in_the_text_of_a_page_exists_with_its_options(page: str, command: str) -> None:
    words = shlex.split(re.split(r" [>|] ", command)[0].replace("…", ""))[1:]
    found: click.Command = cli
    context = click.Context(cli)
    while isinstance(found, click.Group) and words and not words[0].startswith("-") and words[0] != "COMMAND":
        _, below, words = found.resolve_command(context, words)
        assert below is not None
        found = below
    options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= {*options, "--help"}


def known_options() -> set[str]:
    """The options of all our commands, of the pytest plugin, and of those tests of ours that have some."""

    def below(command: click.Command) -> Iterator[str]:
        for parameter in command.params:
            yield from (*parameter.opts, *parameter.secondary_opts)
        if isinstance(command, click.Group):
            for one in command.commands.values():
                yield from below(one)

    declared = re.compile(r'addoption\(\s*"(--[a-z-]+)"')
    files = [ROOT / "mockserver" / "testing" / "plugin.py", ROOT / "tests" / "conftest.py"]
    return {*below(cli), "--help", *(name for file in files for name in declared.findall(file.read_text("utf-8")))}


def test_every_option_in_the_text_of_a_page_exists() -> None:
    others = {"--strict-nullable"}  # datamodel-code-generator has it
    named = {(page, word) for page, span in spans("--") for word in re.findall(r"(?:^| )(--[a-z][a-z-]*)", span)}
    assert len(named) > 80
    assert sorted((page, word) for page, word in named if word not in known_options() | others) == []


def test_every_target_of_make_in_the_text_of_a_page_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = {span.split()[1] for _, span in spans("make ")}
    assert len(named) > 5
    assert named <= {*targets}


def test_every_extra_that_a_page_installs_exists() -> None:
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    named = {name for page in PAGES for name in re.findall(r"(?:attendee-mockserver|\.)\[(\w+)\]", text_of(page))}
    assert {"conformance", "drift", "reload"} <= named
    # The example suite has a pyproject.toml of its own.
    assert named <= {*extras, "test"}


def test_every_file_of_the_project_in_the_text_of_a_page_exists() -> None:
    folders = "benchmarks|contracts|contrib|docs|examples|fixtures|mockserver|tests"
    place = re.compile(rf"(?:{folders})/[\w./-]+")
    named = {(page, span) for page in PAGES for span in in_text(page) if place.fullmatch(span)}
    assert len(named) > 5
    assert sorted((page, span) for page, span in named if not (ROOT / span).exists()) == []


def test_the_version_of_the_action_is_that_of_the_package() -> None:
    workflow = yaml.safe_load(test_documented_judge.WORKFLOW.text)
    used = [step["uses"] for step in workflow["jobs"]["conformance"]["steps"]]
    assert f"OWNER/attendee-mockserver@v{__version__}" in used
