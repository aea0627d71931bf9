"""The page and its files are served from the package, and a browser loads nothing else."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from mockserver.app import Mock
from mockserver.control.guard import Guard
from tests.clients import in_process

FOLDER = files("mockserver.control") / "page"
NAMES = sorted(one.name for one in FOLDER.iterdir())


def test_the_page_is_at_the_root_of_the_controls(mock: Mock) -> None:
    page = in_process(mock)("GET", "/__mock__/", {}, None)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b'<script type="module" src="/__mock__/page/app.js"></script>' in page.body


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_served_with_its_type_and_a_policy_without_inline_scripts(mock: Mock, name: str) -> None:
    answer = in_process(mock)("GET", f"/__mock__/page/{name}", {}, None)
    assert answer.status == 200
    assert answer.body == (FOLDER / name).read_bytes()
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy["script-src"], policy["style-src"], policy["connect-src"]} == {"'self'"}


@pytest.mark.parametrize("name", NAMES)
def test_no_file_names_another_host_or_has_inline_script_or_style(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8").replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1", "")
    assert not re.findall(r"https?://", text)
    assert not re.findall(r"<script>|<style|\sstyle=|\son[a-z]+=|innerHTML|insertAdjacentHTML|\beval\(", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_module_that_is_imported_is_there(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    assert {*re.findall(r'from "\./([^"]+)"', text), *re.findall(r'"/__mock__/page/([^"]+)"', text)} <= {*NAMES}


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fpage_routes.py", "__init__.py", "%2e%2e"])
def test_no_other_file_is_served(mock: Mock, name: str) -> None:
    assert in_process(mock)("GET", f"/__mock__/page/{name}", {}, None).status == 404


def test_the_page_needs_no_control_token_and_what_it_reads_does(mock: Mock) -> None:
    guard: Guard = mock.guard
    guard.listens_on("192.0.2.1")
    send = in_process(mock)
    assert send("GET", "/__mock__/", {}, None).status == 200
    assert send("GET", "/__mock__/page/app.js", {}, None).status == 200
    assert send("GET", "/__mock__/timeline", {}, None).status == 401
