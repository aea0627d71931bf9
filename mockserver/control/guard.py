"""Who may use the controls: whoever is on this machine; from elsewhere only who has the control token."""

from __future__ import annotations

import secrets
from ipaddress import IPv6Address, ip_address

HEADER = b"x-control-token"


class Guard:
    """Stands open until it is told that the mock listens on an address that others can reach."""

    def __init__(self, token: str | None = None) -> None:
        """`token` is what is demanded then; without one it is made up."""
        self._given = token
        self.token: str | None = None
        """What every control request must bring in X-Control-Token; None lets everybody in."""

    def listens_on(self, address: str) -> None:
        """Takes note of an IP address that the mock listens on."""
        if not is_loopback(address):
            self.token = self._given or new_token()

    def admits(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers may pass."""
        if self.token is None:
            return True
        given = next((value for name, value in headers if name == HEADER), b"")
        return secrets.compare_digest(given, self.token.encode())


def new_token() -> str:
    """A control token that nobody can guess."""
    return secrets.token_urlsafe(24)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches the IP address."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_loopback
    return found.is_loopback
