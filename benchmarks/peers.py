"""The peers: installed from the npm registry into a folder of their own, each told to answer the same calendar.

Each is given what makes it fast: no request log, no templates, no CORS. WireMock keeps a journal as long as the mock's,
and is measured without one too. Those that can are told to look at the Authorization header.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.load import METADATA
from benchmarks.machine import ROOT
from benchmarks.servers import AUTHORIZATION, CALENDAR, Server

FOLDER = ROOT / "benchmarks" / ".peers"
WANTED = ROOT / "benchmarks" / "peers.json"
NAMES = ("WireMock", "Prism", "Mockoon", "Specmatic")
UNFAIR = "WireMock, no journal"
"""Shown beside the others, and with the goals: it does less than the mock does."""
JVM_WARM_UP = 8.0
"""Seconds; a JVM is slow until it has compiled what is used much."""
NODE_WARM_UP = 3.0
JOURNAL = "1000"
"""Entries, as many as the mock keeps."""
_MODULES = FOLDER / "node_modules"
_PACKAGES = {
    "WireMock": "wiremock",
    UNFAIR: "wiremock",
    "Prism": "@stoplight/prism-cli",
    "Mockoon": "@mockoon/cli",
    "Specmatic": "specmatic",
}
_IN_JAVA = ("WireMock", UNFAIR, "Specmatic")
_METHODS = ("GET", "PATCH")


def install() -> str:
    """Installs what is wanted and not there; gives what was wrong, or nothing."""
    if all(_version(name) == _wanted(name) for name in NAMES):
        return ""
    if shutil.which("npm") is None:
        return "needs npm"
    FOLDER.mkdir(exist_ok=True)
    shutil.copy(WANTED, FOLDER / "package.json")
    options = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    print("installing the peers into benchmarks/.peers (once, 280 MB)", flush=True)
    done = subprocess.run(["npm", "install", *options], cwd=FOLDER, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "could not be installed by npm"


def missing(name: str) -> str:
    """What a peer needs and is not here; nothing when it can be measured."""
    tool = "java" if name in _IN_JAVA else "node"
    if shutil.which(tool) is None:
        return f"needs {tool}"
    return "" if _version(name) else "needs its npm package"


def make(name: str, folder: Path, answers: dict[str, bytes]) -> Server:
    """A peer that answers a GET and a PATCH of the calendar with `answers`; what it reads is written into `folder`."""
    makers = {"Prism": _prism, "Mockoon": _mockoon, "Specmatic": _specmatic}
    command = _wiremock(folder, answers, name) if name in ("WireMock", UNFAIR) else makers[name](folder, answers)
    warm_up = JVM_WARM_UP if name in _IN_JAVA else NODE_WARM_UP
    return Server(name, tuple(command), _version(name), folder=folder, warm_up=warm_up)


def connexion(folder: Path, answers: dict[str, bytes]) -> Server:
    """Connexion as it comes, validating requests and answers: no peer, but what the mock is built on."""
    for method, body in answers.items():
        (folder / f"{method.lower()}.json").write_bytes(body)
    (folder / "calendar.json").write_text(json.dumps(calendar_contract(answers), default=str), "utf-8")
    options = ("--port", "{port}", "--no-access-log", "--log-level", "critical", "--no-server-header")
    command = (sys.executable, "-m", "uvicorn", "benchmarks.connexion_plain:app", *options)
    return Server("Connexion", command, environment={"BENCHMARK_FOLDER": str(folder)})


def calendar_contract(answers: dict[str, bytes]) -> dict[str, Any]:
    """openapi.yaml with the one path that is measured, and the answers as its examples."""
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    path = next(path for path in contract["paths"] if path.endswith("{object_id}"))
    item = contract["paths"][path]
    kept = {method.lower(): copy.deepcopy(item[method.lower()]) for method in _METHODS}
    for method in _METHODS:
        good = kept[method.lower()]["responses"]["200"]
        good.pop("links", None)
        good["content"]["application/json"].pop("examples", None)
        good["content"]["application/json"]["example"] = json.loads(answers[method])
    return {**contract, "paths": {path: kept}}


def _wiremock(folder: Path, answers: dict[str, bytes], name: str) -> list[str]:
    mappings = folder / "wiremock" / "mappings"
    mappings.mkdir(parents=True, exist_ok=True)
    for method in _METHODS:
        asked = {"method": method, "urlPath": CALENDAR, "headers": {"Authorization": {"equalTo": AUTHORIZATION}}}
        answer = {"status": 200, "body": answers[method].decode(), "headers": {"Content-Type": "application/json"}}
        (mappings / f"{method}.json").write_text(json.dumps({"request": asked, "response": answer}), "utf-8")
    (jar,) = (_MODULES / "wiremock" / "build").glob("*.jar")
    journal = ["--no-request-journal"] if name == UNFAIR else ["--max-request-journal-entries", JOURNAL]
    quiet = [*journal, "--disable-request-logging", "true", "--disable-response-templating"]
    where = ["--port", "{port}", "--bind-address", "127.0.0.1", "--root-dir", "wiremock"]
    return ["java", "-jar", str(jar), *where, *quiet, "--disable-banner"]


def _prism(folder: Path, answers: dict[str, bytes]) -> list[str]:
    (folder / "prism.json").write_text(json.dumps(calendar_contract(answers), default=str), "utf-8")
    options = ["--port", "{port}", "--verboseLevel", "silent", "--cors=false"]
    return [str(_MODULES / ".bin" / "prism"), "mock", *options, "prism.json"]


def _specmatic(folder: Path, answers: dict[str, bytes]) -> list[str]:
    (folder / "contract.json").write_text(json.dumps(calendar_contract(answers), default=str), "utf-8")
    examples = folder / "contract_examples"
    examples.mkdir(exist_ok=True)
    for method in _METHODS:
        asked = {"path": CALENDAR, "method": method, "headers": {"Authorization": AUTHORIZATION}}
        if method == "PATCH":
            asked["body"] = json.loads(METADATA)
        # It sends its answers with line breaks and indents: the same JSON, some bytes more.
        headers = {"Allow": "GET, PATCH, DELETE, HEAD, OPTIONS", "Vary": "Accept", "Content-Type": "application/json"}
        answer = {"status": 200, "headers": headers, "body": json.loads(answers[method])}
        (examples / f"{method}.json").write_text(json.dumps({"http-request": asked, "http-response": answer}), "utf-8")
    jar = str(_MODULES / "specmatic" / "specmatic.jar")
    options = ["--port", "{port}", "--host", "127.0.0.1", "--noConsoleLog"]
    return ["java", "-jar", jar, "stub", "contract.json", *options]


def _mockoon(folder: Path, answers: dict[str, bytes]) -> list[str]:
    rule = {"target": "header", "modifier": "Authorization", "value": AUTHORIZATION, "operator": "equals"}
    routes = []
    for method in _METHODS:
        good = _mockoon_answer(f"{method}-good", 200, answers[method].decode(), [{**rule, "invert": False}])
        bad = {**_mockoon_answer(f"{method}-bad", 401, "{}", []), "default": True}
        route = {"uuid": method, "type": "http", "method": method.lower(), "endpoint": "api/v1/calendars/:id"}
        routes.append({**route, "documentation": "", "responses": [good, bad], "responseMode": None})
    tree = [{"type": "route", "uuid": route["uuid"]} for route in routes]
    given = {"uuid": "calendars", "lastMigration": 33, "name": "calendars", "endpointPrefix": "", "latency": 0}
    lists: dict[str, list[Any]] = {name: [] for name in ("folders", "headers", "data", "callbacks")}
    tls = {
        "enabled": False,
        "type": "CERT",
        "pfxPath": "",
        "certPath": "",
        "keyPath": "",
        "caPath": "",
        "passphrase": "",
    }
    environment = {**given, **lists, "port": 3000, "hostname": "127.0.0.1", "routes": routes, "rootChildren": tree}
    proxy = {
        "proxyMode": False,
        "proxyHost": "",
        "proxyRemovePrefix": False,
        "proxyReqHeaders": [],
        "proxyResHeaders": [],
    }
    text = json.dumps({**environment, **proxy, "tlsOptions": tls, "cors": False})
    (folder / "mockoon.json").write_text(text, "utf-8")
    # It has no option against its request log, which goes to standard output, and from there nowhere.
    options = ["--port", "{port}", "--hostname", "127.0.0.1", "--disable-log-to-file", "--disable-admin-api"]
    binary = str(_MODULES / ".bin" / "mockoon-cli")
    return [binary, "start", "--data", "mockoon.json", *options, "--max-transaction-logs", "0"]


def _mockoon_answer(uuid: str, status: int, body: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    headers = [{"key": "Content-Type", "value": "application/json"}]
    answer = {"uuid": uuid, "body": body, "statusCode": status, "headers": headers, "rules": rules, "latency": 0}
    empty = {"label": "", "bodyType": "INLINE", "filePath": "", "databucketID": "", "sendFileAsBody": False}
    more = {"rulesOperator": "AND", "disableTemplating": True, "fallbackTo404": False, "default": False}
    return {**answer, **empty, **more, "crudKey": "id", "callbacks": []}


def _wanted(name: str) -> str:
    wanted: dict[str, str] = json.loads(WANTED.read_text("utf-8"))["dependencies"]
    return wanted[_PACKAGES[name]]


def _version(name: str) -> str:
    """The version that is installed, if any."""
    package = _MODULES / _PACKAGES[name] / "package.json"
    return str(json.loads(package.read_text("utf-8"))["version"]) if package.exists() else ""
