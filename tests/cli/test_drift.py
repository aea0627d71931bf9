"""The command `drift`: which files it takes, what it writes, and with which status it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockserver.cli.main import cli

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/drift/published.yaml"
INFO = "info: {title: A, version: '1'}"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["drift", *map(str, arguments)])


def archive(path: Path, *, metadata: object) -> Path:
    calendar = {
        "id": "cal_abcdef1234567890",
        "platform": "google",
        "client_id": "a",
        "platform_uuid": None,
        "state": "connected",
        "metadata": metadata,
        "deduplication_key": None,
        "connection_failure_data": None,
        **{name: "2026-01-01T00:00:00Z" for name in ("created_at", "updated_at")},
        **{name: None for name in ("last_successful_sync_at", "last_attempted_sync_at")},
    }
    text = json.dumps({"next": None, "previous": None, "results": [calendar]})
    headers = [{"name": "Allow", "value": "GET, POST, HEAD, OPTIONS"}, {"name": "Vary", "value": "Accept"}]
    headers.append({"name": "Content-Type", "value": "application/json"})
    request = {"method": "GET", "url": "https://example.com/api/v1/calendars", "headers": []}
    response = {"status": 200, "headers": headers, "content": {"size": len(text), "text": text}}
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": [{"request": request, "response": response}]}}))
    return path


def test_a_document_with_errors_is_1_and_the_contract_itself_is_0() -> None:
    wrong, right = run(EXAMPLE), run(ROOT / "openapi.yaml")
    assert (wrong.exit_code, right.exit_code) == (1, 0)
    assert "error    response-null:Calendar.metadata" in wrong.output
    assert "8 errors, 12 warnings, 4 info." in wrong.output
    assert right.output.endswith("0 errors, 0 warnings, 0 info.\n")


def test_a_recording_alone_and_with_a_document(tmp_path: Path) -> None:
    file = archive(tmp_path / "traffic.har", metadata=None)
    alone, both = run(file), run(file, EXAMPLE)
    assert (alone.exit_code, both.exit_code) == (0, 1)
    assert "observed:  null, once, first in entry 1" in both.output
    assert "1 of 1 exchange met an operation" in alone.output
    assert run(archive(tmp_path / "wrong.har", metadata=5)).exit_code == 1


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
def test_the_level_that_fails_is_chosen(tmp_path: Path, level: str, status: int) -> None:
    operation = {"responses": {"200": {"description": ""}}}
    page = {
        "openapi": "3.0.3",
        "info": {"title": "A", "version": "1"},
        "paths": {"/api/v1/calendars": {"get": operation}},
    }
    (tmp_path / "published.json").write_text(json.dumps(page))
    known = tmp_path / "known.yaml"
    known.write_text("- {id: 'body-undocumented:200', reason: r}\n- {id: 'key-undocumented:security', reason: r}\n")
    done = run("published.json", "--known", known, "--fail-on", level)
    assert done.exit_code == status, done.output


def test_known_differences_do_not_count(tmp_path: Path) -> None:
    report = json.loads(run(EXAMPLE, "--format", "json").output)
    known = tmp_path / "known.yaml"
    lines = [f"- {{id: '{one['id']}', reason: reported, ticket: T-1}}\n" for one in report["differences"]]
    known.write_text("".join(lines))
    done = run(EXAMPLE, "--known", known)
    assert done.exit_code == 0, done.output
    assert "0 errors, 0 warnings, 0 info, 24 known." in done.output
    assert "known    response-null:Calendar.metadata (reported)" in done.output


def test_an_entry_that_expired_or_matches_nothing_is_listed(tmp_path: Path) -> None:
    known = tmp_path / "known.yaml"
    known.write_text(
        "- {id: 'response-null:Calendar.metadata', reason: r, expires: 2020-01-01}\n"
        "- {id: 'response-null:Calendar.id', reason: r}\n"
        "- {id: 'status-undocumented:401', reason: r, operations: [getCalendar]}\n"
    )
    done = run(EXAMPLE, "--known", known)
    assert done.exit_code == 1
    assert "The entry for response-null:Calendar.metadata (line 1 of the known differences) expired on" in done.output
    assert "The entry for response-null:Calendar.id (line 2 of the known differences) matches no" in done.output
    assert "warning  status-undocumented:401" in done.output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1", "known.yaml:1: must be a list"),
        ("- 1", "known.yaml:1: an entry must be an object"),
        ("- {id: 'x:y', reason: r}", "known.yaml:1: there is no kind 'x'"),
        ("- {id: 'status-undocumented:401'}", "known.yaml:1: the entry has no reason"),
        ("- {rule: a}", "known.yaml:1: there is no 'rule'"),
        ("- {id: 'status-undocumented:401', reason: r, expires: soon}", "expires must be a date"),
        ("- {id: 'status-undocumented:401', reason: r, operations: x}", "operations must be a list"),
        ("- {id: [1], reason: r}", "id must be a text"),
        ("- {", "known.yaml:1: is not YAML"),
    ],
)
def test_a_file_of_known_differences_that_is_wrong_is_2(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "known.yaml").write_text(text)
    done = run(EXAMPLE, "--known", "known.yaml")
    assert isinstance(done.exception, SystemExit | Exception)
    assert problem in str(done.exception) + done.output


def test_sarif_has_rules_lines_and_suppressions(tmp_path: Path) -> None:
    (tmp_path / "known.yaml").write_text("- {id: 'response-null:Calendar.metadata', reason: reported}\n")
    done = run(EXAMPLE, "--format", "sarif", "--known", "known.yaml", "--output", "drift.sarif")
    assert not done.output
    (sarif,) = json.loads(Path("drift.sarif").read_text())["runs"]
    rules = sarif["tool"]["driver"]["rules"]
    assert len(sarif["results"]) == 24
    for result in sarif["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = result["locations"]
        line = place["physicalLocation"]["region"]["startLine"]
        assert 1 < line <= len(EXAMPLE.read_text().splitlines())
    (known,) = [result for result in sarif["results"] if "suppressions" in result]
    assert known["properties"]["id"] == "response-null:Calendar.metadata"
    line = known["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert EXAMPLE.read_text().splitlines()[line - 1].strip() == "metadata: {type: object}"


def test_markdown_is_a_table() -> None:
    output = run(EXAMPLE, "--format", "markdown").output
    rows = [line for line in output.splitlines() if line.startswith("| ")]
    assert len(rows) == 24 + 2
    assert all(line.replace("\\|", "").count("|") == 7 for line in rows)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("none.yml", None, "none.yml: there is no such file"),
        ("half.har", '{"log": {"entries": [{"request": {"method": "GE', "half.har:1: is not complete JSON"),
        ("no.har", '{"entries": []}', "no.har: is neither an OpenAPI document"),
        ("list.json", "[]", "list.json: is neither an OpenAPI document"),
        ("text.yml", "hello", "text.yml: is neither an OpenAPI document"),
        ("broken.yml", "a: [1\nb: 2", "broken.yml:2: is not YAML"),
        ("old.yml", "swagger: '2.0'", "old.yml: is Swagger 2.0, which drift does not read"),
        ("new.yml", f"openapi: 4.0.0\n{INFO}", "new.yml:1: is OpenAPI 4.0.0; drift reads 3.0 and 3.1"),
        ("no-paths.yml", f"openapi: 3.0.3\n{INFO}", "no-paths.yml:1: is not valid OpenAPI: the document: "),
        ("type.yml", f"openapi: 3.0.3\n{INFO}\npaths:\n  /a: {{get: 5}}", "type.yml:4: is not valid OpenAPI"),
        ("type31.yml", f"openapi: 3.1.0\n{INFO}\npaths: {{a: {{}}}}", "type31.yml:3: is not valid OpenAPI"),
        (
            "lost.yml",
            f"openapi: 3.0.3\n{INFO}\npaths: {{/a: {{get: {{responses: {{'200': {{$ref: '#/x'}}}}}}}}}}",
            "lost.yml: is not valid OpenAPI",
        ),
        ("files.yml", f"openapi: 3.0.3\n{INFO}\npaths:\n  /a: {{$ref: 'a.yml#/x'}}", "files.yml:4: refers to another"),
        ("empty.har", '{"log": {"entries": []}}', "empty.har: has no entries"),
    ],
)
def test_a_file_that_cannot_be_used_is_2_with_a_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, problem: str
) -> None:
    from mockserver.cli.main import main

    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["drift", name])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"attendee-mock: {problem}")
    assert len(said.splitlines()) == 1


def test_a_report_that_cannot_be_written_is_2() -> None:
    done = run(EXAMPLE, "--output", "none/report.txt")
    assert "cannot write none/report.txt: No such file or directory" in str(done.exception) + done.output


def test_two_documents_are_2() -> None:
    done = run(EXAMPLE, ROOT / "openapi.yaml")
    assert "is a second OpenAPI document" in str(done.exception) + done.output
