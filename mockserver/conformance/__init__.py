"""A judge of any deployment of the API: sends requests, and says which rules of the contract the answers break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.conformance.report import Report
from mockserver.conformance.run import Target

if TYPE_CHECKING:
    from mockserver.conformance.wires import App

__all__ = ["Report", "Target", "check"]


def check(target: str | App, **options: Any) -> Report:
    """Holds a URL, or an ASGI application in this process, against the rules; options as of `checking.check`.

    >>> report = check("http://127.0.0.1:8000", key="…", time_budget=30.0)
    >>> assert report.exit_status == 0, report.verdict
    """
    from mockserver.conformance import checking

    return checking.check(target, **options)
