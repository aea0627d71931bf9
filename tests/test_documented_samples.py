"""Samples of output that no command on their page prints: what the service sent, what the mock says of a mistake."""

from __future__ import annotations

import base64
import hmac
import json
from pathlib import Path

import pytest

from mockserver.cli.main import main
from mockserver.testing import signature_problem
from tests.conftest import RECORDED
from tests.pages import block

SENT = block("docs/webhooks.md", "POST /webhook HTTP/1.1")
UNSIGNED = block("docs/listen.md", "signature wrong because ")
MISTAKES = block("fixtures/README.md", "my-fixtures.yaml:7: ")
YAML = """\
projects:
  - name: Demo
    api_keys: [YOUR_API_KEY_HERE]
    calendars:
      # The first calendar.
      - platform: google
        state: conected
        deduplication_key: user-1
        metdata: {team: backend}
"""
CALENDAR = {"platform": "google", "metadata": {"tenant_id": 42}}
JSON = json.dumps({"projects": [{"name": "Demo", "api_keys": ["YOUR_API_KEY_HERE"], "calendars": [CALENDAR]}]})


def test_the_webhook_of_the_page_is_a_recorded_one() -> None:
    head, _, body = SENT.text.partition("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    recorded = json.loads((RECORDED / "webhooks.json").read_text("utf-8"))["deliveries"]["calendar.events_update"][0]
    assert headers == recorded["headers"] | {"Host": headers["Host"]}
    assert list(headers) == list(recorded["headers"])
    assert " ".join(body.split()) == recorded["raw_body"]


def test_the_wrong_signature_of_the_page_is_recognized() -> None:
    body, key = b'{"a": 1}', b"k" * 32
    header = base64.b64encode(hmac.digest(key, body, "sha256")).decode()
    assert f"signature wrong because {signature_problem(body, header, key)}\n" == UNSIGNED.text


@pytest.mark.parametrize(("file", "text"), [("my-fixtures.yaml", YAML), ("my-fixtures.json", JSON)])
def test_the_mistakes_of_the_page_are_printed_with_their_lines(
    file: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(file).write_text(text, "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--fixtures", file])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    for line in MISTAKES.text.splitlines():
        assert not line.startswith(file) or line in said, said
