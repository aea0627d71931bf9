"""The rule on links to other pages: on the host and path that were asked, with the parameters kept."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from mockserver.conformance.answers import Verdict
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.run import Run

_RULE = "links-kept"


def judge(run: Run, exchange: Exchange) -> Iterator[Verdict]:
    """The tests of an answer's links; none where it has none."""
    if exchange.status != 200 or b'"next"' not in exchange.body[:20]:
        return
    page = exchange.json
    if not isinstance(page, dict):
        return
    host: str | None = getattr(run.target, "host", None)
    for name in ("next", "previous"):
        link = page.get(name)
        if isinstance(link, str):
            wrong = _wrong(link, exchange.request.path, host)
            expected = f"{host or ''}{exchange.request.path} with another cursor"
            yield Verdict(_RULE, not wrong, wrong, expected, f"{name}: {link}")


def _wrong(link: str, asked: str, host: str | None) -> str:
    """What of the link is not as it was asked: host, path or parameters; "" for nothing."""
    parts = urlsplit(link)
    path, _, query = asked.partition("?")
    if parts.scheme not in ("http", "https") or (host is not None and parts.netloc.lower() != host.lower()):
        return "host"
    if not unquote(parts.path).endswith(unquote(path)):
        return "path"
    # Bytes that are not escaped come back escaped twice (recordings: query-bad-utf8), which is nobody's business here.
    if query.isascii() and _parameters(parts.query) != _parameters(query):
        return "parameters"
    return ""


def _parameters(query: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return sorted((name, value) for name, value in pairs if name != "cursor")
