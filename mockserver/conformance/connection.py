"""How a deployment is reached: further headers, certificates and a proxy, given or from the environment."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import httpcore2

from mockserver.conformance.guard import is_loopback, leads_elsewhere

HEADERS_VARIABLE: Final = "ATTENDEE_HEADERS"
"""Headers, one a line, as `--header` takes them."""
_CA_VARIABLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS: Final = frozenset({"authorization", "host", "user-agent", "x-conformance-run", "proxy-authorization"})
_FRAMING: Final = frozenset(
    {"content-length", "transfer-encoding", "connection", "upgrade", "expect", "trailer", "te", "content-type"}
)


class Untestable(Exception):
    """The target cannot be tested; the text says what is wrong and what to do."""


class Connection(NamedTuple):
    """What it takes to reach a deployment, besides its URL and its keys."""

    headers: tuple[tuple[str, str], ...] = ()
    """Sent with every request, for a gateway in front of the deployment; secret."""
    ca_bundle: Path | None = None
    """A PEM file, or a folder of hashed ones; None: the certificates that the system trusts."""
    client_cert: Path | None = None
    client_key: Path | None = None
    """None: the key is in the file of the certificate."""
    proxy: str | None = None
    """http://host:port, with user and password if it needs them."""
    timeout: float = 10.0
    """Seconds for one exchange, from the connection to the last byte of the body."""

    def secrets(self) -> list[str]:
        """The texts that no report may show: values of headers, of cookies, tokens after a scheme, the password."""
        found = [value for _, value in self.headers]
        found += [value.partition(" ")[2].strip() for _, value in self.headers]
        found += [
            pair.partition("=")[2]
            for name, value in self.headers
            if name.lower() == "cookie"
            for pair in value.split(";")
        ]
        password = urlsplit(self.proxy or "").password or ""
        found += [password, unquote(password)]
        return [text for text in dict.fromkeys(found) if text]


DIRECT: Final = Connection()
"""Straight to the deployment, with the certificates that the system trusts."""


def parse_header(text: str, source: str = "--header") -> tuple[str, str]:
    """The name and the value of "Name: value". Raises Untestable; the value, which may be secret, is not shown."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not _NAME.fullmatch(name) or not value:
        raise Untestable(f"{source}: {name[:40]!r} is not a header; write it as 'Name: value'")
    if name.lower() in _OURS | _FRAMING or leads_elsewhere(name):
        raise Untestable(f"{source}: {name} is a header that the run sets or tests itself; remove it")
    if any(not letter.isprintable() or ord(letter) > 255 for letter in value):
        raise Untestable(f"{source}: the value of {name} has a control character or one outside of Latin-1; remove it")
    return name, value


def completed(connection: Connection, url: str, environment: Mapping[str, str]) -> Connection:
    """The connection with what the environment adds; what was given goes before. Raises Untestable."""
    named = {name.lower() for name, _ in connection.headers}
    lines = [line for line in environment.get(HEADERS_VARIABLE, "").splitlines() if line.strip()]
    more = [parse_header(line, HEADERS_VARIABLE) for line in lines]
    headers = (*(header for header in more if header[0].lower() not in named), *connection.headers)
    bundle = connection.ca_bundle
    if bundle is None:
        found = next((environment[name] for name in _CA_VARIABLES if environment.get(name)), None)
        bundle = Path(found) if found is not None else None
    proxy = connection.proxy or _proxy_for(urlsplit(url), environment)
    if proxy is not None:
        _check_proxy(proxy, "--proxy" if connection.proxy else "the proxy of the environment")
    return connection._replace(headers=headers, ca_bundle=bundle, proxy=proxy)


def ssl_context(connection: Connection) -> ssl.SSLContext:
    """The context that checks the deployment's certificate and shows ours. Raises Untestable."""
    bundle = connection.ca_bundle
    try:
        if bundle is None:
            # Also where SSL_CERT_FILE is set: `completed` has looked at it, and a caller may want it left alone.
            context = httpcore2.default_ssl_context(_trust_env=False)
        else:
            folder = bundle.is_dir()
            context = ssl.create_default_context(
                cafile=None if folder else str(bundle), capath=str(bundle) if folder else None
            )
    except OSError as error:
        raise Untestable(f"cannot use the certificates in {bundle}: {_reason(error)}; give a PEM file") from None
    if connection.client_cert is not None:
        key = connection.client_key
        try:
            context.load_cert_chain(connection.client_cert, key, password=_no_password)
        except (OSError, ValueError) as error:
            raise Untestable(
                f"cannot use the client certificate {connection.client_cert}: {_reason(error)}; "
                "give a PEM file with --client-cert, and its key, without a password, with --client-key"
            ) from None
    elif connection.client_key is not None:
        raise Untestable("--client-key needs --client-cert; give the certificate that belongs to the key")
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _proxy_for(url: SplitResult, environment: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for the URL, as curl and requests read it; none for this machine."""
    lowered = {name.lower(): value for name, value in environment.items() if value}
    # A CGI server puts the client's header `Proxy` into HTTP_PROXY, so only the lower-case name counts there.
    if "REQUEST_METHOD" in environment:
        lowered["http_proxy"] = environment.get("http_proxy", "")
    proxy = lowered.get(f"{url.scheme}_proxy") or lowered.get("all_proxy")
    if not proxy or is_loopback(url.geturl()):
        return None
    if any(_is_bypassed(url, entry.strip()) for entry in lowered.get("no_proxy", "").split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_bypassed(url: SplitResult, entry: str) -> bool:
    """Whether an entry of NO_PROXY is about the host: *, a domain, a host with or without port, a network."""
    host = (url.hostname or "").lower()
    name, _, port = entry.lower().lstrip(".").partition(":")
    if entry == "*":
        return True
    try:
        return bool(entry) and ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        right = not port or port == str(url.port or (443 if url.scheme == "https" else 80))
        return bool(name) and right and (host == name or host.endswith(f".{name.lstrip('*').lstrip('.')}"))


def _check_proxy(proxy: str, source: str) -> None:
    try:
        parts = urlsplit(proxy)
        right = parts.scheme == "http" and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        right = False
    if not right:
        shown = re.sub(r"//[^@/]*@", "//…@", proxy)
        raise Untestable(f"{source}: {shown!r} cannot be used; write http://host:port")


def headers_given(texts: Iterable[str], environment: Mapping[str, str] | None = None) -> tuple[tuple[str, str], ...]:
    """The headers of `--header`; ${NAME} in a value is a variable of the environment. Raises Untestable."""
    known = os.environ if environment is None else environment
    found = []
    for text in texts:
        name, value = parse_header(text)
        missing = [word for word in re.findall(r"\$\{(\w+)\}", value) if not known.get(word)]
        if missing:
            raise Untestable(f"--header {name}: the environment has no {missing[0]}; set it")
        filled = re.sub(r"\$\{(\w+)\}", lambda match: known[match[1]], value)
        found.append(parse_header(f"{name}: {filled}"))
    return tuple(found)
