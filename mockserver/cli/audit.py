"""The command `audit`: sends genuine and forged webhooks to a receiver, and judges what it does."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockserver.cli.control_client import Controls, Unusable
from mockserver.cli.controlling import connected
from mockserver.cli.options import HELP, Command

if TYPE_CHECKING:
    from mockserver.receiver.audit import CheckResult
    from mockserver.receiver.deliveries import Composer


@click.command(cls=Command, context_settings=HELP)
@click.argument("receiver", required=False)
@click.option(
    "--secret",
    envvar="ATTENDEE_WEBHOOK_SECRET",
    show_envvar=True,
    required=True,
    help="the webhook secret that the receiver uses, as base64 text; safer in the environment",
)
@click.option("--answers-only", is_flag=True, help="use no mock: leave out what the receiver does after it answered")
@click.option(
    "--wait",
    type=click.FloatRange(0.1, 60),
    default=5.0,
    help="how many seconds the receiver has for its next request to the mock",
)
@click.option(
    "--slow-api",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    help="in answered-before-work, how many seconds the receiver has for its answer; the API takes twice as long",
)
@click.option(
    "--payloads",
    type=click.Path(path_type=Path, file_okay=False),
    help="a folder for the deliveries, one file each; without RECEIVER they are only written",
)
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "junit")), default="text", help="the format of the output"
)
@connected
def audit(
    mock: Controls,
    receiver: str | None,
    secret: str,
    answers_only: bool,
    wait: float,
    slow_api: float,
    payloads: Path | None,
    form: str,
) -> None:
    """Send genuine and forged webhooks to the URL of a RECEIVER, and check its answers and its requests to the mock.

    The receiver has to use the mock at --url, with an API key of the chosen project. The audit puts the project's own
    webhooks on hold and restores its data at the end.

    \b
    attendee-mock audit http://127.0.0.1:3000/webhook --secret "$ATTENDEE_WEBHOOK_SECRET"
    attendee-mock audit --secret "$ATTENDEE_WEBHOOK_SECRET" --payloads payloads

    Exit status: 0 every check passed, or was not tested; 1 a check failed; 2 no receiver or no mock answers.
    """
    from mockserver.receiver.deliveries import Composer

    try:
        composer = Composer(secret, lambda: str(uuid.uuid4()), datetime.now(UTC))
    except ValueError as reason:
        problem = f"{reason}; give it as the mock printed it"
        raise click.BadParameter(problem, param_hint="'--secret'") from None
    if payloads is not None:
        _write(payloads, composer)
    elif receiver is None:
        raise click.UsageError("give the URL of a RECEIVER, or --payloads FOLDER to only write the deliveries")
    if receiver is None:
        return
    results, shown = _run(receiver, composer, None if answers_only else mock, wait, slow_api)
    from mockserver.receiver.reports import as_json, as_junit, as_text

    if form == "junit":
        click.echo(as_junit(results), nl=False)
    else:
        click.echo((as_json if form == "json" else as_text)(results, shown))
    sys.exit(1 if any(result.verdict == "failed" for result in results) else 0)


def _run(
    url: str, composer: Composer, mock: Controls | None, wait: float, slow: float
) -> tuple[list[CheckResult], str]:
    from mockserver.domain.secret_urls import shown_url
    from mockserver.receiver.audit import Audit, Unreachable
    from mockserver.receiver.behind import MockBehind
    from mockserver.receiver.endpoint import Endpoint

    try:
        endpoint = Endpoint(url)
    except ValueError as reason:
        raise click.BadParameter(str(reason), param_hint="'RECEIVER'") from None
    shown = shown_url(url)
    if mock is not None:
        try:
            mock.ask("GET", "project")
        except Unusable as reason:
            raise Unusable(f"{reason.format_message()}, or give --answers-only") from None
    try:
        behind = None if mock is None else MockBehind(mock, wait)
        return Audit(endpoint, composer, behind, slow=slow).run(), shown
    except Unreachable as reason:
        raise Unusable(f"no receiver answers at {shown}: {reason}; start it, or give another URL") from None


def _write(folder: Path, composer: Composer) -> None:
    from mockserver.receiver.reports import write_payloads

    try:
        count = write_payloads(folder, composer)
    except OSError as error:
        raise click.ClickException(f"cannot write to {folder}: {error.strerror}") from error
    click.echo(f"wrote {count} deliveries to {folder}", err=True)


COMMANDS = (audit,)
