"""The small programs and files on the pages do what they say: Python, and a file of known differences."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.app import Mock
from mockserver.cli.main import main
from tests.clients import Client, in_process
from tests.pages import ROOT, Block, block

KEY = "YOUR_API_KEY_HERE"
COACH = block("docs/coach.md", "from mockserver.app import Mock")
FAULTS = block("docs/faults.md", "mock.faults.add(")
JOURNAL = block("docs/journal.md", "from mockserver.control.har import har")
LIBRARY = block("docs/serve.md", "from mockserver.app import Mock")
KNOWN = block("docs/drift.md", "- id: response-null:Calendar.metadata")
RUN = [COACH, FAULTS, JOURNAL, LIBRARY, KNOWN]
"""Every block that a test below uses."""


def run(program: Block, **names: Any) -> dict[str, Any]:
    """Runs a program, which may await at its outermost level; gives the names that it leaves."""
    code = compile(program.text, str(program), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    awaited = eval(code, names)
    if inspect.iscoroutine(awaited):
        asyncio.run(awaited)
    return names


@pytest.fixture
def mock() -> Mock:
    """A mock with the built-in fixtures, as the pages have it."""
    return Mock()


@pytest.fixture
def client(mock: Mock) -> Client:
    return Client(mock, KEY)


def test_the_program_of_the_page_on_the_coach_prints_remarks(
    mock: Mock, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    run(COACH)
    assert capsys.readouterr().out == ""
    client("GET", "/calendar_events?updated_after=2026-01-01T00:00:00Z")
    run(COACH._replace(text=COACH.text.replace("mock = Mock()\n", "")), mock=mock)
    assert capsys.readouterr().out.startswith("updated-after (1,) ")


def test_the_program_of_the_page_on_faults_adds_lists_and_removes_one(mock: Mock, client: Client) -> None:
    add, *rest = FAULTS.text.splitlines(keepends=True)
    run(FAULTS._replace(text=add), mock=mock)
    assert [client("GET", "/calendars").status for _ in range(3)] == [503, 503, 200]
    run(FAULTS._replace(text="".join(rest)), mock=mock)
    assert mock.faults.list("Demo") == []


def test_the_program_of_the_page_on_the_journal_finds_what_was_refused_and_delivered(mock: Mock) -> None:
    send = in_process(mock)
    headers = {"Authorization": f"Token {KEY}", "Content-Type": "application/json"}
    for _ in range(18):
        send("POST", "/api/v1/calendars", headers, b'{"platform": "gogle"}')
    send("POST", "/__mock__/subscriptions", headers, b'{"url": "http://127.0.0.1:9/nobody"}')
    send("POST", "/__mock__/calendars/user-abcd/upstream/events", headers, b'{"title": "Planning", "start": "2h"}')
    send("POST", "/__mock__/calendars/user-abcd/sync", headers, b"{}")
    send("POST", "/__mock__/settle", headers, None)
    names = run(JOURNAL, mock=mock)
    assert len(names["refused"]) == 18
    assert "body field platform was 'gogle', wanted 'google'" in json.dumps(names["similar"])
    assert len(names["archive"]["log"]["entries"]) == 18
    assert {entry["kind"] for entry in names["found"].entries} == {"delivery"}


def test_the_program_of_the_page_on_serving_prints_a_url(capsys: pytest.CaptureFixture[str]) -> None:
    run(LIBRARY)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", capsys.readouterr().out)


def test_the_difference_of_the_page_on_drift_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known.yaml"
    # The day of the page comes; the test has another one.
    known.write_text(re.sub(r"(?<=expires: )\S+", "2999-12-31", KNOWN.text), "utf-8")
    document = str(ROOT / "examples" / "drift" / "published.yaml")
    with pytest.raises(SystemExit):
        main(["drift", document, "--known", str(known), "--format", "json"])
    (found,) = json.loads(capsys.readouterr().out)["known"]
    assert found["id"] == yaml.safe_load(KNOWN.text)[0]["id"]
