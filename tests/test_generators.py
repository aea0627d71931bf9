"""Code generators run clean on the contracts, and what they generate works against the mock. See `make generators`."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.contracts import BOTS, CALENDARS, CONTROL, data_path, load_contract
from mockserver.server import RunningServer, running
from tests.clients import in_process
from tests.conftest import RECORDED
from tests.pages import text_of
from tests.patience import HANGS
from tests.replayer import Reply, Send, replay

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(__file__).parent / "generators"
TOOLS = ROOT / ".generators"
PYTHON = TOOLS / "python" / "bin"
NODE = TOOLS / "node_modules"
KEY = "YOUR_API_KEY_HERE"
WORKED = {"state": "connected", "metadata": {"language": "changed"}, "same": True, "events": True}
CONTRACTS = (CALENDARS, BOTS, CONTROL)
COMPILER = ("--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext")

pytestmark = pytest.mark.skipif(
    not (PYTHON / "openapi-python-client").exists() or not (NODE / ".bin" / "orval").exists(),
    reason="the code generators are not installed: make generators",
)


def run(*command: str | Path, cwd: Path) -> str:
    """What a command writes to standard output; it has to end well."""
    environment = {**os.environ, "PATH": f"{PYTHON}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", "CI": "1"}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=HANGS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr.lower(), done.stderr
    return done.stdout


def generate(*command: str | Path, cwd: Path) -> None:
    """Runs a code generator, which has to find nothing wrong with the contract."""
    said = run(*command, cwd=cwd)
    assert not re.search(r"warning|error|unable|⚠", said, re.IGNORECASE), said


def node(name: str) -> Path:
    """A command of the npm packages."""
    return NODE / ".bin" / name


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which node finds the installed packages."""
    (tmp_path / "node_modules").symlink_to(NODE)
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    return tmp_path


def generate_python(contract: str, folder: Path) -> Path:
    """The package that openapi-python-client generates."""
    tool, options = PYTHON / "openapi-python-client", ("--meta", "none", "--output-path", folder / "generated_client")
    generate(tool, "generate", "--path", data_path(contract), *options, cwd=folder)
    return folder / "generated_client"


def generate_models(contract: str, folder: Path) -> Path:
    """The module of pydantic models that datamodel-code-generator generates."""
    made = folder / "generated_models.py"
    kind = ("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin")
    # Without --strict-nullable the generator takes `nullable: true` for false where a member is required.
    options = (*kind, "--strict-nullable", "--output", made)
    generate(PYTHON / "datamodel-codegen", "--input", data_path(contract), *options, cwd=folder)
    return made


def generate_types(contract: str, folder: Path) -> None:
    """The types that openapi-typescript generates, as schema.ts."""
    generate(node("openapi-typescript"), data_path(contract), "-o", folder / "schema.ts", cwd=folder)


def generate_orval(contract: str, folder: Path) -> None:
    """The client with fetch that orval generates, as client.ts."""
    generate(node("orval"), "--input", data_path(contract), "--output", "./client.ts", "--client", "fetch", cwd=folder)


def compiled(folder: Path, program: str) -> Path:
    """A TypeScript program, compiled strictly."""
    (folder / program).write_text((PROGRAMS / program).read_text("utf-8"), "utf-8")
    options = ("--rewriteRelativeImportExtensions", "--types", "node", "--outDir", folder / "built")
    run(node("tsc"), *COMPILER, *options, folder / program, cwd=folder)
    (folder / "built" / "package.json").write_text('{"type": "module"}')
    return folder / "built" / program.replace(".ts", ".js")


