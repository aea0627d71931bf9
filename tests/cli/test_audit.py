"""The command `audit`: what it prints in each format, what it refuses, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from mockserver.cli.control_client import Controls
from mockserver.cli.main import main
from mockserver.receiver.checks import BY_ID, IDS
from mockserver.server import RunningServer
from mockserver.testing.signature import verify_signature
from tests.receiver.receivers import RightReceiver, SmallBodies, receiving, serving_patiently

SECRET = "5iXV378/KoYsH0Zs0PSAwpkBxdHfo0WP+Tou6T4M0J0="
NOWHERE = "http://127.0.0.1:1"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with serving_patiently() as served:
        yield served


@pytest.fixture
def run(server: RunningServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("ATTENDEE_BASE_URL", server.url)
    monkeypatch.setenv("ATTENDEE_API_KEY", "YOUR_API_KEY_HERE")
    monkeypatch.setenv("ATTENDEE_WEBHOOK_SECRET", SECRET)

    def type_in(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["audit", *words])
        return int(str(ended.value.code)), *capsys.readouterr()

    return type_in


def test_a_receiver_that_passes_ends_with_status_0(server: RunningServer, run: Run) -> None:
    with receiving(RightReceiver(server.url, "YOUR_API_KEY_HERE", SECRET)) as url:
        status, out, err = run(f"{url}?token=hidden-1", "--wait", "60", "--slow-api", "100")
    assert (status, err) == (0, "")
    assert out.startswith(f"{url}?token=***\n\npassed      genuine                 200 after ")
    assert out.endswith(f"{len(IDS)} checks: {len(IDS)} passed.\n")
    assert "hidden-1" not in out
    assert SECRET not in out


def test_without_a_mock_only_answers_are_judged(server: RunningServer, run: Run) -> None:
    with receiving(SmallBodies(server.url, "YOUR_API_KEY_HERE", SECRET)) as url:
        status, out, _ = run(url, "--answers-only", "--url", NOWHERE)
        assert status == 1
        lines = out.splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("FAILED      large "))
        assert [line.split(":")[0].strip() for line in lines[at + 1 : at + 4]] == ["sent", "why", "cure"]
        assert lines[-1].endswith("25 passed, 1 failed, 6 not tested.")
        document = json.loads(run(url, "--answers-only", "--format", "json")[1])
        suite = xml.fromstring(run(url, "--answers-only", "--format", "junit")[1])
    assert [check["id"] for check in document["checks"]] == list(IDS)
    (failed,) = [check for check in document["checks"] if check["verdict"] == "failed"]
    assert failed["id"] == "large"
    assert failed["answered"].startswith("413 after")
    assert failed["cure"] == BY_ID["large"].cure
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == (str(len(IDS)), "1", "6")


def test_a_project_without_calendars_leaves_out_what_needs_them(server: RunningServer, run: Run) -> None:
    Controls(server.url, None, None).ask("POST", "projects", body={"name": "Empty"})
    with receiving(RightReceiver(server.url, "YOUR_API_KEY_HERE", SECRET)) as url:
        status, out, _ = run(url, "--project", "Empty")
    assert status == 0
    assert "the project has 0 connected calendars; two are needed; choose another --project" in out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "RECEIVER"),
        (("http://127.0.0.1:1/webhook", "--answers-only"), "no receiver answers at http://127.0.0.1:1/webhook"),
        (("http://127.0.0.1:1/webhook", "--url", NOWHERE), "or give --answers-only"),
        (("127.0.0.1:3000", "--answers-only"), "http://127.0.0.1:3000/webhook"),
        (("http://[::1", "--answers-only"), "http://127.0.0.1:3000/webhook"),
        (("http://127.0.0.1:1/webhook", "--secret", "planted-secret!"), "--secret"),
        (("--payloads", "/dev/null/x"), "cannot write to /dev/null/x"),
    ],
)
def test_what_cannot_be_audited_is_one_line_and_status_2(run: Run, words: tuple[str, ...], named: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert named in err
    assert "planted-secret" not in err


def test_a_missing_secret_is_named_with_its_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATTENDEE_WEBHOOK_SECRET")
    status, _, err = run("http://127.0.0.1:1/webhook")
    assert status == 2
    assert "--secret" in err


def test_the_deliveries_can_be_written_as_files(run: Run, tmp_path: Path) -> None:
    status, out, err = run("--payloads", str(tmp_path / "payloads"))
    files = sorted((tmp_path / "payloads").iterdir())
    assert (status, out) == (0, "")
    assert f"wrote {len(files)} deliveries" in err
    assert {file.stem for file in files} < set(IDS)
    for file in files:
        content = json.loads(file.read_text("utf-8"))
        headers = {name.lower(): value for name, value in content["headers"].items()}
        right = verify_signature(content["body"], headers.get("x-webhook-signature"), SECRET)
        assert right == (content["expect"] == "2xx"), file
        assert SECRET not in file.read_text("utf-8")


def test_every_check_is_on_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")
    assert not [name for name in IDS if f"`{name}`" not in page]
    assert f"{len(IDS)} checks: " in page
