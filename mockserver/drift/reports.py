"""The report of a comparison as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mockserver import __version__
from mockserver.drift.difference import LEVELS, Difference, Source
from mockserver.drift.kinds import KINDS
from mockserver.drift.known import Entry
from mockserver.drift.run import Report
from mockserver.drift.sarif import sarif

SCHEMA_VERSION: Final = "1.0"
_NAMES: Final[Mapping[Source, str]] = {"published": "published", "contract": "contract"}
_SPECIAL: Final = str.maketrans({"|": "\\|", "\n": " ", "<": "&lt;", "*": "\\*", "_": "\\_"})


def render(report: Report, form: str) -> str:
    """The report in a form: text, markdown, json or sarif; it ends with a line break."""
    return _FORMS[form](report)


def place_of(report: Report, difference: Difference, source: Source) -> str:
    """File and line where a document says what it says."""
    document, pointer = report.documents.get(source), difference.places.get(source)
    return f"{document.name}:{document.line(pointer)}" if document is not None and pointer is not None else ""


def sentence(difference: Difference) -> str:
    """What the difference is."""
    return f"{difference.where} {KINDS[difference.kind].sentence}."


def observed(report: Report, difference: Difference) -> str:
    """What the recording shows of it; "" without a recording."""
    seen = difference.seen
    if report.recording is None:
        return ""
    if not seen.times:
        return f"not in {report.recording}"
    times = "once" if seen.times == 1 else f"{seen.times} times"
    return f"{seen.text}, {times}, first in entry {seen.entry} of {report.recording}: {seen.request}"


def summary(report: Report) -> Iterator[str]:
    """The last lines: counts, known differences and coverage."""
    counts = {level: sum(one.level == level for one in report.new) for level in LEVELS}
    unconfirmed = sum(one.is_unconfirmed for one in report.new)
    line = f"{_number(counts['error'], 'error')}, {_number(counts['warning'], 'warning')}, {counts['info']} info"
    if unconfirmed:
        line += f" ({unconfirmed} not observed)"
    if report.known:
        line += f", {len(report.known)} known"
    yield f"{line}."
    for entry in report.expired:
        yield f"The entry for {entry.id} (line {entry.line} of the known differences) expired on {entry.expires}."
    for entry in report.unseen:
        yield f"The entry for {entry.id} (line {entry.line} of the known differences) matches no difference: delete it."
    if report.not_compared:
        yield (
            f"{_number(report.not_compared, 'operation')} of the published document not compared: "
            "the contract does not have their paths."
        )
    yield from _coverage(report)


def _coverage(report: Report) -> Iterator[str]:
    seen = report.coverage
    if seen is None:
        return
    yield (
        f"Coverage: {seen.judged} of {_number(seen.exchanges, 'exchange')} met an operation; "
        f"{seen.operations} of {seen.of_operations} operations and {seen.statuses} of {seen.of_statuses} "
        "documented statuses of the contract were observed."
    )
    if seen.unobserved:
        yield f"Not observed: {', '.join(seen.unobserved)}."


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _subjects(report: Report) -> str:
    published = report.documents.get("published")
    names = [published.name if published is not None else None, report.recording]
    return " and ".join(name for name in names if name is not None)


def _text(report: Report) -> str:
    lines = [f"{_subjects(report)} compared with the contract", ""]
    for one in report.new:
        lines += [f"{one.level:8} {one.id}", *(f"         {line}" for line in _details(report, one)), ""]
    lines += [f"known    {one.id} ({entry.reason})" for one, entry in report.known]
    return "\n".join([*lines, *([""] if report.known else []), *summary(report)]) + "\n"


def _details(report: Report, difference: Difference) -> Iterator[str]:
    yield sentence(difference)
    for source, name in _NAMES.items():
        if source in difference.says:
            wrong = "; contradicted" if source in difference.wrong else ""
            yield f"{name + ':':10} {difference.says[source]} ({place_of(report, difference, source)}{wrong})"
    text = observed(report, difference)
    if text:
        yield f"{'observed:':10} {text}"
    yield f"{'effect:':10} {difference.effect}"
    yield f"{'in:':10} {', '.join(sorted(difference.operations))}"


def _markdown(report: Report) -> str:
    lines = [f"# Drift of {_cell(_subjects(report))}", ""]
    if report.new:
        lines += ["| level | difference | published | contract | observed | operations |", "| - | - | - | - | - | - |"]
    for one in report.new:
        cells = (
            one.level,
            f"`{one.id}`<br>{_cell(sentence(one))}<br>Effect: {_cell(one.effect)}.",
            _cell(one.says.get("published", "")),
            _cell(one.says.get("contract", "")),
            _cell(observed(report, one)),
            ", ".join(sorted(one.operations)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    if report.known:
        lines += ["", "## Known", ""]
        lines += [f"- `{one.id}`: {_cell(entry.reason)}" for one, entry in report.known]
    return "\n".join([*lines, "", *(f"{_cell(line)}  " for line in summary(report))]) + "\n"


def _cell(text: str) -> str:
    return text.translate(_SPECIAL)


def _json(report: Report) -> str:
    seen = report.coverage
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "attendee-mock", "version": __version__},
        "documents": {source: document.name for source, document in report.documents.items()},
        "recording": report.recording,
        "differences": [_difference(report, one) for one in report.new],
        "known": [{**_difference(report, one), "entry": _entry(entry)} for one, entry in report.known],
        "expired": [_entry(entry) for entry in report.expired],
        "no_longer_seen": [_entry(entry) for entry in report.unseen],
        "operations_not_compared": report.not_compared,
        "coverage": vars(seen) if seen is not None else None,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _difference(report: Report, difference: Difference) -> dict[str, Any]:
    seen = difference.seen
    first = {"entry": seen.entry, "request": seen.request, "value": seen.text} if seen.times else None
    return {
        "id": difference.id,
        "level": difference.level,
        "kind": difference.kind,
        "where": difference.where,
        "sentence": sentence(difference),
        "effect": difference.effect,
        "contradicted": sorted(difference.wrong),
        "says": {
            source: {"text": text, "place": place_of(report, difference, source)}
            for source, text in sorted(difference.says.items())
        },
        "observed": {"times": seen.times, "first": first} if report.recording is not None else None,
        "operations": sorted(difference.operations),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "reason": entry.reason,
        "operations": sorted(entry.operations),
        "expires": entry.expires.isoformat() if entry.expires else None,
        "ticket": entry.ticket,
        "line": entry.line,
    }


def _sarif(report: Report) -> str:
    return sarif(report, sentence, lambda one: observed(report, one))


_FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
    "sarif": _sarif,
}
FORMS: Final = tuple(_FORMS)
