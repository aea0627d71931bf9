"""Schemathesis over the mock's own contract: nothing but what docs/fuzzing.md gives a reason for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.server import running
from mockserver.settings import Settings
from tests.patience import HANGS

DUPLICATE = "A calendar with this deduplication key already exists in this project."
BEYOND_SCHEMAS = (
    DUPLICATE,
    "Null characters are not allowed",
    "An unexpected error occurred",
    "less than 1000 characters",
)


BEYOND_BOT_SCHEMAS = (
    *BEYOND_SCHEMAS,
    "Deduplication key already in use",
    "An error occurred while",
    "does not exist in this project",
    "join_at cannot be",
    "Datetime value out of range",
    "Datetime has wrong format",
    "Invalid meeting URL",
    "emojis or rare script characters",
    "credentials are required",
)


def findings(seed: int, folder: Path, *, strict: bool, document: str = "openapi.json") -> dict[str, list[str]]:
    """What one run finds: each finding's code with the text of its blocks; no answer may be a server error."""
    seen: list[Exchange] = []
    with running(mock=Mock(Settings(strict=strict), observe=seen.append)) as server:
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/__mock__/{document}"]
        options = ["--url", server.url, "-H", "Authorization: Token YOUR_API_KEY_HERE", "--checks", "all"]
        done = subprocess.run(
            [*command, *options, "--seed", str(seed)],
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
            cwd=folder,
        )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert len(seen) > 400
    assert not [exchange for exchange in seen if exchange.status >= 500 and exchange.status != 501]
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n\d+\. Test Case ID: ", done.stdout)[1:]:
        for code in re.findall(r"^- (ST\d+)", block, re.MULTILINE):
            found.setdefault(code, []).append(block)
    return found


LONG = pytest.mark.long


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=LONG), pytest.param(3, marks=LONG)])
def test_schemathesis_finds_only_what_the_service_tolerates_or_a_schema_cannot_say(seed: int, tmp_path: Path) -> None:
    found = findings(seed, tmp_path, strict=False)
    assert found.keys() <= {"ST201", "ST202"}
    for block in found.get("ST202", []):
        assert any(text in block for text in BEYOND_SCHEMAS), block


def test_schemathesis_finds_nothing_accepted_off_contract_in_strict_mode(tmp_path: Path) -> None:
    found = findings(4, tmp_path, strict=True)
    assert found.keys() <= {"ST202"}
    for block in found.get("ST202", []):
        assert any(text in block for text in BEYOND_SCHEMAS), block


@pytest.mark.parametrize("strict", [False, pytest.param(True, marks=LONG)])
def test_schemathesis_finds_no_more_over_the_contract_of_bots(strict: bool, tmp_path: Path) -> None:
    found = findings(5, tmp_path, strict=strict, document="bots.json")
    # 501 is in the contract, and to Schemathesis still a server error.
    assert found.keys() <= ({"ST101", "ST202"} if strict else {"ST101", "ST201", "ST202"})
    for block in found.get("ST101", []):
        assert "does not imitate bots that join at once" in block, block
    for block in found.get("ST202", []):
        assert any(text in block for text in BEYOND_BOT_SCHEMAS), block
