"""Checks a deployment from the first request to the last: what the command and pytest call."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import SystemRandom
from types import FrameType
from typing import Any

from mockserver import __version__
from mockserver.conformance import blame
from mockserver.conformance.baseline import read_known, sort_out
from mockserver.conformance.checks import every_response, fuzz
from mockserver.conformance.cleanup import clean_up, ledgers, resumed
from mockserver.conformance.connection import DIRECT, Connection, completed
from mockserver.conformance.findings import Finding
from mockserver.conformance.ledger import Ledger, read_ledger
from mockserver.conformance.minimize import confirmed
from mockserver.conformance.opening import (
    FOLDER,
    Access,
    Opened,
    Untestable,
    base_of,
    check_host,
    keys_of,
    opened,
    preflight,
)
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.registry import PARTS, all_rules
from mockserver.conformance.replay import STATUSES, Replayer, read_recipes
from mockserver.conformance.report import Report
from mockserver.conformance.run import INTERRUPTED, Stopped
from mockserver.conformance.runner import Course, JudgeRun, Outcome, chosen_of, is_chosen, results_of
from mockserver.conformance.targets import is_local
from mockserver.conformance.wires import App
from mockserver.contracts import load_contract

_PLAN = (
    "This run writes to {shown} for {time}: it creates about 500 calendars and 80 bots that never join, then more\n"
    "calendars with random data, and changes and deletes only these. Each create and change of a calendar starts a\n"
    "sync with invalid credentials. Each failed sync may send calendar.state_change to the project's own webhooks.\n"
    "After a kill, `attendee-mock cleanup` deletes what is left."
)
_SEEDS = 2**31
_PAGES = 4
"""Pages that are read when all is deleted: the first ones of two lists of two projects, which show older rows."""
_UNDER_WAY = 48
"""So many answers may checks that began in time have to wait for, as far as it is not long."""
_NOT_LONG = 3.0
"""Seconds."""
_CONFIRMING = 15.0
"""Seconds for taking the steps of all findings once more."""


def check(
    target: str | App,
    *,
    key: str | None = None,
    other_key: str | None = None,
    disabled_key: str | None = None,
    write: bool | None = None,
    parallel: bool | None = None,
    time_budget: float | None = 60.0,
    max_requests: int | None = None,
    rate: float | None = None,
    seed: int | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    known: Path | None = None,
    production_host: str | None = None,
    first_only: bool = False,
    progress: Callable[[JudgeRun], object] | None = None,
    say: Callable[[str], object] | None = None,
    connection: Connection = DIRECT,
) -> Report:
    """Holds a URL, or an ASGI application in this process, against every rule that it can.

    Without a `time_budget` each part runs once, to its own number of requests, and those that draw go on for as long
    as there are `max_requests` left, where that is given; `first_only` ends the run at its first finding. `write` and
    `parallel` are on for this machine and off for any other unless they are given. Raises Untestable and KnownError.
    """
    entries = read_known(known, [rule.id for rule in all_rules()]) if known is not None else []
    access = Access(
        target,
        key,
        other_key,
        disabled_key,
        write,
        parallel,
        production_host,
        time_budget,
        max_requests,
        rate,
        connection,
    )
    if not any(is_chosen(rule, only, skip) for rule in all_rules()):
        raise Untestable("--only and --skip leave no rule to test; `attendee-mock rules` lists the rules")
    seed = SystemRandom().randrange(_SEEDS) if seed is None else seed
    started = datetime.now(UTC).isoformat(timespec="seconds")
    contract = load_contract()
    with opened(access) as transport:
        preflight(transport)
        if transport.live and transport.writes and say is not None:
            lasts = "an unlimited time" if time_budget is None else f"{time_budget:.0f} s"
            say(_PLAN.format(shown=access.shown, time=lasts))
        course = Course(
            transport,
            contract,
            chosen_of(PARTS, only, skip),
            look=every_response.look,
            seed=seed,
            seconds=math.inf if time_budget is None and max_requests is not None else time_budget,
            progress=_ended_by_first(progress) if first_only else progress,
        )
        course.run.extend, course.run.held = transport.budget.extend, transport.budget.held
        course.closing, course.load = partial(_trips, transport), fuzz.load
        with _interruptible(transport):
            outcome = course.go()
        left = _cleaned(transport, outcome)
        mask = transport.mask
        report = Report(
            access.shown,
            "write" if transport.writes else "read-only",
            seed,
            __version__,
            started.replace("+00:00", "Z"),
            results=results_of(outcome, PARTS, only=only, skip=skip),
            left=left,
            requests=outcome.requests,
            seconds=outcome.seconds,
            first_finding=outcome.run.first_finding,
            stopped=outcome.stopped,
            died=transport.died,
            headers=transport.further_headers,
            interrupted=outcome.interrupted,
            mask=mask,
        )
        chosen = {rule.id for rule in all_rules() if is_chosen(rule, only, skip)}
        broken = [finding for finding in outcome.run.findings.broken.values() if finding.rule in chosen]
        report.notes = [outcome.more] if outcome.more else []
        told = sort_out(broken, entries, date.today())  # noqa: DTZ011 -- a file's dates are those of its readers
        report.findings, report.known = blame.grouped(told.new), told.known
        report.expired = told.expired
        report.unseen = [] if outcome.interrupted or only or skip else told.unseen
        recipes = _Recipes(course, access, transport)
        report.notes = [*report.notes, *transport.notes]
    followed = {symptom.identity for finding in report.findings for symptom in finding.symptoms}
    causes = [finding for finding in broken if finding.identity not in followed]
    _tell(report, causes, recipes, access, again=not (first_only or report.interrupted))
    return report


def requests_to_clean_up(ledger: Ledger, at_once: int = 1) -> int:
    """About how many requests, one after the other, it takes to delete what a run has made and to see that it is gone.

    `at_once` is how many calendars are deleted at one time.
    """
    if ledger.started is None:
        return 0
    unread = len(ledger.gone - ledger.unfound)
    return math.ceil((2 * len(ledger.alive) + unread) / at_once) + len(ledger.unanswered) + _PAGES


def _ended_by_first(progress: Callable[[JudgeRun], object] | None) -> Callable[[JudgeRun], None]:
    def after(run: JudgeRun) -> None:
        if progress is not None:
            progress(run)
        if run.findings.broken:
            raise Stopped("something was found")

    return after


def _trips(transport: Opened) -> int:
    """How often an answer has to be waited for until everything is deleted, and for what is under way before that."""
    trips = requests_to_clean_up(transport.ledger, transport.at_once)
    if transport.at_once == 1:
        return trips
    return trips + math.ceil(min(_UNDER_WAY, _NOT_LONG * transport.sent / transport.spent))


@contextlib.contextmanager
def _interruptible(transport: Opened) -> Iterator[None]:
    """Makes Ctrl-C end the run also where Python drops exceptions, as it does while it collects garbage."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        transport.budget.stop(INTERRUPTED)
        raise KeyboardInterrupt

    # CI systems cancel a job with SIGTERM: the calendars of the run have to go then, too.
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cleaned(transport: Opened, outcome: Outcome) -> list[str]:
    """Takes away what the run made; interrupted a second time it says what is left and goes."""
    try:
        return [str(left) for left in clean_up(transport)]
    except KeyboardInterrupt:
        outcome.interrupted = True
        return sorted(transport.ledger.alive)


