"""The report as one HTML page that needs no network."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from mockserver.conformance.findings import Finding
from mockserver.conformance.report import Report
from mockserver.conformance.reports.pytest_file import pytest_file
from mockserver.conformance.reports.reproduction import curl_lines
from mockserver.conformance.rules import Rule

_STYLE: Final = """
:root{color-scheme:light dark;--line:#8884;--high:#c62828;--medium:#b26a00;--low:#5f6368;--good:#2e7d32}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1.5rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.facts{color:GrayText;margin:.2rem 0 1rem}
.verdict{border-left:6px solid var(--good);padding:.6rem 1rem;background:#8881;font-weight:600}
.verdict.bad{border-color:var(--high)}
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.5rem .8rem}
summary{cursor:pointer}
.tag{border-radius:3px;color:#fff;font-size:.75rem;padding:.1rem .4rem;margin-right:.4rem}
.high{background:var(--high)}.medium{background:var(--medium)}.low{background:var(--low)}
pre{background:#8881;border-radius:4px;overflow:auto;padding:.7rem;font-size:.82rem;max-height:24rem}
dl{display:grid;grid-template-columns:7rem 1fr;gap:.2rem .8rem}dt{color:GrayText}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.87rem}
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
td.number{text-align:right}button,select{font:inherit;font-size:.8rem}
.broken{color:var(--high);font-weight:600}.kept{color:var(--good)}
"""
_SCRIPT: Final = """
document.addEventListener('click',e=>{const b=e.target.closest('button[data-copy]');if(!b)return;
 navigator.clipboard.writeText(b.nextElementSibling.textContent).then(()=>{b.textContent='copied'})});
const pick=document.getElementById('verdict');
pick.addEventListener('change',()=>{for(const r of document.querySelectorAll('tr[data-verdict]'))
 r.hidden=pick.value!==''&&r.dataset.verdict!==pick.value});
"""


def html(report: Report) -> str:
    """The report as a page."""
    rules = {result.rule.id: result.rule for result in report.results}
    bad = " bad" if report.exit_status else ""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'; script-src 'unsafe-inline'\">",
        f"<title>Conformance of {_text(report.mask(report.target))}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Conformance of {_text(report.mask(report.target))}</h1>",
        f'<p class="facts">{_text(report.started)} · {report.mode} · seed {report.seed} · {report.requests} requests ·'
        f" {report.seconds:.1f} s · attendee-mock {_text(report.version)}</p>",
        f'<p class="verdict{bad}">{_text(report.verdict)}</p>',
        *_told(report),
        *(_section("Findings", report, rules, report.findings) if report.findings else ()),
        *(_section("Known findings", report, rules, [item for item, _ in report.known]) if report.known else ()),
        *_table(report),
        f"<script>{_SCRIPT}</script></body></html>\n",
    ]
    return "".join(parts)


def _text(text: str) -> str:
    clean = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
    return escape(clean)


def _told(report: Report) -> Iterator[str]:
    told = [f"not deleted: {text}" for text in report.left]
    told += [f"stopped early: {report.stopped}"] if report.stopped else []
    told += [f"expired since {entry.expires}: {entry.rule} {entry.operation}" for entry in report.expired]
    told += [f"no longer seen: {entry.rule} {entry.operation} (line {entry.line})" for entry in report.unseen]
    told += report.notes
    if told:
        yield "<ul>" + "".join(f"<li>{_text(report.mask(item))}</li>" for item in told) + "</ul>"


def _section(title: str, report: Report, rules: dict[str, Rule], findings: object) -> Iterator[str]:
    yield f"<h2>{title}</h2>"
    assert isinstance(findings, list | tuple)
    for finding in findings:
        yield from _finding(report, rules[finding.rule], finding)


def _finding(report: Report, rule: Rule, finding: Finding) -> Iterator[str]:
    where = _text(f"{finding.operation} {finding.field}".strip())
    yield f'<details open><summary><span class="tag {rule.severity}">{rule.severity}</span>'
    yield f"<strong>{rule.id}</strong> {where}</summary><p>{_text(rule.sentence)}</p><dl>"
    facts = (
        ("expected", report.mask(finding.expected)),
        ("actual", report.mask(finding.actual)),
        ("seen", f"{finding.hits} time{'' if finding.hits == 1 else 's'}"),
        ("source", rule.source),
    )
    yield "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts) + "</dl>"
    recipe = report.recipes.get(finding.identity)
    if recipe is not None:
        name = f"test_{rule.id.replace('-', '_')}.py"
        shell = report.mask(curl_lines(recipe, base=report.target))
        test = report.mask(pytest_file(recipe, base=report.target, file=name))
        yield f"<details open><summary>curl</summary><button data-copy>copy</button><pre>{_text(shell)}</pre></details>"
        yield f"<details><summary>pytest</summary><button data-copy>copy</button><pre>{_text(test)}</pre></details>"
    yield "</details>"


def _table(report: Report) -> Iterator[str]:
    shown = [result for result in report.results if result.verdict != "left out"]
    verdicts = sorted({result.verdict for result in shown})
    options = "".join(f"<option>{verdict}</option>" for verdict in verdicts)
    yield f'<h2>Rules</h2><label>show <select id="verdict"><option value="">all</option>{options}</select></label>'
    heads = "".join(f"<th>{head}</th>" for head in ("rule", "part", "verdict", "tested", "description"))
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for result in shown:
        told = f"{result.rule.sentence} ({result.reason})" if result.reason else result.rule.sentence
        yield f'<tr data-verdict="{result.verdict}"><td>{result.rule.id}</td><td>{result.rule.part}</td>'
        yield f'<td class="{result.verdict}">{result.verdict}</td><td class="number">{result.exercised}</td>'
        yield f"<td>{_text(report.mask(told))}</td></tr>"
    yield "</tbody></table>"
