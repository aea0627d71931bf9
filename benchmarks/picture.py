"""The throughput as a picture: a bar for each server and request, with its spread; for light and dark pages."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from benchmarks.load import GET, PAGE, PATCH
from benchmarks.servers import MOCK

WIDTH = 720
_LEFT, _RIGHT, _BAR, _GAP, _HEAD = 140, 80, 16, 6, 34
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.head { font-weight: 600; font-size: 13px }
.name { text-anchor: end }
.bar { fill: #8c959f }
.mock { fill: #0969da }
.spread { stroke: #24292f; stroke-width: 1.2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .bar { fill: #6e7681 }
  .mock { fill: #58a6ff }
  .spread { stroke: #e6edf3 }
}
"""


def draw(results: dict[str, Any]) -> str:
    """The picture, as SVG."""
    rates = {case: results["throughput"][case] for case in (GET.name, PATCH.name, PAGE.name)}
    scale = (WIDTH - _LEFT - _RIGHT) / max(one["most"] for found in rates.values() for one in found.values())
    parts, top = [], 0
    for case, found in rates.items():
        parts.append(f'<text class="head" x="{_LEFT}" y="{top + 22}">{escape(case)}, requests/s</text>')
        top += _HEAD
        for name, one in sorted(found.items(), key=lambda pair: -pair[1]["median"]):
            parts += _bar(name, one, top, scale)
            top += _BAR + _GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 10}" width="{WIDTH}" role="img">',
            "<title>Requests a second of each server: medians, and from least to most</title>",
            f"<style>{_STYLE}</style>",
            *parts,
            "</svg>\n",
        ]
    )


def _bar(name: str, rate: dict[str, float], top: int, scale: float) -> list[str]:
    middle, kind = top + _BAR / 2, "mock" if name == MOCK else "bar"
    least, most = (_LEFT + rate[end] * scale for end in ("least", "most"))
    return [
        f'<text class="name" x="{_LEFT - 8}" y="{top + 12}">{escape(name)}</text>',
        f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{rate["median"] * scale:.1f}" height="{_BAR}" rx="2"/>',
        f'<path class="spread" d="M{least:.1f} {middle}H{most:.1f}m0-4v8M{least:.1f} {middle - 4}v8"/>',
        f'<text x="{most + 6:.1f}" y="{top + 12}">{rate["median"]:,.0f}</text>',
    ]