class _Recipes:
    """Writes the findings of a run as recipes."""

    def __init__(self, course: Course, access: Access, transport: Opened) -> None:
        self._rules = {rule.id: rule for rule in all_rules()}
        self._origins = Origins(transport.run_id, _named(access), course.watched.secrets)
        self._mask, self._watched = transport.mask, course.watched

    def __call__(self, finding: Finding) -> dict[str, Any]:
        exchanges = self._watched.led_to(finding.exchanges)
        whole = replace(finding, exchanges=exchanges)
        return recipe_of(whole, self._rules[finding.rule], self._origins, self._mask, self._watched.groups)


def _named(access: Access) -> dict[str, str]:
    """The keys by the names that recipes have for them."""
    return {"main": access.key or "", "other": access.other_key or "", "disabled": access.disabled_key or ""}


def _tell(report: Report, broken: Sequence[Finding], recipes: _Recipes, access: Access, *, again: bool) -> None:
    """Puts the findings' recipes into the report; on a target on this machine each is first taken once more."""
    here = not isinstance(access.target, str) or is_local(access.shown)
    if report.died or not (again and here and broken) or access.requests is not None or access.rate is not None:
        report.recipes = {finding.identity: recipes(finding) for finding in broken}
        return
    with opened(access._replace(seconds=None)) as transport:
        replayer = Replayer(
            transport, load_contract(), PARTS, look=every_response.look, keys=_named(access), clock=time.monotonic
        )
        seen = confirmed(broken, recipes, replayer, seconds=_CONFIRMING)
        report.left = [*report.left, *map(str, clean_up(transport))]
    report.recipes = seen.recipes
    report.findings = [finding for finding in report.findings if finding.identity not in seen.once]
    report.notes = [
        *report.notes,
        *transport.notes,
        *(f"{' '.join(name).rstrip()} follows from another: it does not show again alone" for name in seen.once),
    ]


