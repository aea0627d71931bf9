"""Writes the results of an audit as text, JSON and JUnit XML, and its deliveries as files."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mockserver.junit import Case, junit_xml
from mockserver.receiver.audit import INVENTED, CheckResult
from mockserver.receiver.checks import CHECKS, Check
from mockserver.receiver.deliveries import AuditDelivery, Composer

_WIDTH: Final = 110
_EXPECTED: Final = {
    "accept": "2xx",
    "refuse": "4xx",
}


def as_text(results: Sequence[CheckResult], url: str) -> str:
    """A line for each check, and below those that failed why it matters and the cure."""
    lines = [url, ""]
    for check, verdict, answered in results:
        shown = "FAILED" if verdict == "failed" else verdict
        lines.append(f"{shown:10}  {check.id:22}  {answered}")
        if verdict == "failed":
            parts = (f"sent: {check.sent}", f"why: {check.why}", f"cure: {check.cure}")
            lines += [_wrapped(part) for part in parts]
    counts = Counter(result.verdict for result in results)
    summary = ", ".join(f"{counts[name]} {name}" for name in ("passed", "failed", "not tested") if counts[name])
    return "\n".join([*lines, "", f"{len(results)} checks: {summary}."])


def as_json(results: Sequence[CheckResult], url: str) -> str:
    """All results as a JSON document."""
    return json.dumps({"receiver": url, "checks": [_plain(result) for result in results]}, indent=2, ensure_ascii=False)


def as_junit(results: Sequence[CheckResult]) -> str:
    """A test case for each check."""
    return junit_xml("audit", map(_case, results))


def write_payloads(folder: Path, composer: Composer) -> int:
    """Writes each delivery of the audit into a file of its own, and returns their number.

    A file has `name`, `sent`, `expect` (2xx or 4xx), `headers`, and `body`, a text whose UTF-8 bytes are sent.
    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    single = [
        check for check in CHECKS if check.group != "behave" and check.id not in ("keep-alive", "answered-in-time")
    ]
    for check in single:
        make = composer.refused if check.group == "refuse" else composer.accepted
        _write_payload(folder, check, make(check.id, INVENTED))
    return len(single)


def _write_payload(folder: Path, check: Check, delivery: AuditDelivery) -> None:
    content = {
        "name": check.id,
        "sent": check.sent,
        "expect": _EXPECTED[check.group],
        "headers": dict(delivery.headers),
        "body": delivery.body.decode(),
    }
    (folder / f"{check.id}.json").write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(result: CheckResult) -> dict[str, Any]:
    check = result.check
    return {
        "id": check.id,
        "verdict": result.verdict,
        "sent": check.sent,
        "answered": result.answered,
        "why": check.why,
        "cure": check.cure,
    }


def _case(result: CheckResult) -> Case:
    check, verdict, answered = result
    details = f"sent: {check.sent}\nanswered: {answered}\nwhy: {check.why}\ncure: {check.cure}"
    return Case(
        check.id,
        f"sent: {check.sent}; answered: {answered}",
        f"{check.sent}: {answered}" if verdict == "failed" else "",
        details if verdict == "failed" else "",
        answered if verdict == "not tested" else "",
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 14, break_on_hyphens=False)
