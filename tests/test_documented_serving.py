"""Every command and sample of the pages on serving and on several processes: mocks start and answer as they say."""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scaling import write_fixtures
from mockserver.server import listen
from tests.pages import ROOT, block
from tests.patience import HANGS
from tests.walk_through import run_in_bash, served

SERVE = "docs/serve.md"
LOG = block(SERVE, "09:30:12.345 #17 PATCH")
READY = block(SERVE, "attendee-mock serve --port 0 --ready-file")
READY_FILE = block(SERVE, '{\n  "url"')
CORS = block(SERVE, "attendee-mock serve --cors")
GENERATE = block(SERVE, "attendee-mock generate --calendars")
SCALING = block("docs/scaling.md", "attendee-mock serve --port 8001")
RUN = [LOG, READY, READY_FILE, CORS, GENERATE, SCALING]
"""Every block that a test below uses."""
NGINX = '#!/bin/sh\nprintf "%s\\n" "$@" > asked-of-nginx\n'
"""Takes the place of nginx, which tests/test_scaling.py runs where it is installed."""


def url_in(printed: str) -> str:
    ready = re.search(r"is ready at (http://\S+)", printed)
    assert ready, printed
    return ready[1]


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """The status and the headers of an answer, or its JSON."""
    given = {
        "Authorization": "Token YOUR_API_KEY_HERE",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    request = urllib.request.Request(url, body, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=HANGS) as answer:
            return answer.status, answer.headers if method == "OPTIONS" else json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_program_that_starts_the_mock_finds_it_by_the_file_of_the_page(tmp_path: Path) -> None:
    with served(READY.text, tmp_path) as printed:
        ready = json.loads((tmp_path / "mock.json").read_text("utf-8"))
    assert ready["url"] == url_in(printed)
    shown = json.loads(READY_FILE.text)
    assert isinstance(ready["pid"], int)
    assert ready | {"url": shown["url"], "pid": shown["pid"]} == shown
    assert not (tmp_path / "mock.json").exists()


def test_pages_of_each_origin_may_use_the_mock_and_the_log_has_the_lines_of_the_page(tmp_path: Path) -> None:
    with served(CORS.text, tmp_path, ATTENDEE_MOCK_PORT="0") as printed:
        calendars = f"{url_in(printed)}/api/v1/calendars"
        for origin in re.findall(r"--cors (\S+)", CORS.text):
            status, headers = ask(calendars, "OPTIONS", Origin=origin, Access_Control_Request_Method="GET")
            assert (status, headers["Access-Control-Allow-Origin"]) == (204, origin)
        json_body = {"Content_Type": "application/json"}
        assert ask(f"{calendars}/cal_abcdef1234567890", "PATCH", b'{"client_secret": ""}', **json_body)[0] == 400
        assert ask(f"{calendars}?page_size=2")[0] == 200
    varies = re.compile(r"^\S+ #\d+ (.*) [\d.]+ms ", re.MULTILINE)
    logged = varies.sub(r"\1 ", (tmp_path / "log").read_text("utf-8")).splitlines()
    assert logged[-2:] == varies.sub(r"\1 ", LOG.text).splitlines()


def test_generated_data_of_any_size_are_served(tmp_path: Path) -> None:
    with served(GENERATE.text, tmp_path, ATTENDEE_MOCK_PORT="0") as printed:
        _, health = ask(f"{url_in(printed)}/__mock__/health")
    assert (health["calendars"], health["events"]) == (1000, 10_000)


def test_several_processes_start_and_nginx_gets_the_example(tmp_path: Path) -> None:
    write_fixtures(tmp_path / "my-fixtures.yaml")
    shutil.copytree(ROOT / "examples" / "nginx", tmp_path / "examples" / "nginx")
    (tmp_path / "nginx").write_text(NGINX, "utf-8")
    (tmp_path / "nginx").chmod(0o755)
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as two:
        ports = {"8001": one.getsockname()[1], "8002": two.getsockname()[1]}
    typed = re.sub(r"(?<=--port )(\d+)", lambda match: str(ports[match[1]]), SCALING.text)
    answers = [
        f"curl -s --retry 200 --retry-connrefused --retry-delay 0 http://127.0.0.1:{port}/__mock__/health"
        for port in ports.values()
    ]
    printed = run_in_bash("\n".join(["trap 'kill $(jobs -p)' EXIT", typed, *answers]), tmp_path)
    assert printed.count('"status": "ok"') == 2
    asked = (tmp_path / "asked-of-nginx").read_text("utf-8").splitlines()
    assert Path(asked[asked.index("-p") + 1]).is_dir()
    assert Path(asked[asked.index("-c") + 1]).is_file()


@pytest.mark.parametrize("port", ["8001", "8002"])
def test_the_page_on_several_processes_starts_those_of_the_example(port: str) -> None:
    assert f"server 127.0.0.1:{port} " in (ROOT / "examples" / "nginx" / "nginx.conf").read_text("utf-8")
    assert f"--port {port} " in SCALING.text
