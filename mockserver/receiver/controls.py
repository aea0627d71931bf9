"""What this package uses of a running mock: its control API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ControlApi(Protocol):
    """The control API of a running mock, with the project already chosen."""

    def ask(
        self,
        method: str,
        /,
        *path: str,
        body: Mapping[str, Any] | None = None,
        of_project: bool = True,
        **query: Any,
    ) -> Any:
        """What the mock answers, as plain data; what it raises says why there is no answer."""
        ...
