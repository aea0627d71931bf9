"""Several mocks behind nginx: a key always meets its own state."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks import scaling
from benchmarks.machine import ROOT
from benchmarks.scaling import KEYS, calendar_of
from mockserver.server import running
from mockserver.settings import Settings
from tests.patience import HANGS

NGINX = shutil.which("nginx")


@dataclass(frozen=True)
class Cluster:
    front: str
    processes: tuple[str, ...]


@contextlib.contextmanager
def transcribed(folder: Path, upstreams: Sequence[int], text: str) -> Iterator[str]:
    """What nginx does with the configuration, where there is none: the map's lines in their order, then the hash."""
    lines = re.findall(r'^\s+"~\*(.+)" (\S+);$', text, re.MULTILINE)

    def home(authorization: str) -> int:
        hashed = authorization
        for pattern, result in lines:
            if match := re.search(pattern.replace("(?<", "(?P<"), authorization, re.IGNORECASE):
                hashed = match[result[1:]] if result.startswith("$") else result
                break
        return upstreams[zlib.crc32(hashed.encode()) % len(upstreams)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            port = home(self.headers.get("Authorization", ""))
            connection = http.client.HTTPConnection("127.0.0.1", port)
            with contextlib.closing(connection):
                try:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    response = connection.getresponse()
                    status, answer = response.status, response.read()
                except OSError:
                    status, answer = 502, b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PATCH = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def front(folder: Path, upstreams: Sequence[int], more: str = "") -> Iterator[str]:
    """nginx, or its stand-in, with the example's configuration and a line `more` at the top of its map."""
    text = scaling.EXAMPLE.read_text("utf-8").replace("        default ", f"{more}        default ")
    example = folder / "example.conf"
    example.write_text(text, "utf-8")
    with scaling.nginx(folder, upstreams, example) if NGINX else transcribed(folder, upstreams, text) as url:
        yield url


@contextlib.contextmanager
def cluster(folder: Path, more: str = "") -> Iterator[Cluster]:
    settings = Settings(fixtures=scaling.write_fixtures(folder / "fixtures.json"))
    with running(settings) as one, running(settings) as other:
        processes = (one.url, other.url)
        with front(folder, [int(url.rpartition(":")[2]) for url in processes], more) as url:
            yield Cluster(url, processes)


@pytest.fixture(scope="module")
def mocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("scaling")) as made:
        yield made


