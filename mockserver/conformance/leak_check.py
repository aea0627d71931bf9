"""The rule on credentials: none in any answer, by value or by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from mockserver.conformance.answers import Verdict
from mockserver.conformance.evaluation import credential_in, piece_in
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import LAST, no_secrets
from mockserver.conformance.listed import Facts
from mockserver.conformance.run import Run

_RULE = "secrets-not-echoed"
_SECRETS = ("client_secret", "refresh_token")
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
    if not leaked and not named:
        for kind, secret in _sent(run, exchange):
            if piece := piece_in(secret, exchange.body, exchange.headers.values()):
                yield Verdict(_RULE, f"{kind} in part: {piece}", no_secrets(), kind)
                return
    if not leaked:
        yield Verdict(_RULE, f"a member {named}" if named is not None else "", no_secrets(), named or "")


def _sent(run: Run, exchange: Exchange) -> Iterator[tuple[str, str]]:
    """The key and the secrets that a request carries as they should be carried, each with its kind."""
    request = exchange.request
    key = getattr(getattr(run.target, "keys", None), request.key or "", None)
    if key:
        yield "key", key
    if request.method in ("POST", "PATCH") and (request.body or b"").startswith(b"{"):
        try:
            fields = json.loads(request.body or b"")
        except (ValueError, RecursionError):
            return
        for name in _SECRETS:
            if isinstance(fields.get(name), str):
                yield name, fields[name]
