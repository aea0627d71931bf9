"""The commands that test a deployment: check, rules, replay, cleanup. What they need is imported when they run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sized
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from mockserver.cli.controlling import as_json
from mockserver.cli.judge_options import Expiry, Form, Place, Rate, Seconds, connection_of, connection_options
from mockserver.cli.judge_settings import JudgeCommand, share_names
from mockserver.cli.options import HELP, Command

if TYPE_CHECKING:
    from mockserver.conformance.report import Report
    from mockserver.conformance.reports.style import Style

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _key(name: str, variable: str, what: str) -> Callable[[_Command], _Command]:
    return click.option(name, envvar=variable, show_envvar=True, show_default=False, help=what)


_URL = click.argument("url")
_TOKEN = _key("--token", "ATTENDEE_API_KEY", "an API key of the project to test; safer in the environment")
_OTHER = _key("--other-token", "ATTENDEE_OTHER_API_KEY", "a key of another project, to test that projects are isolated")
_DISABLED = _key("--disabled-token", "ATTENDEE_DISABLED_API_KEY", "a disabled key, to test that it is rejected")
_PRODUCTION = click.option("--production-host", help="the name of the production host that you want to test")
_FORMAT = click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", help="the format of the output"
)


@click.command(cls=JudgeCommand, context_settings=HELP)
@_URL
@_TOKEN
@_OTHER
@_DISABLED
@click.option("--time-budget", type=Seconds(), default="60s", help="how long the run may take")
@click.option("--quick", is_flag=True, help="the same as --time-budget 30s")
@click.option("--thorough", is_flag=True, help="the same as --time-budget 10m")
@click.option("--max-requests", type=click.IntRange(1), help="the maximum number of requests")
@click.option("--rate", type=Rate(), help="the maximum number of requests per second, e.g. 5/s")
@click.option(
    "--random-seed",
    "--seed",
    "seed",
    type=int,
    help="the same seed generates the same data; without it, each run uses another",
)
@click.option(
    "--read-only/--write",
    "read_only",
    default=None,
    show_default=False,
    help="whether to create, change and delete calendars [default: --write on this machine, else --read-only]",
)
@click.option("--only", multiple=True, metavar="RULE", help="test only these rules, e.g. 'page-*'; may be repeated")
@click.option("--skip", multiple=True, metavar="RULE", help="leave out these rules; may be repeated")
@click.option(
    "--known",
    type=click.Path(path_type=Path, dir_okay=False),
    help="a file of known findings, which do not count as new",
)
@click.option("--known-update", is_flag=True, help="add the new findings to the file of known findings")
@click.option("--known-prune", is_flag=True, help="remove entries that no finding matches any more from that file")
@click.option(
    "--known-expires",
    type=Expiry(),
    default="90d",
    help="when entries of --known-update expire: a date, or a number of days",
)
@click.option(
    "--report",
    "reports",
    type=Form(),
    multiple=True,
    help="terminal, markdown, github, or to a file: markdown=F, junit=F, html=F, json=F, sarif=F; may be repeated",
)
@click.option(
    "--report-at",
    type=Place(),
    help="the file of your repository at which github and sarif show findings [default: openapi.yaml]",
)
@click.option("--verbose", is_flag=True, help="print all that is known of each finding, with curl lines")
@click.option(
    "--findings",
    type=click.Path(path_type=Path, file_okay=False),
    help="a folder for each finding's curl lines, pytest file and replay file",
)
@click.option(
    "--parallel/--one-at-a-time",
    default=None,
    show_default=False,
    help="test concurrent requests; if responses take over 20 ms, send up to 8 at once [default: on this machine]",
)
@_PRODUCTION
@connection_options
@_FORMAT
def check(
    url: str,
    read_only: bool | None,
    reports: tuple[tuple[str, str], ...],
    findings: Path | None,
    form: str,
    quick: bool,
    thorough: bool,
    **given: Any,
) -> None:
    """Test whether the deployment at URL keeps the contract, and print a report.

    \b
    attendee-mock check http://127.0.0.1:8000
    attendee-mock check https://staging.example.com/attendee --report junit=conformance.xml
    attendee-mock check http://127.0.0.1:8000 --format json > report.json

    Exit status: 0 no new findings; 1 new findings; 2 the target or some rules could not be tested; 3 no new findings,
    but a calendar that the run created could not be deleted; 130 interrupted.
    """
    if quick and thorough:
        raise click.UsageError("--quick and --thorough are two time budgets; give one of them")
    given["time_budget"] = 30.0 if quick else 600.0 if thorough else given["time_budget"]
    conformance = _imported()
    from mockserver.conformance.checking import check as run_check
    from mockserver.conformance.reports.progress import Progress
    from mockserver.conformance.reports.style import Style

    style = Style(given.pop("verbose"), findings, given.pop("report_at"))
    baseline = _Baseline(given.pop("known_update"), given.pop("known_prune"), given.pop("known_expires"))
    baseline.check(given["known"])
    try:
        with Progress(sys.stderr, given["time_budget"]) as progress:
            report = run_check(
                url,
                key=given.pop("token"),
                other_key=given.pop("other_token"),
                disabled_key=given.pop("disabled_token"),
                write=None if read_only is None else not read_only,
                progress=progress,
                say=lambda text: click.echo(text, err=True),
                connection=connection_of(given),
                **{**given, "known": baseline.readable(given["known"])},
            )
        baseline.write(given["known"], report)
    except conformance as reason:
        raise click.ClickException(str(reason)) from reason
    usual = ("json", "") if form == "json" else ("terminal", "")
    _write(report, (usual, *reports) if form == "json" else reports or (usual,), style)
    sys.exit(report.exit_status)


class _Baseline(NamedTuple):
    """What is to be done with the file of known findings after the run."""

    update: bool
    prune: bool
    expires: date | timedelta | None

    def check(self, known: Path | None) -> None:
        """Raises UsageError where there is no file."""
        if known is None and (self.update or self.prune):
            raise click.UsageError("--known-update and --known-prune need a file; add --known FILE")

    def readable(self, known: Path | None) -> Path | None:
        """The file to read before the run: one that --known-update is to create does not have to be there."""
        return None if known is not None and self.update and not known.exists() else known

    def write(self, known: Path | None, report: Report) -> None:
        """Changes the file; what was added counts as known from now on. Raises KnownError."""
        from mockserver.conformance.baseline import add_known, remove_known

        if known is None:
            return
        if self.prune and report.removable:
            remove_known(known, report.removable)
            click.echo(f"{known}: {_entries(report.removable)} that no finding matches removed", err=True)
            report.unseen = [entry for entry in report.unseen if entry not in report.removable]
        if self.update and report.findings:
            today = date.today()  # noqa: DTZ011 -- a file's dates are those of its readers
            last = today + self.expires if isinstance(self.expires, timedelta) else self.expires
            entries = add_known(known, report.seen, today=today, expires=last)
            click.echo(f"{known}: {_entries(entries)} added; write into each why it may stay", err=True)
            report.accept(entries)


def _entries(entries: Sized) -> str:
    return "1 entry" if len(entries) == 1 else f"{len(entries)} entries"


def _imported() -> tuple[type[Exception], ...]:
    """The errors for which a deployment cannot be tested.

    Raises ClickException where the extra `conformance` is not installed.
    """
    try:
        import httpcore2  # noqa: F401
        import hypothesis  # noqa: F401
        import schemathesis  # noqa: F401
    except ImportError as error:
        raise click.ClickException(
            f"{error.name} is not installed; pip install 'attendee-mockserver[conformance]'"
        ) from error
    from mockserver.conformance.baseline import KnownError
    from mockserver.conformance.opening import Untestable
    from mockserver.conformance.replay import RecipeError

    return KnownError, Untestable, RecipeError


def _write(report: Report, reports: tuple[tuple[str, str], ...], style: Style) -> None:
    from mockserver.conformance.reports import render
    from mockserver.conformance.reports.folder import write_findings

    for form, file in reports:
        text = render(report, form, style)
        if not file:
            click.echo(text, nl=False)
            continue
        try:
            # A step of GitHub Actions may have written into its summary before.
            with Path(file).open("a" if form == "markdown" else "w", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise click.ClickException(f"cannot write {file}: {error.strerror}") from error
    if style.folder is not None:
        try:
            write_findings(report, style.folder)
        except OSError as error:
            raise click.ClickException(f"cannot write into {style.folder}: {error.strerror}") from error


@click.command(cls=Command, context_settings=HELP)
@click.argument("patterns", nargs=-1, metavar="[RULE]...")
@click.option("--long", is_flag=True, help="also print the source of each rule, and what it needs")
@_FORMAT
def rules(patterns: tuple[str, ...], long: bool, form: str) -> None:
    """List the rules that `check` tests: id, part, severity, description.

    \b
    attendee-mock rules
    attendee-mock rules --long 'page-*'
    attendee-mock rules --format json
    """
    _imported()
    from mockserver.conformance.registry import all_rules
    from mockserver.conformance.runner import is_chosen

    chosen = [rule for rule in all_rules() if is_chosen(rule, patterns, ())]
    if not chosen:
        raise click.ClickException(f"no rule is called {' or '.join(patterns)}; attendee-mock rules lists them")
    if form == "json":
        click.echo(as_json([{**rule._asdict(), "needs": sorted(rule.needs)} for rule in chosen]))
        return
    for rule in chosen:
        click.echo(f"{rule.id:26} {rule.part:9} {rule.severity:7} {rule.sentence}")
        if long:
            click.echo(f"{'':26} source: {rule.source}; needs {', '.join(sorted(rule.needs))}")


@click.command(cls=JudgeCommand, context_settings=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_URL
@_TOKEN
@_OTHER
@_DISABLED
@_PRODUCTION
@click.option("--write", is_flag=True, help="allow requests that write on another machine")
@connection_options
@_FORMAT
def replay(file: Path, url: str, form: str, **given: Any) -> None:
    """Send the requests of a finding again, from the file that `check --findings` wrote.

    \b
    attendee-mock replay findings/page-first.json http://127.0.0.1:8000

    Exit status: 0 the defect is gone, 1 the defect shows, 2 the requests cannot be sent.
    """
    expected = _imported()
    from mockserver.conformance.checking import replay as run_replay

    try:
        verdict, told = run_replay(
            file,
            url,
            key=given["token"],
            other_key=given["other_token"],
            disabled_key=given["disabled_token"],
            production_host=given["production_host"],
            write=given["write"] or None,
            connection=connection_of(given),
        )
    except expected as reason:
        raise click.ClickException(str(reason)) from reason
    click.echo(as_json({"status": verdict, "findings": told}) if form == "json" else "\n".join(told))
    sys.exit(verdict)


@click.command(cls=JudgeCommand, context_settings=HELP)
@click.argument("url", required=False)
@_TOKEN
@_OTHER
@click.option("--ledger", type=click.Path(path_type=Path, dir_okay=False), help="the file of the run that was killed")
@_PRODUCTION
@connection_options
@_FORMAT
def cleanup(url: str | None, form: str, **given: Any) -> None:
    """Delete the calendars that killed runs of `check` created, and nothing else.

    \b
    attendee-mock cleanup
    attendee-mock cleanup http://127.0.0.1:8000

    Exit status: 0 everything is deleted, 2 could not run, 3 something could not be deleted.
    """
    said: list[str] = []
    expected = _imported()
    from mockserver.conformance.checking import cleanup as run_cleanup

    try:
        left = run_cleanup(
            url,
            key=given["token"],
            other_key=given["other_token"],
            ledger=given["ledger"],
            production_host=given["production_host"],
            say=said.append,
            connection=connection_of(given),
        )
    except expected as reason:
        raise click.ClickException(str(reason)) from reason
    click.echo(as_json({"done": said, "left": left}) if form == "json" else "\n".join(said))
    for text in left if form == "text" else ():
        click.echo(f"not deleted: {text}", err=True)
    sys.exit(3 if left else 0)


share_names(check, replay, cleanup)
COMMANDS: tuple[click.Command, ...] = (check, rules, replay, cleanup)
