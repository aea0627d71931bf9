"""Bytes that are no request, each on a connection of its own: nothing in them could change anything."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import Bench
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import status
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "bytes-broken",
        "hostile",
        "high",
        "Invalid HTTP is rejected or the connection is closed, and the next connection works normally.",
        "RFC 9112: Message Parsing",
    ),
)

_LINE: Final = f"GET {CALENDARS} HTTP/1.1\r\nHost: conformance.invalid\r\nConnection: close\r\n".encode()
_PLAIN: Final = _LINE + b"\r\n"
_CLOSED: Final = 0
_FIRST: Final = 3
_Ways: TypeAlias = tuple[int | tuple[int, int], ...]
_REFUSED: Final[_Ways] = (_CLOSED, (400, 499))
_UPRIGHT: Final[_Ways] = (_CLOSED, (200, 499))
_ANSWERED: Final[_Ways] = ((200, 499),)


class Broken(NamedTuple):
    """Some bytes. `cut`: nothing follows them; `statuses`: how they may be answered, 0 for not at all."""

    field: str
    data: bytes
    statuses: _Ways = _REFUSED
    cut: bool = False


_BYTES: Final = (
    Broken("request line", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 200 + b"\r\n\r\n"),
    Broken("request line", b"conformance\r\n\r\n"),
    Broken("request line", b"\x00\x00\x00\x00\r\n\r\n"),
    Broken("request line", b"GET\r\n\r\n"),
    Broken("request line", b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n"),
    # Some servers only look whether it begins as theirs does.
    Broken("version", _LINE.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n", _UPRIGHT),
    Broken("version", _LINE.replace(b"HTTP/1.1", b"JUNK/1.1") + b"\r\n"),
    Broken("header", _LINE + b"no colon at all\r\n\r\n"),
    Broken("header", _LINE + b"X-Conformance: \x00\r\n\r\n", _UPRIGHT),
    Broken("header", _LINE + b"X Conformance: x\r\n\r\n", _UPRIGHT),
    Broken("header", _LINE + b"X-Conformance: " + b"x" * 200_000 + b"\r\n\r\n", _UPRIGHT),
    Broken("header", _LINE + b"X-Conformance: x\r\n" * 3000 + b"\r\n", _UPRIGHT),
    Broken("header", _LINE + b"X-Confor", cut=True),
    # A GET may be answered before anybody looks at its body.
    Broken("Content-Length", _LINE + b"Content-Length: x\r\n\r\n", _UPRIGHT),
    Broken("Content-Length", _LINE + b"Content-Length: -1\r\n\r\n", _UPRIGHT),
    Broken("Content-Length", _LINE + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", _UPRIGHT, cut=True),
    Broken("Content-Length", _LINE + b'Content-Length: 100\r\n\r\n{"a', _UPRIGHT, cut=True),
    Broken("Content-Length", _LINE + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", _UPRIGHT, cut=True),
    Broken("Transfer-Encoding", _LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", _UPRIGHT, cut=True),
    Broken(
        "Transfer-Encoding", _LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n", _UPRIGHT, cut=True
    ),
    Broken("Transfer-Encoding", _LINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", _UPRIGHT, cut=True),
    Broken("Transfer-Encoding", _LINE + b"Transfer-Encoding: conformance\r\n\r\n", (*_UPRIGHT, 501), cut=True),
)


@check("bytes-broken", context=Bench, cost=3)
def send_broken(bench: Bench) -> Steps:
    """Sends each, and sees whether the service still answers."""
    if not getattr(bench.target, "takes_bytes", False):
        why = "broken bytes are only sent to a target on this machine, over plain HTTP"
        bench.unobservable("bytes-broken", why)
        return
    quiet: list[Exchange] = []
    for number, one in enumerate(_BYTES, 1):
        exchange = bench.target.send_bytes(one.data, cut=one.cut)
        _check(bench, one.field, one.statuses, [exchange])
        quiet = [*quiet, exchange] if exchange.status == _CLOSED else quiet
        # What was closed without a word may have been the end of it all.
        if quiet and (exchange.status != _CLOSED or number == len(_BYTES)):
            if not _check(bench, "afterwards", _ANSWERED, [*quiet, bench.target.send_bytes(_PLAIN)]):
                return
            quiet = []
        if number % _FIRST == 0 and not quiet:
            yield


def _check(bench: Bench, field: str, statuses: _Ways, exchanges: list[Exchange]) -> bool:
    return bench.check("bytes-broken", status(*statuses), operation="listCalendars", field=field, exchanges=exchanges)
