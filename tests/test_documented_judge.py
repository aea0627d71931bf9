"""Every command and file of the pages on checking a deployment does what they say, with a mock as the deployment."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.cli import check as commands
from mockserver.cli.main import main
from mockserver.conformance.baseline import read_known
from mockserver.conformance.ledger import Ledger
from mockserver.conformance.registry import all_rules
from mockserver.server import running
from mockserver.settings import Settings
from tests.clients import ACME
from tests.conformance.staging import create, reached, staged, state_of
from tests.mutants.table import SEED, new_mock, served
from tests.pages import ROOT, Block, block
from tests.walk_through import run_in_bash

GUIDE, TARGETS, CI = "docs/conformance.md", "docs/check-targets.md", "docs/check-in-ci.md"
STAGING = "https://staging.example.com"
BOUNDED = 'only = ["page-first"]\nmax-requests = 12\n'
"""Settings in the folder of a test, so that a command can be typed as it is written and still ends soon."""
FIRST = "attendee-mock check https://staging.example.com"

FIRST_RUN = block(GUIDE, "pip install 'attendee-mockserver[conformance]'")
WITH_WRITES = block(GUIDE, f"{FIRST} --write")
FINDING = block(GUIDE, "1. page-back (high) listCalendarEvents: expected ")
REPLAY = block(GUIDE, "attendee-mock replay ")
KNOWN = block(GUIDE, "- rule: page-back-ties")
HEADER = block(TARGETS, f"{FIRST} --header")
PROGRAM = block(TARGETS, "from mockserver.conformance.checking import check")
SETTINGS = block(TARGETS, f'url = "{STAGING}/attendee"')
WRONG_SETTING = block(TARGETS, "attendee-mock: /app/attendee-mock.toml: there is no setting")
CLEANUP = block(TARGETS, "attendee-mock cleanup --ledger")
WORKFLOW = block(CI, "name: conformance")
STEPS = block(CI, "- run: pip install")
UPDATE = block(CI, f"{FIRST} --known known.yaml --known-update")
RUN = [FIRST_RUN, WITH_WRITES, FINDING, REPLAY, KNOWN, HEADER, PROGRAM, SETTINGS, WRONG_SETTING, CLEANUP]
RUN += [WORKFLOW, STEPS, UPDATE]
"""Every block that a test below uses."""


@pytest.fixture(autouse=True)
def _bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("attendee-mock.toml").write_text(BOUNDED, "utf-8")


@pytest.fixture(scope="module")
def right() -> Iterator[str]:
    """A deployment that keeps the contract."""
    with running(mock=new_mock()) as server:
        yield server.url


@pytest.fixture(scope="module")
def wrong() -> Iterator[str]:
    """A deployment whose first page has a link to a previous one."""
    with running(mock=served("first-page-has-previous")) as server:
        yield server.url


class Done(NamedTuple):
    """What became of a command: its exit status, and what it printed."""

    status: int
    said: str


Typed = Callable[..., Done]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command with the URL of a mock in the place of that of a staging server."""

    def type_in(line: str, url: str, **variables: str) -> Done:
        for name, value in {"ATTENDEE_API_KEY": ACME, **variables}.items():
            monkeypatch.setenv(name, value)
        words = shlex.split(line.replace(STAGING, url))
        assert words[0] == "attendee-mock"
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        return Done(int(str(ended.value.code)), "".join(capsys.readouterr()))

    return type_in


def attendee_mock(one: Block) -> str:
    """The command of ours in a block."""
    (line,) = [line for line in one.text.splitlines() if line.startswith("attendee-mock ")]
    return line


def test_the_first_run_only_reads_on_another_machine_and_finds_nothing(typed: Typed, right: str) -> None:
    assert attendee_mock(FIRST_RUN) == FIRST
    assert "export ATTENDEE_API_KEY=" in FIRST_RUN.text
    done = typed(FIRST, right)
    assert done.status == 0, done.said


def test_the_run_with_writes_deletes_what_it_created(typed: Typed, right: str) -> None:
    Path("attendee-mock.toml").write_text('only = ["delete-gone"]\nmax-requests = 40\n', "utf-8")
    done = typed(attendee_mock(WITH_WRITES), right)
    assert done.status == 0, done.said
    assert ", write, " in done.said
    assert not [*Path(".attendee-conformance").glob("*.jsonl")]


def test_a_finding_is_shown_in_the_form_of_the_page_and_can_be_replayed(typed: Typed, right: str, wrong: str) -> None:
    shown = FINDING.text
    form = re.compile(r"1\. [a-z-]+ \((high|medium|low)\) \w+: expected .*; was ")
    assert form.match(shown)
    done = typed(f"{FIRST} --findings FOLDER", wrong)
    assert done.status == 1, done.said
    assert form.search(done.said), done.said
    replay = attendee_mock(REPLAY).replace("page_back_listCalendarEvents", "page_first_listCalendars")
    assert {path.suffix for path in Path("FOLDER").iterdir()} == {".sh", ".py", ".json"}
    assert (typed(replay, wrong).status, typed(replay, right).status) == (1, 0)


