"""A difference is written as curl lines that a shell understands, and as a recording."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from mockserver.differential.comparing import Difference
from mockserver.differential.result import Found, Pair, Played, Result, curl_script, recording_of
from mockserver.differential.steps import Answer, Step
from tests.patience import HANGS

MADE = "cal_aaaaaaaaaaaaaaaa"
CREATE = Step(
    "POST",
    "/api/v1/calendars",
    (("Content-Type", "application/json"),),
    b'{"client_id": "${tag1}", "note": "it\'s \xe9"}',
    captures=(("made1", "/id"),),
)
VALUES = {
    "tag1": "conformance-run-1",
    "made1": MADE,
    "time1": "2026-01-01T00:00:00Z",
    "key": "secret",
    "key_cut": "secre",
}


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {"vary": "Accept", "server": "x", **headers}, json.dumps(body).encode())


def played(*pairs: Pair, other: dict[str, str] | None = None) -> Played:
    return Played(list(pairs), Difference("status", "200 and 404", "200", "404"), (VALUES, VALUES | (other or {})))


def sent(script: str, tmp_path: Any) -> list[list[str]]:
    """The arguments of each curl that a script starts; the first curl gives a calendar."""
    fake = tmp_path / "curl"
    fake.write_text(
        '#!/bin/bash\nprintf \'%s\\0\' "$@" >> "$LOG"; printf \'\\n\' >> "$LOG"; echo \'{"id":"cal_made"}\'\n'
    )
    fake.chmod(0o755)
    log = tmp_path / "log"
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LOG": str(log), "KEY": "the-key", "BASE": "http://b"}
    subprocess.run(["bash", "-eu", "-c", script], check=True, env=env, timeout=HANGS, capture_output=True)
    return [line.split("\0")[:-1] for line in log.read_text("latin-1").splitlines()]


def test_the_curl_lines_send_the_requests_with_what_responses_gave(tmp_path: Any) -> None:
    get = Step("GET", "/api/v1/calendars/${made1}", (("Accept", "a/b"),))
    script = curl_script(played(Pair(CREATE, answer({"id": MADE}, 201), answer({})), Pair(get, answer({}), answer({}))))
    create, last = sent(script, tmp_path)
    assert create[:3] == ["-sS", "-X", "POST"]
    assert "Authorization: Token the-key" in create
    assert create[-1] == "http://b/api/v1/calendars"
    assert re.fullmatch(r'{"client_id": "diff-\d+-1", "note": "it\'s \xe9"}', create[create.index("--data-binary") + 1])
    assert last == [
        "-sS",
        "-i",
        "-H",
        "Authorization: Token the-key",
        "-H",
        "Accept: a/b",
        "http://b/api/v1/calendars/cal_made",
    ]


@pytest.mark.parametrize(
    ("step", "arguments"),
    [
        (Step("HEAD", "/x", key=False), ["--head", "http://b/x"]),
        (Step("GET", "/x?t=${time1}", key=False), ["http://b/x?t=2026-01-01T00%3A00%3A00Z"]),
        (
            Step("GET", "/x", (("Authorization", "Token ${key_cut}"),), key=False),
            ["-H", "Authorization: Token the-ke", "http://b/x"],
        ),
        (Step("GET", "/x", (("Accept", ""),), key=False), ["-H", "Accept;", "http://b/x"]),
        (Step("DELETE", "/x", key=False), ["-X", "DELETE", "http://b/x"]),
    ],
    ids=str,
)
def test_every_kind_of_request_is_a_curl_line(step: Step, arguments: list[str], tmp_path: Any) -> None:
    (found,) = sent(curl_script(played(Pair(step, answer({}), answer({})))), tmp_path)
    assert found == ["-sS", "-i", *arguments]


def test_a_value_that_is_another_on_b_is_told() -> None:
    step = Step("GET", "/x?t=${time1}")
    script = curl_script(played(Pair(step, answer({}), answer({})), other={"time1": "2027-01-01T00:00:00Z"}))
    assert "TIME1=2026-01-01T00%3A00%3A00Z  # on B: 2027-01-01T00%3A00%3A00Z" in script


def test_a_recording_has_placeholders_for_what_is_new_each_time() -> None:
    body = {"id": MADE, "client_id": "x", "created_at": "2026-11-20T12:00:00.000001Z"}
    page = {
        "next": "http://a/api/v1/calendars?cursor=x",
        "results": [body, {"id": "cal_b", "created_at": "2026-01-01T00:00:00Z"}],
    }
    get, listed = Step("GET", "/api/v1/calendars/${made1}"), Step("GET", "/api/v1/calendars?t=${time1}")
    error = {"error": "Error ID: 4f6f2d0e-5c1b-4a7e-9d3e-2b8c7a1f0e5d. Expected available in 4 seconds."}
    pairs = (
        Pair(CREATE, answer(body, 201), answer(body, 201)),
        Pair(listed, answer(page), answer(page)),
        Pair(get, answer(error, 429, **{"retry-after": "4"}), answer({}, 404)),
    )
    found = recording_of("difference-1", "about", played(*pairs))
    create, second, last = found["steps"]
    assert create["capture"] == {"made1": "/id"}
    assert create["response"]["body"] == {
        "id": "${any:calendar_id}",
        "client_id": "x",
        "created_at": "${any:timestamp}",
    }
    assert create["request"]["headers"]["Authorization"] == "Token YOUR_API_KEY"
    assert "raw_body_b64" in create["request"]
    assert second["response"]["body"]["next"] == "${any:cursor_url}"
    assert [row["created_at"] for row in second["response"]["body"]["results"]] == [
        "${any:timestamp}",
        "2026-01-01T00:00:00Z",
    ]
    assert second["request"]["path"] == "/api/v1/calendars?t=2026-01-01T00%3A00%3A00Z"
    assert last["request"]["path"] == "/api/v1/calendars/${made1}"
    assert last["response"]["headers"] == {"vary": "Accept", "retry-after": "${any:int}"}
    assert last["response"]["body"]["error"] == "Error ID: ${any:uuid}. Expected available in ${any:int} seconds."
    assert last["note"] == "B responded 404 {}"


def test_the_exit_status_says_what_came_of_a_run() -> None:
    found = Found(("GET /x", "", "only on A"), "1", "null", "curl\n", {}, 1, 1)
    assert Result(1, write=False).exit_status == 0
    assert Result(1, write=False, found=[found]).exit_status == 1
    assert Result(1, write=True, found=[found], left=["A: cal_x"]).exit_status == 3
    assert Result(1, write=False, interrupted=True).exit_status == 130
    assert (
        Result(7, write=True, steps=10, found=[found]).summary
        == "10 requests to each (read and write, seed 7): 1 difference"
    )
    assert found.title == "GET /x: body: only on A"
