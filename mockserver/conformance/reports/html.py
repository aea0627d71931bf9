"""The report as one HTML page that needs no network: summary, parts, index of findings, a card for each, all rules."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, Final

from mockserver.conformance.baseline import Entry
from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Count, Report, by_part
from mockserver.conformance.reports.pytest_file import pytest_file
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.rules import Rule

_LONGEST: Final = 1000
_LONGEST_PATH: Final = 160


def html(report: Report) -> str:
    """The report as a page."""
    rules = {result.rule.id: result.rule for result in report.results}
    cards = [
        card for number, finding in enumerate(report.findings, 1) for card in _card(report, rules, finding, number)
    ]
    known = [_known(report, finding, entry) for finding, entry in report.known]
    body = [
        *_summary(report),
        *_attention(report),
        *_parts(report),
        *(_index(report, rules) if report.findings else ()),
        *cards,
        *(_left(report) if report.left else ()),
        *(("<h2>Known findings</h2>", _list(known)) if known else ()),
        *_rules(report),
    ]
    return "".join(
        [*_head(report), "<body><main>", *body, "</main>", f"<script>{_source('page.js')}</script></body></html>\n"]
    )


def _head(report: Report) -> Iterator[str]:
    style, script = _source("page.css"), _source("page.js")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<title>Conformance of {_text(report.mask(report.target))}</title><style>{style}</style></head>"


def _source(name: str) -> str:
    return files("mockserver.conformance.reports").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a Content-Security-Policy calls a style or a script of the page."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _summary(report: Report) -> Iterator[str]:
    yield f"<header><h1>Conformance of {_text(report.mask(report.target))}</h1>"
    yield f'<p class="dim">attendee-mock {_text(report.version)}, {_text(report.started)}</p></header>'
    sign = "✓" if report.exit_status == 0 else "✕"
    yield f'<p class="verdict">{sign} {_text(report.mask(report.verdict))}</p>'
    tested = sum(result.exercised > 0 for result in report.results)
    facts = (
        ("findings", len(report.findings)),
        ("known findings", len(report.known)),
        ("rules tested", f"{tested} of {sum(result.verdict != 'left out' for result in report.results)}"),
        ("mode", report.mode),
        ("requests", report.requests),
        ("duration", f"{report.seconds:.1f} s"),
        ("seed", report.seed),
        ("exit status", report.exit_status),
    )
    yield f'<dl class="facts">{_pairs(facts)}</dl>'


def _pairs(facts: Iterable[tuple[str, object]]) -> str:
    return "".join(f"<div><dt>{name}</dt><dd>{_text(str(value))}</dd></div>" for name, value in facts)


def _attention(report: Report) -> Iterator[str]:
    """What a reader has to know or to do besides the findings."""
    lines = [f"stopped early: {report.stopped}"] if report.stopped and not report.died else []
    lines += [f"expired since {entry.expires}: {entry.rule} {entry.operation}" for entry in report.expired]
    lines += [f"no longer seen: {entry.rule} {entry.operation} (line {entry.line})" for entry in report.unseen]
    items = [_text(report.mask(line)) for line in (*lines, *report.notes)]
    items += ['<a href="#left">calendars to delete</a>'] if report.left else []
    if items:
        yield "<h2>Notes</h2>"
        yield _list(items)


def _left(report: Report) -> Iterator[str]:
    """The calendars that are left, as a script that deletes them."""
    lines = (report.mask(text).rpartition("; curl ") for text in report.left)
    script = "".join(f"# {why}\ncurl {line}\n" if why else f"# {line}\n" for why, _, line in lines)
    yield f'<h2 id="left">Calendars to delete</h2><button data-copy>copy</button><pre>{_text(script)}</pre>'


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _parts(report: Report) -> Iterator[str]:
    counts = by_part(report)
    total = Count()
    for count in counts.values():
        total += count
    yield '<h2>Parts</h2><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">part</th>'
    heads = ("rules tested", "tests", "not observable", "not tested", "findings")
    yield "".join(f'<th scope="col" class="number">{head}</th>' for head in heads) + "</tr></thead><tbody>"
    yield "".join(_row(part, count) for part, count in counts.items())
    yield f"</tbody><tfoot>{_row('all', total)}</tfoot></table></div>"


def _row(part: str, count: Count) -> str:
    numbers = (count.tested, count.times, count.hidden, count.missing, count.findings)
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f'<tr><th scope="row">{_text(part)}</th>{cells}</tr>'


def _index(report: Report, rules: Mapping[str, Rule]) -> Iterator[str]:
    yield '<h2 id="findings">Findings</h2><div class="scroll" tabindex="0"><table><thead><tr>'
    yield '<th scope="col" class="number">#</th>'
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("rule", "severity", "operation", "field"))
    yield f'{heads}<th scope="col" class="number">seen</th></tr></thead><tbody>'
    for number, finding in enumerate(report.findings, 1):
        yield f'<tr><td class="number">{number}</td>'
        yield f'<th scope="row"><a href="#finding-{number}">{_text(finding.rule)}</a></th>'
        yield f"<td>{_severity(rules[finding.rule])}</td><td>{_text(finding.operation)}</td>"
        yield f'<td>{_text(report.mask(finding.field))}</td><td class="number">{finding.hits}</td></tr>'
    yield "</tbody></table></div>"


def _severity(rule: Rule) -> str:
    return f'<span class="severity {rule.severity}">{rule.severity}</span>'


def _card(report: Report, rules: Mapping[str, Rule], finding: Finding, number: int) -> Iterator[str]:
    rule = rules[finding.rule]
    where = _text(report.mask(f"{finding.operation} {finding.field}".strip()))
    yield f'<article class="card" id="finding-{number}"><header>{_severity(rule)}'
    yield f'<h3>{number}. {_text(rule.id)}</h3><span class="dim">{where}</span>'
    yield '<a href="#findings">all findings</a></header>'
    yield f'<p>{_text(rule.sentence)}</p><dl class="compare">'
    yield _pairs((("expected", _short(report.mask(finding.expected))), ("actual", _short(report.mask(finding.actual)))))
    yield "</dl>"
    recipe = report.recipes.get(finding.identity)
    if recipe is not None:
        yield from _steps(report, recipe["steps"])
        yield from _code(report, rule, recipe)
    times = f"{finding.hits} time{'' if finding.hits == 1 else 's'}"
    if finding.symptoms:
        yield f"<p>Of the same cause: {_text(report.mask(finding.with_it))}.</p>"
    yield f'<p class="dim">Seen {times}. Source: {_text(rule.source)}.</p></article>'


def _steps(report: Report, steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The requests that show the finding, one line each."""
    yield '<ol class="steps">'
    for step in steps:
        status = step.get("seen", {}).get("status") or "no response"
        path = report.mask(str(step["path"]))
        shown = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"
        yield f"<li><code>{_text(step['method'])} {_text(shown)}</code> → {status}</li>"
    yield "</ol>"


