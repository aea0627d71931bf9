"""The URL of the deployment behind the proxy."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_PATIENCE: Final = 10.0
"""Seconds until a connection that is not accepted counts as failed."""
_PORTS: Final = {"http": 80, "https": 443}


class TargetError(Exception):
    """The target cannot be used; the text says why and what to do."""


class Target(NamedTuple):
    """Where requests are forwarded."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as in a Host header: without the usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without a path."""
        return f"{self.scheme}://{self.authority}"


def parse_target(text: str) -> Target:
    """The target that a URL names. Raises TargetError."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise TargetError(f"--target {text}: is not a URL ({error})") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise TargetError(f"--target {text}: must be a URL such as https://staging.example.com")
    if parts.username is not None:
        raise TargetError("--target: must not contain a user name or password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        # Bytes are forwarded as they are, so that nothing can be put in front of the paths.
        raise TargetError(f"--target {text}: must not have a path; requests keep theirs")
    return Target(parts.scheme, parts.hostname, port if port is not None else _PORTS[parts.scheme])


def tls(target: Target) -> ssl.SSLContext | None:
    """How to connect to a target that uses TLS: its certificate is checked."""
    if target.scheme == "http":
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def connect(target: Target, protocol: asyncio.Protocol, context: ssl.SSLContext | None) -> None:
    """Connects a protocol to the target. Raises TargetError."""
    loop = asyncio.get_running_loop()
    try:
        connecting = loop.create_connection(
            lambda: protocol,
            target.host,
            target.port,
            ssl=context,
            server_hostname=target.host if context is not None else None,
        )
        await asyncio.wait_for(connecting, _PATIENCE)
    except TimeoutError:
        raise TargetError(f"{target.url} does not accept connections ({_PATIENCE:.0f} s)") from None
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise TargetError(f"cannot connect to {target.url} ({reason.lower()})") from None
