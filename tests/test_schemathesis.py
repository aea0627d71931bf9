"""Schemathesis over the mock's own contract: nothing but what docs/fuzzing.md gives a reason for."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.server import running
from mockserver.settings import Settings
from tests import pages
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


FEW, MANY = 5, 100
"""How many requests are drawn for each operation, beside the contract's examples and the limits of every schema."""
REQUESTS = {FEW: 100, MANY: 400}
"""A run of so many drawn examples that sends fewer requests has left something out."""


def findings(
    seed: int, folder: Path, *, strict: bool, examples: int, document: str = "openapi.json"
) -> dict[str, list[str]]:
    """What one run finds: each finding's code with the text of its blocks; no answer may be a server error."""
    seen: list[Exchange] = []
    with running(mock=Mock(Settings(strict=strict), observe=seen.append)) as server:
        line = COMMAND.text.replace("\\\n", " ").replace("http://127.0.0.1:8000", server.url)
        name, *options = shlex.split(line.replace("openapi.json", document))
        done = subprocess.run(
            [Path(sys.executable).with_name(name), *options, "--seed", str(seed), "--max-examples", str(examples)],
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
            cwd=folder,
        )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert len(seen) > REQUESTS[examples]
    assert not [exchange for exchange in seen if exchange.status >= 500 and exchange.status != 501]
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n\d+\. Test Case ID: ", done.stdout)[1:]:
        for code in re.findall(r"^- (ST\d+)", block, re.MULTILINE):
            found.setdefault(code, []).append(block)
    return found


COMMAND = pages.block("docs/fuzzing.md", "schemathesis run ")
RUN = [COMMAND]
"""The command of the page, which `findings` runs with a seed and a number of examples."""
LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("seed", "examples"), [(1, FEW), *(pytest.param(seed, MANY, marks=LONG) for seed in (1, 2, 3))]
)
def test_schemathesis_finds_only_what_the_service_tolerates_or_a_schema_cannot_say(
    seed: int, examples: int, tmp_path: Path
) -> None:
    found = findings(seed, tmp_path, strict=False, examples=examples)
    assert found.keys() <= {"ST201", "ST202"}
    for block in found.get("ST202", []):
        assert any(text in block for text in BEYOND_SCHEMAS), block


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=LONG)])
def test_schemathesis_finds_nothing_accepted_off_contract_in_strict_mode(examples: int, tmp_path: Path) -> None:
    found = findings(4, tmp_path, strict=True, examples=examples)
    assert found.keys() <= {"ST202"}
    for block in found.get("ST202", []):
        assert any(text in block for text in BEYOND_SCHEMAS), block


@pytest.mark.parametrize(
    ("strict", "examples"), [(False, FEW), *(pytest.param(strict, MANY, marks=LONG) for strict in (False, True))]
)
def test_schemathesis_finds_no_more_over_the_contract_of_bots(strict: bool, examples: int, tmp_path: Path) -> None:
    found = findings(5, tmp_path, strict=strict, examples=examples, document="bots.json")
    # 501 is in the contract, and to Schemathesis still a server error.
    assert found.keys() <= ({"ST101", "ST202"} if strict else {"ST101", "ST201", "ST202"})
    for block in found.get("ST101", []):
        assert "does not imitate bots that join at once" in block, block
    for block in found.get("ST202", []):
        assert any(text in block for text in BEYOND_BOT_SCHEMAS), block
