"""The rule on credentials: none in any answer, by value or by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.conformance.answers import Verdict
from mockserver.conformance.evaluation import credential_in
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import LAST, no_secrets
from mockserver.conformance.listed import Facts
from mockserver.conformance.run import Run

_RULE = "secrets-not-echoed"
_NAMES = re.compile(rb'"(client_secret|refresh_token|access_token|api_key)"\s*:')


def judge(run: Run, exchange: Exchange, facts: Facts) -> Iterator[Verdict]:
    """The tests of one answer, its headers included.

    The transport looks for all secrets of the run at once, in every spelling; the expectation knows those that its
    steps send.
    """
    leaks = getattr(run.target, "leaks", None)
    leaked = leaks(exchange) if leaks is not None else []
    for kind in leaked:
        yield Verdict(_RULE, f"{kind} in the answer", no_secrets(), str(kind))
    named = credential_in(facts.json(LAST)) if exchange.status < 400 and _NAMES.search(exchange.body) else None
    if not leaked:
        yield Verdict(_RULE, f"a member {named}" if named is not None else "", no_secrets(), named or "")
