"""The judge's HTML report in a browser: it loads nothing, everybody can use it, and it fits a narrow screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mockserver.cli.main import cli
from mockserver.server import running
from tests.browser.conftest import Browser, shoot
from tests.mutants.table import served

pytestmark = pytest.mark.browser
KEY = "acmezictyO3S8ktCJsCRGI4TPrXdUeV1"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that has a finding."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    with running(mock=served("first-page-has-previous")) as server:
        given = ["check", server.url, "--read-only", "--only", "page-*", "--max-requests", "200"]
        done = CliRunner().invoke(cli, [*given, "--report", f"html={file}"], env={"ATTENDEE_API_KEY": KEY})
    assert file.exists(), done.output
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_axe_finds_nothing_serious_in_the_report(browser: Browser, report: Path, scheme: Any, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(report.as_uri())
    page.get_by_role("heading", name="page-first").first.wait_for()
    shoot(page, f"report-{scheme}-{'wide' if width > 1000 else 'narrow'}")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    page.close()
    assert complaints == []
    assert loaded == [report.as_uri()]
