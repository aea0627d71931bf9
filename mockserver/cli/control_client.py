"""Sends a command's request to the control API of a running mock, and says in the command's words what went wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import click

_CONNECT: Final = 5
_ANSWER: Final = 600
"""Seconds to wait for a connection, and for an answer: a clock that is moved far awaits every delivery on the way."""
_CURES: Final = (
    (
        "GET /api/v1/calendars lists them with their ids and deduplication keys",
        "attendee-mock calendars lists them",
    ),
    ("GET …/upstream lists them", "attendee-mock events list CALENDAR lists them"),
    ("move it back with POST /__mock__/clock/set", "move it back with attendee-mock clock set"),
    ("write it as in a query of /__mock__/requests", "see attendee-mock requests list --help"),
)
"""What the control API tells people who send requests, and what it is for people who type commands."""


class Refusal(click.ClickException):
    """The mock was reached and did not do what it was asked, or found nothing."""

    exit_code = 1

    def __init__(self, message: str, more: tuple[str, ...] = ()) -> None:
        """`more` are further lines, such as the other problems of fixtures."""
        super().__init__(message)
        self.more = more


class Unusable(click.ClickException):
    """No mock was reached, or what was given cannot be sent."""

    exit_code = 2


class Controls:
    """The control API of a running mock."""

    def __init__(self, url: str, token: str | None, control_token: str | None, project: str | None = None) -> None:
        """`token` or `project` choose the project. Raises Unusable for a URL that is none."""
        from urllib.parse import urlsplit

        try:
            address = urlsplit(url)
            self._host, self._port, self._tls = address.hostname or "", address.port, address.scheme == "https"
        except ValueError:
            raise Unusable(f"{url!r} is not a URL; give --url as http://127.0.0.1:8000") from None
        if address.scheme not in ("http", "https") or not self._host:
            raise Unusable(f"{url!r} is not the URL of a mock; give --url as http://127.0.0.1:8000")
        self._url = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
        self._project = project
        given = {"Authorization": f"Token {token}" if token else "", "X-Control-Token": control_token or ""}
        self._headers = {name: value for name, value in given.items() if value}

    def ask(
        self,
        method: str,
        /,
        *path: str,
        body: Mapping[str, Any] | None = None,
        of_project: bool = True,
        **query: Any,
    ) -> Any:
        """What the mock answers, as plain data; pieces of the path are escaped, and None is left out of the query.

        `of_project` is false for what concerns the mock as a whole. Raises Refusal and Unusable.
        """
        from urllib.parse import quote, urlencode

        if of_project:
            query["project"] = self._project
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        target = "/".join(["/__mock__", *(quote(piece, safe="") for piece in path)]) + (f"?{asked}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        status, raw = self._send(method, target, data)
        if status == 204:
            return {}
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unusable(f"{self._url} is not an attendee-mock (it answered {status}); give the right --url")
        if status >= 400:
            raise _refusal(answer, status)
        return answer

    def _send(self, method: str, target: str, body: bytes | None) -> tuple[int, bytes]:
        import http.client

        connect = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        connection = connect(self._host, self._port, timeout=_CONNECT)
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            connection.connect()
            connection.sock.settimeout(_ANSWER)
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            fix = "start one with attendee-mock serve, or give --url"
            raise Unusable(f"no mock answers at {self._url} ({why.lower()}); {fix}") from None
        except (ValueError, UnicodeError):
            # Without what was given: it is secret.
            problem = "--token or --control-token has characters that a header cannot contain"
            raise Unusable(f"{problem}; give it as the server printed it") from None
        finally:
            connection.close()


def _refusal(answer: Mapping[str, Any], status: int) -> Refusal:
    """An error of the control API, with options and arguments in place of headers and members."""
    text = str(answer.get("error") or f"the mock answered {status}")
    field, fix = str(answer.get("field") or ""), str(answer.get("fix") or "")
    chosen = _choice(field, text, status)
    if chosen:
        return Refusal(chosen)
    problems = [one for one in answer.get("problems") or [] if isinstance(one, dict)]
    if len(problems) > 1:
        more = answer.get("more") or 0
        lines = [_sentence(str(one["field"]), str(one["error"]), str(one.get("fix", ""))) for one in problems]
        count = len(lines) + more
        return Refusal(f"{count} problems", (*lines, *([f"and {more} more"] if more else [])))
    return Refusal(_sentence(field, text, fix))


def _choice(field: str, text: str, status: int) -> str:
    """What is wrong with the options that every command has; empty where it is something else."""
    if field == "X-Control-Token":
        problem = (
            "this mock listens on an address that other machines can reach, and the control token is missing or wrong"
        )
        return f"{problem}; give --control-token (or ATTENDEE_MOCK_CONTROL_TOKEN), which the server prints at its start"
    if field == "Authorization":
        problem = "no project has the API key of --token" if status == 404 else "--token is not an API key"
        return f"{problem}; give the key of a project (or ATTENDEE_API_KEY), or --project NAME"
    if field == "project" and "Authorization" in text:
        return "--token is a key of another project than --project; give only one of them"
    if field == "project" and status == 400:
        return f"{text}; give --token KEY (or ATTENDEE_API_KEY), or --project NAME"
    return ""


def _sentence(field: str, text: str, fix: str) -> str:
    for told, typed in _CURES:
        fix, text = fix.replace(told, typed), text.replace(told, typed)
    typed = _typed(field)
    if typed != field and text.startswith(f"{field}: "):
        text = text.removeprefix(f"{field}: ")
    if field == "project":
        return f"{text}; {fix}" if fix else text
    if field == "field":
        # An option that another kind of fault has.
        return re.sub(r"^'(\w+)' is unknown", lambda found: f"this kind of fault takes no {_typed(found[1])}", text)
    named = f"{typed}: {text}" if typed and not text.startswith(typed) else text
    return f"{named}; {fix}" if fix and fix not in named else named


def _typed(field: str) -> str:
    """What a member or parameter is called in the command that runs: --for-next, or CALENDAR."""
    context = click.get_current_context(silent=True)
    if context is None:
        return field
    first = field.partition("[")[0]
    # The first item of a list is that of an option that may be repeated, where this was given.
    name = first if first != field and context.params.get(first) else field
    for param in context.command.params:
        if param.name == name.replace("-", "_"):
            return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name.strip("[]").upper()
    return field
