"""The command `proxy`. What it needs is imported when it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mockserver.cli.options import HELP, Command


@click.command(cls=Command, context_settings=HELP)
@click.option("--target", required=True, help="the URL of the deployment, e.g. https://staging.example.com")
@click.option("--host", default="127.0.0.1", help="the address to listen on")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="the port to listen on; 0 picks a free one")
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="the HAR file to write; secrets are masked",
)
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "info", "never")),
    default="error",
    help="exit with 1 for findings of this level or a worse one",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    help="how many seconds the target may be silent before the client gets a 504",
)
@click.option(
    "--set-host",
    is_flag=True,
    help="replace the Host header by the target's; needed if its server chooses by name",
)
def proxy(target: str, host: str, port: int, record: Path | None, fail_on: str, timeout: float, set_host: bool) -> None:
    """Forward requests to a deployment, record them, and check every response against the contract.

    Bytes are forwarded unchanged (but for --set-host) and never held back by a check. Prints a line for each exchange,
    and a summary at the end (Ctrl-C or SIGTERM).

    \b
    attendee-mock proxy --target http://127.0.0.1:8000 --record traffic.har
    attendee-mock proxy --target https://staging.example.com --set-host --fail-on warning

    Exit status: 0 no findings of the level of --fail-on or worse, 1 findings, 2 the target cannot be reached, or a port
    or file cannot be used.
    """
    from mockserver.proxy.run import Options, ProxyError, run
    from mockserver.proxy.target import TargetError, parse_target

    try:
        given = Options(parse_target(target), host, port, record, fail_on, timeout, set_host)
        status = run(given, lambda url: _announce(url, given.target.url))
    except (ProxyError, TargetError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(status)


def _announce(url: str, target: str) -> None:
    click.echo(f"attendee-mock proxy is ready at {url} and forwards to {target}; stop with Ctrl-C")
    sys.stdout.flush()


COMMANDS: tuple[click.Command, ...] = (proxy,)
