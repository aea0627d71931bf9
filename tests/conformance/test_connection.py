"""A deployment behind a gateway, a proxy, a private authority or a path is reached, and nothing secret is shown."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mockserver.api.request import App
from mockserver.conformance.checking import check, replay
from mockserver.conformance.connection import (
    Connection,
    Untestable,
    completed,
    headers_given,
    parse_header,
    ssl_context,
)
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.opening import Access, base_of, opened, preflight
from mockserver.conformance.reports import FORMS, render
from mockserver.conformance.reports.folder import write_findings
from mockserver.conformance.targets import HttpTarget
from mockserver.conformance.transport import Keys
from tests.clients import ACME
from tests.conformance.hostile import http, in_front_of, proxying, saying
from tests.conformance.staging import staged
from tests.mutants.table import served

TLS = Path(__file__).parent / "tls"
FAR = "http://staging.test"
PATH = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
"""For scripts and tests of findings, which call curl and python3."""
SECRET = "gateway-secret-0815"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tls(*, asks: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(TLS / "ca.pem")
    return context


def reached(url: str, environment: dict[str, str] | None = None, **given: Any) -> int:
    """The calendars that the first requests to a deployment show."""
    access = Access(url, ACME, write=False, connection=Connection(**given), environment=environment or {})
    with opened(access) as target:
        return preflight(target).calendars


# --- headers ---


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("X-Key", "is not a header; write it as 'Name: value'"),
        ("X Key: 1", "is not a header"),
        (": 1", "is not a header"),
        ("X-Key:", "is not a header"),
        ("Authorization: Basic x", "Authorization is a header that the run sets or tests itself"),
        ("host: x", "host is a header that"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding is a header that"),
        ("X-HTTP-Method-Override: DELETE", "X-HTTP-Method-Override is a header that"),
        ("X-Original-URL: /", "X-Original-URL is a header that"),
        ("X-Key: a\x00b", "the value of X-Key has a control character"),
    ],
)
def test_a_header_that_cannot_be_sent_is_told_without_its_value(text: str, told: str) -> None:
    with pytest.raises(Untestable) as refused:
        parse_header(text)
    assert told in str(refused.value)
    assert "DELETE" not in str(refused.value)


def test_headers_are_taken_from_the_environment_too() -> None:
    given = Connection(headers=(("x-one", "given"),))
    environment = {"ATTENDEE_HEADERS": "X-One: 1\n\nX-Two: a: b\n"}
    assert completed(given, FAR, environment).headers == (("X-Two", "a: b"), ("x-one", "given"))
    with pytest.raises(Untestable, match="ATTENDEE_HEADERS: 'nonsense' is not a header"):
        completed(given, FAR, {"ATTENDEE_HEADERS": "nonsense"})


def test_a_value_may_name_a_variable() -> None:
    assert headers_given(["X-Key: a-${NAME}-b"], {"NAME": "1"}) == (("X-Key", "a-1-b"),)
    with pytest.raises(Untestable, match="--header X-Key: the environment has no NAME; set it"):
        headers_given(["X-Key: ${NAME}"], {})


def test_every_request_carries_the_headers_and_no_report_shows_them(tmp_path: Path) -> None:
    wanted = f"X-Gateway: Bearer {SECRET}\r\n".encode()
    blocked = saying(http("403 Forbidden", SECRET.encode()))
    given = Connection(headers=(("X-Gateway", f"Bearer {SECRET}"), ("Cookie", "session=abcdefghij")))
    mutant = served("first-page-has-previous")
    with in_front_of(mutant.asgi, lambda number, head: None if wanted in head else blocked) as (port, asked):
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(Untestable, match="not an Attendee API"):
            reached(url)
        asked.clear()
        report = check(url, key=ACME, write=False, connection=given, only=["page-first"], max_requests=12)
        assert report.exit_status == 1
        assert all(wanted in head for head in asked)
        files = write_findings(report, tmp_path / "found")
        told = [render(report, form) for form in FORMS] + [path.read_text("utf-8") for path in files]
        assert not [text for text in told if SECRET in text or "abcdefghij" in text]


def test_a_request_that_sets_a_header_of_that_name_keeps_its_own() -> None:
    given = Connection(headers=(("Accept", "text/html"),))
    with in_front_of(staged().asgi) as (port, asked):
        with HttpTarget(f"http://127.0.0.1:{port}", Keys(ACME), connection=given) as target:
            target.send("GET", CALENDARS, headers=[("accept", "*/*")])
    assert asked[0].lower().count(b"accept:") == 1


def test_a_header_that_a_response_repeats_is_no_leak() -> None:
    given = Connection(headers=(("X-Region", "eu-central-1"),))
    with in_front_of(staged().asgi, lambda number, head: saying(http("200 OK", b'"eu-central-1"'))) as (port, _):
        with HttpTarget(f"http://127.0.0.1:{port}", Keys(ACME), connection=given) as target:
            exchange = target.send("GET", CALENDARS)
            assert target.leaks(exchange) == []
            assert "eu-central-1" not in target.mask(exchange.text)


# --- certificates ---


def test_a_private_authority_is_trusted_when_it_is_named() -> None:
    with in_front_of(staged().asgi, tls=tls()) as (port, _):
        url = f"https://localhost:{port}"
        with pytest.raises(Untestable, match="CERTIFICATE_VERIFY_FAILED"):
            reached(url)
        assert reached(url, ca_bundle=TLS / "ca.pem") == 25
        assert reached(url, {"SSL_CERT_FILE": str(TLS / "ca.pem")}) == 25
        assert reached(url, {"REQUESTS_CA_BUNDLE": str(TLS / "ca.pem")}) == 25


def test_a_certificate_identifies_the_client() -> None:
    with in_front_of(staged().asgi, tls=tls(asks=True)) as (port, _):
        url = f"https://localhost:{port}"
        with pytest.raises(Untestable, match="does not answer"):
            reached(url, ca_bundle=TLS / "ca.pem")
        given: dict[str, Any] = {"client_cert": TLS / "client.pem", "client_key": TLS / "client.key"}
        assert reached(url, ca_bundle=TLS / "ca.pem", **given) == 25


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ca_bundle": Path("none.pem")}, "cannot use the certificates in none.pem"),
        ({"ca_bundle": TLS / "client.key"}, "give a PEM file"),
        ({"client_cert": Path("none.pem")}, "cannot use the client certificate none.pem: No such file"),
        ({"client_cert": TLS / "client.pem"}, "its key, without a password, with --client-key"),
        ({"client_key": TLS / "client.key"}, "--client-key needs --client-cert"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_told(given: dict[str, Any], told: str) -> None:
    with pytest.raises(Untestable) as refused:
        ssl_context(Connection(**given))
    assert told in str(refused.value)


# --- proxies ---


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://a.test", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.test", {"https_proxy": "p:1"}, "http://p:1"),
        ("https://a.test", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.test", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://a.test", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("http://a.test", {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, None),
        ("https://localhost", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.test, a.test"}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "no_proxy": ".test"}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.test:443"}, None),
        ("https://a.test", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.test:444,est"}, "http://p:1"),
        ("https://10.1.2.3", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://11.1.2.3", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "http://p:1"),
    ],
)
def test_the_proxy_of_the_environment_is_the_one_that_curl_takes(
    url: str, environment: dict[str, str], proxy: str | None
) -> None:
    assert completed(Connection(), url, environment).proxy == proxy


@pytest.mark.parametrize("proxy", ["https://p:1", "socks5://p:1", "http://", "http://p:99999", "ftp"])
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(proxy: str) -> None:
    with pytest.raises(Untestable, match="write http://host:port"):
        completed(Connection(proxy=proxy), FAR, {})
    with pytest.raises(Untestable) as refused:
        completed(Connection(), "https://a.test", {"HTTPS_PROXY": f"https://me:{SECRET}@p:1"})
    assert SECRET not in str(refused.value)


def test_a_deployment_is_reached_through_a_proxy() -> None:
    with in_front_of(staged().asgi) as (port, _), proxying(port, SECRET) as (proxy, asked):
        assert reached(FAR, {"http_proxy": f"http://me:{SECRET}@127.0.0.1:{proxy}"}) == 25
        assert asked[0].startswith(b"GET http://staging.test/api/v1/calendars HTTP/1.1")
        with pytest.raises(Untestable):
            reached(FAR, proxy=f"http://127.0.0.1:{proxy}")


def test_an_encrypted_deployment_is_reached_through_a_proxy() -> None:
    with in_front_of(staged().asgi, tls=tls()) as (port, _), proxying(port, SECRET) as (proxy, asked):
        given: dict[str, Any] = {"proxy": f"http://me:{SECRET}@127.0.0.1:{proxy}", "ca_bundle": TLS / "ca.pem"}
        assert reached("https://staging.test", **given) == 25
        assert asked[0].startswith(b"CONNECT staging.test:443 HTTP/1.1")


@pytest.mark.parametrize("secure", [False, True])
def test_what_the_client_refuses_to_send_goes_through_the_proxy_too(secure: bool) -> None:
    with in_front_of(staged().asgi, tls=tls() if secure else None) as (port, asked), proxying(port) as (proxy, _):
        given = Connection(proxy=f"http://127.0.0.1:{proxy}", ca_bundle=TLS / "ca.pem")
        url = "https://staging.test" if secure else FAR
        with HttpTarget(url, Keys(ACME), connection=given) as target:
            exchange = target.send("GET", CALENDARS, headers=[("X Odd", "1")])
    assert exchange.status, exchange.failure
    assert b"X Odd: 1" in asked[0]


def test_a_proxy_makes_every_target_a_remote_one() -> None:
    with HttpTarget("http://127.0.0.1:1", Keys(ACME), connection=Connection(proxy="http://127.0.0.1:2")) as target:
        assert (target.live, target.writes, target.takes_bytes) == (True, False, False)


# --- base paths ---


def below(app: App, base: str) -> App:
    """The application behind a gateway that has it below a path, links included."""

    async def shifted(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        scope = {**scope, "path": path.removeprefix(base) if path.startswith(base) else "/nothing"}
        scope["raw_path"] = scope["raw_path"].removeprefix(base.encode())

        async def linked(message: Any) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": message["body"].replace(b"/api/v1/", f"{base}/api/v1/".encode())}
            await send(message)

        await app(scope, receive, linked)

    return shifted


def without_second_pages(app: App) -> App:
    """The application, which knows none of the cursors in its links."""

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        if b"cursor=" not in scope["query_string"]:
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b'{"detail":"no second page"}'})

    return failing


@contextmanager
def deployed(app: App, *, header: str = "") -> Iterator[str]:
    """A deployment below a path; with `header` behind a gateway that lets nothing else through."""
    blocked = saying(http("403 Forbidden"))
    shifted = below(app, "/attendee")
    with in_front_of(shifted, lambda number, head: None if header.encode() in head else blocked) as (port, _):
        yield f"http://127.0.0.1:{port}/attendee"


@pytest.mark.parametrize("ending", ["", "/", "/api/v1", "/api/v1/calendars/"])
def test_a_deployment_may_be_below_a_path(ending: str) -> None:
    assert base_of(f"https://a.test/attendee{ending}") == "https://a.test/attendee"
    with deployed(staged().asgi) as url:
        assert reached(url + ending) == 25


def test_links_of_a_deployment_below_a_path_are_followed() -> None:
    with deployed(staged().asgi) as url:
        report = check(url, key=ACME, write=False, only=["page-*", "links-*"], max_requests=16)
    assert report.findings == []
    assert {"page-link-leads", "links-preserve-query"} <= {
        one.rule.id for one in report.results if one.verdict == "kept"
    }


def test_findings_behind_a_gateway_and_below_a_path_are_shown_again_by_their_files(tmp_path: Path) -> None:
    header = f"X-Gateway: Bearer {SECRET}"
    given = Connection(headers=(parse_header(header),))
    environment = {"ATTENDEE_HEADERS": header, "ATTENDEE_API_KEY": ACME, **PATH}
    shows: dict[str, Any] = {"env": environment, "capture_output": True, "text": True, "check": False}
    with deployed(without_second_pages(staged().asgi), header=header) as url:
        report = check(url, key=ACME, write=False, only=["page-link-leads"], max_requests=20, connection=given)
        assert report.exit_status == 1
        files = write_findings(report, tmp_path / "found")
        recipe, script, test = (next(path for path in files if path.suffix == kind) for kind in (".json", ".sh", ".py"))
        assert any("capture" in step for step in json.loads(recipe.read_text("utf-8"))["steps"])
        assert replay(recipe, url, key=ACME, connection=given)[0] == 1
        assert "no second page" in subprocess.run(["/bin/sh", str(script)], **shows).stdout
        pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
        assert "1 failed" in subprocess.run(pytest_run, **shows).stdout


def test_bytes_that_are_no_request_are_only_for_a_deployment_without_path_and_gateway() -> None:
    plain, gateway = Connection(), Connection(headers=(("X-Gateway", "1"),))
    for url, connection, takes in (
        ("http://127.0.0.1:1", plain, True),
        ("http://127.0.0.1:1/attendee", plain, False),
        ("http://127.0.0.1:1", gateway, False),
    ):
        with HttpTarget(url, Keys(ACME), connection=connection) as target:
            assert target.takes_bytes == takes


def test_a_target_that_is_no_path_is_sent_as_it_is() -> None:
    with in_front_of(staged().asgi) as (port, asked), HttpTarget(f"http://127.0.0.1:{port}/a", Keys(ACME)) as target:
        target.send("OPTIONS", "*")
        target.send("OPTIONS", "/api/v1/calendars")
    assert [head.split(b" ")[1] for head in asked] == [b"*", b"/a/api/v1/calendars"]
