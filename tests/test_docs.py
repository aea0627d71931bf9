"""What is documented is there, and what is there is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from mockserver.app import Mock
from mockserver.cli.main import cli
from mockserver.control.docs_routes import DOCS, OPENAPI
from mockserver.control.page_routes import FILES, PAGE
from mockserver.settings import environment_name, knobs

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for path in (ROOT / "mockserver").rglob("*.py") if not path.name.startswith("__"))
ROOMS = sorted(path.parent.name for path in (ROOT / "mockserver").glob("*/__init__.py"))


def options(command: str) -> list[click.Option]:
    return [option for option in cli.commands[command].params if isinstance(option, click.Option)]


@pytest.mark.parametrize("option", options("serve"), ids=lambda option: option.name)
def test_every_option_of_serve_is_in_its_page_with_its_variable(option: click.Option) -> None:
    page = (ROOT / "docs" / "serve.md").read_text("utf-8")
    assert option.name is not None
    assert option.envvar == environment_name(option.name)
    assert f"| `{option.opts[0]}` | `{option.envvar}` |" in page
    assert option.help


def test_every_setting_is_an_option_of_serve() -> None:
    assert knobs().keys() <= {option.name for option in options("serve")}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_module_begins_with_a_sentence_about_itself(module: Path) -> None:
    first = module.read_text("utf-8").split('"""')[1].strip().splitlines()[0]
    assert first.endswith(".") or "." in first


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_on_the_page_about_the_architecture(room: str) -> None:
    assert f"**{room}**" in (ROOT / "ARCHITECTURE.md").read_text("utf-8")


@pytest.mark.parametrize("path", ["/__mock__/health", "/__mock__/reset", DOCS, OPENAPI])
def test_what_needs_no_project_is_in_the_page_on_serving(path: str) -> None:
    assert path in (ROOT / "docs" / "serve.md").read_text("utf-8")


def test_every_control_route_is_documented() -> None:
    page = (ROOT / "docs" / "control-api.md").read_text("utf-8")
    pages = (f"{DOCS}/", FILES)
    routes = [one for one in Mock().routes if not one.template.startswith(pages) and one.template != PAGE]
    assert not [route for route in routes if f"| `{route.method} {route.template}` |" not in page]


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("fixtures/*.md")]))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def anchors(page: Path) -> set[str]:
    """What links to a part of a page may say: its headings, in lower case, with hyphens for spaces."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("fixtures/*.md")]))
def test_links_to_a_part_of_a_page_lead_to_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", page.read_text("utf-8")):
        assert anchor in anchors(page.parent / target if target else page), (target, anchor)


def named_in_pages() -> Iterator[tuple[str, str]]:
    """The module and the name of every import of ours that a page shows, and of every function it calls by its path."""
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        text = page.read_text("utf-8")
        for module, names in re.findall(r"^\s*from (mockserver[\w.]*) import (.+)$", text, re.MULTILINE):
            yield from ((module, name.strip()) for name in names.split(","))
        yield from re.findall(r"`(mockserver[\w.]*)\.(\w+)\(", text)


@pytest.mark.parametrize(("module", "name"), sorted(set(named_in_pages())))
def test_what_a_page_imports_is_there(module: str, name: str) -> None:
    assert hasattr(import_module(module), name)


def test_files_stay_small() -> None:
    long = {path.name: count for path in MODULES if (count := len(path.read_text("utf-8").splitlines())) > 500}
    assert not long
