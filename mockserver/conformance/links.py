"""The rule on links to other pages: on the host and path that were asked, with the parameters kept."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.conformance import expectations
from mockserver.conformance.answers import Verdict
from mockserver.conformance.evaluation import wrong_in_link
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import LAST
from mockserver.conformance.list_pages import link_of
from mockserver.conformance.listed import Facts
from mockserver.conformance.run import Run

_RULE = "links-preserve-query"


def judge(run: Run, exchange: Exchange, facts: Facts) -> Iterator[Verdict]:
    """The tests of an answer's links; none where it has none."""
    if exchange.status != 200 or b'"next"' not in exchange.body[:20]:
        return
    host: str | None = getattr(run.target, "host", None)
    expectation = expectations.links(exchange.request.path, host)
    for name in ("next", "previous"):
        link = link_of(facts.json(LAST), name)
        if link is not None:
            wrong = wrong_in_link(link, exchange.request.path, host)
            yield Verdict(_RULE, f"{name}: {link}" if wrong else "", expectation, wrong)
