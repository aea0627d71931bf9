"""The command `listen`: subscribes itself to the webhooks of a project and prints each one."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from mockserver.cli.control_client import Controls, Refusal, Unusable
from mockserver.cli.controlling import connected
from mockserver.cli.options import HELP, Command

if TYPE_CHECKING:
    from mockserver.receiver.listener import ListenerServer, ReceivedWebhook

_LOOK: Final = 0.05
"""Seconds between two looks at whether the command is to stop."""


@click.command(cls=Command, context_settings=HELP)
@click.option("--host", default="127.0.0.1", help="the address to listen on")
@click.option("--port", type=click.IntRange(0, 65535), default=3000, help="the port; 0 picks a free one")
@click.option("--forward", metavar="URL", help="send each webhook on to your endpoint, and answer what it answers")
@click.option("--answer", type=click.IntRange(200, 599), help="answer every webhook with this status")
@click.option("--trigger", "triggers", multiple=True, help="subscribe to this trigger only; may be repeated")
@click.option("--callback", metavar="URL", help="the listener's URL as the mock reaches it [default: host and port]")
@click.option("--count", type=click.IntRange(1), help="stop after this number of webhooks")
@click.option(
    "--secret",
    envvar="ATTENDEE_WEBHOOK_SECRET",
    show_envvar=True,
    help="the webhook secret, as base64 text [default: read from a mock on this machine]",
)
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", help="json prints an object for each line"
)
@connected
def listen(mock: Controls, host: str, port: int, callback: str | None, count: int | None, **given: Any) -> None:
    """Receive the webhooks of a project and print a line for each, with what is wrong with its signature.

    It subscribes at the mock (--url), and removes its subscription at Ctrl-C.

    \b
    attendee-mock listen
    attendee-mock listen --forward http://127.0.0.1:8080/webhook
    attendee-mock listen --port 0 --answer 500

    Exit status: 0 stopped by Ctrl-C, or after --count webhooks; 1 the mock refused the subscription; 2 no mock answers
    or the port is in use.
    """
    from mockserver.receiver.listener import Listener

    enough = threading.Event()

    def heard(webhook: ReceivedWebhook) -> None:
        if enough.is_set():
            return
        as_json = given["form"] == "json"
        line = (
            json.dumps(webhook.as_dict(), ensure_ascii=False) if as_json else f"{time.strftime('%H:%M:%S')}  {webhook}"
        )
        try:
            click.echo(line)
        except BrokenPipeError:
            enough.set()  # whoever reads the output has enough of it
        if webhook.number == count:
            enough.set()

    secret = _secret(mock, given["secret"])
    try:
        listener = Listener(secret, answer=given["answer"], forward=given["forward"], heard=heard)
    except ValueError as reason:
        raise click.UsageError(str(reason)) from None
    try:
        server = listener.serve(host, port)
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise Unusable(f"cannot listen on {host}:{port} ({problem}); choose another --port, or --port 0") from None
    with server:
        url = callback or f"http://{f'[{host}]' if ':' in host else host}:{server.port}/webhook"
        _listen(mock, server, url, list(given["triggers"]), enough)


def _secret(mock: Controls, given: str | None) -> str:
    """The secret: that of the option, else that of the chosen project, else that of the environment."""
    source = click.get_current_context().get_parameter_source("secret")
    if given is not None and source is ParameterSource.COMMANDLINE:
        return given
    try:
        found = mock.ask("GET", "fixtures", secrets="true").get("webhook_secret")
    except Refusal:
        # Only a mock on this machine says it. Whether the project is there at all is said at the subscription.
        found = None
    if found or given:
        return str(found or given)
    raise click.UsageError("the mock does not say its secret to other machines; give --secret")


def _listen(mock: Controls, server: ListenerServer, url: str, triggers: list[str], enough: threading.Event) -> None:
    from mockserver.domain.secret_urls import shown_url

    body: dict[str, Any] = {"url": url, **({"triggers": triggers} if triggers else {})}
    threading.Thread(target=server.serve_forever, args=(_LOOK,), daemon=True).start()
    try:
        with _signals() as came:
            subscription = mock.ask("POST", "subscriptions", body=body)["id"]
            try:
                click.echo(f"listening at {shown_url(url)}; stop: Ctrl-C", err=True)
                # Looks again and again: a signal that comes just before a wait does not end it.
                while not came and not enough.wait(_LOOK):
                    pass
            finally:
                _unsubscribe(mock, subscription)
    finally:
        server.shutdown()


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that came. The first one is only noted, so that the subscription is removed in any case."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unsubscribe(mock: Controls, subscription: str) -> None:
    try:
        mock.ask("DELETE", "subscriptions", subscription)
    except (Refusal, Unusable) as error:
        click.echo(f"could not remove the subscription {subscription}: {error.format_message()}", err=True)
    else:
        click.echo("removed the subscription", err=True)


COMMANDS = (listen,)
