"""A running mock's control API as a person at a terminal uses it: asked by a command, and its answers in lines."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import click

Lines: TypeAlias = list[str]
HELP: Final = {"help_option_names": ["-h", "--help"]}
_CONNECT: Final = 5
_ANSWER: Final = 600
"""Seconds to wait for a connection, and for an answer: a clock that is moved far awaits every delivery on the way."""


class Refusal(click.ClickException):
    """The mock was reached, and does not do what it was asked to."""

    exit_code = 1


class Unusable(click.ClickException):
    """No mock was reached, or what was given cannot be sent."""

    exit_code = 2


class Controls:
    """The control API of a running mock."""

    def __init__(self, url: str, token: str | None, control_token: str | None) -> None:
        from urllib.parse import urlsplit

        try:
            address = urlsplit(url)
            self._host, self._port, self._tls = address.hostname or "", address.port, address.scheme == "https"
        except ValueError:
            raise Unusable(f"{url!r} is no URL; give --url as http://127.0.0.1:8000") from None
        if address.scheme not in ("http", "https") or not self._host:
            raise Unusable(f"{url!r} is no URL of a mock; give --url as http://127.0.0.1:8000")
        self._url = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
        given = {"Authorization": f"Token {token}" if token else "", "X-Control-Token": control_token or ""}
        self._headers = {name: value for name, value in given.items() if value}

    def ask(self, method: str, *path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """What the mock answers, as plain data; pieces of the path are escaped, and None is left out of the query.

        Raises Refusal and Unusable.
        """
        from urllib.parse import quote, urlencode

        asked = urlencode({name: value for name, value in query.items() if value is not None})
        target = "/".join(["/__mock__", *(quote(piece, safe="") for piece in path)]) + (f"?{asked}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        status, raw = self._send(method, target, data)
        try:
            answer = json.loads(raw)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unusable(f"{self._url} is no attendee-mock (it answers {status}); give the right --url")
        if status >= 400:
            raise Refusal(_sentence(answer, status))
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
            raise Unusable("a token has characters that no header takes; give it as it was printed") from None
        finally:
            connection.close()


def _sentence(problem: Mapping[str, Any], status: int) -> str:
    """An error of the control API in one line."""
    text = str(problem.get("error") or f"the mock answers {status}")
    field, fix = problem.get("field"), problem.get("fix")
    named = f"{field}: {text}" if field and not text.startswith(str(field)) else text
    return f"{named}; {fix}" if fix and str(fix) not in named else named


def steers(show: Callable[[Any], Lines]) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Makes a command's function out of one that asks the controls; `show` says its answer to a person."""

    def decorate(ask: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(ask)
        def run(url: str, token: str | None, control_token: str | None, as_json: bool, **given: Any) -> None:
            answer = ask(Controls(url, token, control_token), **given)
            shown = [json.dumps(answer, indent=2, ensure_ascii=False)] if as_json else show(answer)
            for line in shown:
                click.echo(line)

        for option in reversed(_OPTIONS):
            run = option(run)
        return run

    return decorate


_OPTIONS = (
    click.option(
        "--url",
        envvar="ATTENDEE_BASE_URL",
        show_envvar=True,
        default="http://127.0.0.1:8000",
        help="the mock's address",
    ),
    click.option("--token", envvar="ATTENDEE_API_KEY", show_envvar=True, help="an API key; it chooses the project"),
    click.option(
        "--control-token",
        envvar="ATTENDEE_MOCK_CONTROL_TOKEN",
        show_envvar=True,
        help="what a mock that listens beyond this machine asks for",
    ),
    click.option("--json", "as_json", is_flag=True, help="the mock's answer as it is"),
)


class UsualGroup(click.Group):
    """Commands of which one is meant when none is named."""

    def __init__(self, *given: Any, usual: str, **named: Any) -> None:
        super().__init__(*given, **named)
        self._usual = usual

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What was written, with the usual command in front when there is none."""
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = [self._usual, *args]
        return super().parse_args(ctx, args)


def _cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _happening(one: Mapping[str, Any]) -> str:
    detail = " ".join(f"{name}={_cell(value)}" for name, value in one["detail"].items() if value not in (None, 0))
    return f"{one['at']}  {one['what']} {one['subject']}: {one['outcome']}  {detail}".rstrip()


def _time(value: Any) -> str:
    """When an object begins or ends, in the shape of either platform."""
    return str(value.get("dateTime") or value.get("date")) if isinstance(value, dict) else "-"


def _object(one: Mapping[str, Any]) -> str:
    gone = one.get("status") == "cancelled" or one.get("isCancelled")
    title = one.get("summary") or one.get("subject") or "(no title)"
    return f"{one.get('id')}  {_time(one.get('start'))} to {_time(one.get('end'))}  {title}" + "  cancelled" * bool(
        gone
    )


def _due(answer: Mapping[str, Any]) -> str:
    due = answer.get("sync_due")
    return f"the service sees it with the sync at {due}" if due else "no sync is due: attendee-mock sync CALENDAR"


def show_upstream(answer: Any) -> Lines:
    """What is in a calendar, an object a line."""
    failure = answer.get("failure")
    return [_object(one) for one in answer["events"]] + ([f"it fails: {failure['name']}"] if failure else [])


def show_edit(answer: Any) -> Lines:
    """The objects as an edit left them, and when the service will see it."""
    return [*(_object(one) for one in answer.get("events", [])), f"{answer['id']}: done; {_due(answer)}"]


def show_connection(answer: Any) -> Lines:
    """How a calendar is, and what is behind it."""
    failure = answer.get("failure")
    behind = f"the calendar behind it fails: {failure['name']}" if failure else "the calendar behind it works"
    return [f"{answer['calendar']} is {answer['state']}, {behind}; {_due(answer)}"]


def show_sync(answer: Any) -> Lines:
    """What came of a sync."""
    return [_happening(answer)]


def show_clock(answer: Any) -> Lines:
    """What happened, and what time it is then."""
    state = "stands still" if answer["frozen"] else "runs"
    return [*map(_happening, answer.get("happened", [])), f"{answer['now']}  the clock {state}"]


def _delivery(one: Mapping[str, Any]) -> str:
    cells = (one.get(name) for name in ("key", "trigger", "calendar", "state", "status", "error"))
    return "  ".join(str(cell) for cell in cells if cell)


def show_deliveries(answer: Any) -> Lines:
    """Deliveries, one a line."""
    held = ["deliveries are held: attendee-mock deliveries release"] if answer.get("holding") else []
    return [*map(_delivery, answer.get("deliveries", [])), *held] or ["no deliveries"]


def show_delivery(answer: Any) -> Lines:
    """A delivery, and an attempt a line."""
    return [_delivery(answer), *map(_attempt, answer.get("attempts", []))]


def _attempt(one: Mapping[str, Any]) -> str:
    came = one["status"] or one.get("error_message") or "no answer"
    return f"  attempt {one['number']} at {one['at']}: {came}  {one['body']}"


def show_held(answer: Any) -> Lines:
    """What is held and what waits."""
    return [f"{name}: {_cell(value)}" for name, value in answer.items()] or ["done"]


def show_explanation(answer: Any) -> Lines:
    """Why, in sentences: of an exchange its status, of it or of a calendar the webhooks, and what would be taken."""
    if "request" not in answer:
        return _webhooks(answer)
    told = [f"{answer['request']}: {answer['status']}", *(f"  {sentence}" for sentence in answer.get("why", []))]
    told += [f"  {_cell(field)}" for field in answer.get("fields", [])]
    told += _webhooks(answer["webhooks"]) if answer.get("webhooks") else []
    return [*told, f"  try: {answer['curl']}"] if answer.get("curl") else told


def _webhooks(answer: Mapping[str, Any]) -> Lines:
    made = [_delivery(one) for one in answer.get("made", [])]
    return made or [f"no {answer['trigger']}: {reason['text']}" for reason in answer.get("why_none", [])]
