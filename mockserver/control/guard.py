"""Who may use the controls: whoever is on this machine, but no web page of another origin; or who has the token."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from ipaddress import IPv6Address, ip_address

from mockserver.control.errors import Refused

HEADER = b"x-control-token"
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::(\d*))?")
_PORTS = {"http": "80", "https": "443"}


class Guard:
    """Lets everybody on this machine in, until the mock listens on an address that others can reach.

    A web page that somebody on this machine looks at is not let in: neither one of another origin, nor one whose host
    name was made to lead here (DNS rebinding).
    """

    def __init__(self, token: str | None = None, origins: Collection[str] = ()) -> None:
        """`token` is what lets a request in from anywhere; where one is needed and none given, it is made up.

        `origins` are those whose web pages may use the controls; * stands for all.
        """
        self._given = token
        self._origins = frozenset(origins)
        self._bound: set[str] = set()
        self.token: str | None = None
        """What every control request must bring in X-Control-Token; None lets everybody in."""

    def listens_on(self, address: str) -> None:
        """Takes note of an IP address that the mock listens on."""
        self._bound.add(_plain(address))
        if not is_loopback(address):
            self.token = self._given or new_token()

    def check(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Raises Refused, 401 or 403, for a request with these headers that may not pass."""
        if self._has_token(headers):
            return
        host, origin = _header(headers, b"host"), _header(headers, b"origin")
        if self.token is not None:
            text = "this mock listens on an address that others can reach, and so its controls need a control token"
            raise Refused(
                "X-Control-Token",
                text,
                401,
                "add the header X-Control-Token: TOKEN; the server prints its token when it starts",
            )
        if host and self._bound and not self._is_own(_host(host)):
            text = f"the controls answer only to loopback hosts and the mock's own address, not to Host {host[:100]!r}"
            fix = (
                "call the mock as http://127.0.0.1:PORT or http://localhost:PORT, or serve with --control-token TOKEN "
                "and add the header X-Control-Token: TOKEN"
            )
            raise Refused("Host", text, 403, fix)
        if origin is not None and not self._is_welcome(origin, host or ""):
            text = f"web pages of the origin {origin[:100]!r} may not use the controls of this mock"
            raise Refused("Origin", text, 403, "serve with --cors ORIGIN to let the pages of an origin use the mock")

    def _has_token(self, headers: list[tuple[bytes, bytes]]) -> bool:
        token, given = self.token or self._given, next((value for name, value in headers if name == HEADER), b"")
        return token is not None and secrets.compare_digest(given, token.encode())

    def _is_own(self, name: str) -> bool:
        return name == "localhost" or name in self._bound or _is_loopback_name(name)

    def _is_welcome(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may ask: one that the mock itself served, or one that is allowed."""
        if "*" in self._origins or origin.lower() in self._origins:
            return True
        scheme, mark, authority = origin.lower().partition("://")
        if not mark or scheme not in _PORTS:
            return False
        if authority == host.lower():
            return True
        same_port = _port(authority, scheme) == _port(host, scheme)
        own = _host(authority)
        return same_port and (own == "localhost" or _is_loopback_name(own)) and self._is_own(_host(host))


def new_token() -> str:
    """A control token that nobody can guess."""
    return secrets.token_urlsafe(24)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches the IP address."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_loopback
    return found.is_loopback


def _is_loopback_name(name: str) -> bool:
    try:
        return is_loopback(name)
    except ValueError:
        return False


def _plain(address: str) -> str:
    return address.partition("%")[0].lower()


def _host(authority: str) -> str:
    """The host of HOST:PORT in small letters, without the brackets of an IPv6 address; empty where it is none."""
    match = _AUTHORITY.fullmatch(authority.strip())
    return "" if match is None else match[1].strip("[]").removesuffix(".").lower()


def _port(authority: str, scheme: str) -> str:
    match = _AUTHORITY.fullmatch(authority.strip())
    return (match[2] if match is not None else None) or _PORTS[scheme]


def _header(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    return next((value.decode("latin-1").strip() for given, value in headers if given == name), None)
