"""A finding can be played again: with new ids, new marks and new secrets, and it says whether the defect shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.conformance import check
from mockserver.conformance.checking import replay
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import status
from mockserver.conformance.findings import Finding
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.replay import RecipeError, Replayer, read_recipes
from mockserver.conformance.reports.folder import write_findings
from mockserver.server import running
from tests.clients import ACME, GLOBEX
from tests.conformance.fakes import MARK, RULE, SECRET, FakeTarget, crash
from tests.mutants.table import mutants, new_mock, served

RECIPE: dict[str, Any] = json.loads(json.dumps(recipe_of(crash(), RULE, Origins(MARK, {}, [SECRET]))))
_DATED = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|cal_\w{16}|date: [^\n]*", re.IGNORECASE)


def replayed(answer: Callable[[Request], tuple[int, Any]]) -> tuple[str, list[Request]]:
    target = FakeTarget(answer)
    player = Replayer(target, {}, {}, look=lambda *_: None, keys={}, clock=time.monotonic)
    return player.replay(RECIPE).verdict, target.requests


def crashing(request: Request) -> tuple[int, Any]:
    return (201, {"id": "cal_bbbbbbbbbbbbbbbb"}) if request.method == "POST" else (500, {})


def right(request: Request) -> tuple[int, Any]:
    return (201, {"id": "cal_bbbbbbbbbbbbbbbb"}) if request.method == "POST" else (200, {})


def test_a_defect_that_is_there_shows() -> None:
    assert replayed(crashing)[0] == "shows"


def test_a_defect_that_was_mended_is_gone() -> None:
    assert replayed(right)[0] == "gone"


def test_steps_that_cannot_be_taken_are_told() -> None:
    assert replayed(lambda _: (403, {}))[0] == "cannot be run"


def test_ids_marks_and_secrets_are_new() -> None:
    _, requests = replayed(crashing)
    assert requests[1].path == "/api/v1/calendars/cal_bbbbbbbbbbbbbbbb"
    sent = json.loads(requests[0].body or b"")
    assert sent == {"client_secret": "fresh-client_secret", "deduplication_key": "conformance-mark9876-7"}


def test_what_was_made_is_taken_away() -> None:
    _, requests = replayed(crashing)
    assert (requests[-1].method, requests[-1].path) == ("DELETE", "/api/v1/calendars/cal_bbbbbbbbbbbbbbbb")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    with pytest.raises(RecipeError, match="neither a finding"):
        read_recipes(path)
    path.write_text(json.dumps({**RECIPE, "format": "attendee-mock/finding/1"}))
    with pytest.raises(RecipeError, match="another version"):
        read_recipes(path)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("invalid-ordering-crashes", marks=pytest.mark.long),
        "metadata-returned-as-text",
        "row-lost-between-pages",
        pytest.param("every-other-page-reversed", marks=pytest.mark.long),
    ],
)
def test_files_of_a_finding_show_the_defect_and_pass_without_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = check(mutants()[name].apply(new_mock()), key=ACME, other_key=GLOBEX, time_budget=None, first_only=True)
    files = write_findings(report, tmp_path)
    recipe = next(path for path in files if path.suffix == ".json")
    test = next(path for path in files if path.suffix == ".py")
    wrong, right = outcome_of(served(name), recipe, test), outcome_of(new_mock(), recipe, test)
    assert (wrong[:2], right[:2]) == ((1, 1), (0, 0))
    assert wrong[2] != right[2]


def outcome_of(mock: Mock, recipe: Path, test: Path) -> tuple[int, int, str]:
    """The exit status of the replay, that of the pytest file, and the last answer that the curl lines print."""
    with running(mock=mock) as server:
        env = {"ATTENDEE_BASE_URL": server.url, "ATTENDEE_API_KEY": ACME, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        status, _ = replay(recipe, server.url, key=ACME, other_key=GLOBEX)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(test.parent), str(test)],
            env=env,
            capture_output=True,
            check=False,
        )
        command = ["bash", str(recipe.with_suffix(".sh"))]
        lines = subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout
    return status, done.returncode, _DATED.sub("", lines)


def page(number: int, **members: Any) -> Exchange:
    """A page of calendars as it was read."""
    body = json.dumps({"next": None, "previous": None, "results": [], **members}).encode()
    return Exchange(number, Request("GET", f"/api/v1/calendars?cursor=page{number}"), 200, {}, body)


def test_a_link_is_followed_from_the_page_that_was_read_last_and_what_nothing_uses_is_not_looked_for() -> None:
    link = "http://host/api/v1/calendars?cursor=page3"
    rows = [{"id": "cal_aaaaaaaaaaaaaaaa"}]
    exchanges = page(1, previous=link, results=rows), page(2, previous=link), page(3)
    finding = Finding(RULE.id, "listCalendars", "", status(404, of=exchanges[2]), "200", exchanges)
    first, second, third = recipe_of(finding, RULE, Origins(""))["steps"]
    assert "capture" not in first
    assert [name for name in second["capture"] if third["path"] == f"${{{name}}}"] != []
