"""The command that compares two deployments: its reports, files, exit statuses and one-line errors."""

from __future__ import annotations

import json
import re
import shlex
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockserver.cli.main import main
from mockserver.server import listen, running
from tests.differential.sides import KEY, mutant, new_mock

Run = Callable[..., tuple[int, str, str]]
DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `attendee-mock diff` with these words in a folder of its own: its exit status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTENDEE_API_KEY", KEY)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["diff", *words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def urls() -> Iterator[tuple[str, str, str]]:
    """A mock, another one, and one with a defect: DELETE is answered with 204."""
    broken = new_mock()
    broken.asgi = mutant("DELETE answers 204, not 200").apply(new_mock())
    with running(mock=new_mock()) as a, running(mock=new_mock()) as b, running(mock=broken) as c:
        yield a.url, b.url, c.url


def test_two_that_are_the_same_have_no_differences(run: Run, urls: tuple[str, str, str], tmp_path: Path) -> None:
    status, out, err = run(*urls[:2], "--steps", "40", "--write", "--seed", "3")
    assert (status, out, err) == (0, "40 requests to each (read and write, seed 3): no differences\n", "")
    assert not [*tmp_path.rglob("*.jsonl")]


def test_a_difference_is_printed_and_written_into_a_folder(
    run: Run, urls: tuple[str, str, str], tmp_path: Path
) -> None:
    words = ("--steps", "300", "--write", "--max-differences", "1", "--output", str(tmp_path / "found"))
    status, out, _ = run(urls[0], urls[2], *words)
    assert status == 1
    assert re.search(r"^1\. DELETE /api/v1/calendars/\{id\}: status: 200 and 204$", out, re.MULTILINE)
    assert "   | curl -sS -i -X DELETE" in out
    assert KEY not in out
    script = (tmp_path / "found" / "difference-1.sh").read_text("utf-8")
    recording = json.loads((tmp_path / "found" / "difference-1.json").read_text("utf-8"))
    assert script.startswith("BASE=${BASE:-")
    assert recording["steps"][-1]["request"]["method"] == "DELETE"
    assert KEY not in script + json.dumps(recording)


def test_the_report_is_json_on_demand(run: Run, urls: tuple[str, str, str]) -> None:
    status, out, _ = run(urls[0], urls[2], "--steps", "300", "--write", "--max-differences", "1", "--format", "json")
    report = json.loads(out)
    assert status == 1
    assert report["differences"][0]["title"] == "DELETE /api/v1/calendars/{id}: status: 200 and 204"
    assert report["left"] == []


@pytest.mark.parametrize(
    ("a", "b", "problem"),
    [
        ("nonsense", None, "A: 'nonsense' is not the URL of a deployment"),
        (None, "ftp://x", "B: 'ftp://x' is not the URL of a deployment"),
        (None, "http://key@127.0.0.1", "B: the URL contains a user name or a password"),
        (None, "https://app.attendee.dev", "B: app.attendee.dev is a production host"),
    ],
)
def test_a_url_that_cannot_be_compared_is_one_line_and_status_2(
    run: Run, urls: tuple[str, str, str], a: str | None, b: str | None, problem: str
) -> None:
    status, out, err = run(a or urls[0], b or urls[1])
    assert (status, out) == (2, "")
    assert err.startswith(f"attendee-mock: {problem}")
    assert len(err.splitlines()) == 1


def test_a_target_that_nobody_listens_at_is_one_line_and_status_2(run: Run, urls: tuple[str, str, str]) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    status, _, err = run(urls[0], f"http://127.0.0.1:{port}")
    assert status == 2
    assert err.startswith("attendee-mock: B: the target does not answer")
    assert len(err.splitlines()) == 1


def test_a_target_that_hangs_is_one_line_and_status_2(run: Run, urls: tuple[str, str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        status, _, err = run(urls[0], f"http://127.0.0.1:{silent.getsockname()[1]}", "--request-timeout", "0.2s")
    assert status == 2
    assert err.startswith("attendee-mock: B: the target")
    assert len(err.splitlines()) == 1


def test_a_key_that_is_rejected_is_told_with_its_side(run: Run, urls: tuple[str, str, str]) -> None:
    status, _, err = run(*urls[:2], "--token-b", "wrong-key-of-b")
    assert status == 2
    assert err.startswith("attendee-mock: B: the target rejects the API key (401)")
    assert "wrong-key-of-b" not in err


def test_a_folder_that_cannot_be_made_is_one_line_and_status_2(
    run: Run, urls: tuple[str, str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run(*urls[:2], "--steps", "5", "--output", str(tmp_path / "file" / "folder"))
    assert status == 2
    assert "--output" in err


def test_the_documented_commands_work(run: Run, urls: tuple[str, str, str]) -> None:
    page = (DOCS / "diff.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("attendee-mock diff")]
    assert len(lines) == 2
    for line in lines:
        words = line.replace("http://127.0.0.1:8000", urls[0]).replace("http://127.0.0.1:8001", urls[1])
        given = shlex.split(words.partition(" || ")[0].replace("--steps 100", "--steps 20"))[2:]
        assert run(*given)[0] == 0, line
