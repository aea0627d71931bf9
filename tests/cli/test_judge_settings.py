"""The judge's commands take their options from a file, and say what is wrong in it, where, and how to correct it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from mockserver.cli import check as commands
from mockserver.cli.judge_settings import JudgeCommand


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def parsed(*arguments: str, command: click.Command = commands.check) -> dict[str, Any]:
    """The options of a command line, as the command is given them."""
    with command.make_context(command.name, list(arguments)) as context:
        return context.params


def refused(text: str, *, file: str = "attendee-mock.toml") -> str:
    """What is said of a file of settings."""
    Path(file).write_text(text, encoding="utf-8")
    with pytest.raises(click.ClickException) as error:
        parsed("http://127.0.0.1:1")
    return error.value.message


def test_options_come_from_the_file() -> None:
    Path("attendee-mock.toml").write_text(
        'url = "https://staging.test"\ntime-budget = "5m"\nrate = 3\nwrite = true\nonly = ["page-*", "links-*"]\n'
        'header = "X-Key: ${KEY}"\nreport = ["github", "html=report.html"]\nreport-at = "a.yaml:3"\nverbose = true\n'
    )
    given = parsed()
    assert given["url"] == "https://staging.test"
    assert (given["time_budget"], given["rate"], given["read_only"], given["verbose"]) == (300.0, 3.0, False, True)
    assert (given["only"], given["headers"]) == (("page-*", "links-*"), ("X-Key: ${KEY}",))
    assert given["reports"] == (("github", ""), ("html", "report.html"))
    assert given["report_at"] == ("a.yaml", 3)


def test_the_command_line_and_the_environment_go_before(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("attendee-mock.toml").write_text('url = "http://a"\nrate = 3\nread-only = true\n')
    given = parsed("http://b", "--rate", "5/s", "--write")
    assert (given["url"], given["rate"], given["read_only"]) == ("http://b", 5.0, False)


def test_pyproject_has_a_table_for_it() -> None:
    Path("pyproject.toml").write_text('[tool.attendee-mock]\nrate = "60/m"\n')
    assert parsed("http://a")["rate"] == 1.0
    Path("attendee-mock.toml").write_text("rate = 2\n")
    assert parsed("http://a")["rate"] == 2.0


def test_a_project_without_settings_has_the_defaults() -> None:
    Path("pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n")
    assert parsed("http://a")["time_budget"] == 60.0


def test_settings_of_a_folder_above_count_and_their_paths_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("attendee-mock.toml").write_text('known = "known.yaml"\nca-bundle = "ca.pem"\n')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    given = parsed("http://a")
    assert (given["known"], given["ca_bundle"]) == (tmp_path / "known.yaml", tmp_path / "ca.pem")


@pytest.mark.parametrize("words", [("--config", "other.toml"), ("--config=other.toml",)])
def test_a_file_may_be_named(words: tuple[str, ...]) -> None:
    Path("attendee-mock.toml").write_text("rate = 2\n")
    Path("other.toml").write_text("rate = 4\n")
    assert parsed("http://a", *words)["rate"] == 4.0


def test_one_file_serves_all_commands() -> None:
    Path("attendee-mock.toml").write_text('ledger = "x.jsonl"\nrate = 2\nproxy = "http://p:1"\n')
    assert parsed("http://a", command=commands.cleanup)["proxy"] == "http://p:1"
    assert parsed("finding.json", "http://a", command=commands.replay)["proxy"] == "http://p:1"
    assert parsed("http://a")["rate"] == 2.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rat = 3", "there is no setting 'rat'; write rate"),
        ("colour = 3", "there is no setting 'colour'; the settings are ca-bundle, "),
        ("token = 'x'", "token is a secret; remove it, and set ATTENDEE_API_KEY"),
        ("rate = 'fast'", "rate: 'fast' is not a rate like 5/s or 60/m"),
        ("rate = [1]", "rate must be a text or a number, not [1]"),
        ("rate = true", "rate must be a text or a number, not True"),
        ("write = 'yes'", "write must be true or false, not 'yes'"),
        ("report = ['pdf']", "report: 'pdf' is none of terminal, "),
        ("time-budget = 'long'", "time-budget: 'long' is not a time like 60s or 5m"),
        ("rate = !\n", "is not TOML: Invalid value (at line 1, column 8); correct this line"),
    ],
)
def test_a_mistake_is_told_with_file_field_and_fix(text: str, told: str, tmp_path: Path) -> None:
    assert refused(text).startswith(f"{tmp_path / 'attendee-mock.toml'}: {told}")


def test_a_mistake_in_pyproject_is_told_with_its_table(tmp_path: Path) -> None:
    said = refused("[tool.attendee-mock]\nrat = 3", file="pyproject.toml")
    assert said.startswith(f"{tmp_path / 'pyproject.toml'} [tool.attendee-mock]: there is no setting 'rat'")
    assert "write [tool.attendee-mock]" in refused("[tool]\nattendee-mock = 3", file="pyproject.toml")


def test_a_file_that_cannot_be_read_is_told() -> None:
    with pytest.raises(click.ClickException, match="cannot be read"):
        parsed("http://a", "--config", "none.toml")
    Path("attendee-mock.toml").write_bytes(b"\xff")
    with pytest.raises(click.ClickException, match="is not TOML"):
        parsed("http://a")


def test_help_needs_no_file() -> None:
    Path("attendee-mock.toml").write_text("nonsense")
    with pytest.raises(click.exceptions.Exit):
        parsed("--help")


def test_every_command_that_reaches_a_deployment_reads_the_file() -> None:
    readers = {command.name for command in commands.COMMANDS if isinstance(command, JudgeCommand)}
    assert readers == {"check", "replay", "cleanup"}
