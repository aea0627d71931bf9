"""The contract is kept: by the mock in process, or by the deployment that --target names."""

from __future__ import annotations

import os

import pytest

from mockserver.app import Mock
from mockserver.conformance import check
from mockserver.conformance.reports import render
from mockserver.settings import Settings
from tests.clients import ACME, GLOBEX
from tests.mutants.table import DISABLED, SEED


@pytest.mark.parametrize("requests", [6000, pytest.param(None, marks=pytest.mark.long)])
def test_nothing_is_found(request: pytest.FixtureRequest, requests: int | None) -> None:
    url = request.config.getoption("--target")
    if url:
        key = request.config.getoption("--token") or os.environ.get("ATTENDEE_API_KEY")
        other = request.config.getoption("--other-token") or os.environ.get("ATTENDEE_OTHER_API_KEY")
        report = check(url, key=key, other_key=other, time_budget=60.0)
    else:
        mock = Mock(Settings(fixtures=SEED))
        keys = {"key": ACME, "other_key": GLOBEX, "disabled_key": DISABLED}
        report = check(mock.asgi, **keys, time_budget=None, max_requests=requests)
    assert not report.findings, render(report, "terminal")
    assert not report.left
    assert report.exit_status == 0, render(report, "terminal")