def test_the_file_of_known_findings_is_read() -> None:
    Path("known.yaml").write_text(KNOWN.text, "utf-8")
    (entry,) = read_known(Path("known.yaml"), [rule.id for rule in all_rules()])
    assert (entry.rule, entry.operation, entry.ticket) == ("page-back-ties", "listCalendarEvents", "CAL-42")


def test_a_header_for_a_gateway_is_taken_from_the_environment(typed: Typed) -> None:
    seen: list[Exchange] = []
    with running(mock=Mock(Settings(fixtures=SEED), observe=seen.append)) as server:
        done = typed(attendee_mock(HEADER), server.url, GATEWAY_KEY="planted")
    assert done.status == 0, done.said
    assert "planted" not in done.said
    assert all((b"x-gateway-key", b"planted") in exchange.headers for exchange in seen)


def test_the_program_returns_a_report(right: str) -> None:
    names: dict[str, Any] = {"key": ACME, "secret": "planted"}
    exec(PROGRAM.text.replace(STAGING, right), names)
    assert names["report"].exit_status == 0


def test_the_settings_in_a_file_are_options_and_their_paths_start_at_it(tmp_path: Path) -> None:
    Path("attendee-mock.toml").write_text(SETTINGS.text, "utf-8")
    with commands.check.make_context("check", []) as context:
        given = context.params
    settings = tomllib.loads(SETTINGS.text)
    assert (given["url"], given["read_only"], given["time_budget"]) == (settings["url"], False, 300.0)
    assert (given["rate"], given["skip"]) == (10.0, ("response-time",))
    assert given["headers"] == ("X-Gateway-Key: ${GATEWAY_KEY}",)
    assert (given["known"], given["ca_bundle"]) == (tmp_path / "known.yaml", tmp_path / "certificates" / "staging.pem")
    assert given["reports"] == (("terminal", ""), ("html", "conformance.html"))


def test_a_wrong_setting_is_named_as_the_page_says(typed: Typed, tmp_path: Path) -> None:
    Path("attendee-mock.toml").write_text("rat = 3\n", "utf-8")
    shown = WRONG_SETTING.text.replace("/app", str(tmp_path))
    done = typed(FIRST, "http://127.0.0.1:1")
    assert done.status == 2
    assert done.said == shown


def test_a_ledger_that_a_killed_run_left_is_cleaned_up(typed: Typed) -> None:
    line = attendee_mock(CLEANUP)
    path = Path(shlex.split(line)[-1])
    mock = staged()
    before = state_of(mock)
    with running(mock=mock) as server:
        with reached(mock.asgi, "remote", ledger=Ledger(path.stem, server.url, path)) as target:
            create(target)
        assert state_of(mock) != before
        done = typed(line, server.url)
    assert done.status == 0, done.said
    assert state_of(mock) == before
    assert not path.exists()


def test_the_workflow_gives_the_action_inputs_that_it_has_and_uses_outputs_that_it_has() -> None:
    workflow = yaml.safe_load(WORKFLOW.text)
    steps = workflow["jobs"]["conformance"]["steps"]
    (ours,) = [step for step in steps if "attendee-mockserver@" in step["uses"]]
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    assert ours["with"].keys() <= action["inputs"].keys()
    assert {name for name, given in action["inputs"].items() if given.get("required")} <= ours["with"].keys()
    used = re.findall(rf"steps\.{ours['id']}\.outputs\.([\w-]+)", json.dumps(workflow))
    assert used
    assert {*used} <= action["outputs"].keys()
    words = [*shlex.split(ours["with"]["arguments"]), "--report-at", ours["with"]["report-at"]]
    Path("attendee-mock.toml").unlink()
    with commands.check.make_context("check", [*words, ours["with"]["url"]]) as context:
        assert context.params["report_at"] == ("deploy/staging.yaml", 12)


def test_the_steps_without_the_action_write_a_summary_and_results(right: str, tmp_path: Path) -> None:
    _, check = yaml.safe_load(STEPS.text)
    variables = {"ATTENDEE_API_KEY": ACME, "STAGING_URL": right, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    run_in_bash(check["run"], tmp_path, **variables)
    assert "Conformance of" in Path("summary.md").read_text("utf-8")
    assert json.loads(Path("conformance.sarif").read_text("utf-8"))["version"] == "2.1.0"


def test_todays_findings_become_known_for_90_days(typed: Typed, wrong: str) -> None:
    update = attendee_mock(UPDATE)
    assert typed(FIRST, wrong).status == 1
    assert typed(update, wrong).status == 0
    (entry,) = read_known(Path("known.yaml"), [rule.id for rule in all_rules()])
    assert entry.expires is not None
    days = entry.expires - datetime.now(UTC).date()
    assert timedelta(88) < days < timedelta(92)
    done = typed(update.removesuffix(" --known-update"), wrong)
    assert done.status == 0, done.said
