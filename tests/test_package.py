"""What surrounds the code says what is so: package metadata, container files, docs index, files for coding agents."""

from __future__ import annotations

import base64
import re
import runpy
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from mockserver.app import Mock
from mockserver.cli.main import cli
from mockserver.settings import Settings

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
AGENTS = runpy.run_path(str(ROOT / "docs" / "site" / "agents.py"))


def test_links_of_the_package_page_work_outside_the_repository(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    text = metadata.get_payload()
    links = re.findall(r"\]\(([^)\s]+)\)", str(text))
    assert len(links) > 10
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    inside = [re.sub(r"^https://[^/]+/OWNER/attendee-mockserver/(blob/)?main/", "", link) for link in links]
    assert [
        link
        for link in inside
        if not link.startswith(("https://", "#")) and not (ROOT / link.partition("#")[0]).exists()
    ] == []
    assert {one.partition(",")[0] for one in metadata.get_all("Project-URL") or []} == {
        "Documentation",
        "Source",
        "Issues",
        "Changelog",
    }


def test_only_pythons_that_are_tested_are_named() -> None:
    named = {*re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8"))}
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]["tests"]["strategy"]
    assert named <= {*matrix["matrix"]["python"]}


@pytest.mark.parametrize("name", sorted(AGENTS["FILES"]))
def test_the_files_for_coding_agents_are_what_the_docs_say(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == AGENTS["FILES"][name](), "run make agents"


def test_the_files_for_coding_agents_have_each_command_and_each_link_on_a_line() -> None:
    listed = [line for line in (ROOT / "llms.txt").read_text("utf-8").splitlines() if line.startswith(("-", " "))]
    assert len(listed) > 20
    assert [line for line in listed if not re.fullmatch(r"- \[[^\]]+\]\(https://\S+\): \S.*", line)] == []
    commands = re.findall(r"^- `make ([a-z-]+)`: ", (ROOT / "AGENTS.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(commands) == sorted(AGENTS["COMMANDS"])


@pytest.mark.parametrize("name", sorted(AGENTS["FILES"]))
def test_links_of_the_files_for_coding_agents_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text("utf-8")):
        assert (ROOT / target.removeprefix(AGENTS["REPOSITORY"])).exists(), target


def test_every_page_of_the_docs_is_in_their_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_what_the_container_copies_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = [
        part for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for part in line.split()
    ]
    assert len(copied) > 5
    for part in copied:
        assert (ROOT / part).exists()
        assert f"!{part}" in ignored


def test_the_container_serves_without_root_on_a_python_that_is_tested() -> None:
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE)
    version = re.findall(r"^FROM python:(3\.\d+)-slim", DOCKERFILE, re.MULTILINE)
    assert {
        f"Programming Language :: Python :: {one}" in (ROOT / "pyproject.toml").read_text("utf-8") for one in version
    } == {True}
    assert "/__mock__/health" in {route.template for route in Mock(Settings()).routes}
    assert "/__mock__/health" in DOCKERFILE


def test_the_containers_run_commands_that_there_are() -> None:
    for service in COMPOSE["services"].values():
        command = service.get("command") or []
        if "entrypoint" not in service and command:
            found: click.Command = cli
            for word in command:
                if isinstance(found, click.Group):
                    assert word in found.commands
                    found = found.commands[word]
            options = {name for parameter in found.params for name in parameter.opts}
            assert {word for word in command if word.startswith("--")} <= options


def test_the_app_in_a_container_has_the_secret_and_key_of_the_example_data() -> None:
    access = COMPOSE["services"]["app"]["environment"]
    project = Mock(Settings()).store.by_key[access["ATTENDEE_API_KEY"]]
    assert base64.b64decode(access["ATTENDEE_WEBHOOK_SECRET"]) == project.webhook_secret
    token = COMPOSE["services"]["mock"]["environment"]["ATTENDEE_MOCK_CONTROL_TOKEN"]
    assert COMPOSE["services"]["listener"]["environment"]["ATTENDEE_MOCK_CONTROL_TOKEN"] == token


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/**/*.yml")), ids=lambda path: path.name)
def test_files_of_the_forge_are_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)
