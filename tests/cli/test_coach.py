"""The command `coach`: what it prints in each format, and its exit status."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from mockserver.cli.main import main
from mockserver.coach import RULES
from mockserver.server import running
from tests.patience import HANGS

KEY = "YOUR_API_KEY_HERE"
PAGE = Path(__file__).parents[2] / "docs" / "coach.md"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def run(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("ATTENDEE_BASE_URL", url)
    monkeypatch.setenv("ATTENDEE_API_KEY", KEY)

    def type_in(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["coach", *words])
        return int(str(ended.value.code)), *capsys.readouterr()

    return type_in


def ask(url: str, *, key: str | None = KEY) -> None:
    headers = {"Authorization": f"Token {key}"} if key else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=HANGS) as answer:
        answer.read()


def test_a_client_without_a_mistake_ends_with_status_0(url: str, run: Run) -> None:
    ask(f"{url}/api/v1/calendars")
    status, out, err = run()
    assert (status, err) == (0, "")
    assert out == "no remark; 1 entries of the journal read.\n"


def test_a_remark_names_the_exchange_the_risk_and_the_cure(url: str, run: Run) -> None:
    ask(f"{url}/api/v1/calendars")
    ask(f"{url}/api/v1/calendar_events?updated_after=2026-01-01T00:00:00Z")
    status, out, _ = run()
    assert status == 1
    assert out in PAGE.read_text("utf-8")
    head, what, risk, cure, *_ = out.splitlines()
    assert head == "updated-after: the client uses updated_after (#2)"
    assert what == "  1 request of listCalendarEvents used updated_after."
    assert risk.startswith("  risk: ")
    assert cure == "  cure: Write updated_at_gte."
    status, out, _ = run("--format", "json")
    (remark,) = json.loads(out)["remarks"]
    assert status == 1
    assert remark["exchanges"] == [2]
    assert remark["cure"] == RULES["updated-after"].cure
    status, out, _ = run("--format", "junit", "--skip", "polling")
    suite = xml.fromstring(out)
    assert suite.attrib["failures"] == "1"
    assert {case.get("name") for case in suite.iter("testcase")} == set(RULES)
    assert len(list(suite.iter("skipped"))) == 1
    assert run("--after", "2")[0] == 0
    assert run("--skip", "updated-after")[0] == 0


def test_a_key_in_a_url_is_remarked_on_and_not_shown(url: str, run: Run) -> None:
    with pytest.raises(urllib.error.HTTPError):
        ask(f"{url}/api/v1/calendars?api_key={KEY}", key=None)
    status, out, _ = run()
    assert status == 1
    assert "secret-in-url" in out
    assert KEY not in out


def test_an_unknown_rule_and_a_mock_that_does_not_answer_are_status_2(run: Run) -> None:
    status, _, err = run("--skip", "pollin")
    assert status == 2
    assert "'pollin'" in err
    assert err.count("\n") == 1
    status, _, err = run("--url", "http://127.0.0.1:1")
    assert status == 2
    assert "no mock answers" in err


def test_every_rule_is_on_its_page() -> None:
    page = PAGE.read_text("utf-8")
    assert not [rule for rule in RULES if f"| `{rule}` |" not in page]
