"""Sends requests to the control API of a mock, and raises what it refuses as a Python error."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from unittest import SkipTest
from urllib.parse import quote, urlencode, urlsplit

__all__ = ["ControlError", "Controls", "NeedsControls", "NoControls", "Unreachable", "send"]

AGENT: Final = "attendee-mockserver-testing"
"""The User-Agent of requests that this package sends itself, so that assertions can leave them out."""
_CONNECT: Final = 5
_ANSWER: Final = 600
"""Seconds to wait for a connection, and for an answer: moving a clock far waits for every delivery on the way."""
CURES: Final = (
    ("GET /api/v1/calendars lists them with their ids and deduplication keys", 'project.calendar("KEY") creates one'),
    ("GET …/upstream lists them", "calendar.upstream() lists them"),
    ("move it back with POST /__mock__/clock/set", "move it back with clock.set()"),
    ("use https, or serve without --https-webhooks", "use https, or Settings(https_webhooks=False)"),
)
"""What the control API writes for people who send requests, and what it is for people who write tests."""


class Unreachable(Exception):
    """Nothing answers at the URL, or what answers is neither a mock nor a deployment of the service."""


class ControlError(Exception):
    """The mock did not do what it was asked; the text says which argument is wrong, and what would be right."""

    def __init__(self, text: str, status: int, field: str) -> None:
        """`status` is that of the control API's answer, `field` the name of what was wrong, or empty."""
        super().__init__(text)
        self.status = status
        self.field = field


class NeedsControls(SkipTest):
    """A real deployment was asked for what only a mock can do. pytest and unittest report the test as skipped."""


class Response(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    body: bytes


class Controls:
    """The control API of one mock, or of one project of it."""

    def __init__(self, url: str, api_key: str | None = None, control_token: str | None = None) -> None:
        """`api_key` chooses the project; `control_token` is needed for a mock on another machine."""
        self._url = url
        self._control_token = control_token
        given = {"Authorization": f"Token {api_key}" if api_key else "", "X-Control-Token": control_token or ""}
        self._headers = {"User-Agent": AGENT, **{name: value for name, value in given.items() if value}}

    def of_project(self, api_key: str) -> Controls:
        """The controls of the project with this key."""
        return Controls(self._url, api_key, self._control_token)

    def ask(self, method: str, /, *path: str, body: Mapping[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """The answer as plain data; pieces of the path are escaped, and None is left out of the query.

        Raises ControlError for what the mock refuses, and Unreachable.
        """
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        target = "/".join(["/__mock__", *(quote(piece, safe="") for piece in path)]) + (f"?{asked}" if asked else "")
        response = send(self._url, method, target, self._headers, body)
        if response.status == 204:
            return {}
        try:
            answer = json.loads(response.body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(f"{self._url} is not a mock: its control API answered {response.status} without JSON")
        if response.status >= 400:
            raise _refused(answer, response.status)
        return answer


class NoControls(Controls):
    """What a real deployment has instead of controls: every use of them skips the test."""

    def of_project(self, api_key: str) -> Controls:
        """The same again: no project of a deployment has controls."""
        return self

    def ask(self, method: str, /, *path: str, body: Mapping[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """Raises NeedsControls."""
        what = " ".join([method, *path])
        raise NeedsControls(f"{self._url} is a real deployment: it has no controls of a mock ({what})")


def send(
    url: str, method: str, target: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
) -> Response:
    """Sends one request on a connection of its own, past all proxies; `target` is path and query.

    Raises Unreachable.
    """
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    data = None if body is None else json.dumps(body).encode()
    sent = {**headers, **({} if data is None else {"Content-Type": "application/json"})}
    try:
        connection = kind(address.hostname or "", address.port, timeout=_CONNECT)
    except ValueError:
        raise Unreachable(f"{url!r} is not a URL; write it as http://127.0.0.1:8000") from None
    try:
        connection.connect()
        connection.sock.settimeout(_ANSWER)
        connection.request(method, address.path.rstrip("/") + target, data, sent)
        response = connection.getresponse()
        return Response(response.status, response.read())
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unreachable(f"nothing answers at {url} ({why.lower()})") from None
    finally:
        connection.close()


def _refused(answer: Mapping[str, Any], status: int) -> ControlError:
    text, field, fix = (str(answer.get(name) or "") for name in ("error", "field", "fix"))
    for written, better in CURES:
        text, fix = text.replace(written, better), fix.replace(written, better)
    problems = [one for one in answer.get("problems") or [] if isinstance(one, dict)]
    if len(problems) > 1:
        lines = [f"{one['field']}: {one['error']}" for one in problems]
        more = [f"and {answer['more']} more"] if answer.get("more") else []
        return ControlError("\n".join([text, *lines, *more]), status, field)
    named = f"{field}: {text}" if field and not text.startswith(field) else text or f"the mock answered {status}"
    return ControlError(f"{named}; {fix}" if fix and fix not in named else named, status, field)