def _code(report: Report, rule: Rule, recipe: Mapping[str, Any]) -> Iterator[str]:
    name = f"test_{rule.id.replace('-', '_')}.py"
    shell = report.mask(curl_lines(recipe, base=report.target, headers=report.headers))
    test = report.mask(pytest_file(recipe, base=report.target, file=name))
    for title, text in (("curl", shell), ("pytest", test)):
        yield f"<details><summary>{title}</summary><button data-copy>copy</button><pre>{_text(text)}</pre></details>"


def _known(report: Report, finding: Finding, entry: Entry) -> str:
    until = f", until {entry.expires}" if entry.expires else ""
    ticket = f" [{entry.ticket}]" if entry.ticket else ""
    where = f"{finding.operation} {finding.field}".strip()
    return _text(report.mask(f"{finding.rule} {where}: {entry.reason}{ticket}{until}"))


def _rules(report: Report) -> Iterator[str]:
    shown = [result for result in report.results if result.verdict != "left out"]
    options = "".join(f"<option>{verdict}</option>" for verdict in sorted({result.verdict for result in shown}))
    yield f'<h2>Rules</h2><p class="filters"><label>verdict <select id="verdict"><option value="">all</option>{options}'
    yield '</select></label><label>text <input id="words" type="search"></label></p>'
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("rule", "part", "verdict"))
    yield f'<div class="scroll" tabindex="0"><table><thead><tr>{heads}<th scope="col" class="number">tests</th>'
    yield '<th scope="col">description</th></tr></thead><tbody>'
    for result in shown:
        text = f"{result.rule.sentence} ({result.reason})" if result.reason else result.rule.sentence
        yield f'<tr data-verdict="{result.verdict}"><th scope="row">{_text(result.rule.id)}</th>'
        yield f'<td>{result.rule.part}</td><td class="{result.verdict}">{result.verdict}</td>'
        yield f'<td class="number">{result.exercised}</td><td>{_text(report.mask(text))}</td></tr>'
    yield "</tbody></table></div>"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _text(text: str) -> str:
    clean = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
    return escape(clean)