COMMANDS = re.findall(r"^\| [\w-]+ \| `([^`]+)`", text_of("docs/generators.md"), re.MULTILINE)
"""The commands in the table of the page, each with the generator in its row."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.removeprefix("npx ").split()[0])
def test_a_command_of_the_page_generates_a_client(command: str, folder: Path) -> None:
    (folder / "openapi.yaml").symlink_to(data_path(CALENDARS))
    before = {*folder.iterdir()}
    generate(*shlex.split(command), cwd=folder)
    assert {*folder.iterdir()} - before, "nothing was written"


def test_the_page_has_a_command_for_each_generator() -> None:
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("contract", CONTRACTS)
def test_openapi_python_client_names_every_class_after_a_schema(contract: str, tmp_path: Path) -> None:
    package = generate_python(contract, tmp_path)
    schemas = load_contract(contract)["components"]["schemas"]
    known = {name.replace("_", "").lower() for name in schemas}
    models = {path.stem.replace("_", "") for path in (package / "models").glob("[!_]*.py")}
    assert models <= known
    run(PYTHON / "python", "-c", "import generated_client.models", cwd=tmp_path)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_datamodel_code_generator_names_every_class_after_a_schema(contract: str, tmp_path: Path) -> None:
    generate_models(contract, tmp_path)
    module = ast.parse((tmp_path / "generated_models.py").read_text("utf-8"))
    classes = {part.name for part in module.body if isinstance(part, ast.ClassDef)}
    assert classes <= load_contract(contract)["components"]["schemas"].keys()
    run(PYTHON / "python", "-c", "import generated_models", cwd=tmp_path)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_openapi_typescript_and_orval_generate_what_compiles(contract: str, folder: Path) -> None:
    generate_types(contract, folder)
    generate_orval(contract, folder)
    run(node("tsc"), *COMPILER, "--noEmit", folder / "schema.ts", folder / "client.ts", cwd=folder)


def test_a_generated_python_client_lists_creates_changes_and_deletes(server: RunningServer, tmp_path: Path) -> None:
    generate_python(CALENDARS, tmp_path)
    program = f"""
        import json
        from generated_client import AuthenticatedClient
        from generated_client.api.calendar_events import list_calendar_events
        from generated_client.api.calendars import create_calendar, delete_calendar, list_calendars, update_calendar
        from generated_client.models import CalendarCreate, CalendarUpdate, EventOrdering, FieldErrors
        from generated_client.models import Metadata, Platform
        client = AuthenticatedClient({server.url!r}, {KEY!r}, prefix="Token")
        before = list_calendars.sync(client=client)
        new = CalendarCreate("python", "secret", "token", Platform.GOOGLE, deduplication_key="python")
        made = create_calendar.sync(client=client, body=new)
        refused = create_calendar.sync(client=client, body=new)
        assert isinstance(refused, FieldErrors), refused
        metadata = Metadata.from_dict({{"language": "changed"}})
        changed = update_calendar.sync(made.id, client=client, body=CalendarUpdate(metadata=metadata))
        events = list_calendar_events.sync(client=client, ordering=EventOrdering.START_TIME_DESCENDING)
        assert delete_calendar.sync_detailed(made.id, client=client).status_code == 200
        after = list_calendars.sync(client=client)
        print(json.dumps({{
            "state": made.state.value,
            "metadata": changed.metadata.to_dict(),
            "same": len(before.results) == len(after.results),
            "events": len(events.results) > 0,
        }}))
    """
    said = run(PYTHON / "python", "-c", textwrap.dedent(program), cwd=tmp_path)
    assert json.loads(said) == WORKED


def test_a_program_with_generated_types_lists_creates_changes_and_deletes(server: RunningServer, folder: Path) -> None:
    generate_types(CALENDARS, folder)
    assert json.loads(run("node", compiled(folder, "types.ts"), server.url, KEY, cwd=folder)) == WORKED


def test_a_client_of_orval_lists_creates_changes_and_deletes(server: RunningServer, folder: Path) -> None:
    generate_orval(CALENDARS, folder)
    assert json.loads(run("node", compiled(folder, "orval.ts"), server.url, KEY, cwd=folder)) == WORKED


def recorded_answers(make_mock: Any, contract: Mapping[str, Any], scenarios: str) -> list[dict[str, Any]]:
    """The answers of every recorded scenario with the names of their schemas; the mock answers what was recorded."""
    answers: list[dict[str, Any]] = []

    def keeping(ask: Send) -> Send:
        def send(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
            reply = ask(method, target, headers, body)
            name = schema_of(contract, method, target.partition("?")[0], reply)
            if name is not None:
                answers.append({"model": name, "body": json.loads(reply.body)})
            return reply

        return send

    for path in sorted((RECORDED / scenarios).glob("*.json")):
        mock: Mock = make_mock()
        assert replay(json.loads(path.read_text("utf-8")), keeping(in_process(mock))) == []
    return answers


def schema_of(contract: Mapping[str, Any], method: str, path: str, reply: Reply) -> str | None:
    """The schema of an answer; None where the contract has none, or the answer is not JSON."""
    steps = path.split("/")
    for template, item in contract["paths"].items():
        parts = template.split("/")
        fits = len(parts) == len(steps) and all(
            part == step or (part[:1] == "{" and step) for part, step in zip(parts, steps, strict=True)
        )
        response = item.get(method.lower(), {}).get("responses", {}).get(str(reply.status)) if fits else None
        if response and reply.body and reply.headers.get("content-type") == "application/json":
            if "$ref" in response:
                response = contract["components"]["responses"][response["$ref"].rpartition("/")[2]]
            return str(response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2])
    return None


@pytest.mark.parametrize(
    ("contract", "scenarios", "least"), [(CALENDARS, "scenarios", 500), (BOTS, "scenarios-bots", 40)]
)
def test_generated_models_parse_every_recorded_answer(
    contract: str, scenarios: str, least: int, make_mock: Any, tmp_path: Path
) -> None:
    generate_models(contract, tmp_path)
    answers = recorded_answers(make_mock, load_contract(contract), scenarios)
    assert len(answers) > least
    (tmp_path / "answers.json").write_text(json.dumps(answers), "utf-8")
    code = """
        import json, generated_models
        for answer in json.load(open("answers.json", encoding="utf-8")):
            getattr(generated_models, answer["model"]).model_validate(answer["body"])
    """
    run(PYTHON / "python", "-c", textwrap.dedent(code), cwd=tmp_path)