def replay(
    file: Path,
    target: str | App,
    *,
    key: str | None = None,
    other_key: str | None = None,
    disabled_key: str | None = None,
    write: bool | None = None,
    production_host: str | None = None,
    connection: Connection = DIRECT,
) -> tuple[int, list[str]]:
    """Takes the steps of the findings of a file again.

    Gives the exit status (1 a defect shows, 0 they are gone, 2 they cannot be run) and what to say of each. Raises
    Untestable and RecipeError.
    """
    recipes = read_recipes(file)
    access = Access(target, key, other_key, disabled_key, write, production_host=production_host, connection=connection)
    said: list[str] = []
    statuses: list[int] = []
    with opened(access) as transport:
        preflight(transport)
        replayer = Replayer(
            transport, load_contract(), PARTS, look=every_response.look, keys=_named(access), clock=time.monotonic
        )
        for recipe in recipes:
            done = replayer.replay(recipe)
            statuses.append(STATUSES[done.verdict])
            name = f"{recipe['rule']} {recipe['operation']} {recipe['field']}".rstrip()
            said.append(transport.mask(f"{name}: {done.verdict}: {done.told}"))
        said += [f"not deleted: {text}" for text in clean_up(transport)]
    status = 1 if 1 in statuses else max(statuses, default=0)
    return status, said


def cleanup(
    url: str | None,
    *,
    key: str | None = None,
    other_key: str | None = None,
    ledger: Path | None = None,
    production_host: str | None = None,
    say: Callable[[str], object] = print,
    connection: Connection = DIRECT,
) -> list[str]:
    """Takes away what killed runs left, by their ledgers; gives what could not be. Raises Untestable."""
    base = base_of(url) if url is not None else None
    left: list[str] = []
    paths = [ledger] if ledger is not None else ledgers(FOLDER, base)
    for path in paths:
        old = read_ledger(path) if path.exists() else None
        if old is None:
            raise Untestable(f"{path} is not the ledger of a run; give a .jsonl file of .attendee-conformance/")
        access = Access(base or old.url, key, other_key)
        check_host(base or old.url, production_host)
        reached = completed(connection, base or old.url, access.environment)
        with resumed(base or old.url, keys_of(access), old, reached) as transport:
            preflight(transport)
            found = [*clean_up(transport), *transport.notes]
        say(f"{old.url}: {len(old.gone)} calendars of run {old.run} are deleted")
        left += map(str, found)
    if not paths:
        say("no killed run has left a ledger; there is nothing to delete")
    return left
