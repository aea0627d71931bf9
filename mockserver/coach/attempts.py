"""Finds mistakes in single requests and their repetitions: retries without a pause or an end, secrets in URLs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from mockserver.coach.history import ApiCall, History
from mockserver.coach.remark import Remark

_MASK: Final = "***"
_AT_ONCE: Final = timedelta(milliseconds=100)
_TOLERANCE: Final = timedelta(milliseconds=50)
_MOST_ATTEMPTS: Final = 10
"""Failures of the same request in a row from which on a client counts as one that never stops."""
_GIVEN_UP: Final = timedelta(minutes=10)
"""After such a pause, a client begins anew."""
_LONGEST: Final = 86_400


def attempt_remarks(history: History) -> Iterator[Remark]:
    """Mistakes with retries, and secrets in URLs."""
    runs = list(_failing_runs(history.calls))
    yield from _at_once(runs)
    for run in runs:
        if len(run) >= _MOST_ATTEMPTS:
            what = f"The same {run[0].operation} failed {len(run)} times in a row, last with {run[-1].status}."
            yield Remark("retried-forever", tuple(call.number for call in run), what)
            break
    secret = [call for call in history.calls if _MASK in call.entry["query"] or _MASK in call.entry["path"]]
    if secret:
        names = sorted({name for call in secret for name, value in call.params.items() if _MASK in value})
        where = f"in {', '.join(names)}" if names else "in the path"
        what = f"The URL of {len(secret)} request{'s' if len(secret) > 1 else ''} has a secret {where}."
        yield Remark("secret-in-url", tuple(call.number for call in secret), what)


def _failing_runs(calls: list[ApiCall]) -> Iterator[list[ApiCall]]:
    """The same request again and again: all but the last were answered 429 or 5xx, and the last may have been."""
    runs: dict[tuple[str, ...], list[ApiCall]] = {}
    for call in calls:
        run = runs.setdefault(call.signature, [])
        if run and call.begun - run[-1].time >= _GIVEN_UP:
            if len(run) > 1:
                yield run
            run = runs[call.signature] = []
        run.append(call)
        if not _is_temporary(call):
            if len(run) > 1:
                yield run
            del runs[call.signature]
    yield from (run for run in runs.values() if len(run) > 1)


def _is_temporary(call: ApiCall) -> bool:
    return call.status == 429 or call.status >= 500


def _at_once(runs: list[list[ApiCall]]) -> Iterator[Remark]:
    for run in runs:
        early = [number for number, call in enumerate(run[1:]) if _is_early(run[number], call)]
        limited = [number for number in early if run[number].status == 429]
        # One quick retry of a 5xx is what many clients do, and is harmless.
        if limited or len(early) > 1:
            first = run[limited[0] if limited else early[0]]
            waited = _retry_after(first)
            rest = f", which asked for {waited.total_seconds():g} s" if limited and waited else ""
            what = f"{first.operation} was repeated right after a {first.status}{rest}."
            yield Remark("retried-at-once", tuple(call.number for call in run), what)
            return


def _is_early(failed: ApiCall, again: ApiCall) -> bool:
    if again.time == failed.time:
        return False  # the clock is frozen: the journal does not show how long the client waited
    pause = again.begun - failed.time
    least = _retry_after(failed) - _TOLERANCE if failed.status == 429 and _retry_after(failed) else _AT_ONCE
    return timedelta(0) - _TOLERANCE < pause < least


def _retry_after(call: ApiCall) -> timedelta:
    text = (call.header("retry-after") or "").strip()
    return timedelta(seconds=min(int(text), _LONGEST) if text.isascii() and text.isdecimal() else 0)
