"""Option types of the judge's commands, and the options that say how a deployment is reached."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mockserver.cli.judge_settings import config_option

if TYPE_CHECKING:
    from mockserver.conformance.connection import Connection

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_FORMS = ("terminal", "markdown", "junit", "html", "json", "sarif", "github")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Seconds(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.2 on
    """A time like 60s, 5m or 1h, in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; fails for anything else."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value))
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is not a time like 60s or 5m", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


class Rate(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A number of requests like 5/s or 60/m, a second."""

    name = "number/s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; fails for anything else."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/([sm]))?", str(value))
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is not a rate like 5/s or 60/m", param, ctx)
        return float(match[1]) / _UNITS[match[2] or "s"]


class Form(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """The form of a report, and the file for it."""

    name = "form[=file]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The form and the file, which is empty for standard output."""
        if isinstance(value, tuple):
            return value
        form, _, file = str(value).partition("=")
        if form not in _FORMS:
            self.fail(f"{form!r} is none of {', '.join(_FORMS)}", param, ctx)
        if form in ("junit", "html", "json", "sarif") and not file:
            self.fail(f"{form} needs a file: {form}=FILE", param, ctx)
        return form, file


class Place(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A file of the user's repository, and perhaps a line in it."""

    name = "file[:line]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int | None]:
        """The file, and the line if there is one."""
        if isinstance(value, tuple):
            return value
        file, colon, line = str(value).rpartition(":")
        if not colon or not line.isdigit():
            file, line = str(value), ""
        if not file or file.startswith("/") or ".." in Path(file).parts or line == "0":
            self.fail(f"{value!r} is not a file of the repository, such as deploy/staging.yaml:12", param, ctx)
        return file, int(line) if line else None


class Expiry(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A day, or a number of days from today."""

    name = "date|days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | timedelta | None:
        """The day, or the span until it."""
        if value is None or isinstance(value, date | timedelta):
            return value
        days = re.fullmatch(r"(\d{1,4})d", str(value))
        try:
            return timedelta(int(days[1])) if days else date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a date like 2027-03-31 nor days like 90d", param, ctx)


def connection_options(command: _Command) -> _Command:
    """The options that say how the deployment is reached; `connection_of` reads them."""
    for option in (
        click.option(
            "--request-timeout", type=Seconds(), default="10s", help="how long one request may take, with its response"
        ),
        click.option("--proxy", metavar="URL", help="the proxy [default: HTTPS_PROXY or HTTP_PROXY, and NO_PROXY]"),
        click.option("--client-key", type=_FILE, help="the key of the client certificate, a PEM file"),
        click.option("--client-cert", type=_FILE, help="the certificate that identifies this client, a PEM file"),
        click.option(
            "--ca-bundle",
            type=click.Path(path_type=Path),
            help="the certificates to trust, a PEM file [default: SSL_CERT_FILE, REQUESTS_CA_BUNDLE, or the system's]",
        ),
        click.option(
            "--header",
            "headers",
            multiple=True,
            metavar="'NAME: VALUE'",
            help="send this header with every request, for a gateway; ${VARIABLE} is taken from the environment; may "
            "be repeated [also: ATTENDEE_HEADERS, one a line]",
        ),
        config_option,
    ):
        command = option(command)
    return command


def connection_of(given: dict[str, Any]) -> Connection:
    """Takes the options of `connection_options` out of those given. Raises Untestable."""
    from mockserver.conformance.connection import Connection, headers_given

    return Connection(
        headers_given(given.pop("headers"), os.environ),
        given.pop("ca_bundle"),
        given.pop("client_cert"),
        given.pop("client_key"),
        given.pop("proxy"),
        given.pop("request_timeout"),
    )
