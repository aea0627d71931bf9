"""The composite action and the GitLab template call the judge as it is, and what CI runs is pinned."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.cli import check as commands
from mockserver.server import running
from tests.clients import ACME
from tests.mutants.table import new_mock, served

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "action.yml"
GITLAB = ROOT / "contrib" / "gitlab" / "attendee-conformance.yml"
FILES = [ACTION, GITLAB, *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]


def action() -> Any:
    return yaml.safe_load(ACTION.read_text("utf-8"))


def script() -> str:
    (step,) = [step for step in action()["runs"]["steps"] if step.get("id") == "check"]
    return str(step["run"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_others_publish_is_pinned_to_a_commit(file: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", file.read_text("utf-8"))
    assert [name for name, comment in used if not (re.search(r"@[0-9a-f]{40}$", name) and " # v" in comment)] == []


@pytest.mark.parametrize("file", [ACTION, GITLAB], ids=lambda file: file.name)
def test_every_option_that_a_template_gives_is_one_of_check(file: Path) -> None:
    known = {text for param in commands.check.params for text in (*param.opts, *param.secondary_opts)}
    text = re.sub(r"^ *(#|-? ?(run: python -m )?pip|description:).*", "", file.read_text("utf-8"), flags=re.MULTILINE)
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert used
    assert used <= known | {"--quiet", "--constraint"}


def test_every_input_of_the_action_is_used() -> None:
    text = ACTION.read_text("utf-8")
    assert [name for name in action()["inputs"] if f"${{{{ inputs.{name} }}}}" not in text] == []
    assert "${{" not in script(), "a value in the text of a script could be read as a command"


def test_the_action_has_every_key() -> None:
    variables = {str(param.envvar) for param in commands.check.params if param.envvar}
    assert all(f"{name}: ${{{{ inputs." in ACTION.read_text("utf-8") for name in variables)


@pytest.mark.parametrize(
    ("name", "status"), [pytest.param("", 0, marks=pytest.mark.long), ("first-page-has-previous", 1)]
)
def test_the_actions_script_writes_reports_and_outputs(name: str, status: int, tmp_path: Path) -> None:
    mock = served(name) if name else new_mock()
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ATTENDEE_API_KEY": ACME,
        "ATTENDEE_HEADERS": "",
        "WRITE": "false",
        "KNOWN": "",
        "REPORT_AT": "deploy/staging.yaml:3",
        "ARGUMENTS": "--only page-first --max-requests 12",
        "FOLDER": "a folder",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    with running(mock=mock) as server:
        done = subprocess.run(
            ["bash", "-c", script()],
            env={**environment, "URL": server.url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == status, done.stdout + done.stderr
    assert (tmp_path / "output").read_text("utf-8").splitlines() == [
        f"exit-status={status}",
        "sarif=a folder/conformance.sarif",
        "junit=a folder/conformance.xml",
    ]
    assert "Conformance of" in (tmp_path / "summary").read_text("utf-8")
    assert all((tmp_path / "a folder" / f"conformance.{kind}").stat().st_size for kind in ("sarif", "xml", "html"))
    assert ("::error file=deploy/staging.yaml,line=3" in done.stdout) == (status == 1)


def test_the_gitlab_template_keeps_its_report() -> None:
    job = yaml.safe_load(GITLAB.read_text("utf-8"))["attendee-conformance"]
    assert job["artifacts"]["reports"]["junit"] == "conformance/conformance.xml"
    assert any("--report junit=conformance/conformance.xml" in line for line in job["script"])
