"""What all commands for a running mock share: what goes where, which project it is for, and how they fail."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from mockserver.cli.main import cli
from mockserver.cli.options import Text
from mockserver.server import listen
from tests.cli.fake_control import Fake, Run
from tests.cli.test_control_commands import CLOCK, EDITED, ENTRY, EVENT, EXPLAINED, leaves


def test_only_data_goes_to_standard_output(run: Run) -> None:
    nothing: dict[str, Any] = {
        "deliveries": [],
        "requests": [],
        "events": [],
        "faults": [],
        "snapshots": [],
        "subscriptions": [],
    }
    for line in ("deliveries", "requests", "events list x", "faults", "snapshots", "subscriptions", "reset"):
        status, out, err = run(line, nothing)
        assert (status, out) == (0, ""), line
        assert err.count("\n") == 1


def test_an_object_in_the_platforms_own_shape_is_sent_as_it_is(run: Run, fake: Fake, tmp_path: Path) -> None:
    document = tmp_path / "event.json"
    document.write_text(json.dumps(EVENT), "utf-8")
    assert run(f"events add cal_1 --file {document}", EDITED)[0] == 0
    assert fake.asked[0][2] == EVENT
    for text in ("[1]", "{"):
        document.write_text(text, "utf-8")
        status, _, err = run(f"events add cal_1 --file {document}", EDITED)
        assert status == 2
        assert "JSON" in err
    assert run(f"events add cal_1 --file {document} --title x", EDITED)[0] == 2
    assert len(fake.asked) == 1


def test_explain_takes_the_last_request_that_was_refused(run: Run, fake: Fake) -> None:
    fake.answers = [{"requests": [{"id": 4}]}, {"requests": [{"id": 9}]}, EXPLAINED]
    assert "curl -X POST" in run("explain")[1]
    assert [path for _, path, _ in fake.asked] == [
        "/__mock__/requests?status=4xx&limit=1",
        "/__mock__/requests?status=5xx&limit=1",
        "/__mock__/explain/9",
    ]
    status, _, err = run("explain", {"requests": []})
    assert status == 1
    assert "no request" in err


def test_a_key_chooses_the_project_and_a_control_token_opens_the_door(run: Run, fake: Fake) -> None:
    run("clock --token key-planted --control-token token-planted", CLOCK)
    assert fake.headers["Authorization"] == "Token key-planted"
    assert fake.headers["X-Control-Token"] == "token-planted"
    run("clock", CLOCK)
    assert not fake.headers.keys() & {"Authorization", "X-Control-Token"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            {"error": "no calendar 'x'", "field": "calendar", "fix": "take an id"},
            "CALENDAR: no calendar 'x'; take an id",
        ),
        ({"error": "calendar: no such thing", "field": "calendar"}, "CALENDAR: no such thing"),
        ({}, "the mock answered 404"),
    ],
)
def test_what_the_mock_refuses_is_one_line_with_the_fix_and_status_1(run: Run, answer: Any, told: str) -> None:
    status, out, err = run("sync x --json", answer, 404)
    assert (status, out, err) == (1, "", f"attendee-mock: {told}\n")


def test_no_mock_is_one_line_and_status_2(run: Run) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    for url, named in [
        (f"http://127.0.0.1:{port}", "attendee-mock serve"),
        ("ftp://127.0.0.1", "--url"),
        ("http://[", "--url"),
        ("nonsense", "--url"),
    ]:
        status, out, err = run("clock", CLOCK, url=url)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert named in err


def test_another_server_is_known_for_what_it_is(run: Run) -> None:
    for answer in (b"<html>", b"[]"):
        status, _, err = run("clock", answer, 404)
        assert status == 2
        assert "is not an attendee-mock" in err


def test_a_token_that_cannot_be_sent_is_not_shown(run: Run) -> None:
    status, _, err = run("clock --token 'planted\nsecret'", CLOCK)
    assert status == 2
    assert "planted" not in err


def test_a_wait_that_ends_with_nothing_is_status_1(run: Run) -> None:
    status, out, err = run("deliveries list --wait 5s --json", {"deliveries": []})
    assert (status, json.loads(out)) == (1, {"deliveries": []})
    assert "nothing arrived within 5s" in err
    assert run("requests --wait 5s", {"requests": [ENTRY]})[0] == 0


def test_a_project_by_name_goes_before_a_key_that_only_stands_in_the_environment(
    run: Run, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDEE_API_KEY", "key-1")
    run("clock", CLOCK)
    assert fake.headers["Authorization"] == "Token key-1"
    run("clock --project Demo", CLOCK)
    assert "Authorization" not in fake.headers
    run("clock --project Demo --token key-2", CLOCK)
    assert fake.headers["Authorization"] == "Token key-2"


@pytest.mark.parametrize(
    ("path", "command"), [leaf for name, one in cli.commands.items() for leaf in leaves(one, (name,))]
)
def test_an_empty_text_is_refused_before_anything_is_done(
    run: Run, fake: Fake, path: tuple[str, ...], command: click.Command
) -> None:
    texts = [param for param in command.params if isinstance(param.type, Text)]
    needed = ["1" for param in command.params if isinstance(param, click.Argument) and param.required]
    for param in texts:
        if isinstance(param, click.Option):
            line = [*path, *needed, param.opts[0], ""]
        elif param.required:
            at = [one.name for one in command.params if isinstance(one, click.Argument)].index(param.name)
            line = [*path, *needed[:at], "", *needed[at + 1 :]]
        else:
            line = [*path, ""]
        status, out, err = run(shlex.join(line), {})
        assert (status, out) == (2, ""), line
        assert err.count("\n") == 1
    assert not fake.asked


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("clock advance -1d", "-1d is a negative span"),
        ("clock advance -1d", "attendee-mock clock set -1d"),
        ("clock advance --far", "No such option '--far'"),
        ("clock set --far", "No such option '--far'"),
    ],
)
def test_a_span_may_begin_with_a_minus_sign(run: Run, fake: Fake, line: str, said: str) -> None:
    status, out, err = run(line, {})
    assert (status, out) == (2, "")
    assert said in err
    assert not fake.asked


@pytest.mark.parametrize(
    "line",
    [
        "events add cal_1 --title x",
        "events move cal_1 r",
        "events change cal_1 r",
        "clock advance",
        "revoke",
        "clock no",
    ],
)
def test_what_is_left_out_is_told_before_anything_is_asked(run: Run, fake: Fake, line: str) -> None:
    status, out, err = run(line, {})
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert not fake.asked
