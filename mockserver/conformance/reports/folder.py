"""Each finding in files of its own: curl lines, a pytest file and what `attendee-mock replay` takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report
from mockserver.conformance.reports.pytest_file import pytest_file
from mockserver.conformance.reports.reproduction import curl_lines


def write_findings(report: Report, folder: Path) -> list[Path]:
    """Writes three files a finding; gives their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for finding in [*report.findings, *(finding for finding, _ in report.known)]:
        recipe = report.recipes.get(finding.identity)
        if recipe is None:
            continue
        name = name_of(finding)
        base = report.target
        for path, text in (
            (folder / f"{name}.json", json.dumps(recipe, indent=2) + "\n"),
            (folder / f"{name}.sh", curl_lines(recipe, base=base, headers=report.headers)),
            (folder / f"test_{name}.py", pytest_file(recipe, base=base, file=f"test_{name}.py")),
        ):
            path.write_text(report.mask(text), encoding="utf-8")
            written.append(path)
    return written


def name_of(finding: Finding) -> str:
    """A file name that no two findings share."""
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join(part for part in finding.identity if part)).strip("_")[:120]