def ask(url: str, method: str, path: str, authorization: str = "", body: Any = None) -> tuple[int, Any]:
    """A request on a connection of its own."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=HANGS)
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text.startswith(b"{") else None


def change(url: str, key: str, metadata: str) -> None:
    path = f"/api/v1/calendars/{calendar_of(key)}"
    status, _ = ask(url, "PATCH", path, f"Token {key}", {"metadata": {"seen": metadata}})
    assert status == 200


def seen(url: str, key: str, *, spelled: str = "Token {}") -> Any:
    status, calendar = ask(url, "GET", f"/api/v1/calendars/{calendar_of(key)}", spelled.format(key))
    assert status == 200
    return (calendar["metadata"] or {}).get("seen")


def homes(mocks: Cluster, key: str, metadata: str) -> list[str]:
    return [url for url in mocks.processes if seen(url, key) == metadata]


def test_a_key_meets_its_own_state_on_every_connection(mocks: Cluster) -> None:
    for turn in range(3):
        for key in KEYS:
            change(mocks.front, key, f"{key} {turn}")
        for _ in range(3):
            assert [seen(mocks.front, key) for key in KEYS] == [f"{key} {turn}" for key in KEYS]


def test_a_key_lives_in_one_process_and_every_process_has_keys(mocks: Cluster) -> None:
    for key in KEYS:
        change(mocks.front, key, "here")
    lived_in = [homes(mocks, key, "here") for key in KEYS]
    assert all(len(urls) == 1 for urls in lived_in)
    assert {url for urls in lived_in for url in urls} == {*mocks.processes}


@pytest.mark.parametrize("spelled", ["token {}", "TOKEN   {}", "Token {} "])
def test_a_key_is_the_same_however_it_is_spelled(mocks: Cluster, spelled: str) -> None:
    for key in KEYS:
        change(mocks.front, key, "spelled")
    assert {seen(mocks.front, key, spelled=spelled) for key in KEYS} == {"spelled"}


def test_controls_with_a_key_are_those_of_its_process(mocks: Cluster) -> None:
    for key in KEYS:
        change(mocks.front, key, "to be reset")
    for key in KEYS[::2]:
        assert ask(mocks.front, "POST", "/__mock__/project/reset", f"Token {key}")[0] == 200
    found = {key: seen(mocks.front, key) for key in KEYS}
    assert found == {key: None if key in KEYS[::2] else "to be reset" for key in KEYS}


def test_next_leads_through_the_front(mocks: Cluster) -> None:
    key = f"Token {KEYS[0]}"
    new = {"platform": "google", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    for _ in range(30):
        assert ask(mocks.front, "POST", "/api/v1/calendars", key, new)[0] == 201
    _, page = ask(mocks.front, "GET", "/api/v1/calendars", key)
    assert page["next"].startswith(f"{mocks.front}/api/v1/calendars?cursor=")
    status, page = ask(mocks.front, "GET", page["next"].removeprefix(mocks.front), key)
    assert (status, len(page["results"])) == (200, 6)


def test_a_throw_away_project_is_whole_in_the_process_that_made_it(mocks: Cluster) -> None:
    for url in mocks.processes:
        status, made = ask(url, "POST", "/__mock__/projects", body={})
        assert status == 201
        assert ask(url, "GET", "/api/v1/calendars", f"Token {made['api_key']}")[0] == 200


def test_requests_without_a_key_all_come_to_one_process(mocks: Cluster) -> None:
    # Two processes would give the same names.
    names = [ask(mocks.front, "POST", "/__mock__/projects", body={})[1]["name"] for _ in range(6)]
    assert len({*names}) == 6


def test_a_process_that_is_down_is_not_stood_in_for(tmp_path: Path) -> None:
    settings = Settings(fixtures=scaling.write_fixtures(tmp_path / "fixtures.json"))
    with running(settings) as stays:
        with running(settings) as goes:
            ports = [int(one.url.rpartition(":")[2]) for one in (stays, goes)]
        with front(tmp_path, ports) as url:
            path = "/api/v1/calendars"
            first = [ask(url, "GET", path, f"Token {key}")[0] for key in KEYS]
            again = [ask(url, "GET", path, f"Token {key}")[0] for key in KEYS]
    assert {*first} == {200, 502}
    assert first == again


def test_a_second_key_of_a_project_can_be_sent_after_the_first(tmp_path: Path) -> None:
    line = '        "~*^\\s*token\\s+{}\\s*$" {};\n'
    with cluster(tmp_path, "".join(line.format(key, KEYS[0]) for key in KEYS[1:])) as mocks:
        for key in KEYS:
            change(mocks.front, key, "together")
        assert len({tuple(homes(mocks, key, "together")) for key in KEYS}) == 1


def test_the_example_hashes_the_key_and_never_takes_another_process() -> None:
    text = scaling.EXAMPLE.read_text("utf-8")
    upstream = re.search(r"upstream mocks \{(.+?)\}", text, re.DOTALL)
    assert upstream
    lines = [line.strip() for line in upstream[1].splitlines() if line.strip()]
    assert lines[0] == "hash $mock_of consistent;"
    assert [line for line in lines if line.startswith("server ")] == [
        f"server 127.0.0.1:{port} max_fails=0;" for port in (8001, 8002)
    ]
    assert "proxy_next_upstream off;" in text
    assert "listen 127.0.0.1:8000;" in text
    page = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    assert all(f"--port {port}" in page for port in (8001, 8002))


def test_other_ports_can_be_filled_into_the_example() -> None:
    text = scaling.configuration(9, [1, 2, 3])
    assert re.findall(r"server 127\.0\.0\.1:(\d+)", text) == ["1", "2", "3"]
    assert "listen 127.0.0.1:9;" in text
    assert ":800" not in text
