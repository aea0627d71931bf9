"""A way to talk to a mock's controls."""

from __future__ import annotations

import json
from typing import Any

from mockserver.app import Mock
from tests.clients import Answered, in_process


class Controls:
    """Sends requests under /__mock__/, with a key or without."""

    def __init__(self, mock: Mock, key: str | None = None) -> None:
        self._send = in_process(mock)
        self.key = key

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """Bytes are sent as they are, everything else as JSON."""
        sent = {} if self.key is None else {"authorization": f"Token {self.key}"}
        raw = body
        if body is not None:
            sent["content-type"] = "application/json"
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Answered(self._send(method, f"/__mock__/{path}", sent, raw))


def new_world(mock: Mock, **fields: Any) -> Controls:
    """The controls of a throw-away project that was just made."""
    return Controls(mock, Controls(mock)("POST", "projects", fields).body["api_key"])
